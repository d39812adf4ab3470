//! Continues a run from its newest complete checkpoint.

use burn::module::Module;

use burn::optim::lr_scheduler::LrSchedulerRecord;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::tensor::Bytes;
use burn_lr_scheduler::ScheduleError;
use serde::{Deserialize, Serialize};

use super::directory::RunDirectory;
use super::saved::Saved;
use super::spec::Spec;
use super::within::Within;
use crate::checkpoint::{
    Checkpoint, CheckpointStore, HISTORY, MODEL, OPTIM, SCHEDULER, Skipped, WITHIN, earlier_model,
};
use crate::feedback::FeedbackScheduler;
use crate::metrics::{History, LoggedEpoch};
use crate::notices::Notices;
use crate::optim::restored;
use crate::storage::filled;
use crate::{Damage, TrainingError};

/// What a checkpoint holds beside Burn's own records.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedHistory {
    pub history: History,
    pub log: Vec<LoggedEpoch>,
}

/// A checkpoint to go on from.
pub(super) struct Newest {
    /// Its epoch is the last that is over.
    pub checkpoint: Checkpoint,
    /// How far the next one has come, if it has.
    pub within: Option<Within>,
}

/// Whether a run can go on from a checkpoint, as far as it needs others.
type CheckEarlier<'a> = &'a dyn Fn(&Contents<'_>) -> Result<(), TrainingError>;

/// The newest complete checkpoint of the run in `directory`, if there is one, of a run that was
/// configured like this, and for which those before are there that `check_earlier` asks for.
pub(super) fn newest(
    directory: &RunDirectory,
    store: Option<&CheckpointStore>,
    spec: &Spec,
    notices: &Notices,
    check_earlier: CheckEarlier<'_>,
) -> Result<Option<Newest>, TrainingError> {
    let of_epochs = store.map(|store| newest_of_epochs(store, check_earlier));
    let (of_epoch, skipped) = of_epochs.transpose()?.unwrap_or_default();
    for skipped in &skipped {
        notices.say(&skipped.to_string());
    }
    let mut within = None;
    if let Some(store) = store
        && let Some(of_epochs) = store.within()
        && let Some((found, reached)) = newest_within(&of_epochs, of_epoch.as_ref(), spec, notices)
    {
        let contents = Contents::new(found, store);
        match check_earlier(&contents) {
            Ok(()) => within = Some((contents.checkpoint, reached)),
            Err(TrainingError::Damaged(damage)) => {
                say_skipped_within(reached.reached.updates, &damage, notices);
            }
            Err(other) => return Err(other),
        }
    }
    let (checkpoint, within) = match within {
        Some((checkpoint, within)) => (Some(checkpoint), Some(within)),
        None => (of_epoch, None),
    };
    let left_results = || directory.results().iter().any(|path| path.exists());
    if checkpoint.is_some() || !skipped.is_empty() || left_results() {
        spec.check(directory, checkpoint.as_ref(), notices)?;
    } else {
        // A run that has not completed an epoch may be set right: there is nothing to lose.
        Saved::of(directory, None)?;
    }
    if checkpoint.is_none() {
        spec.check_begun(directory)?;
    }
    if checkpoint.is_none() && (!skipped.is_empty() || directory.config().exists()) {
        notices.say("no complete checkpoint: starting at epoch 1");
    }
    Ok(checkpoint.map(|checkpoint| Newest { checkpoint, within }))
}

/// The newest complete checkpoint at the end of an epoch for which those before are there, and those that
/// were skipped for it.
///
/// # Errors
/// What is wrong with those before the newest, if there is no other one to fall back on: it is still good for
/// a branch.
pub(super) fn newest_of_epochs(
    store: &CheckpointStore,
    check_earlier: CheckEarlier<'_>,
) -> Result<(Option<Checkpoint>, Vec<Skipped>), TrainingError> {
    let (mut found, mut skipped) = store.newest_complete();
    let mut first = None;
    while let Some(checkpoint) = found {
        let contents = Contents::new(checkpoint, store);
        let epoch = contents.checkpoint.epoch;
        match check_earlier(&contents) {
            Ok(()) => return Ok((Some(contents.checkpoint), skipped)),
            Err(TrainingError::Damaged(damage)) => {
                first.get_or_insert_with(|| damage.clone());
                skipped.push(Skipped { epoch, damage });
            }
            Err(other) => return Err(other),
        }
        let (older, damaged) = store.newest_complete_before(epoch);
        found = older;
        skipped.extend(damaged);
    }
    first.map_or(Ok((None, skipped)), |damage| Err(damage.into()))
}

/// The newest complete checkpoint within an epoch in `store`, unless that of an epoch is newer, or the run
/// does not go on there.
fn newest_within(
    store: &CheckpointStore,
    of_epoch: Option<&Checkpoint>,
    spec: &Spec,
    notices: &Notices,
) -> Option<(Checkpoint, Within)> {
    let (found, skipped) = store.newest_complete();
    for Skipped { epoch, damage } in skipped {
        say_skipped_within(epoch as u64, &damage, notices);
    }
    let parts = Contents::new(found?, store);
    let update = parts.checkpoint.epoch;
    let read = || -> Result<(Within, History), TrainingError> {
        let within = Within::read(&parts.part(WITHIN));
        let within = within.map_err(|error| parts.damaged(WITHIN, error))?;
        Ok((within, parts.history()?.history))
    };
    let (within, history) = match read() {
        Ok(read) => read,
        Err(error) => {
            notices.say(&error.to_string());
            return None;
        }
    };
    let over = history.epochs.len();
    if of_epoch.is_some_and(|newest| newest.epoch > over) {
        return None;
    }
    if within.reached.epoch != over + 1 || !spec.goes_on_after(&within.reached, &history) {
        notices.say(&format!(
            "the run does not go on after update {update}, within epoch {}: its checkpoint there is \
             passed over",
            within.reached.epoch
        ));
        return None;
    }
    let checkpoint = Checkpoint {
        epoch: over,
        ..parts.checkpoint
    };
    Some((checkpoint, within))
}

fn say_skipped_within(update: u64, damage: &Damage, notices: &Notices) {
    notices.say(&format!(
        "skipped the checkpoint within an epoch, after update {update}: {damage}"
    ));
}

/// What a checkpoint holds.
///
/// Burn's Learner loads the records again when it starts, and panics if one does not fit; here each
/// is tried first.
pub(super) struct Contents<'a> {
    checkpoint: Checkpoint,
    store: &'a CheckpointStore,
}

impl<'a> Contents<'a> {
    pub(super) fn new(checkpoint: Checkpoint, store: &'a CheckpointStore) -> Self {
        Self { checkpoint, store }
    }

    pub(super) fn part(&self, name: &str) -> Bytes {
        let bytes = self.checkpoint.parts.get(name).cloned();
        Bytes::from_bytes_vec(bytes.unwrap_or_default())
    }

    pub(super) fn damaged(&self, name: &str, reason: impl ToString) -> Damage {
        let (epoch, reason) = (self.checkpoint.epoch, reason.to_string());
        let reason = format!("{name} of epoch {epoch}: {reason}");
        Damage::content(self.store.directory(), reason)
    }

    /// `model` with the parameters of the checkpoint.
    pub(super) fn model<M: Module>(&self, model: &M) -> Result<M, TrainingError> {
        let loaded = filled(model.clone(), self.part(MODEL));
        Ok(loaded.map_err(|error| self.damaged(MODEL, error))?)
    }

    /// The models of the last so many epochs up to this one, the oldest first, as far as the run has them.
    /// A branch has those of before in its first checkpoint.
    pub(super) fn models_of_last(&self, epochs: usize) -> Result<Vec<Vec<u8>>, TrainingError> {
        let last = self.checkpoint.epoch;
        let first = (last + 1).saturating_sub(epochs).max(1);
        let branches = self.history()?.history.branches;
        let begun = branches.last().map_or(0, |branch| branch.epoch);
        let model = |epoch: usize| match begun.checked_sub(epoch) {
            None | Some(0) => self.store.load_part(epoch, MODEL),
            Some(before) => self.store.load_part(begun, &earlier_model(before)),
        };
        (first..=last).map(model).collect()
    }

    /// Whether `optimizer` takes the state as it is.
    pub(super) fn optimizer(&self, optimizer: ModuleOptimizer) -> Result<(), TrainingError> {
        OptimizerRecord::from_bytes(self.part(OPTIM))
            .map_err(|error| self.damaged(OPTIM, error))?;
        restored(optimizer, self.part(OPTIM))?;
        Ok(())
    }

    /// Sets `schedulers`, which Burn's scheduler of parameter groups names by their number.
    pub(super) fn schedulers(
        &self,
        schedulers: &mut [FeedbackScheduler],
    ) -> Result<(), TrainingError> {
        let record = LrSchedulerRecord::from_bytes(self.part(SCHEDULER))
            .map_err(|error| self.damaged(SCHEDULER, error))?;
        for (number, scheduler) in schedulers.iter_mut().enumerate() {
            let loaded = scheduler.try_load_record(&record.record(&number.to_string()));
            loaded.map_err(|error| match error {
                ScheduleError::Changed {
                    path,
                    saved,
                    current,
                } if ["run.epochs", "run.updates"].contains(&&*path) => {
                    let unit = path.trim_start_matches("run.").to_owned();
                    TrainingError::Extended {
                        unit,
                        saved,
                        current,
                    }
                }
                // Lengths in percent were of a run that was measured otherwise.
                ScheduleError::MissingValue { key }
                    if ["config.run.epochs", "config.run.updates"].contains(&&*key) =>
                {
                    TrainingError::Extended {
                        unit: key.trim_start_matches("config.run.").to_owned(),
                        saved: "a length in another unit".to_owned(),
                        current: "so many".to_owned(),
                    }
                }
                error => error.into(),
            })?;
        }
        Ok(())
    }

    pub(super) fn history(&self) -> Result<SavedHistory, TrainingError> {
        let history = serde_json::from_slice(&self.part(HISTORY));
        Ok(history.map_err(|error| self.damaged(HISTORY, error))?)
    }

    /// Says where the run goes on, and which older checkpoints are of no use.
    pub(super) fn announce(&self, within: Option<&Within>, notices: &Notices) {
        let epoch = self.checkpoint.epoch;
        let mut older = epoch;
        if let Some(Within { reached, .. }) = within {
            let (epoch, updates) = (reached.epoch, reached.updates);
            notices.say(&format!(
                "resuming within epoch {epoch}, after update {updates}"
            ));
            older += 1;
        } else {
            notices.say(&format!("resuming after epoch {epoch}"));
        }
        if self.store.trusts_older() {
            return;
        }
        for Skipped { epoch, damage } in self.store.damaged_before(older) {
            notices.say(&format!(
                "the checkpoint of epoch {epoch} is damaged: {damage}"
            ));
        }
    }
}
