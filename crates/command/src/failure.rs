//! Why the command did not do what it was asked to.

use std::io;
use std::path::Path;

use burn_lr_training::TrainingError;

/// Each has an exit code of its own.
#[derive(Debug)]
pub enum Failure {
    /// The user's input: exit code 2, as for a wrong option.
    Input(String),
    /// The output could not be written: exit code 1.
    Output(io::Error),
    /// A run is damaged, as has been said: exit code 3.
    Damaged,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Of what was to be read: it names its file.
impl From<TrainingError> for Failure {
    fn from(error: TrainingError) -> Self {
        Self::Input(error.to_string())
    }
}

/// Writes a file that the user asked for.
pub fn write(path: &Path, content: &str) -> Result<(), Failure> {
    std::fs::write(path, content).map_err(|error| {
        let message = format!("{}: {error}", path.display());
        Failure::Output(io::Error::new(error.kind(), message))
    })
}
