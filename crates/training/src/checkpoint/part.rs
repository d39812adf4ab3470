//! Burn's checkpointer over the store.

use burn::tensor::Bytes;
use burn::train::checkpoint::{Checkpoint, Checkpointer, CheckpointerError};

use super::handover::Handover;
use super::moment::Moment;
use super::store::CheckpointStore;
use crate::TrainingError;

/// Saves and restores one part of the checkpoints, as Burn's `with_custom_checkpointers` wants it.
///
/// A checkpoint is complete when the checkpointers of all its parts have saved it. Burn turns an
/// error into text; [`CheckpointStore::failure`] has it with its type.
///
/// ```
/// use burn::optim::lr_scheduler::LrSchedulerRecord;
/// use burn::train::checkpoint::Checkpointer;
/// use burn_lr_training::checkpoint::{CheckpointStore, PartCheckpointer, SCHEDULER};
///
/// # let directory = tempfile::tempdir()?;
/// let store = CheckpointStore::open(directory.path(), &[SCHEDULER])?;
/// let checkpointer = PartCheckpointer::new(store, SCHEDULER);
/// checkpointer.save(1, LrSchedulerRecord::new().with_scalar("step", 938_u64))?;
/// let record: LrSchedulerRecord = checkpointer.restore(1)?;
/// assert_eq!(record.scalar::<u64>("step"), Some(938));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct PartCheckpointer {
    store: CheckpointStore,
    part: &'static str,
    handover: Handover,
    /// The update within an epoch after which the run goes on, if it does.
    begun_after: Option<Moment>,
}

impl PartCheckpointer {
    /// The checkpointer of `part`, which is one of those that the store was opened with.
    pub fn new(store: CheckpointStore, part: &'static str) -> Self {
        Self {
            store,
            part,
            handover: Handover::default(),
            begun_after: None,
        }
    }

    /// Tells `handover` when a record has been read from its device.
    pub(crate) fn with_handover(self, handover: &Handover) -> Self {
        Self {
            handover: handover.clone(),
            ..self
        }
    }

    /// Restores from the checkpoint after `update` within an epoch, if there is one.
    pub(crate) fn beginning_after(self, update: Option<u64>) -> Self {
        Self {
            begun_after: update.map(Moment::after),
            ..self
        }
    }

    /// The checkpoints that one of `moment` belongs to, and its number there.
    fn place(&self, moment: Moment) -> (CheckpointStore, usize) {
        match (moment, self.store.within()) {
            (Moment::Update(update), Some(within)) => (within, update),
            (Moment::Epoch(number) | Moment::Update(number), _) => (self.store.clone(), number),
        }
    }

    fn report(&self, error: TrainingError) -> CheckpointerError {
        let burns = match &error {
            TrainingError::File { source, .. } => {
                CheckpointerError::IOError(std::io::Error::new(source.kind(), error.to_string()))
            }
            error => CheckpointerError::Unknown(error.to_string()),
        };
        self.store.fail(error);
        burns
    }
}

impl<R: Checkpoint> Checkpointer<R> for PartCheckpointer {
    fn save(&self, epoch: usize, record: R) -> Result<(), CheckpointerError> {
        let reading = self.handover.reading();
        let bytes = record.checkpoint_into_bytes();
        drop(reading);
        let bytes = bytes.map_err(CheckpointerError::Record)?;
        let (store, number) = self.place(Moment::of(epoch));
        store
            .save_part(number, self.part, &bytes)
            .map_err(|error| self.report(error))
    }

    /// Deletes the checkpoint when a newer one is complete, and not if it is the best.
    fn delete(&self, epoch: usize) -> Result<(), CheckpointerError> {
        self.store.delete(epoch).map_err(|error| self.report(error))
    }

    fn restore(&self, epoch: usize) -> Result<R, CheckpointerError> {
        let moment = self.begun_after.unwrap_or(Moment::Epoch(epoch));
        let (store, number) = self.place(moment);
        let bytes = store
            .load_part(number, self.part)
            .map_err(|error| self.report(error))?;
        R::checkpoint_from_bytes(Bytes::from_bytes_vec(bytes)).map_err(CheckpointerError::Record)
    }
}
