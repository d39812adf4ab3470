//! How checkpoints go.

use std::path::PathBuf;

use super::directory::Kind;
use super::store::{CheckpointStore, Pending, Stored};
use crate::TrainingError;

impl CheckpointStore {
    /// Moves all checkpoints newer than `epoch` out of the way, under other names, which are returned.
    ///
    /// A run that does not go on from the newest checkpoint begins with this: otherwise what is
    /// newer would be taken for its own later on. With 0 it is all of them.
    ///
    /// # Errors
    /// [`TrainingError::File`] if one cannot be renamed.
    pub fn set_aside_after(&self, epoch: usize) -> Result<Vec<PathBuf>, TrainingError> {
        let mut stored = self.stored();
        let mut aside = Vec::new();
        let directory = &self.0.directory;
        let found = directory
            .list()
            .map_err(|error| TrainingError::file("read", directory.path(), error))?;
        for (newer, kind) in found {
            if kind == Kind::Checkpoint && newer > epoch {
                stored.complete.remove(&newer);
                aside.extend(directory.set_aside(newer)?);
            }
        }
        Ok(aside)
    }

    /// Deletes all complete checkpoints up to that of `number`, and what a killed process had begun to delete.
    pub(crate) fn forget_until(&self, number: usize) -> Result<(), TrainingError> {
        let mut stored = self.stored();
        let superseded = stored.complete.range(..=number);
        let superseded: Vec<usize> = superseded.map(|(&number, _)| number).collect();
        for number in superseded {
            stored.complete.remove(&number);
            self.0.directory.delete(number)?;
        }
        self.finish_deleting()
    }

    /// Deletes the checkpoint of `epoch` as soon as a newer one is complete, unless it is the best.
    ///
    /// # Errors
    /// [`TrainingError::File`] if it cannot be deleted.
    pub fn delete(&self, epoch: usize) -> Result<(), TrainingError> {
        self.pending().condemned.insert(epoch);
        self.prune().map(drop)
    }

    /// Deletes the checkpoints that the policy has no use for, and returns their epochs.
    ///
    /// The newest and the best are never deleted, nor is any that was found to be damaged. Saving
    /// does this by itself.
    ///
    /// # Errors
    /// [`TrainingError::File`] if one cannot be deleted.
    pub fn prune(&self) -> Result<Vec<usize>, TrainingError> {
        let mut stored = self.stored();
        match stored.newest() {
            Some(newest) => self.prune_up_to(&mut stored, newest),
            None => Ok(Vec::new()),
        }
    }

    pub(super) fn prune_up_to(
        &self,
        stored: &mut Stored,
        newest: usize,
    ) -> Result<Vec<usize>, TrainingError> {
        let superfluous = {
            let Pending {
                keep, condemned, ..
            } = &*self.pending();
            keep.superfluous(&stored.complete, condemned, newest)
        };
        for &epoch in &superfluous {
            stored.complete.remove(&epoch);
            self.pending().condemned.remove(&epoch);
            self.0.directory.delete(epoch)?;
        }
        self.finish_deleting()?;
        Ok(superfluous)
    }

    fn finish_deleting(&self) -> Result<(), TrainingError> {
        // One that is begun meanwhile is known as soon as it is there.
        let is_written = |epoch| self.pending().saving.contains_key(&epoch);
        self.0.directory.finish_deleting(is_written)
    }
}
