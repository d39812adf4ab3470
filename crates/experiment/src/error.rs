//! The errors of experiments.

use std::path::PathBuf;

use burn_lr_training::TrainingError;
use burn_lr_training::metrics::MetricKey;

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
    /// A candidate has a setting that the base does not read.
    #[error("candidate {candidate:?}: the base does not read setting {name:?}; it reads {read:?}")]
    UnreadSetting {
        /// The candidate.
        candidate: String,
        /// The setting.
        name: String,
        /// The settings that the base reads.
        read: Vec<String>,
    },
    /// Something else was trained under a candidate's name.
    #[error("candidate {candidate:?} has settings {found} now, and was trained with {expected}")]
    SettingsChanged {
        /// The candidate.
        candidate: String,
        /// The settings that it was trained with, as JSON.
        expected: String,
        /// The settings that it has now, as JSON.
        found: String,
    },
    /// The best epoch of a trial, whose model is asked for, was trained while another one was kept as the
    /// best.
    #[error(
        "{}: expected the model of epoch {epoch}, the best by {metric}; it was not kept, since the trial was \
         trained by another objective: train it anew, or take the last epochs", directory.display()
    )]
    NotKept {
        /// The trial's directory.
        directory: PathBuf,
        /// Its best epoch.
        epoch: usize,
        /// The metric of the objective.
        metric: MetricKey,
    },
    /// The objective, or what makes an epoch the best, asks for a metric that a trial does not have.
    #[error(
        "candidate {candidate:?}: no metric {metric}; there is {}",
        list(known)
    )]
    MissingMetric {
        /// The candidate.
        candidate: String,
        /// The metric.
        metric: String,
        /// The metrics that there are.
        known: Vec<String>,
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
    #[error("candidate {candidate:?}, seed {seed}: cannot set up: {source}")]
    Base {
        /// The candidate that it was asked for.
        candidate: String,
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
    /// The results could not be written as a document.
    #[error("cannot write the results as {format}: {reason}")]
    Unwritable {
        /// CSV or JSON.
        format: &'static str,
        /// Why not.
        reason: String,
    },
    /// A chosen model could not be evaluated.
    #[error("cannot evaluate {}: {source}", path.display())]
    Evaluation {
        /// The model's file.
        path: PathBuf,
        /// What the evaluation says.
        source: BaseError,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "none: is it registered as a numeric metric?".to_owned()
    } else {
        names.join(", ")
    }
}
