//! What is wrong with a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a file or checkpoint differs from what was written.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// It is not there.
    #[error("{} is missing", path.display())]
    Missing {
        /// The file or directory.
        path: PathBuf,
    },
    /// A checkpoint that was not written to its end: it has no manifest.
    #[error("{} has no manifest: it was not written to its end", path.display())]
    Incomplete {
        /// The checkpoint's directory.
        path: PathBuf,
    },
    /// It is shorter or longer.
    #[error("{} is damaged: expected {expected} bytes, found {found}", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// The bytes that were written.
        expected: u64,
        /// The bytes that are there.
        found: u64,
    },
    /// Its content is another one.
    #[error("{} is damaged: expected SHA-256 {expected}, found {found}", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// The checksum of what was written.
        expected: String,
        /// The checksum of what is there.
        found: String,
    },
    /// Its content makes no sense.
    #[error("{} is damaged: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What was expected and found.
        reason: String,
    },
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// Why it failed.
        source: Arc<std::io::Error>,
    },
}

impl Damage {
    /// What it means that `path` cannot be read.
    pub(crate) fn unreadable(path: &Path, source: std::io::Error) -> Self {
        let path = path.to_owned();
        if source.kind() == std::io::ErrorKind::NotFound {
            return Self::Missing { path };
        }
        let source = Arc::new(source);
        Self::Unreadable { path, source }
    }

    /// What it means that the content of `path` is not as it must be.
    pub(crate) fn content(path: &Path, reason: impl ToString) -> Self {
        Self::Content {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}
