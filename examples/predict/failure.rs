//! What can go wrong, and what the example exits with.

use std::error::Error;
use std::io::{self, Write};

use burn_lr::mnist::{DataError, PngError};
use burn_lr::training::TrainingError;
use burn_lr::training::device::BackendError;
use burn_lr::training::evaluate::EvaluationError;

/// Why nothing could be said, by what the exit code tells apart.
#[derive(Debug)]
pub enum Failure {
    /// An option or a file is wrong.
    Input(Box<dyn Error>),
    /// Computing or printing failed.
    Other(Box<dyn Error>),
    /// Nobody reads on.
    Closed,
}

impl Failure {
    pub fn input(message: String) -> Self {
        Self::Input(message.into())
    }

    pub fn report(&self, err: &mut dyn Write) -> u8 {
        let (error, code) = match self {
            Self::Input(error) => (error, 2),
            Self::Other(error) => (error, 1),
            Self::Closed => return 0,
        };
        // There is nobody left to tell if this fails.
        let _ = writeln!(err, "error: {error}");
        code
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        Self::Input(error.into())
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Self::Input(error.into())
    }
}

impl From<PngError> for Failure {
    fn from(error: PngError) -> Self {
        Self::Input(error.into())
    }
}

/// The model's file, or the run's configuration.
impl From<TrainingError> for Failure {
    fn from(error: TrainingError) -> Self {
        Self::Input(error.into())
    }
}

impl From<EvaluationError> for Failure {
    fn from(error: EvaluationError) -> Self {
        Self::Other(error.into())
    }
}

/// Standard output; all other input and output has errors of its own.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Other(error.into()),
        }
    }
}
