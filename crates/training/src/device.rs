//! The one place that names backends.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;
#[cfg(any(
    feature = "wgpu",
    feature = "vulkan",
    feature = "metal",
    feature = "cuda"
))]
use burn::tensor::DeviceType;

/// A backend to run on, chosen at run time among those that were compiled in.
///
/// ```
/// use burn_lr_training::device::Backend;
///
/// let device = "flex".parse::<Backend>()?.device()?;
/// # Ok::<(), burn_lr_training::device::BackendError>(())
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
    /// The machine has not that many devices of the backend.
    #[error("expected {expected} devices of the {backend} backend, found {found}")]
    TooFewDevices {
        /// The backend.
        backend: Backend,
        /// How many were asked for.
        expected: usize,
        /// How many there are.
        found: usize,
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

    /// The first `count` devices of the backend, without autodiff. A CPU backend has one device, and
    /// gives it as often as asked: each worker is a thread on it.
    ///
    /// # Errors
    /// [`BackendError::NotCompiled`] if the backend's feature is off,
    /// [`BackendError::TooFewDevices`] if the machine has fewer.
    pub fn devices(self, count: usize) -> Result<Vec<Device>, BackendError> {
        let default = self.device()?;
        let mut devices = match self {
            #[cfg(any(feature = "wgpu", feature = "vulkan", feature = "metal"))]
            Self::Wgpu if count > 1 => Device::enumerate(DeviceType::Wgpu).into_vec(),
            #[cfg(feature = "cuda")]
            Self::Cuda if count > 1 => Device::enumerate(DeviceType::Cuda).into_vec(),
            _ => vec![default; count],
        };
        if devices.len() < count {
            return Err(BackendError::TooFewDevices {
                backend: self,
                expected: count,
                found: devices.len(),
            });
        }
        devices.truncate(count);
        Ok(devices)
    }
}

/// What [`has_collectives`] asks for, in words.
pub(crate) const COLLECTIVES: &str = "devices of cuda, the only backend with collective operations";

/// Whether devices like this one can sum a tensor over all of them, as distributed data-parallel
/// training needs. In Burn 0.22.1 it is CUDA alone, by NCCL: the other CubeCL runtimes panic.
pub(crate) fn has_collectives(device: &Device) -> bool {
    match device {
        #[cfg(feature = "cuda")]
        device if Device::enumerate(DeviceType::Cuda).contains(device) => true,
        _ => false,
    }
}

/// Whether tensors on `device` lie in this process's own memory.
pub fn is_cpu(device: &Device) -> bool {
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
    fn a_cpu_is_as_many_devices_as_asked_for_and_a_gpu_as_many_as_there_are() {
        for backend in Backend::compiled() {
            let device = backend.device().unwrap();
            assert_eq!(backend.devices(1).unwrap(), std::slice::from_ref(&device));
            if is_cpu(&device) {
                assert_eq!(backend.devices(3).unwrap(), vec![device; 3]);
            } else {
                assert!(matches!(
                    backend.devices(1000),
                    Err(BackendError::TooFewDevices { expected: 1000, .. })
                ));
            }
        }
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
