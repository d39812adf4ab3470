//! One run at a time in a directory.
//!
//! An advisory lock on the file `lock`, which the system releases when the process ends, however it
//! does. The file stays: to delete it would race with the next one who locks it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::time::Duration;

use super::directory::RunDirectory;
use crate::TrainingError;

/// Who asks whether a run [is at work](RunDirectory::is_at_work) has the lock for an instant: nobody is refused for
/// that.
const ATTEMPTS: usize = 5;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(20);

/// Keeps others out of a directory for as long as it lives.
#[derive(Debug)]
pub struct Lock {
    /// None where there can be no lock.
    file: Option<File>,
}

impl Lock {
    /// Locks `directory`, which must exist, and removes what processes that were killed have left
    /// half-written there.
    ///
    /// # Errors
    /// [`TrainingError::InUse`] if somebody else has done so, [`TrainingError::File`] if the file
    /// cannot be opened.
    pub fn take(directory: &RunDirectory) -> Result<Self, TrainingError> {
        Self::take_after(directory, || std::thread::sleep(BETWEEN_ATTEMPTS))
    }

    /// The same, with `wait` between the attempts.
    fn take_after(directory: &RunDirectory, mut wait: impl FnMut()) -> Result<Self, TrainingError> {
        let path = directory.lock();
        let mut options = OpenOptions::new();
        let opened = options.create(true).truncate(false).write(true).open(&path);
        let file = match opened {
            // Nothing can be changed there: a lock is possible with an old file, and not needed.
            Err(error) if is_read_only(&error) => match File::open(&path) {
                Ok(file) => file,
                Err(_) => return Ok(Self { file: None }),
            },
            opened => opened.map_err(|error| TrainingError::file("write", &path, error))?,
        };
        let mut locked = file.try_lock();
        for _ in 1..ATTEMPTS {
            if !matches!(locked, Err(TryLockError::WouldBlock)) {
                break;
            }
            wait();
            locked = file.try_lock();
        }
        match locked {
            Ok(()) => {
                directory.remove_leftovers();
                Ok(Self { file: Some(file) })
            }
            Err(TryLockError::WouldBlock) => Err(TrainingError::InUse {
                path: directory.path().to_owned(),
            }),
            // Some network file systems have no locks.
            Err(TryLockError::Error(error)) => {
                log::warn!("{} is not locked: {error}", path.display());
                Ok(Self { file: None })
            }
        }
    }
}

/// To close the file is not enough: a process that another thread is just starting has it open too, until it has
/// become the program that it is to run.
impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            let _ = file.unlock();
        }
    }
}

impl RunDirectory {
    /// Whether a process is at work on the run, as far as the file system has locks.
    pub fn is_at_work(&self) -> bool {
        let Ok(file) = File::open(self.lock()) else {
            return false;
        };
        let locked = file.try_lock_shared();
        if locked.is_ok() {
            let _ = file.unlock();
        }
        matches!(locked, Err(TryLockError::WouldBlock))
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
        assert!(!run.is_at_work());
        let lock = Lock::take(&run).unwrap();
        assert!(run.is_at_work());
        assert!(matches!(
            Lock::take(&run),
            Err(TrainingError::InUse { path }) if path == directory.path()
        ));
        let leftover = directory.path().join(".history.json.GDX7qU");
        std::fs::write(&leftover, "{").unwrap();
        assert!(Lock::take(&run).is_err() && leftover.exists());
        drop(lock);
        assert!(!run.is_at_work());
        Lock::take(&run).unwrap();
        assert!(!leftover.exists());
    }

    #[test]
    fn who_asks_whether_a_run_is_at_work_keeps_none_from_starting() {
        let directory = tempfile::tempdir().unwrap();
        let run = RunDirectory::new(directory.path());
        drop(Lock::take(&run).unwrap());
        let asking = File::open(run.lock()).unwrap();
        asking.try_lock_shared().unwrap();
        let mut waits = 0;
        let taken = Lock::take_after(&run, || {
            waits += 1;
            if waits == ATTEMPTS - 1 {
                asking.unlock().unwrap();
            }
        });
        taken.unwrap();
        assert_eq!(waits, ATTEMPTS - 1);
    }

    #[test]
    fn a_lock_that_was_dropped_is_nobodys_whoever_has_the_file_open() {
        let directory = tempfile::tempdir().unwrap();
        let run = RunDirectory::new(directory.path());
        let lock = Lock::take(&run).unwrap();
        // What a process that is being started has until then.
        let inherited = lock.file.as_ref().unwrap().try_clone().unwrap();
        drop(lock);
        assert!(!run.is_at_work());
        Lock::take_after(&run, || panic!("it waited")).unwrap();
        drop(inherited);
    }
}
