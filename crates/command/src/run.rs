//! A run directory that was read.

use std::path::{Path, PathBuf};

use burn_lr_scheduler::Mode;
use burn_lr_training::TrainingError;
use burn_lr_training::metrics::{Best, EpochRecord, History, MetricKey};
use burn_lr_training::run::RunDirectory;
use serde_json::Value;

/// What a run is known by.
pub struct Run {
    pub path: PathBuf,
    pub config: Value,
    pub history: History,
    pub state: State,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum State {
    /// A process has it.
    AtWork,
    /// It has come to its end.
    Complete,
    /// It was stopped, killed, or has failed.
    Unfinished,
}

impl Run {
    /// The run in the directory at `path`.
    pub fn read(path: &Path) -> Result<Self, TrainingError> {
        let directory = RunDirectory::new(path);
        Ok(Self {
            path: path.to_owned(),
            config: directory.configuration()?,
            history: directory.history()?,
            state: if directory.is_at_work() {
                State::AtWork
            } else if directory.final_model().exists() {
                State::Complete
            } else {
                State::Unfinished
            },
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

    /// The metric of the best epoch, or of the last one if none is known to be the best.
    pub fn value(&self, key: &MetricKey) -> Option<f64> {
        let best = self.best().map(|(_, epoch)| epoch);
        best.or(self.history.epochs.last())?.get(key)
    }
}

/// The places of `runs` by `key`, the best run first. Whether more is better, a run says that ranks its
/// checkpoints by it; otherwise the metric's name does.
pub fn ranked(runs: &[&Run], key: &MetricKey) -> Vec<usize> {
    let ruled = runs
        .iter()
        .filter_map(|run| run.best())
        .find(|(best, _)| best.metric == *key);
    let more_is_better = match ruled {
        Some((best, _)) => best.mode == Mode::Max,
        None => ["accuracy", "auroc", "score", "precision", "recall", "iou"]
            .iter()
            .any(|name| key.name().contains(name)),
    };
    let rank = |&place: &usize| {
        let value = runs[place].value(key).unwrap_or(f64::NAN);
        let value = if more_is_better { -value } else { value };
        // Behind all numbers.
        if value.is_nan() { f64::INFINITY } else { value }
    };
    let mut places: Vec<usize> = (0..runs.len()).collect();
    places.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
    places
}
