//! What the page of a run shows.

use burn_lr_training::TrainingError;
use burn_lr_training::metrics::History;
use burn_lr_training::run::{Launch, RunDirectory};
use burn_lr_training::track::UpdateRecord;
use serde_json::Value;

use super::followed::Followed;

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
    /// Every so many records that were told one is in the selection.
    pub(super) keep_every: usize,
    /// The epochs after which there is a checkpoint.
    pub(super) checkpoints: Vec<usize>,
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
    /// A process has it, and this page does not follow it.
    AtWork,
    /// It has not come to its end, and nothing says why.
    Unfinished,
}

impl RunPage {
    /// The page of the run in `directory`, of any model, with what a [page that followed it](super::LivePage)
    /// there knows.
    ///
    /// # Errors
    /// [`TrainingError::File`] or [`TrainingError::Damaged`] naming the file that cannot be read.
    pub fn read(directory: impl AsRef<std::path::Path>) -> Result<Self, TrainingError> {
        let run = RunDirectory::new(directory);
        let launches = run.launches()?;
        let followed = Followed::read(&run.page(), &launches).unwrap_or_default();
        let stopped = followed.stopped(&launches);
        let status = match stopped {
            _ if run.is_at_work() => Status::AtWork,
            _ if run.final_model().exists() => Status::Complete,
            Some(reason) => Status::Stopped(reason),
            None => Status::Unfinished,
        };
        Ok(Self {
            name: name(&run),
            status,
            config: run.configuration()?,
            history: run.history()?,
            launches,
            updates: followed.updates.into_owned(),
            keep_every: followed.keep_every.max(1),
            checkpoints: run.saved_epochs(),
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
            keep_every: 1,
            checkpoints: run.saved_epochs(),
        }
    }

    /// What this page knows, for whoever writes the run's page next.
    pub(super) fn followed(&self) -> String {
        let stopped = match &self.status {
            Status::Stopped(reason) => Some(reason.as_str()),
            _ => None,
        };
        Followed::new(&self.launches, stopped, (self.keep_every, &self.updates)).element()
    }
}

/// The last two parts of a run's path, as `mnist_step/run-001`.
fn name(run: &RunDirectory) -> String {
    let path = std::path::absolute(run.path()).unwrap_or_else(|_| run.path().to_owned());
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts[parts.len().saturating_sub(2)..].join("/")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;
    use tempfile::TempDir;

    use super::*;

    /// A run that was started then.
    fn page(directory: &Path, starts: &[&str]) -> RunPage {
        let run = RunDirectory::new(directory);
        let starts = starts.iter().map(|at| {
            json!({
                "at": at, "after_epoch": 0, "command": [], "burn_lr": "", "platform": "", "threads": 1
            })
        });
        let launches = serde_json::to_string(&Vec::from_iter(starts)).unwrap();
        std::fs::write(run.launches_json(), launches).unwrap();
        std::fs::write(run.config(), r#"{"fixed": {}}"#).unwrap();
        RunPage::read(directory).unwrap()
    }

    #[test]
    fn what_was_told_outlives_the_page_of_a_run_and_no_other() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("run.html");
        let mut written = page(directory.path(), &["noon"]);
        written.updates = (1..=3).map(|update| UpdateRecord::new(update, 1)).collect();
        written.updates[0]
            .metrics
            .insert("loss".to_owned(), f64::INFINITY);
        written.status = Status::Stopped("</script><!-- a \"reason\"".to_owned());
        std::fs::write(&path, written.to_html()).unwrap();

        let read = page(directory.path(), &["noon"]);
        assert_eq!(read.updates.len(), 3);
        assert_eq!(read.updates[0].metrics["loss"], f64::INFINITY);
        assert_eq!(read.status, written.status);
        // A report of the report knows as much.
        std::fs::write(&path, read.to_html()).unwrap();
        assert_eq!(page(directory.path(), &["noon"]).updates.len(), 3);

        let resumed = page(directory.path(), &["noon", "evening"]);
        assert_eq!(resumed.updates.len(), 3);
        assert_eq!(resumed.status, Status::Unfinished);
        assert!(page(directory.path(), &["evening"]).updates.is_empty());
        std::fs::write(&path, "my notes").unwrap();
        assert!(page(directory.path(), &["noon"]).updates.is_empty());
    }
}
