//! What a run directory holds, and where.

use std::path::{Path, PathBuf};

use crate::TrainingError;
use crate::metrics::History;
use crate::storage::write_atomically;

/// The directory of a run: the one place that names its files.
///
/// | file | what it holds |
/// |---|---|
/// | `burn-lr.json` | what the run was configured with, as every checkpoint says too |
/// | `history.csv`, `history.json` | metrics, learning rates and seconds of each epoch |
/// | `checkpoint/` | what is needed to resume |
/// | `best.bpk` | the model of the epoch with the best metric, validation loss by default |
/// | `final.bpk` | the model after the last epoch, once the run is complete |
/// | `best.bpk.sha256`, `final.bpk.sha256` | their checksums |
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

    /// The checkpoints, as [`CheckpointStore`](crate::checkpoint::CheckpointStore) keeps them.
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoint")
    }

    /// The model of the best epoch.
    pub fn best_model(&self) -> PathBuf {
        self.0.join("best.bpk")
    }

    /// The model after the last epoch.
    pub fn final_model(&self) -> PathBuf {
        self.0.join("final.bpk")
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

    /// What a run that starts at epoch 1 must not find, since it will write it.
    pub(super) fn results(&self) -> [PathBuf; 4] {
        [
            self.history_csv(),
            self.history_json(),
            self.best_model(),
            self.final_model(),
        ]
    }
}
