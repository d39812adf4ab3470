//! Continues a run from its newest complete checkpoint.

use burn::module::Module;
use burn::optim::OptimizerRecord;
use burn::optim::lr_scheduler::LrSchedulerRecord;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use serde::{Deserialize, Serialize};

use super::directory::RunDirectory;
use super::spec::Spec;
use crate::checkpoint::{Checkpoint, CheckpointStore, HISTORY, MODEL, OPTIM, SCHEDULER, Skipped};
use crate::error::{Damage, TrainingError};
use crate::feedback::FeedbackScheduler;
use crate::metrics::{History, LoggedEpoch};
use crate::notices::Notices;

/// What a checkpoint holds beside Burn's own records.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedHistory {
    pub history: History,
    pub log: Vec<LoggedEpoch>,
}

/// What a run continues with, beside the schedulers' state.
pub(super) struct Resumed<M> {
    pub model: M,
    pub history: History,
    pub log: Vec<LoggedEpoch>,
}

/// The newest complete checkpoint of the run in `directory`, if there is one, of a run that was
/// configured like this.
pub(super) fn newest(
    directory: &RunDirectory,
    store: Option<&CheckpointStore>,
    spec: &Spec,
    notices: &Notices,
) -> Result<Option<Checkpoint>, TrainingError> {
    let (checkpoint, skipped) = store
        .map(CheckpointStore::newest_complete)
        .unwrap_or_default();
    for skipped in &skipped {
        notices.say(&skipped.to_string());
    }
    let left_results = || directory.results().iter().any(|path| path.exists());
    if checkpoint.is_some() || !skipped.is_empty() || left_results() {
        spec.check(directory, checkpoint.as_ref(), notices)?;
    } else {
        // A run that has not completed an epoch may be set right: there is nothing to lose.
        Spec::saved(directory, None)?;
    }
    if checkpoint.is_none() && (!skipped.is_empty() || directory.config().exists()) {
        notices.say("no complete checkpoint: starting at epoch 1");
    }
    Ok(checkpoint)
}

/// Restores what `checkpoint` holds.
///
/// Burn's Learner loads the records again when it starts, and panics if one does not fit; here each
/// is tried first.
pub(super) fn restore<M: Module>(
    checkpoint: Checkpoint,
    store: &CheckpointStore,
    model: &M,
    schedulers: &mut [FeedbackScheduler],
    notices: &Notices,
) -> Result<Resumed<M>, TrainingError> {
    let epoch = checkpoint.epoch;
    let part = |name: &str| {
        let bytes = checkpoint.parts.get(name).cloned();
        Bytes::from_bytes_vec(bytes.unwrap_or_default())
    };
    let damaged = |name: &str, reason: String| {
        let reason = format!("{name} of epoch {epoch}: {reason}");
        Damage::content(store.directory(), reason)
    };

    let model = ModuleRecord::from_bytes(part(MODEL))
        .and_then(|record| model.clone().try_load_record(record))
        .map_err(|error| damaged(MODEL, error.to_string()))?;
    OptimizerRecord::from_bytes(part(OPTIM)).map_err(|error| damaged(OPTIM, error.to_string()))?;
    let record = LrSchedulerRecord::from_bytes(part(SCHEDULER))
        .map_err(|error| damaged(SCHEDULER, error.to_string()))?;
    // As Burn's scheduler of parameter groups names them.
    for (number, scheduler) in schedulers.iter_mut().enumerate() {
        scheduler.try_load_record(&record.record(&number.to_string()))?;
    }
    let SavedHistory { history, log } = serde_json::from_slice(&part(HISTORY))
        .map_err(|error| damaged(HISTORY, error.to_string()))?;
    notices.say(&format!("resuming after epoch {epoch}"));
    for Skipped { epoch, damage } in store.damaged_before(epoch) {
        notices.say(&format!(
            "the checkpoint of epoch {epoch} is damaged: {damage}"
        ));
    }
    Ok(Resumed {
        model,
        history,
        log,
    })
}
