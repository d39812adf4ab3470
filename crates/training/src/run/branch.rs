//! Which checkpoint of another run a run begins at.

use std::path::{Path, PathBuf};

use crate::TrainingError;
use crate::metrics::Lineage;

/// A checkpoint of another run, at which a run [begins](crate::Training::branch).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    pub(super) parent: PathBuf,
    pub(super) at: At,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Newest,
    Epoch(usize),
    Update(u64),
}

impl Branch {
    /// The newest complete checkpoint of the run in the directory `parent`.
    pub fn newest(parent: impl AsRef<Path>) -> Self {
        Self::of(parent, At::Newest)
    }

    /// The checkpoint after `epoch`, or after that period of a run that is measured in updates.
    ///
    /// It must have been kept: see [`KeepPolicy`](crate::checkpoint::KeepPolicy).
    pub fn epoch(parent: impl AsRef<Path>, epoch: usize) -> Self {
        Self::of(parent, At::Epoch(epoch))
    }

    /// The checkpoint after so many updates, which must be the end of an epoch or a period.
    pub fn update(parent: impl AsRef<Path>, updates: u64) -> Self {
        Self::of(parent, At::Update(updates))
    }

    fn of(parent: impl AsRef<Path>, at: At) -> Self {
        let parent = parent.as_ref().to_owned();
        Self { parent, at }
    }

    /// The directory of the run that is branched off.
    pub fn parent(&self) -> &Path {
        &self.parent
    }

    /// Whether a run that comes from `lineage` comes from here, by the parent's place.
    pub(super) fn is_of(&self, lineage: &Lineage) -> bool {
        self.is_at(lineage) && self.is_off(Path::new(&lineage.parent))
    }

    /// Whether the run in `directory` is the one that is branched off.
    fn is_off(&self, directory: &Path) -> bool {
        let place = |path: &Path| {
            path.canonicalize()
                .or_else(|_| std::path::absolute(path))
                .ok()
        };
        directory == self.parent || place(directory) == place(&self.parent)
    }

    /// Whether the branch, in `directory`, leaves its parent alone.
    ///
    /// # Errors
    /// [`TrainingError::Invalid`] if both would be in the same place.
    pub(super) fn check_place(&self, directory: &Path) -> Result<(), TrainingError> {
        if self.is_off(directory) {
            return Err(TrainingError::Invalid {
                name: "branch",
                expected: "a directory of its own",
                found: format!("that of its parent, {}", self.parent.display()),
            });
        }
        Ok(())
    }

    /// Whether that is the checkpoint of `lineage`, if the parent is.
    pub(super) fn is_at(&self, lineage: &Lineage) -> bool {
        match self.at {
            // Of which the parent may have newer ones by now.
            At::Newest => true,
            At::Epoch(epoch) => epoch == lineage.epoch,
            At::Update(updates) => updates == lineage.updates,
        }
    }

    pub(super) fn wanted(&self) -> String {
        match self.at {
            At::Newest => "a complete one".to_owned(),
            At::Epoch(epoch) => format!("that of epoch {epoch}"),
            At::Update(updates) => format!("that of update {updates}"),
        }
    }
}
