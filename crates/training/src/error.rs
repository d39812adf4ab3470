//! The errors of training.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn_lr_scheduler::ScheduleError;

use crate::checkpoint::CheckpointError;
use crate::metrics_log::Divergence;

/// What can stop a training run.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// A setting is outside its range.
    #[error("{name}: expected {expected}, got {found}")]
    Invalid {
        /// The setting.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// The schedule is invalid.
    #[error("schedule: {0}")]
    Schedule(#[from] ScheduleError),
    /// A file of the run directory could not be written or read.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why it failed.
        source: Arc<std::io::Error>,
    },
    /// A model file could not be written or read.
    #[error("cannot {action} the model in {}: {reason}", path.display())]
    Model {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What Burn says.
        reason: String,
    },
    /// A file is not what the checksum beside it says.
    #[error("{} is damaged: expected SHA-256 {expected}, found {found}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The checksum of what was written.
        expected: String,
        /// The checksum of what is there.
        found: String,
    },
    /// A plateau observes a metric that has no value.
    #[error("no {split} metric {metric:?} in epoch {epoch}: {}", list(known))]
    MissingMetric {
        /// The metric's name.
        metric: String,
        /// The split it was looked for in.
        split: String,
        /// The epoch.
        epoch: usize,
        /// The numeric metrics that there are, as far as that is known.
        known: Vec<String>,
    },
    /// The training loss became NaN or infinite.
    #[error("the training loss is {loss} in epoch {epoch}{}", batch(*iteration))]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The batch within the epoch, from 1; none if only the mean of the epoch was seen.
        iteration: Option<usize>,
        /// The loss.
        loss: f64,
    },
    /// The validation loss became NaN or infinite: the last update has spoilt the weights.
    #[error("the validation loss is {loss} after epoch {epoch}")]
    ValidationDiverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The loss.
        loss: f64,
    },
    /// The run was stopped from outside.
    #[error("stopped after epoch {epoch}: {reason}")]
    Interrupted {
        /// The last epoch that was completed, 0 for none.
        epoch: usize,
        /// What was said when it was stopped.
        reason: String,
    },
    /// The directory holds a run, and the caller did not ask to resume it.
    #[error("{} holds a run already: resume it, or name another directory", path.display())]
    RunExists {
        /// The run directory.
        path: PathBuf,
    },
    /// Another process, or another thread of this one, is at work in the directory.
    #[error("{} is in use by another run", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The run to be resumed was configured differently.
    #[error("cannot resume {}: {field} was {saved} and is {current} now", path.display())]
    ConfigChanged {
        /// The configuration of the run.
        path: PathBuf,
        /// The place inside it.
        field: String,
        /// The value there.
        saved: String,
        /// The value now.
        current: String,
    },
    /// A file of the run does not hold what it should.
    #[error("{}: {reason}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was expected and found.
        reason: String,
    },
    /// A checkpoint cannot be used.
    #[error(transparent)]
    Checkpoint(CheckpointError),
    /// Burn's Learner stopped on an error.
    #[error("training stopped after epoch {epoch}: {source}")]
    Learner {
        /// The last epoch that was completed, 0 for none.
        epoch: usize,
        /// What the Learner says.
        source: Arc<burn::train::TrainingError>,
    },
}

impl TrainingError {
    /// An input or output error on `path`.
    pub(crate) fn file(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::File {
            action,
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }
}

impl From<Divergence> for TrainingError {
    fn from(divergence: Divergence) -> Self {
        let Divergence {
            epoch,
            iteration,
            loss,
        } = divergence;
        Self::Diverged {
            epoch,
            iteration: Some(iteration),
            loss,
        }
    }
}

fn list(names: &[String]) -> String {
    match names {
        [] => "is it registered as a numeric metric?".to_owned(),
        names => format!("there is {}", names.join(", ")),
    }
}

fn batch(iteration: Option<usize>) -> String {
    iteration.map_or(String::new(), |iteration| {
        format!(", iteration {iteration}")
    })
}
