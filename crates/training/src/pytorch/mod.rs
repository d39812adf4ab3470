//! Weights from PyTorch, and for it.
//!
//! [`load_pytorch`] reads the state dict of a `.pt`, `.pth` or `.safetensors` file into any Burn model
//! whose fields have PyTorch's names, and [`save_safetensors`] writes one that PyTorch loads back.
//! [`PytorchWeights`] has options for files of other names. What differs between the two is taken care
//! of: PyTorch keeps the weight of a `Linear` transposed, and calls the `gamma` and `beta` of norms
//! `weight` and `bias`.
//!
//! Reading goes by [burn-store](https://docs.rs/burn-store)'s readers. A model of Burn's `PytorchStore`
//! takes the float type of the file and is changed in part when a name is missing, and clones share its
//! norms' averages with it: here all is compared first, and nothing is changed unless everything fits.

mod error;
mod fit;
mod report;
mod save;
mod weights;

pub use error::WeightsError;
pub use report::{Mismatch, WeightsReport};
pub use save::save_safetensors;
pub use weights::{PytorchWeights, load_pytorch};
