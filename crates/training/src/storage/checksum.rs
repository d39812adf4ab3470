//! Files with a checksum beside them: `best.bpk` and `best.bpk.sha256`.
//!
//! The checksum is no part of the file, which stays what Burn and any other reader expects, and in
//! the format of `sha256sum`, which can check it too. Two files cannot be replaced in one step: so
//! the old checksum goes before the new content comes, and a kill in between leaves a file without a
//! checksum, but never one with the wrong checksum.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::atomic::{Replacement, set_aside, sync_parent, write_atomically};
use crate::{Damage, TrainingError};

/// The SHA-256 of `content` in hexadecimal digits.
pub(crate) fn sha256(content: &[u8]) -> String {
    hexadecimal(&Sha256::digest(content))
}

/// The same of what `content` has from here on, of which little is in memory at once.
pub(crate) fn sha256_of(mut content: impl Read) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(hexadecimal(&hasher.finalize())),
            Ok(length) => hasher.update(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Replaces the file at `path` in one step, and the checksum beside it, unless they are as they
/// should be.
pub(crate) fn write_with_sum(path: &Path, content: &[u8]) -> Result<(), TrainingError> {
    let is_verified = matches!(read_sum(path), Ok(Some(sum)) if sum == sha256(content));
    if is_verified && fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    let replacement = Replacement::write(path, content)?;
    remove_sum(path)?;
    replacement.publish()?;
    write_sum(path, &sha256(content))
}

/// The content of the file at `path`, which is verified if there is a checksum beside it.
pub(crate) fn read_with_sum(path: &Path) -> Result<Vec<u8>, TrainingError> {
    loop {
        let expected = read_sum(path)?;
        let content = fs::read(path).map_err(|e| TrainingError::file("read", path, e))?;
        let Some(expected) = expected else {
            return Ok(content);
        };
        let found = sha256(&content);
        if found == expected {
            return Ok(content);
        }
        // Otherwise the file was replaced between the two.
        if read_sum(path)?.as_ref() == Some(&expected) {
            let path = path.to_owned();
            return Err(Damage::Checksum {
                path,
                expected,
                found,
            }
            .into());
        }
    }
}

/// Renames the file at `path`, as [`set_aside`] does, and the checksum beside it.
pub(crate) fn set_aside_with_sum(path: &Path) -> Result<Option<PathBuf>, TrainingError> {
    let aside = set_aside(path)?;
    if let Some(aside) = &aside
        && let Ok(Some(sum)) = read_sum(path)
    {
        write_sum(aside, &sum)?;
    }
    remove_sum(path)?;
    Ok(aside)
}

/// The checksum beside the file at `path`, if there is one.
pub(crate) fn read_sum(path: &Path) -> Result<Option<String>, TrainingError> {
    let path = sum_path(path);
    let line = match fs::read(&path) {
        Ok(line) => line,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(TrainingError::file("read", &path, error)),
    };
    let sum = line.split(u8::is_ascii_whitespace).next();
    let sum = sum.unwrap_or_default().to_ascii_lowercase();
    if sum.len() == 64 && sum.iter().all(u8::is_ascii_hexdigit) {
        return Ok(Some(String::from_utf8_lossy(&sum).into_owned()));
    }
    let expected = "expected a line of sha256sum with 64 hexadecimal digits";
    Err(Damage::content(&path, expected).into())
}

/// Puts a checksum beside the file at `path`.
pub(crate) fn write_sum(path: &Path, sum: &str) -> Result<(), TrainingError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    write_atomically(&sum_path(path), format!("{sum}  {name}\n").as_bytes())
}

fn remove_sum(path: &Path) -> Result<(), TrainingError> {
    let sum = sum_path(path);
    match fs::remove_file(&sum) {
        // Before anything else happens, also on the disk.
        Ok(()) => sync_parent(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(TrainingError::file("delete", &sum, error)),
    }
}

/// Where the checksum of the file at `path` is.
pub(crate) fn sum_path(path: &Path) -> PathBuf {
    let mut sum = path.as_os_str().to_owned();
    sum.push(".sha256");
    PathBuf::from(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_a_stream_is_that_of_its_content() {
        for length in [0, 1, (1 << 16) - 1, 1 << 16, 200_000] {
            let content: Vec<u8> = (0..length).map(|i: u32| (i * 31) as u8).collect();
            assert_eq!(sha256_of(&content[..]).unwrap(), sha256(&content));
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model");
        write_with_sum(&path, b"abc").unwrap();
        assert_eq!(read_with_sum(&path).unwrap(), b"abc");
        // The example of FIPS 180.
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let line = fs::read_to_string(directory.path().join("model.sha256")).unwrap();
        assert_eq!(line, format!("{sum}  model\n"));
        for bit in 0..24 {
            let mut content = *b"abc";
            content[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, content).unwrap();
            assert!(matches!(
                read_with_sum(&path),
                Err(TrainingError::Damaged(Damage::Checksum { expected, .. })) if expected == sum
            ));
        }
        write_with_sum(&path, b"abcd").unwrap();
        assert_eq!(read_with_sum(&path).unwrap(), b"abcd");
    }

    #[test]
    fn a_file_without_a_checksum_is_taken_as_it_is_and_a_torn_checksum_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model");
        fs::write(&path, "abc").unwrap();
        assert_eq!(read_with_sum(&path).unwrap(), b"abc");
        for torn in ["", "ba7816bf  model\n"] {
            fs::write(directory.path().join("model.sha256"), torn).unwrap();
            assert!(matches!(
                read_with_sum(&path),
                Err(TrainingError::Damaged(Damage::Content { path, .. })) if path.ends_with("model.sha256")
            ));
        }
    }

    #[test]
    fn a_checksum_is_set_aside_with_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model");
        write_with_sum(&path, b"abc").unwrap();
        let aside = set_aside_with_sum(&path).unwrap().unwrap();
        assert_eq!(read_sum(&aside).unwrap(), Some(sha256(b"abc")));
        assert_eq!(read_sum(&path).unwrap(), None);
    }
}
