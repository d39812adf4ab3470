//! A state dict for PyTorch.

use std::path::Path;

use burn::module::Module;
use burn_store::{BurnToPyTorchAdapter, ModuleSnapshot, SafetensorsStore};

use super::error::WeightsError;
use crate::error::TrainingError;
use crate::storage::write_atomically;

/// Writes the parameters and buffers of `model` as a safetensors file, atomically, under the names and in
/// the layout that PyTorch has for them.
///
/// In Python, `model.load_state_dict(safetensors.torch.load_file(path))` takes it, batch norms included.
///
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn_lr_training::pytorch::{load_pytorch, save_safetensors};
///
/// # let directory = tempfile::tempdir()?;
/// let path = directory.path().join("linear.safetensors");
/// let device = burn::tensor::Device::flex();
/// let linear: Linear = LinearConfig::new(784, 128).init(&device);
/// save_safetensors(&path, &linear)?;
/// let copy = load_pytorch(&path, LinearConfig::new(784, 128).init(&device))?;
/// assert_eq!(copy.weight.val().into_data(), linear.weight.val().into_data());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`WeightsError::Unwritable`] if Burn cannot write a parameter so, [`WeightsError::File`] if the file
/// cannot be written. One that was there stays then.
pub fn save_safetensors<M: Module>(path: &Path, model: &M) -> Result<(), WeightsError> {
    let unwritable = |reason: String| WeightsError::Unwritable {
        path: path.to_owned(),
        reason,
    };
    // Transformers wants to be told that tensors are PyTorch's.
    let mut store = SafetensorsStore::from_bytes(None)
        .with_to_adapter(BurnToPyTorchAdapter)
        .skip_enum_variants(true)
        .clear_metadata()
        .metadata("format", "pt");
    model
        .save_into(&mut store)
        .map_err(|error| unwritable(error.to_string()))?;
    let bytes = store
        .get_bytes()
        .map_err(|error| unwritable(error.to_string()))?;
    write_atomically(path, &bytes).map_err(|error| match error {
        TrainingError::File {
            action,
            path,
            source,
        } => WeightsError::File {
            action,
            path,
            source,
        },
        other => unwritable(other.to_string()),
    })
}
