//! What can be wrong with weights from elsewhere.

use std::path::PathBuf;
use std::sync::Arc;

use super::report::WeightsReport;

/// Why weights could not be loaded or saved. The model is as it was.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: Arc<std::io::Error>,
    },
    /// The file holds no weights.
    #[error(
        "{}: expected a state dict that PyTorch or safetensors saved, found otherwise: {reason}",
        path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What its reader says.
        reason: String,
    },
    /// A pattern of [`rename`](super::PytorchWeights::rename) is no regular expression.
    #[error("rename: expected a regular expression, found {pattern:?}: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two names are the same after [`rename`](super::PytorchWeights::rename).
    #[error("rename: expected names of their own, found {first} and {second} to be {name}")]
    Renamed {
        /// The name in the file of one.
        first: String,
        /// That of the other.
        second: String,
        /// What both became.
        name: String,
    },
    /// The weights are not those of the model.
    #[error("{}: expected the weights of the model, found {report}", path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// What is missing, too much, and of another shape.
        report: Box<WeightsReport>,
    },
    /// The model could not be written as safetensors.
    #[error("cannot write the model as {}: {reason}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What Burn says.
        reason: String,
    },
}
