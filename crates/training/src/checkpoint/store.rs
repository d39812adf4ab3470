//! A directory of checkpoints.

use std::collections::{BTreeMap, BTreeSet};
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
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    keep: KeepPolicy,
    best_copy: Option<BestCopy>,
    /// The manifests of the complete checkpoints that are not known to be damaged.
    complete: BTreeMap<usize, Manifest>,
    /// The files of checkpoints that are being written.
    saving: BTreeMap<usize, BTreeMap<String, FileRecord>>,
    metrics: BTreeMap<usize, (Metrics, Metrics)>,
    /// Checkpoints that shall be deleted as soon as that is safe.
    condemned: BTreeSet<usize>,
    failure: Option<TrainingError>,
}

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
        let state = State {
            complete,
            ..State::default()
        };
        Ok(Self(Arc::new(Inner {
            directory: directory.to_owned(),
            parts: parts.iter().map(|&part| part.to_owned()).collect(),
            state: Mutex::new(state),
        })))
    }

    /// Sets which checkpoints are kept; the last two by default.
    pub fn with_keep(self, keep: KeepPolicy) -> Self {
        self.lock().keep = keep;
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
        let mut state = self.lock();
        state.best_copy = Some(BestCopy {
            part: part.to_owned(),
            path: path.to_owned(),
            content,
        });
        if let Some(newest) = state.complete.keys().next_back().copied() {
            self.copy_best(&mut state, newest)?;
        }
        drop(state);
        Ok(self)
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.0.directory
    }

    /// The epochs of the checkpoints that are complete, and were not found to be damaged.
    pub fn epochs(&self) -> Vec<usize> {
        self.lock().complete.keys().copied().collect()
    }

    /// The epoch and value of the best checkpoint by the policy, as of the newest one.
    pub fn best(&self) -> Option<(usize, f64)> {
        let state = self.lock();
        let newest = state.complete.values().next_back()?;
        let best = state.keep.best_as_of(&state.complete, newest)?;
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
        let mut state = self.lock();
        if let Some(best) = &state.keep.best {
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
        state.metrics.insert(epoch, metrics);
        Ok(())
    }

    /// Saves a part of the checkpoint of `epoch`; with the last one the checkpoint is complete.
    ///
    /// It is on the disk then, a checkpoint of that epoch from before is out of the way, the copy
    /// of the best is up to date, and superfluous checkpoints are deleted. That these cannot be
    /// deleted is no error, but logged.
    ///
    /// # Errors
    /// [`TrainingError::Invalid`] if there is no such part, [`TrainingError::File`] if something
    /// cannot be written. All complete checkpoints are as they were then.
    pub fn save_part(&self, epoch: usize, part: &str, bytes: &[u8]) -> Result<(), TrainingError> {
        self.check_part(part)?;
        let staging = {
            let mut state = self.lock();
            match state.saving.contains_key(&epoch) {
                true => directory::staging(&self.0.directory, epoch),
                false => {
                    let staging = directory::begin(&self.0.directory, epoch)?;
                    state.saving.insert(epoch, BTreeMap::new());
                    staging
                }
            }
        };
        // Not under the lock: other parts can be written at the same time.
        directory::write(&staging.join(part), bytes)?;
        let file = FileRecord::of(bytes);

        let mut state = self.lock();
        let files = state.saving.entry(epoch).or_default();
        files.insert(part.to_owned(), file);
        match files.len() == self.0.parts.len() {
            true => self.complete(&mut state, epoch),
            false => Ok(()),
        }
    }

    /// All parts of the checkpoint of `epoch` are written: makes it the newest.
    fn complete(&self, state: &mut State, epoch: usize) -> Result<(), TrainingError> {
        let directory = &self.0.directory;
        let files = state.saving.get(&epoch).cloned().unwrap_or_default();
        let none = Default::default();
        let (train, valid) = state.metrics.get(&epoch).unwrap_or(&none);
        let mut manifest = Manifest::new(epoch, files, train, valid);
        manifest.best = state.keep.best_so_far(&state.complete, &manifest);

        let path = directory::staging(directory, epoch).join(MANIFEST);
        let text = manifest
            .encode()
            .map_err(|error| TrainingError::file("write", &path, error.into()))?;
        directory::write(&path, text.as_bytes())?;
        state.complete.remove(&epoch);
        directory::publish(directory, epoch)?;
        state.saving.remove(&epoch);
        state.metrics.retain(|other, _| *other > epoch);
        state.condemned.remove(&epoch);
        state.complete.insert(epoch, manifest);

        // First this, which makes room for the copy.
        if let Err(error) = self.prune_up_to(state, epoch) {
            log::warn!("{error}");
        }
        self.copy_best(state, epoch)
    }

    /// Brings the copy of the best checkpoint's part up to what is best as of `newest`.
    fn copy_best(&self, state: &mut State, newest: usize) -> Result<(), TrainingError> {
        let Some(copy) = &mut state.best_copy else {
            return Ok(());
        };
        let newest = state.complete.get(&newest);
        let Some(best) = newest.and_then(|n| state.keep.best_as_of(&state.complete, n)) else {
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
                Kind::Staging if !self.lock().saving.contains_key(&epoch) => {
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
            self.lock().complete.remove(&epoch);
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
        let mut state = self.lock();
        let directory = &self.0.directory;
        let found = directory::list(directory)
            .map_err(|error| TrainingError::file("read", directory, error))?;
        for (newer, kind) in found {
            if kind == Kind::Checkpoint && newer > epoch {
                state.complete.remove(&newer);
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
        let mut state = self.lock();
        state.condemned.insert(epoch);
        match state.complete.keys().next_back().copied() {
            Some(newest) => self.prune_up_to(&mut state, newest).map(drop),
            None => Ok(()),
        }
    }

    /// Deletes the checkpoints that the policy has no use for, and returns their epochs.
    ///
    /// The newest and the best are never deleted, nor is any that was found to be damaged. Saving
    /// does this by itself.
    ///
    /// # Errors
    /// [`TrainingError::File`] if one cannot be deleted.
    pub fn prune(&self) -> Result<Vec<usize>, TrainingError> {
        let mut state = self.lock();
        match state.complete.keys().next_back().copied() {
            Some(newest) => self.prune_up_to(&mut state, newest),
            None => Ok(Vec::new()),
        }
    }

    fn prune_up_to(&self, state: &mut State, newest: usize) -> Result<Vec<usize>, TrainingError> {
        let superfluous = state
            .keep
            .superfluous(&state.complete, &state.condemned, newest);
        for &epoch in &superfluous {
            state.complete.remove(&epoch);
            state.condemned.remove(&epoch);
            directory::delete(&self.0.directory, epoch)?;
        }
        directory::finish_deleting(&self.0.directory)?;
        Ok(superfluous)
    }

    /// The first error that a checkpointer of this store has met, with its type.
    pub fn failure(&self) -> Option<TrainingError> {
        self.lock().failure.clone()
    }

    pub(super) fn fail(&self, error: TrainingError) {
        self.lock().failure.get_or_insert(error);
    }

    fn check_part(&self, part: &str) -> Result<(), TrainingError> {
        match self.0.parts.contains(part) {
            true => Ok(()),
            false => Err(invalid_part("one that the store was opened with", part)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
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
