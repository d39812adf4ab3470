//! What can be wrong with a data set.

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What can be wrong with a data set's files.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file is not there, neither plain nor gzipped.
    #[error("{}: no such file, plain or with .gz; {hint}", path.display())]
    Missing {
        /// The path without `.gz`.
        path: PathBuf,
        /// What to do about it.
        hint: &'static str,
    },
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why it cannot be read.
        source: Arc<std::io::Error>,
    },
    /// A gzip stream is corrupt or ends too early.
    #[error("{}: expected a whole gzip stream, got one that is damaged: {source}", path.display())]
    Gzip {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Arc<std::io::Error>,
    },
    /// The header is not that of the expected kind of IDX file.
    #[error("{}: expected {expected}, got {found}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What the header should say.
        expected: String,
        /// What it says.
        found: String,
    },
    /// The file holds fewer or more bytes than its header says.
    #[error("{}: expected {expected} bytes after the header, got {found}", path.display())]
    Payload {
        /// The file.
        path: PathBuf,
        /// The product of the header's dimensions.
        expected: u64,
        /// What is there.
        found: String,
    },
    /// A label is not a class.
    #[error("{}: expected labels of at most {max}, got {found} at index {index}", path.display())]
    Label {
        /// The file.
        path: PathBuf,
        /// The largest class.
        max: u8,
        /// The label.
        found: u8,
        /// The label's place in the file.
        index: usize,
    },
    /// The files of images and labels differ in length.
    #[error("{}: expected {expected} labels, one an image, got {found}", path.display())]
    Count {
        /// The label file.
        path: PathBuf,
        /// The number of images.
        expected: usize,
        /// The number of labels.
        found: usize,
    },
    /// The download did not lead to a data set.
    #[error("cannot download MNIST: {reason}")]
    Download {
        /// What burn-dataset says.
        reason: String,
    },
    /// A bundled file is not the original.
    #[error("{}: expected SHA-256 {expected}, got {found}", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// The original's checksum.
        expected: &'static str,
        /// The file's checksum.
        found: String,
    },
}

impl DataError {
    /// An error while `path` was read: of the gzip stream, if it is one that is damaged.
    pub(crate) fn unreadable(path: &Path, error: std::io::Error) -> Self {
        use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};

        let zipped = path.extension().is_some_and(|ending| ending == "gz");
        let damaged = matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof);
        let (path, source) = (path.to_owned(), Arc::new(error));
        if zipped && damaged {
            Self::Gzip { path, source }
        } else {
            Self::Unreadable { path, source }
        }
    }
}
