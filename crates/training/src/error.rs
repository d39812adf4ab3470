//! The errors of training.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn_lr_scheduler::ScheduleError;

use crate::average::AverageError;
use crate::damage::Damage;
use crate::lineage::{SettingChange, may_be_a_branchs};
use crate::loader::LoaderError;
use crate::optim::OptimError;

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
    /// The optimizer, a parameter group or the clipping of gradients is invalid.
    #[error(transparent)]
    Optim(#[from] OptimError),
    /// An average of weights is invalid.
    #[error(transparent)]
    Average(#[from] AverageError),
    /// A data loader is invalid.
    #[error(transparent)]
    Loader(#[from] LoaderError),
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
    /// A model file could not be written, or does not fit the model.
    #[error("cannot {action} the model in {}: {reason}", path.display())]
    Model {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What Burn says.
        reason: String,
    },
    /// A file is not what was written.
    #[error(transparent)]
    Damaged(Damage),
    /// A metric that something asks for is not registered.
    #[error("{user}: no metric {metric:?}; {}", list(known))]
    UnknownMetric {
        /// What asks for it.
        user: &'static str,
        /// The metric, as in `valid_loss`.
        metric: String,
        /// The metrics that there are, as far as that is known.
        known: Vec<String>,
    },
    /// Two metrics would have the same name.
    #[error("metric {metric:?}: expected one metric of that name, found {}", names.join(" and "))]
    MetricTwice {
        /// The name.
        metric: String,
        /// The names by which Burn displays them.
        names: Vec<String>,
    },
    /// A metric that something asks for has no value in an epoch.
    #[error("{user}: no value of {metric:?} in epoch {epoch}; {}", list(known))]
    MissingMetric {
        /// What asks for it.
        user: &'static str,
        /// The metric, as in `valid_loss`.
        metric: String,
        /// The epoch.
        epoch: usize,
        /// The metrics that have values, as far as that is known.
        known: Vec<String>,
    },
    /// An epoch did not make as many updates as the schedule was built for.
    #[error(
        "updates of epoch {epoch}: expected {expected}, got {found}; say how many batches the loader \
         has, or leave it to an EpochLoader"
    )]
    UpdatesPerEpoch {
        /// The epoch, from 1.
        epoch: usize,
        /// The updates that schedule and run count with.
        expected: u64,
        /// The updates that were made.
        found: u64,
    },
    /// An epoch of the data did not have as many batches as were counted with.
    #[error(
        "batches of epoch {epoch} of the data: expected {expected}, got {found}; say how many batches the \
         loader has, or leave it to an EpochLoader"
    )]
    BatchesPerEpoch {
        /// The epoch of the data, from 1.
        epoch: u64,
        /// The batches that schedule and run count with.
        expected: u64,
        /// The batches that there were until then.
        found: u64,
    },
    /// The run could not be resumed exactly, and the caller asked for nothing less.
    #[error("not exact: {}", reasons.join("; "))]
    Inexact {
        /// What cannot be repeated, in words.
        reasons: Vec<String>,
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
    /// A gradient became NaN or infinite, and the caller asked to stop then.
    #[error("the gradient's norm is {norm} in epoch {epoch}, update {update}")]
    GradientDiverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The update within the epoch, from 1.
        update: u64,
        /// The norm over all parameters.
        norm: f64,
    },
    /// No gradient of an epoch was finite, so that not one of its updates could be made.
    #[error(
        "every update of epoch {epoch} was skipped, {updates} of {updates}: no gradient was finite"
    )]
    AllSkipped {
        /// The epoch, from 1.
        epoch: usize,
        /// The updates that it should have made.
        updates: u64,
    },
    /// The training loader gave no batch in an epoch, so that nothing was learnt in it.
    #[error("batches of epoch {epoch}: expected at least 1, got none: nothing was learnt")]
    NoBatch {
        /// The epoch, from 1.
        epoch: usize,
    },
    /// No parameter of the model is trained.
    #[error("trained parameters: expected at least 1, got none: all {parameters} are frozen")]
    AllFrozen {
        /// How many parameters the model has, buffers included.
        parameters: usize,
    },
    /// The run's interrupter was stopped before the run began, by whatever it was given to before.
    #[error("stopped before it began: {reason}; Interrupter::reset allows another run")]
    AlreadyStopped {
        /// What was said when it was stopped.
        reason: String,
    },
    /// The run was stopped from outside.
    #[error("stopped after epoch {epoch}: {reason}")]
    Interrupted {
        /// The last epoch that was completed, 0 for none.
        epoch: usize,
        /// What was said when it was stopped.
        reason: String,
    },
    /// Burn's hooks at the end of an epoch never reached the observer of a plateau.
    #[error(
        "the plateau never observed a metric: another strategy was set after the observer's, or none of \
         its hooks was called"
    )]
    NeverObserved,
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
    #[error(
        "cannot resume {}: {field} was {saved} and is {current} now{}",
        path.display(),
        if may_be_a_branchs(field) { ". As a run of its own it can go on so: Training::branch" } else { "" }
    )]
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
    /// The run would have another length, of which its schedule has lengths in percent: what it has made
    /// so far would have had other learning rates.
    #[error(
        "cannot resume as a run of {current} {unit}: its schedule has lengths in percent of the run, which \
         had {saved}. As a run of its own it can go on from there: Training::branch"
    )]
    Extended {
        /// Epochs or updates.
        unit: String,
        /// How many the run had.
        saved: String,
        /// How many it would have.
        current: String,
    },
    /// The run is to end before the checkpoint that it would go on from, or branch off.
    #[error(
        "{done} {unit} are over where the run would go on, and it is to end after {asked}: give it at least as \
         many, or let a run of its own begin at an earlier checkpoint, if one was kept: Training::branch with \
         Branch::epoch or Branch::update"
    )]
    TooShort {
        /// Epochs, updates or samples.
        unit: &'static str,
        /// How many the run is to have.
        asked: u64,
        /// How many are over, in epochs perhaps some hundredths of one.
        done: String,
    },
    /// There is no such checkpoint to branch off.
    #[error(
        "{}: expected {expected} of its checkpoints, found {}. A run keeps those that its KeepPolicy says, a \
         candidate of an experiment all of them if another one branched off it when it was trained: with \
         others kept, it can be trained again, this directory being deleted or another one named",
        path.display(), kept_list(kept)
    )]
    NoCheckpoint {
        /// The directory of the checkpoints.
        path: PathBuf,
        /// Which was wanted, in words.
        expected: String,
        /// The epochs of those that there are.
        kept: Vec<usize>,
    },
    /// A branch has what it must not have otherwise than the run it comes from.
    #[error(
        "cannot branch off {}: {} was {} and is {} now, which a branch cannot change",
        path.display(), change.field, change.from, change.to
    )]
    BranchChanged {
        /// The directory of the other run.
        path: PathBuf,
        /// The first such setting.
        change: Box<SettingChange>,
    },
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

impl From<Damage> for TrainingError {
    fn from(damage: Damage) -> Self {
        match damage {
            Damage::Unreadable { path, source } => Self::File {
                action: "read",
                path,
                source,
            },
            damage => Self::Damaged(damage),
        }
    }
}

fn kept_list(kept: &[usize]) -> String {
    if kept.is_empty() {
        return "none".to_owned();
    }
    let epochs: Vec<String> = kept.iter().map(usize::to_string).collect();
    format!("those of epochs {}", epochs.join(", "))
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "is it registered as a numeric metric?".to_owned();
    }
    format!("there is {}", names.join(", "))
}

fn batch(iteration: Option<usize>) -> String {
    iteration.map_or(String::new(), |iteration| {
        format!(", iteration {iteration}")
    })
}
