//! The errors of averages.

use burn::tensor::DType;

/// What is wrong with an average of weights.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AverageError {
    /// A setting is outside its range.
    #[error("average: {name}: expected {expected}, got {found}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// The run is over before the first weights are taken in.
    #[error(
        "average: start: expected the first weights after one of the {run} {unit} of the run, got number {first}"
    )]
    NeverBegins {
        /// Updates or epochs.
        unit: &'static str,
        /// How many the run has.
        run: u64,
        /// The number of the one after which the first weights would be taken in.
        first: u64,
    },
    /// More checkpoints are to be averaged than are kept.
    #[error(
        "average: checkpoints: expected at most {kept}, of which `KeepPolicy::last` keeps so many, got \
         {found}"
    )]
    TooFewKept {
        /// How many are kept.
        kept: usize,
        /// How many are to be averaged.
        found: usize,
    },
    /// A parameter is of a type in which an average would not move.
    #[error(
        "average: {of}: expected trained parameters of f32 or f64, got {found:?}: what an update adds to \
         the average is below its resolution"
    )]
    Coarse {
        /// The parameter's number among those that are visited, or its path.
        of: String,
        /// Its type.
        found: DType,
    },
    /// The model is not of the make of the one that the average was begun with.
    #[error("average: parameter {parameter}: expected one of shape {expected:?}, got {found:?}")]
    OtherModel {
        /// The parameter's number, from 0, in the order in which a model is visited.
        parameter: usize,
        /// The average's shape; empty if the average has no such parameter.
        expected: Vec<usize>,
        /// The model's shape; empty if the model has no such parameter.
        found: Vec<usize>,
    },
    /// No batch was there to compute statistics from.
    #[error("average: batches for running statistics: expected at least 1, got none")]
    NoBatch,
    /// The weights of models do not add up to a mean, or there are not as many as models.
    #[error("average: weights of models: expected {models} that add up to 1, got {found:?}")]
    Weights {
        /// How many models there are.
        models: usize,
        /// The weights.
        found: Vec<f64>,
    },
}
