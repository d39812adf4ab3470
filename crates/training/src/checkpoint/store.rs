//! A directory of checkpoints.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::directory::{Directory, Kind, Unit};
use super::keep::KeepPolicy;
use super::manifest::{BestSoFar, FileRecord, MANIFEST, Manifest};
use crate::TrainingError;
use crate::metrics::Metrics;
use crate::notices::Notices;
use crate::storage::{create_directory, read_sum};

/// A directory of checkpoints, each of which is complete or not there; clones are one and the same.
///
/// A checkpoint consists of parts, which several threads may save in any order. With the last one
/// it is complete, and checkpoints that the [`KeepPolicy`] has no use for are deleted. A process
/// that is killed at any moment leaves all checkpoints that were complete, as does a full disk.
///
/// ```
/// use burn_lr_training::checkpoint::CheckpointStore;
///
/// # let run = tempfile::tempdir()?;
/// let store = CheckpointStore::open(run.path().join("checkpoint"), &["model.bpk", "notes"])?;
/// store.save_part(1, "model.bpk", b"weights")?;
/// assert!(store.newest_complete().0.is_none());
/// store.save_part(1, "notes", b"what led to them")?;
///
/// let (checkpoint, skipped) = store.newest_complete();
/// let checkpoint = checkpoint.ok_or("none is complete")?;
/// assert_eq!(checkpoint.epoch, 1);
/// assert_eq!(checkpoint.parts["model.bpk"], b"weights");
/// assert!(skipped.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct CheckpointStore(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) directory: Directory,
    /// What makes a checkpoint complete that is being written.
    pub(super) parts: BTreeSet<String>,
    /// What one must have to be read.
    pub(super) required: BTreeSet<String>,
    /// Locked for as long as it takes to make a checkpoint complete, and before `pending`.
    pub(super) stored: Mutex<Stored>,
    /// Locked for moments only: training waits for it.
    pub(super) pending: Mutex<Pending>,
}

/// What is on the disk.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// The manifests of the complete checkpoints that are not known to be damaged.
    pub(super) complete: BTreeMap<usize, Manifest>,
    pub(super) best_copy: Option<BestCopy>,
}

/// What is wanted, or not yet complete.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) keep: KeepPolicy,
    /// The parts of checkpoints that are being written.
    pub(super) saving: BTreeMap<usize, Parts>,
    pub(super) metrics: BTreeMap<usize, (Metrics, Metrics)>,
    /// Checkpoints that shall be deleted as soon as that is safe.
    pub(super) condemned: BTreeSet<usize>,
    pub(super) failure: Option<TrainingError>,
    /// The best of the run that this one branched off.
    pub(super) inherited: Option<BestSoFar>,
    /// The checkpoints within epochs, which are of no use once a newer epoch's is complete.
    pub(super) within: Option<CheckpointStore>,
    pub(super) notices: Notices,
    /// Whether checkpoints are taken for sound until they are needed.
    pub(super) trusts_older: bool,
}

pub(super) type Parts = BTreeMap<String, (File, FileRecord)>;

/// The file that holds a part of the best checkpoint.
#[derive(Debug)]
pub(super) struct BestCopy {
    pub(super) part: String,
    pub(super) path: PathBuf,
    /// What the file holds.
    pub(super) content: Option<FileRecord>,
    /// The checksum beside it.
    pub(super) sum: Option<String>,
    /// What it should hold, if that was not to be had.
    pub(super) missed: Option<FileRecord>,
}

impl CheckpointStore {
    /// Opens the directory of checkpoints, creating it if need be.
    ///
    /// `parts` are the names of the files that make a checkpoint complete: by convention
    /// [`MODEL`](super::MODEL), [`OPTIM`](super::OPTIM), [`SCHEDULER`](super::SCHEDULER),
    /// [`HISTORY`](super::HISTORY) and [`CONFIG`](super::CONFIG).
    ///
    /// # Errors
    /// [`TrainingError::Invalid`] if a part is no plain file name, [`TrainingError::File`] if the
    /// directory cannot be created or read. Damaged checkpoints are no error:
    /// [`newest_complete`](Self::newest_complete) tells of them.
    pub fn open(directory: impl AsRef<Path>, parts: &[&str]) -> Result<Self, TrainingError> {
        Self::open_with(directory, parts, &[])
    }

    /// The same for checkpoints that will have `more` parts, without which those that are there can be read.
    pub(crate) fn open_with(
        directory: impl AsRef<Path>,
        parts: &[&str],
        more: &[&str],
    ) -> Result<Self, TrainingError> {
        Self::open_by(Unit::Epoch, directory.as_ref(), parts, more)
    }

    /// The same for checkpoints within epochs, which are numbered by updates: the newest is kept.
    pub(crate) fn open_within(
        directory: &Path,
        parts: &[&str],
        more: &[&str],
    ) -> Result<Self, TrainingError> {
        let store = Self::open_by(Unit::Update, directory, parts, more)?;
        Ok(store.with_keep(KeepPolicy::last(1)))
    }

    fn open_by(
        unit: Unit,
        path: &Path,
        parts: &[&str],
        more: &[&str],
    ) -> Result<Self, TrainingError> {
        for part in parts.iter().chain(more) {
            let plain = Path::new(part).file_name() == Some(part.as_ref());
            if !plain || *part == MANIFEST {
                return Err(invalid_part("a file name other than the manifest's", part));
            }
        }
        create_directory(path)?;
        let directory = Directory::new(path, unit);
        let found = directory.list();
        let found = found.map_err(|error| TrainingError::file("read", path, error))?;
        let complete = found
            .into_iter()
            .filter(|(_, kind)| *kind == Kind::Checkpoint)
            .filter_map(|(epoch, _)| {
                let path = directory.checkpoint(epoch).join(MANIFEST);
                Some((epoch, Manifest::read(&path, epoch).ok()?))
            })
            .collect();
        let stored = Stored {
            complete,
            best_copy: None,
        };
        Ok(Self(Arc::new(Inner {
            directory,
            parts: names(parts).chain(names(more)).collect(),
            required: names(parts).collect(),
            stored: Mutex::new(stored),
            pending: Mutex::default(),
        })))
    }

    /// Sets which checkpoints are kept; the last two by default.
    pub fn with_keep(self, keep: KeepPolicy) -> Self {
        self.pending().keep = keep;
        self
    }

    /// Says there what the user should know; in the log by default.
    pub(crate) fn with_notices(self, notices: Notices) -> Self {
        self.pending().notices = notices;
        self
    }

    /// Leaves the verification of a resumed run to its newest checkpoint; of the others, those are verified that one
    /// falls back on.
    pub(crate) fn trusting_older(self, trusts: bool) -> Self {
        self.pending().trusts_older = trusts;
        self
    }

    /// Has `within` hold checkpoints within the epochs, until one is complete.
    pub(crate) fn with_within(self, within: Self) -> Self {
        self.pending().within = Some(within);
        self
    }

    /// The checkpoints within epochs, if there are any.
    pub(crate) fn within(&self) -> Option<Self> {
        self.pending().within.clone()
    }

    pub(super) fn say(&self, notice: &str) {
        let notices = self.pending().notices.clone();
        notices.say(notice);
    }

    /// Keeps a copy of a part of the best checkpoint at `path`, and sets it right if it is not.
    ///
    /// What is best says the policy, which must have been set before. If the best checkpoint is
    /// damaged, a copy of an earlier best one is left as it is, and one that is not what the checksum
    /// beside it says is set aside.
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
            // A torn one is as good as none.
            sum: read_sum(path).unwrap_or_default(),
            missed: None,
        });
        if let Some(newest) = stored.newest() {
            self.copy_best(&mut stored, newest)?;
        }
        drop(stored);
        Ok(self)
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        self.0.directory.path()
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

    /// The first error that a checkpointer of this store has met, with its type.
    pub fn failure(&self) -> Option<TrainingError> {
        self.pending().failure.clone()
    }

    pub(super) fn fail(&self, error: TrainingError) {
        self.pending().failure.get_or_insert(error);
    }

    pub(super) fn check_part(&self, part: &str) -> Result<(), TrainingError> {
        if self.0.parts.contains(part) {
            return Ok(());
        }
        Err(invalid_part("one that the store was opened with", part))
    }

    pub(super) fn stored(&self) -> MutexGuard<'_, Stored> {
        let stored = self.0.stored.lock();
        stored.unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn pending(&self) -> MutexGuard<'_, Pending> {
        let pending = self.0.pending.lock();
        pending.unwrap_or_else(PoisonError::into_inner)
    }
}

impl BestCopy {
    /// Whether the file is what the checksum beside it says; none if one of the two is missing.
    pub(super) fn is_sound(&self) -> Option<bool> {
        let content = self.content.as_ref()?;
        Some(content.sha256 == *self.sum.as_ref()?)
    }
}

impl Stored {
    pub(super) fn newest(&self) -> Option<usize> {
        self.complete.keys().next_back().copied()
    }
}

fn names(parts: &[&str]) -> impl Iterator<Item = String> {
    parts.iter().map(|&part| part.to_owned())
}

fn invalid_part(expected: &'static str, found: &str) -> TrainingError {
    TrainingError::Invalid {
        name: "part of a checkpoint",
        expected,
        found: format!("{found:?}"),
    }
}
