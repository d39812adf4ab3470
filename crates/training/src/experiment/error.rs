//! The errors of experiments.

use std::path::PathBuf;

use crate::TrainingError;

/// What the base of an experiment may fail with.
pub type BaseError = Box<dyn std::error::Error + Send + Sync>;

/// What can stop an experiment. A trial that fails does not: its error is part of the results.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// A setting is outside its range.
    #[error("{name}: expected {expected}, got {found}")]
    Invalid {
        /// The setting.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A candidate cannot be trained.
    #[error("candidate {name:?}: {source}")]
    Candidate {
        /// The candidate.
        name: String,
        /// What is wrong with it.
        source: TrainingError,
    },
    /// A document of candidates cannot be read.
    #[error("{}{reason}", if place.is_empty() { String::new() } else { format!("{place}: ") })]
    Document {
        /// The place inside the document.
        place: String,
        /// What is wrong there.
        reason: String,
    },
    /// A file of candidates cannot be read.
    #[error("cannot read the candidates in {}: {reason}", path.display())]
    CandidatesFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The base could not be made.
    #[error("cannot set up seed {seed}: {source}")]
    Base {
        /// The seed that it was asked for.
        seed: u64,
        /// What it says.
        source: BaseError,
    },
    /// The experiment was stopped from outside; it can be continued.
    #[error("stopped after {finished} of {trials} trials: {reason}")]
    Interrupted {
        /// How many trials were complete.
        finished: usize,
        /// How many there are.
        trials: usize,
        /// What was said when it was stopped.
        reason: String,
    },
    /// No candidate has a trial that was completed.
    #[error("every trial failed; the first one with: {first}")]
    AllFailed {
        /// The error of the first trial.
        first: String,
    },
    /// A file could not be written, or a model not be loaded.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// A chosen model could not be evaluated.
    #[error("cannot evaluate {}: {source}", path.display())]
    Evaluation {
        /// The model's file.
        path: PathBuf,
        /// What the evaluation says.
        source: BaseError,
    },
}
