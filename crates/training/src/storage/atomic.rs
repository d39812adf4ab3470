//! Files that are whole or not there.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;

use crate::TrainingError;

/// How many letters and digits `atomic-write-file` puts behind a name.
const RANDOM: usize = 6;

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
///
/// # Errors
/// [`TrainingError::File`]; the file is as it was before then.
pub fn write_atomically(path: &Path, content: &[u8]) -> Result<(), TrainingError> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    Replacement::write(path, content)?.publish()
}

/// What shall replace a file, complete on the disk.
///
/// Where the system has nameless files, it has a name for the moment before it replaces the file: a
/// process that is killed then leaves it, see [`remove_leftovers`].
pub(super) struct Replacement {
    file: AtomicWriteFile,
    path: PathBuf,
}

impl Replacement {
    pub(super) fn write(path: &Path, content: &[u8]) -> Result<Self, TrainingError> {
        let write = || -> std::io::Result<AtomicWriteFile> {
            let mut file = AtomicWriteFile::open(path)?;
            file.write_all(content)?;
            file.sync_all()?;
            Ok(file)
        };
        Ok(Self {
            file: write().map_err(|error| TrainingError::file("write", path, error))?,
            path: path.to_owned(),
        })
    }

    pub(super) fn publish(self) -> Result<(), TrainingError> {
        let Self { file, path } = self;
        let committed = file.commit();
        committed.map_err(|error| TrainingError::file("write", &path, error))?;
        sync_parent(&path)
    }
}

/// Removes what processes that were killed have left in `directory` of the files called `names`: such
/// as `.history.csv.GDX7qU`. Nobody may be writing them.
pub(crate) fn remove_leftovers(directory: &Path, names: &[&OsStr]) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let of = |name: &&OsStr| is_leftover(&entry.file_name(), name);
        if is_file && names.iter().any(of) {
            // It is in nobody's way.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether `found` is how a file that shall replace `name` is called until it does.
fn is_leftover(found: &OsStr, name: &OsStr) -> bool {
    let (Some(found), Some(name)) = (found.to_str(), name.to_str()) else {
        return false;
    };
    let random = found
        .strip_prefix('.')
        .and_then(|found| found.strip_prefix(name))
        .and_then(|found| found.strip_prefix('.'));
    random.is_some_and(|random| {
        random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Creates the directory at `path`, and what it is in, if need be; all of them are on the disk then.
///
/// # Errors
/// [`TrainingError::File`] if that is not possible.
pub fn create_directory(path: &Path) -> Result<(), TrainingError> {
    if path.is_dir() {
        return Ok(());
    }
    let missing: Vec<&Path> = path.ancestors().take_while(|path| !path.is_dir()).collect();
    fs::create_dir_all(path).map_err(|error| TrainingError::file("create", path, error))?;
    let named = missing
        .into_iter()
        .filter(|path| path.file_name().is_some());
    named.rev().try_for_each(sync_parent)
}

/// Writes the names beside `path` to the disk.
pub(super) fn sync_parent(path: &Path) -> Result<(), TrainingError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_by_any_number_of_writers() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/down/file");
        create_directory(path.parent().unwrap()).unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4_u8 {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..20 {
                        write_atomically(path, &vec![writer; 10_000]).unwrap();
                        let read = fs::read(path).unwrap();
                        assert_eq!(read.len(), 10_000);
                        assert!(read.iter().all(|byte| *byte == read[0]));
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn leftovers_are_those_of_the_files_alone() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str| fs::write(directory.path().join(name), "").unwrap();
        let left = [
            ".history.csv.GDX7q",
            ".history.csv.GDX7qU0",
            ".history.csv.GDX7q-",
            ".notes.csv.GDX7qU",
            "history.csv.GDX7qU",
            "history.csv",
        ];
        left.into_iter().for_each(write);
        fs::create_dir(directory.path().join(".history.csv.abcdef")).unwrap();
        write(".history.csv.GDX7qU");
        write(".best.bpk.sha256.Jdz2dc");
        let names = ["history.csv", "best.bpk.sha256"].map(OsStr::new);
        remove_leftovers(directory.path(), &names);
        let entries = fs::read_dir(directory.path()).unwrap();
        let mut found: Vec<_> = entries.map(|e| e.unwrap().file_name()).collect();
        found.sort();
        let mut expected: Vec<_> = left.into_iter().map(Into::into).collect();
        expected.push(std::ffi::OsString::from(".history.csv.abcdef"));
        expected.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("missing/file");
        assert!(matches!(
            write_atomically(&path, b"x"),
            Err(TrainingError::File { action: "write", path: found, .. }) if found == path
        ));
    }
}
