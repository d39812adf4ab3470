//! What can be wrong with a checkpoint.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::TrainingError;

/// Why a checkpoint cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// There is no checkpoint of that epoch.
    #[error("no checkpoint of epoch {epoch} in {}", directory.display())]
    NotFound {
        /// The epoch.
        epoch: usize,
        /// Where it was looked for.
        directory: PathBuf,
    },
    /// The checkpoint has no manifest: it was not written to its end.
    #[error("{} has no manifest: it was not written to its end", path.display())]
    Incomplete {
        /// The checkpoint's directory.
        path: PathBuf,
    },
    /// The manifest is torn, changed or of another format.
    #[error("the manifest {} is invalid: {reason}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of the checkpoint is missing.
    #[error("{} is missing", path.display())]
    MissingPart {
        /// The file.
        path: PathBuf,
    },
    /// A file is shorter or longer than it was written.
    #[error("{}: expected {expected} bytes, found {found}", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// The bytes that were written.
        expected: u64,
        /// The bytes that are there.
        found: u64,
    },
    /// The content of a file is not what was written.
    #[error("{}: expected SHA-256 {expected}, found {found}", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// The checksum of what was written.
        expected: String,
        /// The checksum of what is there.
        found: String,
    },
    /// A file or directory cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// Why it failed.
        source: Arc<std::io::Error>,
    },
}

impl CheckpointError {
    pub(super) fn unreadable(path: &Path, source: std::io::Error) -> Self {
        Self::Unreadable {
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }
}

impl From<CheckpointError> for TrainingError {
    fn from(error: CheckpointError) -> Self {
        match error {
            CheckpointError::Unreadable { path, source } => Self::File {
                action: "read",
                path,
                source,
            },
            error => Self::Checkpoint(error),
        }
    }
}

/// A checkpoint that was passed over, and why.
#[derive(Debug, Clone, thiserror::Error)]
#[error("skipped the checkpoint of epoch {epoch}: {error}")]
pub struct Skipped {
    /// The epoch; 0 if the directory of the checkpoints could not be read at all.
    pub epoch: usize,
    /// What is wrong with it.
    #[source]
    pub error: CheckpointError,
}
