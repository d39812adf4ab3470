//! The one place that names backends.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;

/// A backend to run on, chosen at run time among those that were compiled in.
///
/// ```
/// use burn_lr_training::Backend;
///
/// let device = "flex".parse::<Backend>()?.device()?;
/// # Ok::<(), burn_lr_training::BackendError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// Burn's CPU backend; the default.
    Flex,
    /// Burn's former CPU backend, deprecated upstream.
    Ndarray,
    /// Any GPU that WebGPU, Vulkan or Metal reaches.
    Wgpu,
    /// NVIDIA GPUs.
    Cuda,
}

/// A backend that is unknown or not compiled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// There is no backend of that name.
    #[error("unknown backend {found:?}: expected one of {}", Backend::NAMES.join(", "))]
    Unknown {
        /// The name that was asked for.
        found: String,
    },
    /// The backend's cargo feature is off.
    #[error("the {backend} backend is not compiled in: build with `--features {backend}`")]
    NotCompiled {
        /// The backend, which is also the name of the feature.
        backend: Backend,
    },
}

impl Backend {
    /// All backends' names, as [`FromStr`] accepts them.
    pub const NAMES: [&str; 4] = ["flex", "ndarray", "wgpu", "cuda"];

    const ALL: [Self; 4] = [Self::Flex, Self::Ndarray, Self::Wgpu, Self::Cuda];

    /// The backends that were compiled in.
    pub fn compiled() -> Vec<Self> {
        let compiled = |backend: &Self| backend.device().is_ok();
        Self::ALL.into_iter().filter(compiled).collect()
    }

    /// The backend's default device, without autodiff.
    ///
    /// # Errors
    /// [`BackendError::NotCompiled`] if the backend's feature is off.
    pub fn device(self) -> Result<Device, BackendError> {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex => Ok(Device::flex()),
            // Deprecated upstream in favour of flex, and supported here until Burn drops it.
            #[cfg(feature = "ndarray")]
            #[allow(deprecated)]
            Self::Ndarray => Ok(Device::ndarray()),
            #[cfg(any(feature = "wgpu", feature = "vulkan", feature = "metal"))]
            Self::Wgpu => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
            #[cfg(feature = "cuda")]
            Self::Cuda => Ok(Device::cuda(0)),
            #[allow(unreachable_patterns)]
            backend => Err(BackendError::NotCompiled { backend }),
        }
    }
}

/// Whether tensors on `device` lie in this process's own memory.
pub(crate) fn is_cpu(device: &Device) -> bool {
    let is = |backend: Backend| backend.device().is_ok_and(|own| own == *device);
    is(Backend::Flex) || is(Backend::Ndarray)
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flex => "flex",
            Self::Ndarray => "ndarray",
            Self::Wgpu => "wgpu",
            Self::Cuda => "cuda",
        })
    }
}

impl FromStr for Backend {
    type Err = BackendError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|backend| backend.to_string() == name)
            .ok_or_else(|| BackendError::Unknown {
                found: name.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_and_others_do_not() {
        for name in Backend::NAMES {
            assert_eq!(name.parse::<Backend>().unwrap().to_string(), name);
        }
        let unknown = "tpu".parse::<Backend>();
        assert!(matches!(unknown, Err(BackendError::Unknown { found }) if found == "tpu"));
    }

    #[test]
    fn a_backend_that_is_not_compiled_in_names_its_feature() {
        for backend in Backend::ALL {
            match backend.device() {
                Ok(_) => assert!(Backend::compiled().contains(&backend)),
                Err(error) => assert!(error.to_string().contains(&format!("--features {backend}"))),
            }
        }
    }
}
