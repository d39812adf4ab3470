//! One run at a time in a directory.
//!
//! An advisory lock on the file `lock`, which the system releases when the process ends, however it
//! does. The file stays: to delete it would race with the next one who locks it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;

use super::directory::RunDirectory;
use crate::TrainingError;

/// Keeps others out of a directory for as long as it lives.
#[derive(Debug)]
pub struct Lock {
    /// None where there can be no lock.
    _file: Option<File>,
}

impl Lock {
    /// Locks `directory`, which must exist, and removes what processes that were killed have left
    /// half-written there.
    ///
    /// # Errors
    /// [`TrainingError::InUse`] if somebody else has done so, [`TrainingError::File`] if the file
    /// cannot be opened.
    pub fn take(directory: &RunDirectory) -> Result<Self, TrainingError> {
        let path = directory.lock();
        let mut options = OpenOptions::new();
        let opened = options.create(true).truncate(false).write(true).open(&path);
        let file = match opened {
            // Nothing can be changed there: a lock is possible with an old file, and not needed.
            Err(error) if is_read_only(&error) => match File::open(&path) {
                Ok(file) => file,
                Err(_) => return Ok(Self { _file: None }),
            },
            opened => opened.map_err(|error| TrainingError::file("write", &path, error))?,
        };
        match file.try_lock() {
            Ok(()) => {
                directory.remove_leftovers();
                Ok(Self { _file: Some(file) })
            }
            Err(TryLockError::WouldBlock) => Err(TrainingError::InUse {
                path: directory.path().to_owned(),
            }),
            // Some network file systems have no locks.
            Err(TryLockError::Error(error)) => {
                log::warn!("{} is not locked: {error}", path.display());
                Ok(Self { _file: None })
            }
        }
    }
}

fn is_read_only(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_locked_until_the_lock_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let run = RunDirectory::new(directory.path());
        let lock = Lock::take(&run).unwrap();
        assert!(matches!(
            Lock::take(&run),
            Err(TrainingError::InUse { path }) if path == directory.path()
        ));
        let leftover = directory.path().join(".history.json.GDX7qU");
        std::fs::write(&leftover, "{").unwrap();
        assert!(Lock::take(&run).is_err() && leftover.exists());
        drop(lock);
        Lock::take(&run).unwrap();
        assert!(!leftover.exists());
    }
}
