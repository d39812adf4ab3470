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

pub(super) fn checkpoint(directory: &Path, epoch: usize) -> PathBuf {
    directory.join(format!("epoch-{epoch:04}"))
}

pub(super) fn staging(directory: &Path, epoch: usize) -> PathBuf {
    checkpoint(directory, epoch).with_extension(STAGING)
}

fn deleted(directory: &Path, epoch: usize) -> PathBuf {
    checkpoint(directory, epoch).with_extension(DELETED)
}

/// What there is, the newest epoch first.
pub(super) fn list(directory: &Path) -> std::io::Result<Vec<(usize, Kind)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let Some((epoch, kind)) = name.to_str().and_then(parse) else {
            continue;
        };
        found.push((epoch, kind));
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found)
}

fn parse(name: &str) -> Option<(usize, Kind)> {
    let (stem, kind) = match name.split_once('.') {
        None => (name, Kind::Checkpoint),
        Some((stem, STAGING)) => (stem, Kind::Staging),
        Some((stem, DELETED)) => (stem, Kind::Deleted),
        Some(_) => return None,
    };
    let epoch = stem.strip_prefix("epoch-")?.parse().ok()?;
    // Not `epoch-3` or `epoch-+003`, which we would not find under their numbers.
    (checkpoint(Path::new(""), epoch) == Path::new(stem)).then_some((epoch, kind))
}

/// Starts to write the checkpoint of `epoch`, without what an earlier attempt has left.
pub(super) fn begin(directory: &Path, epoch: usize) -> Result<PathBuf, TrainingError> {
    let staging = staging(directory, epoch);
    remove(&staging)?;
    fs::create_dir_all(&staging).map_err(|e| TrainingError::file("create", &staging, e))?;
    Ok(staging)
}

/// Gives the checkpoint of `epoch`, which is written, its final name, and tells where that is now
/// which was in the way.
pub(super) fn publish(directory: &Path, epoch: usize) -> Result<Option<PathBuf>, TrainingError> {
    let (staging, path) = (staging(directory, epoch), checkpoint(directory, epoch));
    sync_directory(&staging)?;
    let aside = set_aside(directory, epoch)?;
    fs::rename(&staging, &path).map_err(|e| TrainingError::file("write", &path, e))?;
    sync_directory(directory)?;
    Ok(aside)
}

/// Moves what is in the place of the checkpoint of `epoch` out of the way, and gives where it is now.
pub(super) fn set_aside(directory: &Path, epoch: usize) -> Result<Option<PathBuf>, TrainingError> {
    storage::set_aside(&checkpoint(directory, epoch))
}

/// Deletes the checkpoint of `epoch`; a kill meanwhile leaves no half of it under its name.
pub(super) fn delete(directory: &Path, epoch: usize) -> Result<(), TrainingError> {
    let (path, deleted) = (checkpoint(directory, epoch), deleted(directory, epoch));
    remove(&deleted)?;
    match fs::rename(&path, &deleted) {
        Ok(()) => remove(&deleted),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(TrainingError::file("delete", &path, error)),
    }
}

/// Deletes what a killed process had begun to delete.
pub(super) fn finish_deleting(directory: &Path) -> Result<(), TrainingError> {
    let found = list(directory).map_err(|e| TrainingError::file("read", directory, e))?;
    for (epoch, kind) in found {
        if kind == Kind::Deleted {
            remove(&deleted(directory, epoch))?;
        }
    }
    Ok(())
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
        for epoch in [0, 1, 42, 9999, 10_000, usize::MAX] {
            let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
            let here = Path::new("");
            assert_eq!(
                parse(&name(checkpoint(here, epoch))),
                Some((epoch, Kind::Checkpoint))
            );
            assert_eq!(
                parse(&name(staging(here, epoch))),
                Some((epoch, Kind::Staging))
            );
            assert_eq!(
                parse(&name(deleted(here, epoch))),
                Some((epoch, Kind::Deleted))
            );
        }
        for name in [
            "epoch-3",
            "epoch-+003",
            "epoch-",
            "epoch-0003.aside-1",
            "model",
            "",
        ] {
            assert_eq!(parse(name), None, "{name}");
        }
    }
}
