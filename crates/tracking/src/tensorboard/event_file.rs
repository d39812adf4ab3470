//! A file of events.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::event;
use super::message::Message;

const PREFIX: &str = "events.out.tfevents.";
/// What the names of our files end with, behind which whoever they are of may be.
const SUFFIX: &str = "burn-lr";

/// A new file of events beside those that are there. What was written to one reaches the disk when the
/// operating system sees fit: a power cut may cost the last seconds of a curve.
#[derive(Debug)]
pub(super) struct EventFile {
    path: PathBuf,
    file: File,
    unwritten: Vec<u8>,
}

/// The file that one begins with: whose it is, and after which step.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Begin<'a> {
    /// Of the files before, later steps count no more.
    pub step: u64,
    /// Whose it is, in letters and digits.
    pub owner: Option<&'a str>,
}

impl EventFile {
    /// Begins a file in `directory`, which is made if need be.
    pub(super) fn begin(directory: &Path, begin: Begin<'_>) -> io::Result<Self> {
        std::fs::create_dir_all(directory).map_err(|error| about(directory, &error))?;
        let (name, is_first) = next_name(directory, begin.owner)?;
        let path = directory.join(name);
        let file = File::create_new(&path).map_err(|error| about(&path, &error))?;
        let mut begun = Self {
            path,
            file,
            unwritten: Vec::new(),
        };
        begun.add(event::version(), 0);
        if !is_first {
            begun.add(event::restart(), begin.step.saturating_add(1));
        }
        begun.flush()?;
        Ok(begun)
    }

    /// Adds an event of `step`.
    pub(super) fn add(&mut self, event: Message, step: u64) {
        let event = event::at(event, step, now());
        let event = event.encoded();
        let length = (event.len() as u64).to_le_bytes();
        self.unwritten.extend(length);
        self.unwritten.extend(checksum(&length).to_le_bytes());
        self.unwritten.extend(event);
        self.unwritten.extend(checksum(event).to_le_bytes());
    }

    /// Writes what was added. What is kept back would be missing in the curves of a run that is killed, saved a
    /// checkpoint since, and goes on there.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let written = self.file.write_all(&self.unwritten);
        written.map_err(|error| about(&self.path, &error))?;
        self.unwritten.clear();
        Ok(())
    }
}

/// CRC-32C as the format has it: rotated, so that checksums of what holds checksums are sound.
fn checksum(bytes: &[u8]) -> u32 {
    let crc = crc32c::crc32c(bytes);
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Whether `directory` has files of events, none of which is `owner`'s.
pub(super) fn is_anothers(directory: &Path, owner: &str) -> bool {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut events = names.filter(|name| name.starts_with(PREFIX)).peekable();
    let own = format!("{SUFFIX}-{owner}");
    events.peek().is_some() && !events.any(|name| name.ends_with(&own))
}

/// `events.out.tfevents.SECONDS.NUMBER.burn-lr-OWNER`, which sorts behind all that are there, as TensorBoard reads them
/// in that order; and whether there is none yet.
fn next_name(directory: &Path, owner: Option<&str>) -> io::Result<(String, bool)> {
    let mut last = (0, 0);
    let mut is_first = true;
    let entries = std::fs::read_dir(directory).map_err(|error| about(directory, &error))?;
    for entry in entries {
        let name = entry.map_err(|error| about(directory, &error))?.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else {
            continue;
        };
        is_first = false;
        let mut parts = rest.split('.').map(|part| part.parse::<u64>().unwrap_or(0));
        let place = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        last = last.max(place);
    }
    // The clock may have been set back since.
    let seconds = (now() as u64).max(last.0);
    let number = if seconds == last.0 { last.1 + 1 } else { 0 };
    let owner = owner.map_or_else(String::new, |owner| format!("-{owner}"));
    Ok((
        format!("{PREFIX}{seconds:010}.{number:06}.{SUFFIX}{owner}"),
        is_first,
    ))
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// CRC-32C's check value, and what the format makes of it.
    #[test]
    fn checksums_are_masked() {
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(checksum(b"123456789"), 0xc78a_b0e5);
    }

    #[test]
    fn files_sort_in_the_order_in_which_they_were_begun() {
        let directory = TempDir::new().unwrap();
        // Of another program, and of a clock that was ahead.
        std::fs::write(
            directory.path().join("events.out.tfevents.9000000000.host"),
            "",
        )
        .unwrap();
        let begun: Vec<PathBuf> = (0..3)
            .map(|_| {
                let begin = Begin::default();
                EventFile::begin(directory.path(), begin).unwrap().path
            })
            .collect();
        assert!(begun.is_sorted() && begun[0].to_str().unwrap().contains("9000000000.000001"));
    }

    #[test]
    fn files_say_whose_they_are() {
        let directory = TempDir::new().unwrap();
        let path = directory.path();
        assert!(!is_anothers(path, "a1") && !is_anothers(&path.join("none"), "a1"));
        let begin = |owner| {
            let begin = Begin { step: 0, owner };
            EventFile::begin(path, begin).unwrap()
        };
        begin(Some("a1"));
        assert!(!is_anothers(path, "a1") && is_anothers(path, "b2"));
        begin(None);
        assert!(!is_anothers(path, "a1") && is_anothers(path, "b2"));
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = EventFile::begin(&file.join("runs"), Begin::default()).unwrap_err();
        assert!(error.to_string().contains("file/runs"), "{error}");
    }
}
