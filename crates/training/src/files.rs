//! Files that are whole or not there.

use std::fs::{self, File};
use std::io::Write;
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
/// after a crash.
pub(crate) fn write_atomically(path: &Path, content: &[u8]) -> Result<(), TrainingError> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = Path::new(&temporary);
    let write = || -> std::io::Result<()> {
        let mut file = File::create(temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(temporary, path)
    };
    write().map_err(|error| {
        // What was written of it is of no use, and may be what fills the disk.
        let _ = fs::remove_file(temporary);
        TrainingError::file("write", path, error)
    })
}
