//! Checkpoints that begin as another store's.

use std::collections::BTreeMap;
use std::path::Path;

use super::manifest::{BestSoFar, MANIFEST};
use super::store::CheckpointStore;
use crate::Damage;
use crate::TrainingError;
use crate::storage::{sha256, write_with_sum};

impl CheckpointStore {
    /// Completes the checkpoint of `epoch` with `parts`, and the metrics and the best of `parent`'s if it is
    /// `judged` as that is.
    pub(crate) fn begin_as(
        &self,
        parent: &Self,
        epoch: usize,
        parts: &BTreeMap<String, Vec<u8>>,
        judged: bool,
    ) -> Result<(), TrainingError> {
        let (_, manifest) = parent.manifest(epoch)?;
        if judged {
            let mut pending = self.pending();
            pending
                .metrics
                .insert(epoch, (manifest.train, manifest.valid));
            pending.inherited = manifest.best;
        }
        for (part, bytes) in parts {
            self.save_part(epoch, part, bytes)?;
        }
        Ok(())
    }

    /// Writes to `copy` the part of the checkpoint that was the best as of `epoch`, if it can still be had:
    /// from its checkpoint, or from the file `kept`.
    pub(crate) fn copy_best_as_of(
        &self,
        epoch: usize,
        part: &str,
        kept: &Path,
        copy: &Path,
    ) -> Result<(), TrainingError> {
        let (_, manifest) = self.manifest(epoch)?;
        let Some(BestSoFar { epoch, files, .. }) = manifest.best else {
            return Ok(());
        };
        let Some(file) = files.get(part) else {
            return Ok(());
        };
        let of_checkpoint = self.load_part(epoch, part).ok();
        let sound = |bytes: &Vec<u8>| file.verify(kept, bytes).is_ok();
        let bytes = of_checkpoint
            .filter(sound)
            .or_else(|| std::fs::read(kept).ok().filter(sound));
        bytes.map_or(Ok(()), |bytes| write_with_sum(copy, &bytes))
    }

    /// The checksum of the checkpoint of `epoch`, by that of its manifest.
    pub(crate) fn checksum(&self, epoch: usize) -> Result<String, TrainingError> {
        let path = self.0.directory.checkpoint(epoch).join(MANIFEST);
        let read = std::fs::read(&path).map_err(|error| Damage::unreadable(&path, error))?;
        Ok(sha256(&read))
    }
}
