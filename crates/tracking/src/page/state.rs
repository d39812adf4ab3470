//! What the page of a run shows.

use burn_lr_training::TrainingError;
use burn_lr_training::metrics::History;
use burn_lr_training::run::{Launch, RunDirectory};
use burn_lr_training::track::UpdateRecord;
use serde_json::Value;

/// A run as a web page without any file beside it: its curves, best and last epochs, where the rate was cut and
/// why, what it was configured with, where it comes from, and how it was started.
///
/// ```no_run
/// use burn_lr_tracking::RunPage;
///
/// let page = RunPage::read("artifacts/mnist_step/run-001")?;
/// std::fs::write("run.html", page.to_html())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct RunPage {
    pub(super) name: String,
    pub(super) status: Status,
    /// What `burn-lr.json` holds.
    pub(super) config: Value,
    pub(super) history: History,
    pub(super) launches: Vec<Launch>,
    /// Those that were followed, a selection if there are many.
    pub(super) updates: Vec<UpdateRecord>,
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Status {
    /// It goes on.
    Running {
        /// How much of it is done, from 0 to 1.
        done: f64,
        /// Seconds until its end, if it goes on as fast.
        seconds_left: Option<f64>,
    },
    /// All epochs were made, or early stopping ended it.
    Complete,
    /// It was stopped, by what that says.
    Stopped(String),
    /// It has not come to its end; whether it is at work, its files do not say.
    Unfinished,
}

impl RunPage {
    /// The page of the run in `directory`, of any model.
    ///
    /// # Errors
    /// [`TrainingError::File`] or [`TrainingError::Damaged`] naming the file that cannot be read.
    pub fn read(directory: impl AsRef<std::path::Path>) -> Result<Self, TrainingError> {
        let run = RunDirectory::new(directory);
        let complete = run.final_model().exists();
        Ok(Self {
            name: name(&run),
            status: if complete {
                Status::Complete
            } else {
                Status::Unfinished
            },
            config: run.configuration()?,
            history: run.history()?,
            launches: run.launches()?,
            updates: Vec::new(),
        })
    }

    /// A page of a run that begins, with what is known then.
    pub(super) fn begun(run: &RunDirectory, config: &Value, history: &History) -> Self {
        Self {
            name: name(run),
            status: Status::Running {
                done: 0.0,
                seconds_left: None,
            },
            config: config.clone(),
            history: history.clone(),
            launches: run.launches().unwrap_or_default(),
            updates: Vec::new(),
        }
    }
}

/// The last two parts of a run's path, as `mnist_step/run-001`.
fn name(run: &RunDirectory) -> String {
    let path = std::path::absolute(run.path()).unwrap_or_else(|_| run.path().to_owned());
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts[parts.len().saturating_sub(2)..].join("/")
}
