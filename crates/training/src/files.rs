//! Files that are whole or not there.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::TrainingError;

/// Renames what is at `path`, if anything is, to the first `<path>.aside-N` that is free, and gives
/// that name.
pub(crate) fn set_aside(path: &Path) -> Result<Option<PathBuf>, TrainingError> {
    let exists =
        |path: &Path| fs::exists(path).map_err(|error| TrainingError::file("read", path, error));
    if !exists(path)? {
        return Ok(None);
    }
    for number in 1_u64.. {
        let mut aside = path.as_os_str().to_owned();
        aside.push(format!(".aside-{number}"));
        let aside = PathBuf::from(aside);
        if !exists(&aside)? {
            fs::rename(path, &aside).map_err(|e| TrainingError::file("rename", path, e))?;
            return Ok(Some(aside));
        }
    }
    Ok(None)
}

/// Replaces the file at `path` in one step: whoever reads it sees the old or the new content, also
/// after a crash. A file that has the content is left alone: it may be one that cannot be written.
pub(crate) fn write_atomically(path: &Path, content: &[u8]) -> Result<(), TrainingError> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    let temporary = write_temporary(path, content)?;
    publish(&temporary, path)
}

/// Writes what shall replace the file at `path` to the disk, and gives where it is until
/// [`publish`].
pub(crate) fn write_temporary(path: &Path, content: &[u8]) -> Result<PathBuf, TrainingError> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&temporary)?;
        file.write_all(content)?;
        file.sync_all()
    };
    match write() {
        Ok(()) => Ok(temporary),
        Err(error) => {
            // What was written of it is of no use, and may be what fills the disk.
            let _ = fs::remove_file(&temporary);
            Err(TrainingError::file("write", path, error))
        }
    }
}

/// Gives what was written to `temporary` its final name.
pub(crate) fn publish(temporary: &Path, path: &Path) -> Result<(), TrainingError> {
    fs::rename(temporary, path).map_err(|error| {
        let _ = fs::remove_file(temporary);
        TrainingError::file("write", path, error)
    })?;
    sync_parent(path)
}

/// Creates the directory at `path`, and what it is in, if need be.
pub(crate) fn create_directory(path: &Path) -> Result<(), TrainingError> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(|error| TrainingError::file("create", path, error))?;
    sync_parent(path)
}

/// Writes the names beside `path` to the disk.
pub(crate) fn sync_parent(path: &Path) -> Result<(), TrainingError> {
    match path.parent() {
        Some(parent) if parent != Path::new("") => sync_directory(parent),
        _ => sync_directory(Path::new(".")),
    }
}

/// Writes the names in a directory to the disk, where the system can.
pub(crate) fn sync_directory(directory: &Path) -> Result<(), TrainingError> {
    // Windows cannot open directories like files, some network file systems cannot sync them.
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(directory).and_then(|directory| directory.sync_all()) {
        Err(error)
            if !matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported
            ) =>
        {
            Err(TrainingError::file("write", directory, error))
        }
        _ => Ok(()),
    }
}
