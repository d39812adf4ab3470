//! The errors of a range test.

use std::sync::Arc;

use burn::data::dataset::DatasetError;

/// What can stop a learning-rate range test.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LrFinderError {
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
    /// The data loader has no batch.
    #[error("data loader: expected at least 1 batch, got none")]
    Empty,
    /// No parameter of the model is trained.
    #[error("trained parameters: expected at least 1, got none: all {parameters} are frozen")]
    AllFrozen {
        /// How many parameters the model has, buffers included.
        parameters: usize,
    },
    /// A batch could not be loaded.
    #[error("cannot load the batch of update {update}: {source}")]
    Batch {
        /// The update, from 0.
        update: usize,
        /// What the data set says.
        source: Arc<DatasetError>,
    },
    /// The loss could not be read from the device.
    #[error("cannot read the loss of update {update}: {reason}")]
    Loss {
        /// The update, from 0.
        update: usize,
        /// What Burn says.
        reason: String,
    },
}
