//! A directory of checkpoints.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::directory::{self, Kind};
use super::error::{CheckpointError, Skipped};
use super::keep::KeepPolicy;
use super::manifest::{FileRecord, MANIFEST, Manifest};
use crate::TrainingError;
use crate::files::write_atomically;
use crate::history::Metrics;

/// A directory of checkpoints, each of which is complete or not there; clones are one and the same.
///
/// A checkpoint consists of parts, which several threads may save in any order. With the last one
/// it is complete, and checkpoints that the [`KeepPolicy`] has no use for are deleted. A process
/// that is killed at any moment leaves all checkpoints that were complete, as does a full disk.
///
/// ```
/// use burn_lr_training::CheckpointStore;
///
/// # let run = tempfile::tempdir()?;
/// let store = CheckpointStore::open(run.path().join("checkpoint"), &["model.bpk", "notes"])?;
/// store.save_part(1, "model.bpk", b"weights")?;
/// assert!(store.newest_complete().0.is_none());
/// store.save_part(1, "notes", b"what led to them")?;
///
/// let (checkpoint, skipped) = store.newest_complete();
/// assert_eq!(checkpoint.as_ref().map(|checkpoint| checkpoint.epoch), Some(1));
/// assert_eq!(checkpoint.and_then(|mut c| c.parts.remove("notes")).as_deref(), Some(&b"what led to them"[..]));
/// assert!(skipped.is_empty());
/// # Ok::<(), burn_lr_training::TrainingError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CheckpointStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    parts: BTreeSet<String>,
    /// Locked for as long as it takes to make a checkpoint complete, and before `pending`.
    stored: Mutex<Stored>,
    /// Locked for moments only: training waits for it.
    pending: Mutex<Pending>,
}

/// What is on the disk.
#[derive(Debug, Default)]
struct Stored {
    /// The manifests of the complete checkpoints that are not known to be damaged.
    complete: BTreeMap<usize, Manifest>,
    best_copy: Option<BestCopy>,
}

/// What is wanted, or not yet complete.
#[derive(Debug, Default)]
struct Pending {
    keep: KeepPolicy,
    /// The parts of checkpoints that are being written.
    saving: BTreeMap<usize, Parts>,
    metrics: BTreeMap<usize, (Metrics, Metrics)>,
    /// Checkpoints that shall be deleted as soon as that is safe.
    condemned: BTreeSet<usize>,
    failure: Option<TrainingError>,
}

type Parts = BTreeMap<String, (File, FileRecord)>;

/// The file that holds a part of the best checkpoint.
#[derive(Debug)]
struct BestCopy {
    part: String,
    path: PathBuf,
    /// What the file holds.
    content: Option<FileRecord>,
}

/// The content of a complete checkpoint, verified against its checksums.
#[derive(Debug, Clone, PartialEq)]
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
    /// Opens the directory of checkpoints, creating it if need be.
    ///
    /// `parts` are the names of the files that make a checkpoint complete: by convention
    /// [`MODEL`](super::MODEL), [`OPTIM`](super::OPTIM), [`SCHEDULER`](super::SCHEDULER) and
    /// [`HISTORY`](super::HISTORY).
    ///
    /// # Errors
    /// [`TrainingError::Invalid`] if a part is no plain file name, [`TrainingError::File`] if the
    /// directory cannot be created or read. Damaged checkpoints are no error:
    /// [`newest_complete`](Self::newest_complete) tells of them.
    pub fn open(directory: impl AsRef<Path>, parts: &[&str]) -> Result<Self, TrainingError> {
        let directory = directory.as_ref();
        for part in parts {
            let plain = Path::new(part).file_name() == Some(part.as_ref());
            if !plain || *part == MANIFEST {
                return Err(invalid_part("a file name other than the manifest's", part));
            }
        }
        std::fs::create_dir_all(directory)
            .map_err(|error| TrainingError::file("create", directory, error))?;
        let found = directory::list(directory)
            .map_err(|error| TrainingError::file("read", directory, error))?;
        let complete = found
            .into_iter()
            .filter(|(_, kind)| *kind == Kind::Checkpoint)
            .filter_map(|(epoch, _)| {
                let path = directory::checkpoint(directory, epoch).join(MANIFEST);
                Some((epoch, Manifest::read(&path, epoch).ok()?))
            })
            .collect();
        let stored = Stored {
            complete,
            best_copy: None,
        };
        Ok(Self(Arc::new(Inner {
            directory: directory.to_owned(),
            parts: parts.iter().map(|&part| part.to_owned()).collect(),
            stored: Mutex::new(stored),
            pending: Mutex::default(),
        })))
    }

    /// Sets which checkpoints are kept; the last two by default.
    pub fn with_keep(self, keep: KeepPolicy) -> Self {
        self.pending().keep = keep;
        self
    }

    /// Keeps a copy of a part of the best checkpoint at `path`, and sets it right if it is not.
    ///
    /// What is best says the policy, which must have been set before. If the best checkpoint is
    /// damaged and the copy is not there to stand in for it, the file is left as it is.
    ///
    /// # Errors
    /// [`TrainingError::Invalid`] if there is no such part, [`TrainingError::File`] if the copy
    /// cannot be read or written.
    pub fn with_best_copy(self, part: &str, path: impl AsRef<Path>) -> Result<Self, TrainingError> {
        self.check_part(part)?;
        let path = path.as_ref();
        let content = match std::fs::read(path) {
            Ok(content) => Some(FileRecord::of(&content)),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(TrainingError::file("read", path, error)),
        };
        let mut stored = self.stored();
        stored.best_copy = Some(BestCopy {
            part: part.to_owned(),
            path: path.to_owned(),
            content,
        });
        if let Some(newest) = stored.newest() {
            self.copy_best(&mut stored, newest)?;
        }
        drop(stored);
        Ok(self)
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.0.directory
    }

    /// The epochs of the checkpoints that are complete, and were not found to be damaged.
    pub fn epochs(&self) -> Vec<usize> {
        self.stored().complete.keys().copied().collect()
    }

    /// The epoch and value of the best checkpoint by the policy, as of the newest one.
    pub fn best(&self) -> Option<(usize, f64)> {
        let stored = self.stored();
        let newest = stored.complete.values().next_back()?;
        let best = self.pending().keep.best_as_of(&stored.complete, newest)?;
        Some((best.epoch, best.value))
    }

    /// Sets the metrics of `epoch`, which its checkpoint will hold; before its last part is saved.
    ///
    /// Values that are not finite are left out, so they are never the best.
    ///
    /// # Errors
    /// [`TrainingError::MissingMetric`] if the policy needs one that is not there.
    pub fn set_metrics(
        &self,
        epoch: usize,
        train: &Metrics,
        valid: &Metrics,
    ) -> Result<(), TrainingError> {
        let mut pending = self.pending();
        if let Some(best) = &pending.keep.best {
            let metrics = best.of_split(train, valid);
            if !metrics.is_some_and(|metrics| metrics.contains_key(&best.metric)) {
                return Err(TrainingError::MissingMetric {
                    metric: best.metric.clone(),
                    split: best.split.to_string(),
                    epoch,
                    known: metrics
                        .into_iter()
                        .flatten()
                        .map(|(n, _)| n.clone())
                        .collect(),
                });
            }
        }
        let metrics = (train.clone(), valid.clone());
        pending.metrics.insert(epoch, metrics);
        Ok(())
    }

    /// Saves a part of the checkpoint of `epoch`; with the last one the checkpoint is complete.
    ///
    /// The call that saves the last part is the one that takes long, until all parts are on the
    /// disk, the copy of the best is up to date, and superfluous checkpoints are deleted. That
    /// these cannot be deleted is no error, but logged. A checkpoint of that epoch from before is
    /// moved out of the way.
    ///
    /// # Errors
    /// [`TrainingError::Invalid`] if there is no such part, [`TrainingError::File`] if something
    /// cannot be written. All complete checkpoints are as they were then.
    pub fn save_part(&self, epoch: usize, part: &str, bytes: &[u8]) -> Result<(), TrainingError> {
        self.check_part(part)?;
        let directory = &self.0.directory;
        let staging = {
            let mut pending = self.pending();
            match pending.saving.contains_key(&epoch) {
                true => directory::staging(directory, epoch),
                false => {
                    let staging = directory::begin(directory, epoch)?;
                    pending.saving.insert(epoch, Parts::new());
                    staging
                }
            }
        };
        let file = directory::write(&staging.join(part), bytes)?;
        let saved = (file, FileRecord::of(bytes));

        let parts = {
            let mut pending = self.pending();
            let parts = pending.saving.entry(epoch).or_default();
            parts.insert(part.to_owned(), saved);
            match parts.len() == self.0.parts.len() {
                true => std::mem::take(parts),
                false => return Ok(()),
            }
        };
        self.complete(epoch, parts)
    }

    /// All parts of the checkpoint of `epoch` are written: makes it complete.
    fn complete(&self, epoch: usize, parts: Parts) -> Result<(), TrainingError> {
        let directory = &self.0.directory;
        let staging = directory::staging(directory, epoch);
        let mut stored = self.stored();

        let mut manifest = Manifest::new(epoch);
        {
            let pending = self.pending();
            if let Some((train, valid)) = pending.metrics.get(&epoch) {
                manifest.set_metrics(train, valid);
            }
            let files = parts
                .iter()
                .map(|(part, (_, file))| (part.clone(), file.clone()));
            manifest.files = files.collect();
            manifest.best = pending.keep.best_so_far(&stored.complete, &manifest);
        }
        let path = staging.join(MANIFEST);
        let text = manifest
            .encode()
            .map_err(|error| TrainingError::file("write", &path, error.into()))?;
        let manifest_file = directory::write(&path, text.as_bytes())?;

        let files = parts.iter().map(|(part, (file, _))| (part.as_str(), file));
        let files: Vec<_> = files.chain([(MANIFEST, &manifest_file)]).collect();
        directory::sync_files(&staging, &files)?;
        stored.complete.remove(&epoch);
        // Not all systems can rename directories with open files in them.
        drop((parts, manifest_file));
        directory::publish(directory, epoch)?;
        stored.complete.insert(epoch, manifest);
        {
            let mut pending = self.pending();
            pending.saving.remove(&epoch);
            pending.metrics.retain(|other, _| *other > epoch);
            pending.condemned.remove(&epoch);
        }
        // First this, which makes room for the copy.
        if let Err(error) = self.prune_up_to(&mut stored, epoch) {
            log::warn!("{error}");
        }
        self.copy_best(&mut stored, epoch)
    }

    /// Brings the copy of the best checkpoint's part up to what is best as of `newest`.
    fn copy_best(&self, stored: &mut Stored, newest: usize) -> Result<(), TrainingError> {
        let Stored {
            complete,
            best_copy: Some(copy),
        } = stored
        else {
            return Ok(());
        };
        let newest = complete.get(&newest);
        let best = newest.and_then(|newest| self.pending().keep.best_as_of(complete, newest));
        let Some(best) = best else {
            return Ok(());
        };
        let Some(wanted) = best.files.get(&copy.part) else {
            return Ok(());
        };
        if copy.content.as_ref() == Some(wanted) {
            return Ok(());
        }
        let path = directory::checkpoint(&self.0.directory, best.epoch).join(&copy.part);
        match read_verified(&path, wanted) {
            Ok(bytes) => {
                write_atomically(&copy.path, &bytes)?;
                copy.content = Some(wanted.clone());
            }
            // No reason to stop a run, and there is no better model to be had.
            Err(error) => log::warn!("{} is not the best model: {error}", copy.path.display()),
        }
        Ok(())
    }

    /// The newest checkpoint that is complete and undamaged, and those that were skipped for it.
    ///
    /// Each file is read and verified. Nothing is deleted or changed, whatever is found.
    pub fn newest_complete(&self) -> (Option<Checkpoint>, Vec<Skipped>) {
        let directory = &self.0.directory;
        let mut skipped = Vec::new();
        let found = match directory::list(directory) {
            Ok(found) => found,
            Err(source) => {
                let error = CheckpointError::unreadable(directory, source);
                return (None, vec![Skipped { epoch: 0, error }]);
            }
        };
        for (epoch, kind) in found {
            let error = match kind {
                Kind::Checkpoint => match self.verified(epoch) {
                    Ok(checkpoint) => return (Some(checkpoint), skipped),
                    Err(error) => error,
                },
                Kind::Staging if !self.pending().saving.contains_key(&epoch) => {
                    let path = directory::staging(directory, epoch);
                    CheckpointError::Incomplete { path }
                }
                Kind::Staging | Kind::Deleted => continue,
            };
            skipped.push(Skipped { epoch, error });
        }
        (None, skipped)
    }

    /// The checkpoint of `epoch`, if it is complete and undamaged.
    ///
    /// # Errors
    /// [`TrainingError::Checkpoint`] saying what is wrong with it, [`TrainingError::File`] if it
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
            None => Err(CheckpointError::MissingPart { path }.into()),
        }
    }

    fn manifest(&self, epoch: usize) -> Result<(PathBuf, Manifest), CheckpointError> {
        let path = directory::checkpoint(&self.0.directory, epoch);
        match std::fs::exists(&path) {
            Ok(true) => {}
            Ok(false) => {
                let directory = self.0.directory.clone();
                return Err(CheckpointError::NotFound { epoch, directory });
            }
            Err(error) => return Err(CheckpointError::unreadable(&path, error)),
        }
        let manifest = Manifest::read(&path.join(MANIFEST), epoch)?;
        Ok((path, manifest))
    }

    fn verified(&self, epoch: usize) -> Result<Checkpoint, CheckpointError> {
        let verified = self.manifest(epoch).and_then(|(path, manifest)| {
            if let Some(part) = self
                .0
                .parts
                .iter()
                .find(|p| !manifest.files.contains_key(*p))
            {
                let path = path.join(part);
                return Err(CheckpointError::MissingPart { path });
            }
            let read = |(part, file): (&String, &FileRecord)| {
                Ok((part.clone(), read_verified(&path.join(part), file)?))
            };
            let parts: Result<_, CheckpointError> = manifest.files.iter().map(read).collect();
            Ok(Checkpoint {
                epoch,
                parts: parts?,
                train: manifest.train,
                valid: manifest.valid,
            })
        });
        if verified.is_err() {
            // From now on it is none of the last N, on which one can fall back, nor deleted.
            self.stored().complete.remove(&epoch);
        }
        verified
    }

    /// Moves all checkpoints newer than `epoch` out of the way, under other names.
    ///
    /// A run that does not go on from the newest checkpoint begins with this: otherwise what is
    /// newer would be taken for its own later on. With 0 it is all of them.
    ///
    /// # Errors
    /// [`TrainingError::File`] if one cannot be renamed.
    pub fn set_aside_after(&self, epoch: usize) -> Result<(), TrainingError> {
        let mut stored = self.stored();
        let directory = &self.0.directory;
        let found = directory::list(directory)
            .map_err(|error| TrainingError::file("read", directory, error))?;
        for (newer, kind) in found {
            if kind == Kind::Checkpoint && newer > epoch {
                stored.complete.remove(&newer);
                directory::set_aside(directory, newer)?;
            }
        }
        Ok(())
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

    fn prune_up_to(&self, stored: &mut Stored, newest: usize) -> Result<Vec<usize>, TrainingError> {
        let superfluous = {
            let Pending {
                keep, condemned, ..
            } = &*self.pending();
            keep.superfluous(&stored.complete, condemned, newest)
        };
        for &epoch in &superfluous {
            stored.complete.remove(&epoch);
            self.pending().condemned.remove(&epoch);
            directory::delete(&self.0.directory, epoch)?;
        }
        directory::finish_deleting(&self.0.directory)?;
        Ok(superfluous)
    }

    /// The first error that a checkpointer of this store has met, with its type.
    pub fn failure(&self) -> Option<TrainingError> {
        self.pending().failure.clone()
    }

    pub(super) fn fail(&self, error: TrainingError) {
        self.pending().failure.get_or_insert(error);
    }

    fn check_part(&self, part: &str) -> Result<(), TrainingError> {
        match self.0.parts.contains(part) {
            true => Ok(()),
            false => Err(invalid_part("one that the store was opened with", part)),
        }
    }

    fn stored(&self) -> MutexGuard<'_, Stored> {
        let stored = self.0.stored.lock();
        stored.unwrap_or_else(PoisonError::into_inner)
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        let pending = self.0.pending.lock();
        pending.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stored {
    fn newest(&self) -> Option<usize> {
        self.complete.keys().next_back().copied()
    }
}

fn invalid_part(expected: &'static str, found: &str) -> TrainingError {
    TrainingError::Invalid {
        name: "part of a checkpoint",
        expected,
        found: format!("{found:?}"),
    }
}

fn read_verified(path: &Path, file: &FileRecord) -> Result<Vec<u8>, CheckpointError> {
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => CheckpointError::MissingPart {
            path: path.to_owned(),
        },
        _ => CheckpointError::unreadable(path, error),
    })?;
    file.verify(path, &bytes)?;
    Ok(bytes)
}
