//! The directories of checkpoints, and how they come and go.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::TrainingError;
use crate::storage::{self, sync_directory};

/// What a directory in the directory of checkpoints is, and of which epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A checkpoint that is being written, or was when the process ended.
    Staging,
    /// A checkpoint that is being deleted, or was when the process ended.
    Deleted,
    /// A checkpoint.
    Checkpoint,
}

const STAGING: &str = "tmp";
const DELETED: &str = "deleted";

/// What checkpoints are numbered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// The epoch after which each was made.
    Epoch,
    /// The update after which each was made, within an epoch.
    Update,
}

/// The epochs after which there is a checkpoint in `directory`, the first one first; of none is anything read.
pub(crate) fn saved_epochs(directory: &Path) -> Vec<usize> {
    let found = Directory::new(directory, Unit::Epoch).list();
    let found = found.unwrap_or_default().into_iter().rev();
    found
        .filter(|(_, kind)| *kind == Kind::Checkpoint)
        .map(|(epoch, _)| epoch)
        .collect()
}

/// A directory of checkpoints.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    unit: Unit,
}

impl Directory {
    pub(super) fn new(path: &Path, unit: Unit) -> Self {
        let path = path.to_owned();
        Self { path, unit }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn name(&self, number: usize) -> String {
        match self.unit {
            Unit::Epoch => format!("epoch-{number:04}"),
            Unit::Update => format!("update-{number:04}"),
        }
    }

    /// Where the checkpoint of that number is, or would be.
    pub(super) fn checkpoint(&self, number: usize) -> PathBuf {
        self.path.join(self.name(number))
    }

    pub(super) fn staging(&self, number: usize) -> PathBuf {
        self.checkpoint(number).with_extension(STAGING)
    }

    fn deleted(&self, number: usize) -> PathBuf {
        self.checkpoint(number).with_extension(DELETED)
    }

    /// What there is, the newest first.
    pub(super) fn list(&self) -> std::io::Result<Vec<(usize, Kind)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            found.extend(name.to_str().and_then(|name| self.parse(name)));
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        Ok(found)
    }

    fn parse(&self, name: &str) -> Option<(usize, Kind)> {
        let (stem, kind) = match name.split_once('.') {
            None => (name, Kind::Checkpoint),
            Some((stem, STAGING)) => (stem, Kind::Staging),
            Some((stem, DELETED)) => (stem, Kind::Deleted),
            Some(_) => return None,
        };
        let number = stem.split_once('-')?.1.parse().ok()?;
        // Not `epoch-3` or `epoch-+003`, which we would not find under their numbers.
        (self.name(number) == stem).then_some((number, kind))
    }

    /// Starts to write the checkpoint of that number, without what an earlier attempt has left.
    pub(super) fn begin(&self, number: usize) -> Result<PathBuf, TrainingError> {
        let staging = self.staging(number);
        remove(&staging)?;
        fs::create_dir_all(&staging).map_err(|e| TrainingError::file("create", &staging, e))?;
        Ok(staging)
    }

    /// Gives the checkpoint of that number, which is written, its final name, and tells where that is
    /// now which was in the way.
    pub(super) fn publish(&self, number: usize) -> Result<Option<PathBuf>, TrainingError> {
        let (staging, path) = (self.staging(number), self.checkpoint(number));
        sync_directory(&staging)?;
        let aside = self.set_aside(number)?;
        fs::rename(&staging, &path).map_err(|e| TrainingError::file("write", &path, e))?;
        sync_directory(&self.path)?;
        Ok(aside)
    }

    /// Moves what is in the place of the checkpoint of that number out of the way, and gives where it is
    /// now.
    pub(super) fn set_aside(&self, number: usize) -> Result<Option<PathBuf>, TrainingError> {
        storage::set_aside(&self.checkpoint(number))
    }

    /// Deletes the checkpoint of that number; a kill meanwhile leaves no half of it under its name.
    pub(super) fn delete(&self, number: usize) -> Result<(), TrainingError> {
        let (path, deleted) = (self.checkpoint(number), self.deleted(number));
        remove(&deleted)?;
        match fs::rename(&path, &deleted) {
            Ok(()) => remove(&deleted),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(TrainingError::file("delete", &path, error)),
        }
    }

    /// Deletes what a killed process had begun to delete, and what one had begun to write and nobody
    /// will finish: all but the `written`, where the next process begins other ones.
    pub(super) fn finish_deleting(
        &self,
        written: impl Fn(usize) -> bool,
    ) -> Result<(), TrainingError> {
        let found = self.list();
        let found = found.map_err(|e| TrainingError::file("read", &self.path, e))?;
        for (number, kind) in found {
            match kind {
                Kind::Deleted => remove(&self.deleted(number))?,
                Kind::Staging if self.unit == Unit::Update && !written(number) => {
                    remove(&self.staging(number))?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn remove(path: &Path) -> Result<(), TrainingError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(TrainingError::file("delete", path, error))
        }
        _ => Ok(()),
    }
}

/// Writes a file, which may not have reached the disk before [`sync_files`].
pub(super) fn write(path: &Path, content: &[u8]) -> Result<File, TrainingError> {
    let write = || -> std::io::Result<File> {
        let mut file = File::create(path)?;
        file.write_all(content)?;
        Ok(file)
    };
    write().map_err(|error| {
        // What was written of it is of no use, and may be what fills the disk.
        let _ = fs::remove_file(path);
        TrainingError::file("write", path, error)
    })
}

/// Waits until the files of a directory are on the disk.
///
/// At the same time, because a disk is as quick with all of them as with one.
pub(super) fn sync_files(directory: &Path, files: &[(&str, &File)]) -> Result<(), TrainingError> {
    let sync = |name: &str, file: &File| {
        let synced = file.sync_data();
        synced.map_err(|error| TrainingError::file("write", &directory.join(name), error))
    };
    std::thread::scope(|scope| {
        let spawn = |&(name, file)| {
            let thread = std::thread::Builder::new().spawn_scoped(scope, move || sync(name, file));
            // Without threads it takes longer.
            thread.map_err(|_| sync(name, file))
        };
        let threads: Vec<_> = files.iter().map(spawn).collect();
        threads.into_iter().try_for_each(|thread| match thread {
            Ok(thread) => thread.join().unwrap_or(Ok(())),
            Err(synced) => synced,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_are_ignored() {
        for unit in [Unit::Epoch, Unit::Update] {
            let here = Directory::new(Path::new(""), unit);
            let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
            for number in [0, 1, 42, 9999, 10_000, usize::MAX] {
                let parsed = |path| here.parse(&name(path));
                let expected = |kind| Some((number, kind));
                assert_eq!(parsed(here.checkpoint(number)), expected(Kind::Checkpoint));
                assert_eq!(parsed(here.staging(number)), expected(Kind::Staging));
                assert_eq!(parsed(here.deleted(number)), expected(Kind::Deleted));
            }
        }
        let epochs = Directory::new(Path::new(""), Unit::Epoch);
        for name in [
            "epoch-3",
            "epoch-+003",
            "epoch-",
            "epoch-0003.aside-1",
            "update-0003",
            "model",
            "",
        ] {
            assert_eq!(epochs.parse(name), None, "{name}");
        }
    }

    #[test]
    fn checkpoints_that_are_there_are_listed_by_their_names() {
        let root = tempfile::tempdir().unwrap();
        assert!(saved_epochs(&root.path().join("none")).is_empty());
        for name in ["epoch-0010", "epoch-0009", "epoch-0011.tmp", "notes"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        assert_eq!(saved_epochs(root.path()), [9, 10]);
    }

    #[test]
    fn what_nobody_will_finish_is_deleted_where_numbers_do_not_come_again() {
        for (unit, left) in [(Unit::Epoch, true), (Unit::Update, false)] {
            let root = tempfile::tempdir().unwrap();
            let directory = Directory::new(root.path(), unit);
            for number in [3, 7] {
                directory.begin(number).unwrap();
            }
            fs::create_dir(directory.deleted(1)).unwrap();
            directory.finish_deleting(|number| number == 7).unwrap();
            assert_eq!(directory.staging(3).exists(), left, "{unit:?}");
            assert!(directory.staging(7).exists() && !directory.deleted(1).exists());
        }
    }
}
