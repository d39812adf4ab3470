//! What a run directory holds, and where.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::checkpoint::saved_epochs;
use crate::metrics::History;
use crate::storage::{remove_leftovers, sum_path, write_atomically};
use crate::{Damage, TrainingError};

/// The directory of a run: the one place that names its files.
///
/// | file | what it holds |
/// |---|---|
/// | `burn-lr.json` | what the run was configured with, as every checkpoint says too |
/// | `history.csv`, `history.json` | metrics, learning rates and seconds of each epoch |
/// | `checkpoint/` | what is needed to resume |
/// | `within-epoch/` | the same within the running epoch, of runs with checkpoints by time |
/// | `best.bpk` | the model of the epoch with the best metric, validation loss by default |
/// | `final.bpk` | the model after the last epoch, once the run is complete; the average that a schedule-free optimizer keeps |
/// | `average.bpk` | the averaged model after the last epoch, of a run that averages its weights |
/// | `best.bpk.sha256` and so on | their checksums |
/// | `burn-lr-trial.json` | how long it took, if it is a trial of an experiment |
/// | `launches.json` | when, by which command and on which machine it was started and resumed |
/// | `run.html` | the page that followed the run, if one did there, or its report |
/// | `summary/` | the metrics of each epoch as Burn's summary reads them; of runs that ask for one, or are on several devices |
/// | `lock` | nothing: it is locked while a run is at work |
///
/// Other files in it are left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDirectory(PathBuf);

impl RunDirectory {
    /// The run directory at `path`, which need not exist.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self(path.as_ref().to_owned())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What the run was configured with.
    pub fn config(&self) -> PathBuf {
        self.0.join("burn-lr.json")
    }

    /// The history as CSV.
    pub fn history_csv(&self) -> PathBuf {
        self.0.join("history.csv")
    }

    /// The history as JSON.
    pub fn history_json(&self) -> PathBuf {
        self.0.join("history.json")
    }

    /// When, by which command and on which machine the run was started and resumed:
    /// [`launches`](Self::launches) reads it.
    pub fn launches_json(&self) -> PathBuf {
        self.0.join("launches.json")
    }

    /// The checkpoints, as [`CheckpointStore`](crate::checkpoint::CheckpointStore) keeps them.
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoint")
    }

    /// The epochs after which a checkpoint is kept, the first one first, by their names alone:
    /// [`verify`](Self::verify) reads them.
    pub fn saved_epochs(&self) -> Vec<usize> {
        saved_epochs(&self.checkpoints())
    }

    /// The newest checkpoint within an epoch, of a run that [makes
    /// such](crate::Training::checkpoint_every).
    pub fn within_epoch(&self) -> PathBuf {
        self.0.join("within-epoch")
    }

    /// The model of the best epoch.
    pub fn best_model(&self) -> PathBuf {
        self.0.join("best.bpk")
    }

    /// The model after the last epoch.
    pub fn final_model(&self) -> PathBuf {
        self.0.join("final.bpk")
    }

    /// The averaged model after the last epoch.
    pub fn average_model(&self) -> PathBuf {
        self.0.join("average.bpk")
    }

    /// The run as a web page, which `burn-lr-tracking` writes.
    pub fn page(&self) -> PathBuf {
        self.0.join("run.html")
    }

    /// The metrics of each epoch as Burn's summary reads them.
    pub fn summary(&self) -> PathBuf {
        self.0.join("summary")
    }

    /// How long a trial of an experiment took, which the experiment writes.
    pub fn trial(&self) -> PathBuf {
        self.0.join("burn-lr-trial.json")
    }

    /// The file by which others are kept out.
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// Writes the history in both forms, each atomically.
    ///
    /// # Errors
    /// [`TrainingError::File`] naming the file.
    pub fn write_history(&self, history: &History) -> Result<(), TrainingError> {
        write_atomically(&self.history_csv(), history.to_csv().as_bytes())?;
        let path = self.history_json();
        let json = serde_json::to_vec_pretty(history)
            .map_err(|error| TrainingError::file("write", &path, error.into()))?;
        write_atomically(&path, &json)
    }

    /// What the run was given by [`Training::settings`](crate::Training::settings), as its
    /// configuration keeps it; null if nothing was.
    ///
    /// # Errors
    /// [`TrainingError::File`] if there is no configuration or it cannot be read,
    /// [`TrainingError::Damaged`] if it is not what a run writes. Both name the file.
    pub fn settings(&self) -> Result<Value, TrainingError> {
        Ok(self.configuration()?["fixed"]["settings"].take())
    }

    /// What the run was configured with, as [`config`](Self::config) has it: `fixed` is what must not change
    /// when it is resumed, `free` is what may.
    ///
    /// # Errors
    /// As for [`settings`](Self::settings).
    pub fn configuration(&self) -> Result<Value, TrainingError> {
        let path = self.config();
        let json =
            std::fs::read(&path).map_err(|error| TrainingError::file("read", &path, error))?;
        self.parsed_config(&json)
    }

    /// What the epochs of the run led to; none of a run whose first epoch is not over.
    ///
    /// # Errors
    /// [`TrainingError::File`] if the file cannot be read, [`TrainingError::Damaged`] if it is not what a run
    /// writes. Both name it.
    pub fn history(&self) -> Result<History, TrainingError> {
        let history = read_json(&self.history_json(), "a run's history")?;
        Ok(history.unwrap_or_default())
    }

    /// The document that `json`, of this run's configuration, holds.
    ///
    /// # Errors
    /// [`TrainingError::Damaged`] if it is no configuration.
    pub(super) fn parsed_config(&self, json: &[u8]) -> Result<Value, TrainingError> {
        let path = self.config();
        let config: Value = serde_json::from_slice(json).map_err(|error| {
            Damage::content(&path, format!("expected a run's configuration: {error}"))
        })?;
        if !config["fixed"].is_object() {
            let reason = "expected a run's configuration with what is fixed, found none";
            return Err(Damage::content(&path, reason).into());
        }
        Ok(config)
    }

    /// Removes what processes that were killed have left of files that were to replace ours. Only who
    /// has locked the directory may do so.
    pub(super) fn remove_leftovers(&self) {
        let models = [self.best_model(), self.final_model(), self.average_model()];
        let sums = models.map(|path| sum_path(&path));
        let files = self.results().into_iter();
        let files = files.chain([self.config(), self.trial(), self.launches_json()]);
        let files: Vec<PathBuf> = files.chain(sums).collect();
        let names: Vec<_> = files.iter().filter_map(|path| path.file_name()).collect();
        remove_leftovers(&self.0, &names);
    }

    /// What a run that starts at epoch 1 must not find, since it will write it.
    pub(super) fn results(&self) -> [PathBuf; 5] {
        [
            self.history_csv(),
            self.history_json(),
            self.best_model(),
            self.final_model(),
            self.average_model(),
        ]
    }
}

/// What the file at `path` holds, if there is one.
pub(super) fn read_json<T: DeserializeOwned>(
    path: &Path,
    expected: &str,
) -> Result<Option<T>, TrainingError> {
    let json = match std::fs::read(path) {
        Ok(json) => json,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(TrainingError::file("read", path, error)),
    };
    let content = serde_json::from_slice(&json);
    let content =
        content.map_err(|error| Damage::content(path, format!("expected {expected}: {error}")))?;
    Ok(Some(content))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn settings_are_those_of_the_configuration() {
        let directory = TempDir::new().unwrap();
        let run = RunDirectory::new(directory.path());
        let written = |config: &str| {
            std::fs::write(run.config(), config).unwrap();
            run.settings().unwrap()
        };
        let settings = json!({"model": {"hidden": 128}});
        let config = json!({"burn_lr": "1", "fixed": {"settings": settings}, "free": {}});
        assert_eq!(written(&config.to_string()), settings);
        assert!(written(r#"{"fixed": {"settings": null}}"#).is_null());
        // Only what is fixed is the run's own.
        assert!(written(r#"{"fixed": {}, "settings": 1}"#).is_null());
    }

    #[test]
    fn a_configuration_that_is_none_is_named() {
        let directory = TempDir::new().unwrap();
        let run = RunDirectory::new(directory.path());
        assert!(matches!(
            run.settings(),
            Err(TrainingError::File { action: "read", path, .. }) if path == run.config()
        ));
        for config in [
            "",
            "{",
            "[]",
            "7",
            "{}",
            r#"{"fixed": null}"#,
            r#"{"settings": {}}"#,
        ] {
            std::fs::write(run.config(), config).unwrap();
            assert!(matches!(
                run.settings(),
                Err(TrainingError::Damaged(Damage::Content { path, .. })) if path == run.config()
            ));
        }
    }
}
