//! A run directory that was read.

use std::path::{Path, PathBuf};

use burn_lr_training::TrainingError;
use burn_lr_training::metrics::{Best, EpochRecord, History};
use burn_lr_training::run::RunDirectory;
use serde_json::Value;

/// What a run is known by.
pub struct Run {
    pub path: PathBuf,
    pub config: Value,
    pub history: History,
    pub is_complete: bool,
}

impl Run {
    /// The run in the directory at `path`.
    pub fn read(path: &Path) -> Result<Self, TrainingError> {
        let directory = RunDirectory::new(path);
        Ok(Self {
            path: path.to_owned(),
            config: directory.configuration()?,
            history: directory.history()?,
            is_complete: directory.final_model().exists(),
        })
    }

    /// By what the run's checkpoints are ranked, and the best epoch.
    pub fn best(&self) -> Option<(Best, &EpochRecord)> {
        let best = &self.config["free"]["keep"]["best"];
        let best: Best = serde_json::from_value(best.clone()).ok()?;
        let epoch = best.of(&self.history)?;
        Some((best, epoch))
    }

    /// Whether epochs are periods of a run that is measured in updates.
    pub fn is_in_updates(&self) -> bool {
        !self.config["fixed"]["every"].is_null()
    }
}
