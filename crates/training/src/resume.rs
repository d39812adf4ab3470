//! Continues a run from its newest complete checkpoint.

use std::path::Path;

use burn::module::Module;
use burn::optim::OptimizerRecord;
use burn::optim::lr_scheduler::LrSchedulerRecord;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;

use crate::TrainingError;
use crate::checkpoint::{
    CONFIG, Checkpoint, CheckpointStore, HISTORY, MODEL, OPTIM, SCHEDULER, Skipped,
};
use crate::epoch_end::SavedHistory;
use crate::feedback::FeedbackScheduler;
use crate::history::History;
use crate::metrics_log::LoggedEpoch;
use crate::notices::Notices;
use crate::run_config::RunConfig;

/// What a run continues with, beside the schedulers' state.
pub(crate) struct Resumed<M> {
    pub model: M,
    pub history: History,
    pub log: Vec<LoggedEpoch>,
}

/// The newest complete checkpoint of the run in `directory`, if there is one, of a run that was
/// configured like this.
pub(crate) fn newest(
    directory: &Path,
    store: &CheckpointStore,
    config: &RunConfig,
    notices: &Notices,
) -> Result<Option<Checkpoint>, TrainingError> {
    let (checkpoint, skipped) = store.newest_complete();
    for skipped in &skipped {
        notices.say(&skipped.to_string());
    }
    config.check(directory, checkpoint.as_ref(), notices)?;
    if checkpoint.is_none() && (!skipped.is_empty() || directory.join(CONFIG).exists()) {
        notices.say("no complete checkpoint: starting at epoch 1");
    }
    Ok(checkpoint)
}

/// Restores what `checkpoint` holds.
///
/// Burn's Learner loads the records again when it starts, and panics if one does not fit; here each
/// is tried first.
pub(crate) fn restore<M: Module>(
    checkpoint: Checkpoint,
    store: &CheckpointStore,
    model: &M,
    scheduler: &mut FeedbackScheduler,
    notices: &Notices,
) -> Result<Resumed<M>, TrainingError> {
    let epoch = checkpoint.epoch;
    let part = |name: &str| {
        let bytes = checkpoint.parts.get(name).cloned();
        Bytes::from_bytes_vec(bytes.unwrap_or_default())
    };
    let corrupt = |name: &str, reason: String| TrainingError::Corrupt {
        path: store.directory().to_owned(),
        reason: format!("{name} of epoch {epoch}: {reason}"),
    };

    let model = ModuleRecord::from_bytes(part(MODEL))
        .and_then(|record| model.clone().try_load_record(record))
        .map_err(|error| corrupt(MODEL, error.to_string()))?;
    OptimizerRecord::from_bytes(part(OPTIM)).map_err(|error| corrupt(OPTIM, error.to_string()))?;
    let record = LrSchedulerRecord::from_bytes(part(SCHEDULER))
        .map_err(|error| corrupt(SCHEDULER, error.to_string()))?;
    // The Learner's scheduler has parameter groups, of which ours is the first and only.
    scheduler.try_load_record(&record.record("0"))?;
    let SavedHistory { history, log } = serde_json::from_slice(&part(HISTORY))
        .map_err(|error| corrupt(HISTORY, error.to_string()))?;
    notices.say(&format!("resuming after epoch {epoch}"));
    for Skipped { epoch, error } in store.damaged_before(epoch) {
        notices.say(&format!(
            "the checkpoint of epoch {epoch} is damaged: {error}"
        ));
    }
    Ok(Resumed {
        model,
        history,
        log,
    })
}
