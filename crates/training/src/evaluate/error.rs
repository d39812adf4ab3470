//! What can go wrong when a model is evaluated.

use burn::data::dataset::DatasetError;
use burn::tensor::TensorReadError;

/// What can go wrong when a model is evaluated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// The loader could not supply a batch.
    #[error("batch {batch}: {source}")]
    Data {
        /// The batch, from 0.
        batch: usize,
        /// What the data set says.
        source: DatasetError,
    },
    /// The device could not compute or hand over a batch.
    #[error("batch {batch}: cannot read the model's output: {source}")]
    Device {
        /// The batch, from 0.
        batch: usize,
        /// What the device says.
        source: TensorReadError,
    },
    /// A metric of a batch could not be computed.
    #[error("batch {batch}: cannot compute `{metric}`: {source}")]
    Metric {
        /// The batch, from 0; the last one if the metric of all failed.
        batch: usize,
        /// The metric, by its name in the results.
        metric: String,
        /// What the device says.
        source: TensorReadError,
    },
    /// Two metrics have the same name.
    #[error("expected metrics of different names, got `{metric}` twice")]
    Twice {
        /// The name.
        metric: String,
    },
    /// A sample's logits have no largest one.
    #[error("sample {sample}: expected finite logits, got {found}")]
    NotFinite {
        /// The sample, from 0.
        sample: usize,
        /// The first logit that is NaN or infinite.
        found: f32,
    },
    /// A class that the matrix or the model does not have.
    #[error("expected a class below {classes}, got {found}")]
    Class {
        /// How many classes there are.
        classes: usize,
        /// The class.
        found: i64,
    },
    /// There was no sample.
    #[error("expected at least one sample to evaluate, got none")]
    Empty,
}

/// Rows that do not make a square.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a confusion matrix of {classes} rows: expected {classes} counts in row {row}, got {found}"
)]
pub struct NotSquareError {
    pub(super) classes: usize,
    pub(super) row: usize,
    pub(super) found: usize,
}
