//! Finding and reading checkpoints, whatever has become of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::directory::Kind;
use super::manifest::{FileRecord, MANIFEST, Manifest};
use super::store::CheckpointStore;
use crate::metrics::Metrics;
use crate::{Damage, TrainingError};

/// A checkpoint that was passed over, and why.
#[derive(Debug, Clone, thiserror::Error)]
#[error("skipped the checkpoint of epoch {epoch}: {damage}")]
#[non_exhaustive]
pub struct Skipped {
    /// The epoch; 0 if the directory of the checkpoints could not be read at all.
    pub epoch: usize,
    /// What is wrong with it.
    #[source]
    pub damage: Damage,
}

/// The content of a complete checkpoint, verified against its checksums.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Checkpoint {
    /// The epoch after which it was made.
    pub epoch: usize,
    /// The parts by their names.
    pub parts: BTreeMap<String, Vec<u8>>,
    /// The training metrics of the epoch that are finite.
    pub train: Metrics,
    /// The validation metrics of the epoch that are finite.
    pub valid: Metrics,
}

impl CheckpointStore {
    /// The newest checkpoint that is complete and undamaged, and those that were skipped for it.
    ///
    /// Each file is read and verified. Nothing is deleted or changed, whatever is found.
    pub fn newest_complete(&self) -> (Option<Checkpoint>, Vec<Skipped>) {
        self.newest_complete_before(usize::MAX)
    }

    /// The same of those of epochs before `epoch`.
    pub(crate) fn newest_complete_before(
        &self,
        epoch: usize,
    ) -> (Option<Checkpoint>, Vec<Skipped>) {
        let end = epoch;
        let directory = &self.0.directory;
        let mut skipped = Vec::new();
        let found = match directory.list() {
            Ok(found) => found,
            Err(source) => {
                let damage = Damage::unreadable(directory.path(), source);
                return (None, vec![Skipped { epoch: 0, damage }]);
            }
        };
        for (epoch, kind) in found.into_iter().filter(|&(epoch, _)| epoch < end) {
            let damage = match kind {
                Kind::Checkpoint => match self.verified(epoch) {
                    Ok(checkpoint) => return (Some(checkpoint), skipped),
                    Err(damage) => damage,
                },
                Kind::Staging if !self.pending().saving.contains_key(&epoch) => {
                    let path = directory.staging(epoch);
                    Damage::Incomplete { path }
                }
                Kind::Staging | Kind::Deleted => continue,
            };
            skipped.push(Skipped { epoch, damage });
        }
        (None, skipped)
    }

    /// Whether older checkpoints are not looked at when a run is resumed.
    pub(crate) fn trusts_older(&self) -> bool {
        self.pending().trusts_older
    }

    /// The damaged checkpoints of epochs before `epoch`, each file being read and verified piece by piece.
    pub(crate) fn damaged_before(&self, epoch: usize) -> Vec<Skipped> {
        let found = self.0.directory.list().unwrap_or_default();
        let older = found
            .into_iter()
            .filter(|&(older, kind)| kind == Kind::Checkpoint && older < epoch);
        let damaged = older.filter_map(|(epoch, _)| {
            let damage = self.check(epoch).err()?;
            Some(Skipped { epoch, damage })
        });
        damaged.collect()
    }

    /// The checkpoint of `epoch`, if it is complete and undamaged.
    ///
    /// # Errors
    /// [`TrainingError::Damaged`] saying what is wrong with it, [`TrainingError::File`] if it
    /// cannot be read.
    pub fn load(&self, epoch: usize) -> Result<Checkpoint, TrainingError> {
        Ok(self.verified(epoch)?)
    }

    /// One part of the checkpoint of `epoch`, if that part is undamaged.
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    pub fn load_part(&self, epoch: usize, part: &str) -> Result<Vec<u8>, TrainingError> {
        let (path, manifest) = self.manifest(epoch)?;
        let path = path.join(part);
        match manifest.files.get(part) {
            Some(file) => Ok(read_verified(&path, file)?),
            None => Err(Damage::Missing { path }.into()),
        }
    }

    pub(super) fn manifest(&self, epoch: usize) -> Result<(PathBuf, Manifest), Damage> {
        let path = self.0.directory.checkpoint(epoch);
        match std::fs::exists(&path) {
            Ok(true) => {}
            Ok(false) => {
                return Err(Damage::Missing { path });
            }
            Err(error) => return Err(Damage::unreadable(&path, error)),
        }
        let manifest = Manifest::read(&path.join(MANIFEST), epoch)?;
        Ok((path, manifest))
    }

    fn verified(&self, epoch: usize) -> Result<Checkpoint, Damage> {
        let verified = self.with_all_parts(epoch).and_then(|(path, manifest)| {
            let read = |(part, file): (&String, &FileRecord)| {
                Ok((part.clone(), read_verified(&path.join(part), file)?))
            };
            let parts: Result<_, Damage> = manifest.files.iter().map(read).collect();
            Ok(Checkpoint {
                epoch,
                parts: parts?,
                train: manifest.train,
                valid: manifest.valid,
            })
        });
        self.remembered(epoch, verified)
    }

    /// Whether the checkpoint of `epoch` is complete and undamaged; its parts are not kept in memory.
    fn check(&self, epoch: usize) -> Result<(), Damage> {
        let checked = self.with_all_parts(epoch).and_then(|(path, manifest)| {
            let mut files = manifest.files.iter();
            files.try_for_each(|(part, file)| file.verify_file(&path.join(part)))
        });
        self.remembered(epoch, checked)
    }

    /// The place and the manifest of a checkpoint that has all parts it must have.
    fn with_all_parts(&self, epoch: usize) -> Result<(PathBuf, Manifest), Damage> {
        let (path, manifest) = self.manifest(epoch)?;
        let mut required = self.0.required.iter();
        match required.find(|part| !manifest.files.contains_key(*part)) {
            Some(part) => Err(Damage::Missing {
                path: path.join(part),
            }),
            None => Ok((path, manifest)),
        }
    }

    /// What was found out of a checkpoint. One that is damaged is from now on none of the last N, on which one can
    /// fall back, nor deleted.
    fn remembered<T>(&self, epoch: usize, found: Result<T, Damage>) -> Result<T, Damage> {
        if found.is_err() {
            self.stored().complete.remove(&epoch);
        }
        found
    }
}

pub(super) fn read_verified(path: &Path, file: &FileRecord) -> Result<Vec<u8>, Damage> {
    let bytes = std::fs::read(path).map_err(|error| Damage::unreadable(path, error))?;
    file.verify(path, &bytes)?;
    Ok(bytes)
}
