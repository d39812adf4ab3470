//! The state of a training loop of one's own, in and out of a checkpoint.

use std::collections::BTreeMap;

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::store::RecordError;
use burn::tensor::Bytes;
use burn::train::checkpoint::Checkpoint as Record;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::read::Checkpoint;
use super::store::CheckpointStore;
use super::strict_scheduler::StrictScheduler;
use crate::TrainingError;
use crate::optim::restored;
use crate::storage::filled;

/// Why a part of a checkpoint cannot be written, or does not fit what it is to be loaded into.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Two parts have the same name.
    #[error("part {part:?}: expected a name of its own, got one that another part has")]
    Duplicate {
        /// The name.
        part: String,
    },
    /// A part cannot be serialized.
    #[error("part {part:?} cannot be serialized: {reason}")]
    Encode {
        /// The part.
        part: String,
        /// What Burn or serde says.
        reason: String,
    },
    /// The checkpoint has no such part.
    #[error("the checkpoint of epoch {epoch} has no part {part:?}, only {}", known.join(", "))]
    NoPart {
        /// The checkpoint's epoch.
        epoch: usize,
        /// The part.
        part: String,
        /// The parts that there are.
        known: Vec<String>,
    },
    /// A part is whole, but does not fit what it is to be loaded into.
    #[error("part {part:?} of the checkpoint of epoch {epoch} does not fit: {reason}")]
    Misfit {
        /// The checkpoint's epoch.
        epoch: usize,
        /// The part.
        part: String,
        /// What Burn, the scheduler or serde says.
        reason: String,
    },
}

/// All that a training loop of one's own needs to go on: models, optimizers, schedulers, and
/// whatever else it remembers, each under the name of its file.
///
/// It is read from the device when it is made, so training may go on before it is
/// [saved](CheckpointStore::save). The other way, [`Checkpoint::module`] and its companions load
/// each part and refuse what does not fit.
///
/// ```
/// use burn::lr_scheduler::LrScheduler;
/// use burn::nn::LinearConfig;
/// use burn::optim::AdamConfig;
/// use burn::tensor::Device;
/// use burn_lr_scheduler::{Run, Scheduler, StepLr};
/// use burn_lr_training::checkpoint::{CheckpointStore, Snapshot};
///
/// const PARTS: [&str; 4] = ["critic.bpk", "critic_optim.bpk", "critic_lr.bpk", "loop.json"];
///
/// # let run = tempfile::tempdir()?;
/// let store = CheckpointStore::open(run.path(), &PARTS)?;
/// let device = Device::default();
/// let critic = LinearConfig::new(2, 1).init(&device);
/// let optimizer = AdamConfig::new().init();
/// let mut scheduler = Scheduler::new(StepLr::new(0.1, 2), Run::per_update())?;
/// scheduler.step();
///
/// let snapshot = Snapshot::new()
///     .module("critic.bpk", &critic)?
///     .optimizer("critic_optim.bpk", &optimizer)?
///     .scheduler("critic_lr.bpk", &scheduler)?
///     .json("loop.json", &("seen", 64))?;
/// store.save(1, snapshot)?;
///
/// // After whatever has ended the process:
/// let (checkpoint, _skipped) = store.newest_complete();
/// let checkpoint = checkpoint.ok_or("none")?;
/// let critic = checkpoint.module("critic.bpk", LinearConfig::new(2, 1).init(&device))?;
/// let optimizer = checkpoint.optimizer("critic_optim.bpk", AdamConfig::new().init())?;
/// checkpoint.scheduler("critic_lr.bpk", &mut scheduler)?;
/// let (_, seen): (String, u64) = checkpoint.json("loop.json")?;
/// assert_eq!((checkpoint.epoch, seen), (1, 64));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    parts: BTreeMap<String, Vec<u8>>,
}

impl Snapshot {
    /// A snapshot of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the parameters of a module, and its running statistics.
    ///
    /// # Errors
    /// [`SnapshotError::Duplicate`], or [`SnapshotError::Encode`] if Burn cannot serialize it.
    pub fn module<M: Module>(self, name: &str, module: &M) -> Result<Self, SnapshotError> {
        self.record(name, module.clone().into_record())
    }

    /// Adds the state of an optimizer.
    ///
    /// # Errors
    /// As for [`module`](Self::module).
    pub fn optimizer(self, name: &str, optimizer: &ModuleOptimizer) -> Result<Self, SnapshotError> {
        self.record(name, optimizer.to_record())
    }

    /// Adds the state of a learning-rate scheduler, of this project, Burn's or one's own.
    ///
    /// # Errors
    /// As for [`module`](Self::module).
    pub fn scheduler(self, name: &str, scheduler: &dyn LrScheduler) -> Result<Self, SnapshotError> {
        self.record(name, scheduler.to_record())
    }

    /// Adds any of Burn's records.
    ///
    /// # Errors
    /// As for [`module`](Self::module).
    pub fn record<R: Record>(self, name: &str, record: R) -> Result<Self, SnapshotError> {
        let bytes = record.checkpoint_into_bytes();
        let bytes = bytes.map_err(|error| encode(name, &error))?;
        self.bytes(name, bytes.to_vec())
    }

    /// Adds a value as JSON: counters, histories, the best value so far.
    ///
    /// Floats keep every bit; those that are not finite become `null`.
    ///
    /// # Errors
    /// As for [`module`](Self::module).
    pub fn json(self, name: &str, value: &impl Serialize) -> Result<Self, SnapshotError> {
        let text = serde_json::to_vec(value).map_err(|error| encode(name, &error))?;
        self.bytes(name, text)
    }

    /// Adds bytes as they are.
    ///
    /// # Errors
    /// [`SnapshotError::Duplicate`].
    pub fn bytes(mut self, name: &str, bytes: Vec<u8>) -> Result<Self, SnapshotError> {
        match self.parts.insert(name.to_owned(), bytes) {
            None => Ok(self),
            Some(_) => Err(SnapshotError::Duplicate {
                part: name.to_owned(),
            }),
        }
    }
}

impl CheckpointStore {
    /// Saves `snapshot` as the checkpoint of `epoch`, which is complete then.
    ///
    /// # Errors
    /// [`TrainingError::Invalid`] if the snapshot's parts are not those that the store was opened
    /// with, before anything is written; otherwise as for [`save_part`](Self::save_part).
    pub fn save(&self, epoch: usize, snapshot: Snapshot) -> Result<(), TrainingError> {
        let expected = &self.0.parts;
        if !expected.iter().eq(snapshot.parts.keys()) {
            let found: Vec<&String> = snapshot.parts.keys().collect();
            return Err(TrainingError::Invalid {
                name: "snapshot",
                expected: "the parts that the store was opened with",
                found: format!("{found:?} instead of {expected:?}"),
            });
        }
        for (part, bytes) in &snapshot.parts {
            self.save_part(epoch, part, bytes)?;
        }
        Ok(())
    }
}

impl Checkpoint {
    /// `module` with the parameters in the part `name`, on the device that it is on.
    ///
    /// # Errors
    /// [`SnapshotError::NoPart`], or [`SnapshotError::Misfit`] if it is a module of another shape.
    pub fn module<M: Module>(&self, name: &str, module: M) -> Result<M, SnapshotError> {
        let file = Bytes::from_bytes_vec(self.bytes(name)?.to_vec());
        filled(module, file).map_err(|error| self.misfit(name, &error))
    }

    /// `optimizer` with the state in the part `name`.
    ///
    /// The state is that of the parameters of the module of the same checkpoint: load both.
    ///
    /// # Errors
    /// [`SnapshotError::NoPart`], or [`SnapshotError::Misfit`] if the optimizer did not take all of
    /// the state, as one of another kind does not, or if the state is of another float type than the
    /// default device's, in which Burn reads it back.
    pub fn optimizer(
        &self,
        name: &str,
        optimizer: ModuleOptimizer,
    ) -> Result<ModuleOptimizer, SnapshotError> {
        let record = Bytes::from_bytes_vec(self.bytes(name)?.to_vec());
        restored(optimizer, record).map_err(|error| self.misfit(name, &error))
    }

    /// Sets `scheduler`, a [`Scheduler`](burn_lr_scheduler::Scheduler) or a [`Driver`](crate::optim::Driver), to the state in the part `name`.
    ///
    /// For a scheduler of another kind, there is [`record`](Self::record).
    ///
    /// # Errors
    /// [`SnapshotError::NoPart`], or [`SnapshotError::Misfit`] if it is the state of another
    /// schedule; the scheduler stays as it is then.
    pub fn scheduler(
        &self,
        name: &str,
        scheduler: &mut impl StrictScheduler,
    ) -> Result<(), SnapshotError> {
        let record: LrSchedulerRecord = self.record(name)?;
        let loaded = scheduler.try_load(&record);
        loaded.map_err(|error| self.misfit(name, &error))
    }

    /// The record of Burn's in the part `name`.
    ///
    /// # Errors
    /// [`SnapshotError::NoPart`], or [`SnapshotError::Misfit`] if it is no such record.
    pub fn record<R: Record>(&self, name: &str) -> Result<R, SnapshotError> {
        let bytes = Bytes::from_bytes_vec(self.bytes(name)?.to_vec());
        let record: Result<R, RecordError> = R::checkpoint_from_bytes(bytes);
        record.map_err(|error| self.misfit(name, &error))
    }

    /// The value that the part `name` holds as JSON.
    ///
    /// # Errors
    /// [`SnapshotError::NoPart`], or [`SnapshotError::Misfit`] if it is none of that type.
    pub fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, SnapshotError> {
        let value = serde_json::from_slice(self.bytes(name)?);
        value.map_err(|error| self.misfit(name, &error))
    }

    /// The part `name` as it is.
    ///
    /// # Errors
    /// [`SnapshotError::NoPart`].
    pub fn bytes(&self, name: &str) -> Result<&[u8], SnapshotError> {
        let part = self.parts.get(name).map(Vec::as_slice);
        part.ok_or_else(|| SnapshotError::NoPart {
            epoch: self.epoch,
            part: name.to_owned(),
            known: self.parts.keys().cloned().collect(),
        })
    }

    fn misfit(&self, part: &str, reason: &dyn ToString) -> SnapshotError {
        SnapshotError::Misfit {
            epoch: self.epoch,
            part: part.to_owned(),
            reason: reason.to_string(),
        }
    }
}

fn encode(part: &str, reason: &dyn ToString) -> SnapshotError {
    SnapshotError::Encode {
        part: part.to_owned(),
        reason: reason.to_string(),
    }
}
