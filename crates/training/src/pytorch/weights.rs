//! A state dict of PyTorch.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::module::Module;
use burn_pack::Tensor;
use burn_store::{KeyRemapper, ModuleStore, PytorchStore, SafetensorsStore};

use super::error::WeightsError;
use super::fit::{Filling, fit};
use super::report::WeightsReport;

/// `model` with the weights in the file at `path`, which PyTorch's `torch.save` or safetensors wrote.
///
/// As PyTorch's `load_state_dict`, it wants every parameter and buffer to have its value and every value
/// its parameter; [`PytorchWeights`] is for other files.
///
/// ```no_run
/// use burn_lr_training::pytorch::load_pytorch;
/// # use burn::nn::{Linear, LinearConfig};
/// # let model: Linear = LinearConfig::new(784, 128).init(&burn::tensor::Device::flex());
/// // torch.save(model.state_dict(), "model.pt")
/// let model = load_pytorch("model.pt", model)?;
/// # Ok::<(), burn_lr_training::pytorch::WeightsError>(())
/// ```
///
/// # Errors
/// What [`PytorchWeights::load`] says.
pub fn load_pytorch<M: Module>(path: impl AsRef<Path>, model: M) -> Result<M, WeightsError> {
    let (model, _) = PytorchWeights::new(path.as_ref()).load(model)?;
    Ok(model)
}

/// A file with weights of PyTorch, and how its names become those of a model.
#[derive(Debug, Clone)]
pub struct PytorchWeights {
    path: PathBuf,
    key: Option<String>,
    renames: Vec<(String, String)>,
    partial: bool,
}

impl PytorchWeights {
    /// The state dict in the file at `path`: `.pt` and `.pth` files of `torch.save`, also of PyTorch before
    /// 1.6, and safetensors. The content says which it is.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            key: None,
            renames: Vec::new(),
            partial: false,
        }
    }

    /// Takes the state dict below `key`, as in `torch.save({"model": model.state_dict(), "epoch": 3}, path)`.
    /// Safetensors files have no keys of that kind.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Replaces what the regular expression `pattern` finds in the names of the file, with `$1` for its
    /// first group: `rename(r"^module\.", "")`. Several are applied in turn.
    pub fn rename(mut self, pattern: impl Into<String>, replacement: impl Into<String>) -> Self {
        self.renames.push((pattern.into(), replacement.into()));
        self
    }

    /// Leaves parameters as they are that the file does not have, and out what the model does not have, as
    /// `strict=False` does in PyTorch. The report tells them.
    pub fn partial(mut self) -> Self {
        self.partial = true;
        self
    }

    /// `model` with these weights, and how they fit.
    ///
    /// They are converted to the float type that the parameters have. What was frozen stays frozen, and
    /// parameters keep their identities, so that an optimizer knows them.
    ///
    /// # Errors
    /// [`WeightsError::File`] if there is no such file, [`WeightsError::Unreadable`] if it holds no state
    /// dict, [`WeightsError::Pattern`] for a wrong regular expression, [`WeightsError::Renamed`] if two
    /// names become one, and [`WeightsError::Mismatch`]
    /// for weights of another model: for missing and unexpected ones unless it is
    /// [partial](Self::partial), and for those of another shape in any case.
    pub fn load<M: Module>(&self, model: M) -> Result<(M, WeightsReport), WeightsError> {
        let tensors = self.tensors()?;
        let (values, report) = fit(&model, tensors).map_err(|reason| self.unreadable(reason))?;
        let acceptable = if self.partial {
            report.mismatched.is_empty() && !report.loaded.is_empty()
        } else {
            report.is_complete()
        };
        if !acceptable {
            return Err(WeightsError::Mismatch {
                path: self.path.clone(),
                report: Box::new(report),
            });
        }
        Ok((model.map(&mut Filling::new(values)), report))
    }

    /// What the file holds, by the names after renaming.
    fn tensors(&self) -> Result<BTreeMap<String, Tensor>, WeightsError> {
        let renames = self.renames()?;
        let found = if self.is_safetensors()? {
            let mut store = SafetensorsStore::from_file(&self.path);
            let found = store.get_all_tensors().cloned();
            found.map_err(|error| error.to_string())
        } else {
            let mut store = PytorchStore::from_file(&self.path);
            if let Some(key) = &self.key {
                store = store.with_top_level_key(key);
            }
            let found = store.get_all_tensors().cloned();
            found.map_err(|error| error.to_string())
        };
        let found = found.map_err(|reason| self.unreadable(reason))?;
        let (tensors, names) = renames.remap(found.into_values().collect());
        let mut olds = HashMap::new();
        for (new, old) in names {
            if let Some(first) = olds.insert(new.clone(), old.clone()) {
                return Err(WeightsError::Renamed {
                    first,
                    second: old,
                    name: new,
                });
            }
        }
        let named = |tensor: Tensor| (tensor.name.clone(), tensor);
        Ok(tensors.into_iter().map(named).collect())
    }

    /// Whether the file begins as safetensors do: with the length of a JSON object, and that object.
    fn is_safetensors(&self) -> Result<bool, WeightsError> {
        let mut start = Vec::new();
        File::open(&self.path)
            .and_then(|file| file.take(9).read_to_end(&mut start))
            .map_err(|source| WeightsError::File {
                action: "read",
                path: self.path.clone(),
                source: Arc::new(source),
            })?;
        Ok(start.get(8) == Some(&b'{') && !start.starts_with(b"PK"))
    }

    fn renames(&self) -> Result<KeyRemapper, WeightsError> {
        let mut renames = KeyRemapper::new();
        for (pattern, replacement) in &self.renames {
            let added = renames.add_pattern(pattern, replacement);
            renames = added.map_err(|error| WeightsError::Pattern {
                pattern: pattern.clone(),
                reason: error.to_string(),
            })?;
        }
        Ok(renames)
    }

    fn unreadable(&self, reason: String) -> WeightsError {
        WeightsError::Unreadable {
            path: self.path.clone(),
            reason,
        }
    }
}
