//! A candidate under a seed, and what became of it.

use std::path::PathBuf;

use burn_lr_training::metrics::{Best, EpochRecord, History};
use serde::Serialize;

/// A candidate trained under a seed.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Trial {
    /// The candidate's place among the candidates.
    pub candidate: usize,
    /// The seed.
    pub seed: u64,
    /// The run directory.
    pub directory: PathBuf,
    /// The seconds that it took, the making of model and data included, by whichever processes; at least
    /// those of its epochs, if nothing else is known.
    pub whole_seconds: f64,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a trial.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It was completed.
    Finished(History),
    /// It failed, with this error.
    Failed(String),
}

/// The epoch of a trial that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// The last one.
    Last,
    /// The best one by the experiment's objective, or what [`Experiment::best`] says. It was chosen
    /// by its metrics, which are better than those on unseen data for that.
    ///
    /// [`Experiment::best`]: crate::Experiment::best
    Best,
}

impl At {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Last, Self::Best];

    /// The name in documents.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Best => "best",
        }
    }
}

impl Outcome {
    /// The history, if the trial was completed.
    pub(crate) fn history(&self) -> Option<&History> {
        match self {
            Self::Finished(history) => Some(history),
            Self::Failed(_) => None,
        }
    }

    /// The seconds that its epochs took.
    pub(crate) fn seconds(&self) -> f64 {
        let epochs = self.history().map_or(&[][..], |history| &history.epochs);
        epochs.iter().map(|epoch| epoch.seconds).sum()
    }
}

impl Trial {
    /// The history, if the trial was completed.
    pub fn history(&self) -> Option<&History> {
        self.outcome.history()
    }

    /// The last epoch, if the trial was completed.
    pub fn last(&self) -> Option<&EpochRecord> {
        self.history()?.epochs.last()
    }

    /// The error, if the trial failed.
    pub fn error(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Finished(_) => None,
            Outcome::Failed(error) => Some(error),
        }
    }

    /// The epoch that is looked at, if the trial was completed; the best one by `best`.
    pub fn epoch(&self, at: At, best: &Best) -> Option<&EpochRecord> {
        match at {
            At::Last => self.last(),
            At::Best => best.of(self.history()?),
        }
    }

    /// The seconds that its epochs took, by whichever process they were trained.
    pub fn seconds(&self) -> f64 {
        self.outcome.seconds()
    }
}
