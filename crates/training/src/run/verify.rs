//! Whether what a run has left is still what was written.

use std::path::{Path, PathBuf};

use super::directory::RunDirectory;
use crate::checkpoint::{CheckpointStore, PARTS, PARTS_WITHIN};
use crate::storage::read_with_sum;
use crate::{Damage, TrainingError};

/// What a run directory holds, each file read and compared with its checksum where it has one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Verification {
    /// The files and checkpoints, with what is wrong with them.
    pub found: Vec<(PathBuf, Option<Damage>)>,
    /// The epoch after which the run would be resumed; none if that would begin it anew.
    pub resumes_after: Option<usize>,
    /// Whether the run has come to its end.
    pub is_complete: bool,
}

impl Verification {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.found.iter().all(|(_, damage)| damage.is_none())
    }
}

impl RunDirectory {
    /// Reads and verifies all that the run has left, of any model, without changing anything.
    ///
    /// # Errors
    /// [`TrainingError::File`] if there is no run, or a file cannot be read. Damage is none: it is what was asked
    /// for.
    pub fn verify(&self) -> Result<Verification, TrainingError> {
        let mut found = Vec::new();
        let damaged = |result: Result<(), TrainingError>| match result {
            Ok(()) => Ok(None),
            Err(TrainingError::Damaged(damage)) => Ok(Some(damage)),
            Err(error) => Err(error),
        };
        found.push((self.config(), damaged(self.configuration().map(drop))?));
        if self.history_json().exists() {
            found.push((self.history_json(), damaged(self.history().map(drop))?));
        }
        for path in [self.best_model(), self.final_model(), self.average_model()] {
            if path.exists() {
                let damage = damaged(read_with_sum(&path).map(drop))?;
                found.push((path, damage));
            }
        }
        let resumes_after = self.verify_checkpoints(&mut found)?;
        self.verify_within(&mut found)?;
        Ok(Verification {
            found,
            resumes_after,
            is_complete: self.final_model().exists(),
        })
    }

    /// Adds the checkpoints to `found`, and gives the newest one that is sound.
    fn verify_checkpoints(
        &self,
        found: &mut Vec<(PathBuf, Option<Damage>)>,
    ) -> Result<Option<usize>, TrainingError> {
        let directory = self.checkpoints();
        // Opening them would make it.
        if !directory.exists() {
            return Ok(None);
        }
        let store = CheckpointStore::open(&directory, &PARTS)?;
        let (newest, skipped) = store.newest_complete();
        let newest = newest.map(|checkpoint| checkpoint.epoch);
        let mut damaged = skipped;
        damaged.extend(newest.map_or_else(Vec::new, |epoch| store.damaged_before(epoch)));
        let is_damaged = |epoch: usize| damaged.iter().any(|skipped| skipped.epoch == epoch);
        for epoch in store.epochs() {
            if !is_damaged(epoch) {
                found.push((checkpoint(&directory, epoch), None));
            }
        }
        for skipped in damaged {
            let path = checkpoint(&directory, skipped.epoch);
            found.push((path, Some(skipped.damage)));
        }
        Ok(newest)
    }

    /// Adds the checkpoints within an epoch to `found`.
    fn verify_within(
        &self,
        found: &mut Vec<(PathBuf, Option<Damage>)>,
    ) -> Result<(), TrainingError> {
        let directory = self.within_epoch();
        if !directory.exists() {
            return Ok(());
        }
        let store = CheckpointStore::open_within(&directory, &PARTS_WITHIN, &[])?;
        let (newest, damaged) = store.newest_complete();
        let path = |update: usize| directory.join(format!("update-{update:04}"));
        found.extend(newest.map(|checkpoint| (path(checkpoint.epoch), None)));
        let damaged = damaged.into_iter();
        found.extend(damaged.map(|skipped| (path(skipped.epoch), Some(skipped.damage))));
        Ok(())
    }
}

/// How a checkpoint is called.
fn checkpoint(directory: &Path, epoch: usize) -> PathBuf {
    directory.join(format!("epoch-{epoch:04}"))
}
