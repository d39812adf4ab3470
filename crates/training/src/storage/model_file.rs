//! Files of model parameters.

use std::path::Path;

use burn::module::Module;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;

use super::checksum::{read_with_sum, write_with_sum};
use crate::TrainingError;
use crate::caught::caught;

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
    filled(model, Bytes::from_bytes_vec(bytes)).map_err(|error| model_error("read", path, error))
}

/// `model` with the parameters in `file`, or why they are not its own.
pub(crate) fn filled<M: Module>(model: M, file: Bytes) -> Result<M, String> {
    // Burn panics at integers in the place of other numbers.
    let filled =
        caught(|| ModuleRecord::from_bytes(file).and_then(|record| model.try_load_record(record)));
    filled?.map_err(|error| error.to_string())
}

fn model_error(action: &'static str, path: &Path, error: impl ToString) -> TrainingError {
    TrainingError::Model {
        action,
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::LinearConfig;
    use burn::tensor::{DType, Device};
    use burn_pack::{Reader, Tensor, Writer};

    use super::*;

    #[test]
    fn integers_in_the_place_of_weights_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model.bpk");
        let model = || LinearConfig::new(2, 3).init(&Device::flex());
        save_model(&path, &model()).unwrap();
        let tensors = Reader::from_file(&path).unwrap().into_tensors().unwrap();
        for dtype in [DType::I32, DType::U32] {
            let tensors = tensors.iter().map(|tensor| {
                let (name, _, shape, id, bytes) = tensor.clone().into_parts().unwrap();
                Tensor::new(name, dtype, shape, id, bytes)
            });
            let file = Writer::new(tensors.collect()).into_bytes().unwrap();
            write_with_sum(&path, &file).unwrap();
            assert!(matches!(
                load_model(&path, model()),
                Err(TrainingError::Model { action: "read", path: found, .. }) if found == path
            ));
        }
    }
}
