//! How long a trial took, as its directory tells.
//!
//! The history of a run has the seconds of its epochs. What a search may cost includes the making of
//! model and data, which can take longer, and shall be the same when the search is run again.

use std::path::Path;
use std::time::Duration;

use burn_lr_training::run::RunDirectory;
use burn_lr_training::storage::{create_directory, write_atomically};
use serde::{Deserialize, Serialize};

/// What the file was called once. One of that name may be the user's: it is read if it is ours, and
/// never written.
const EARLIER: &str = "trial.json";

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    /// Of all attempts. Whole numbers are read back as they were written.
    microseconds: u64,
    /// Whether the trial has come to its end: the record is no longer changed.
    ended: bool,
}

impl Record {
    fn seconds(&self) -> f64 {
        self.microseconds as f64 * 1e-6
    }
}

/// Adds an attempt that took `time` to the record in `directory`, and gives the seconds of all; those
/// until the trial had `ended`, if it had before.
pub(super) fn add(directory: &Path, time: Duration, ended: bool) -> f64 {
    let path = RunDirectory::new(directory).trial();
    let mut record = read(&path)
        .or_else(|| read(&directory.join(EARLIER)))
        .unwrap_or_default();
    if record.ended {
        return record.seconds();
    }
    let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    record.microseconds = record.microseconds.saturating_add(time);
    record.ended = ended;
    let written = serde_json::to_vec(&record)
        .map_err(|error| error.to_string())
        .and_then(|json| {
            let written = create_directory(directory).and_then(|()| write_atomically(&path, &json));
            written.map_err(|error| error.to_string())
        });
    // The trial is none the worse for it.
    if let Err(error) = written {
        log::warn!("{}: {error}", path.display());
    }
    record.seconds()
}

/// The record at `path`, if there is one.
fn read(path: &Path) -> Option<Record> {
    let json = std::fs::read(path).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_add_up_until_the_trial_has_ended() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path().join("seed-1");
        let add = |seconds, ended| add(&directory, Duration::from_secs(seconds), ended);
        assert_eq!(add(2, false), 2.0);
        assert_eq!(add(3, true), 5.0);
        assert_eq!(add(4, true), 5.0);
        std::fs::write(RunDirectory::new(&directory).trial(), "{").unwrap();
        assert_eq!(add(1, true), 1.0);
    }
}
