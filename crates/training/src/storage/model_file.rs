//! Files of model parameters.

use std::path::Path;

use burn::module::Module;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;

use super::checksum::{read_with_sum, write_with_sum};
use crate::TrainingError;

/// Writes the parameters of `model` as a burnpack file, atomically, and its SHA-256 beside it:
/// `best.bpk.sha256`, which `sha256sum -c` reads too.
///
/// # Errors
/// [`TrainingError::Model`] if Burn cannot serialize it, [`TrainingError::File`] if it cannot be
/// written.
pub fn save_model<M: Module>(path: &Path, model: &M) -> Result<(), TrainingError> {
    let bytes = model
        .clone()
        .into_record()
        .into_bytes()
        .map_err(|error| model_error("write", path, error))?;
    write_with_sum(path, &bytes)
}

/// `model` with the parameters in the burnpack file at `path`, such as a run's `final.bpk` or
/// `best.bpk`.
///
/// A file with a checksum beside it, as [`save_model`] leaves one, is verified; one without, from
/// elsewhere, is taken as it is.
///
/// # Errors
/// [`TrainingError::File`] if there is no such file, [`TrainingError::Damaged`] if it is not what its
/// checksum says, or that is no checksum, [`TrainingError::Model`] if the file is no burnpack file or
/// does not fit the model.
pub fn load_model<M: Module>(path: &Path, model: M) -> Result<M, TrainingError> {
    let bytes = read_with_sum(path)?;
    ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes))
        .and_then(|record| model.try_load_record(record))
        .map_err(|error| model_error("read", path, error))
}

fn model_error(action: &'static str, path: &Path, error: impl ToString) -> TrainingError {
    TrainingError::Model {
        action,
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
