//! What a run was started by, and where.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::directory::{RunDirectory, read_json};
use crate::TrainingError;
use crate::storage::write_atomically;

/// One start of a run, the first or one that resumed it. What somebody asks a week later: none of it decides
/// a bit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Launch {
    /// When, in UTC: `2026-11-26T12:30:00Z`.
    pub at: String,
    /// After how many epochs of the run.
    pub after_epoch: usize,
    /// After which update, of a run that goes on within the epoch after that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_update: Option<u64>,
    /// The command line of the process.
    pub command: Vec<String>,
    /// The version of burn-lr.
    pub burn_lr: String,
    /// The operating system and the kind of processor, as Rust calls them: `linux x86_64`.
    pub platform: String,
    /// The processor, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processor: Option<String>,
    /// How many threads it runs at once.
    pub threads: usize,
}

impl Launch {
    /// This process, now, with a run of so many epochs until here, and updates if it goes on within one.
    fn now(after_epoch: usize, after_update: Option<u64>) -> Self {
        let arguments = std::env::args_os();
        Self {
            at: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            after_epoch,
            after_update,
            command: arguments
                .map(|argument| argument.to_string_lossy().into_owned())
                .collect(),
            burn_lr: env!("CARGO_PKG_VERSION").to_owned(),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            processor: processor(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// Its name, as Linux has it.
fn processor() -> Option<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    let (_, name) = line.split_once(':')?;
    Some(name.trim().to_owned())
}

impl RunDirectory {
    /// Every start of the run, the first one first; none of a run that was begun by an earlier version.
    ///
    /// # Errors
    /// [`TrainingError::File`] if the file cannot be read, [`TrainingError::Damaged`] if it is not what a run
    /// writes. Both name it.
    pub fn launches(&self) -> Result<Vec<Launch>, TrainingError> {
        let launches = read_json(&self.launches_json(), "a run's starts")?;
        Ok(launches.unwrap_or_default())
    }

    /// Adds this start, after epoch `done` and `within` the next one, after that update; to no others if they
    /// cannot be read, since no run ends for them.
    pub(super) fn write_launch(
        &self,
        done: usize,
        within: Option<u64>,
    ) -> Result<(), TrainingError> {
        let path = self.launches_json();
        let mut launches = if done == 0 && within.is_none() {
            Vec::new()
        } else {
            self.launches().unwrap_or_default()
        };
        launches.push(Launch::now(done, within));
        let json = serde_json::to_vec_pretty(&launches)
            .map_err(|error| TrainingError::file("write", &path, error.into()))?;
        write_atomically(&path, &json)
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn every_start_is_kept_until_the_run_begins_anew() {
        let directory = TempDir::new().unwrap();
        let run = RunDirectory::new(directory.path());
        assert!(run.launches().unwrap().is_empty());
        for (done, within, all) in [
            (0, None, 1),
            (0, Some(7), 2),
            (3, None, 3),
            (3, Some(40), 4),
            (0, None, 1),
        ] {
            run.write_launch(done, within).unwrap();
            let launches = run.launches().unwrap();
            let last = &launches[all - 1];
            assert_eq!(launches.len(), all);
            assert_eq!((last.after_epoch, last.after_update), (done, within));
        }
        std::fs::write(run.launches_json(), "[1]").unwrap();
        assert!(matches!(run.launches(), Err(TrainingError::Damaged(_))));
        run.write_launch(3, None).unwrap();
        assert_eq!(run.launches().unwrap().len(), 1);
    }
}
