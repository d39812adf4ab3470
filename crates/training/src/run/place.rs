//! Where a run computes.

use burn::tensor::Device;
use burn::tensor::distributed::{DistributedConfig, ReduceOperation};
use burn::train::{ExecutionStrategy, LearnerModel, MultiDeviceOptim, TrainingStrategy};

use crate::TrainingError;
use crate::device::{COLLECTIVES, has_collectives};

/// What data-parallel workers do with their gradients.
const AVERAGE: DistributedConfig = DistributedConfig {
    all_reduce_op: ReduceOperation::Mean,
};

/// The devices of a run, and how they share the work.
pub(super) struct Place {
    /// None for the model's own.
    pub devices: Vec<Device>,
    pub multi_device_optim: MultiDeviceOptim,
    pub data_parallel: bool,
    pub gradient_checkpointing: bool,
    /// A training strategy that cannot be used.
    pub refused: Option<&'static str>,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            devices: Vec::new(),
            multi_device_optim: MultiDeviceOptim::OptimMainDevice,
            data_parallel: false,
            gradient_checkpointing: false,
            refused: None,
        }
    }
}

impl Place {
    /// The devices, which are those of `model` unless others were set.
    pub fn devices<M: LearnerModel>(&self, model: &M) -> Vec<Device> {
        if self.devices.is_empty() {
            model.devices()
        } else {
            self.devices.clone()
        }
    }

    /// How many workers share the batches.
    pub fn workers(&self) -> usize {
        self.devices.len().max(1)
    }

    pub fn set<M: LearnerModel>(&mut self, strategy: TrainingStrategy<M>) {
        self.refused = None;
        self.data_parallel = false;
        match strategy {
            TrainingStrategy::Default(ExecutionStrategy::SingleDevice(device)) => {
                self.devices = vec![device];
            }
            TrainingStrategy::Default(ExecutionStrategy::MultiDevice(devices, optim)) => {
                self.devices = devices;
                self.multi_device_optim = optim;
            }
            TrainingStrategy::Default(ExecutionStrategy::DistributedDataParallel { .. }) => {
                self.refused = Some("ExecutionStrategy::DistributedDataParallel");
            }
            TrainingStrategy::Custom(_) => self.refused = Some("TrainingStrategy::Custom"),
        }
    }

    /// Burn's strategy for several devices.
    pub fn several(&self, devices: Vec<Device>) -> ExecutionStrategy {
        if self.data_parallel {
            ExecutionStrategy::ddp(devices, AVERAGE)
        } else {
            ExecutionStrategy::multi(devices, self.multi_device_optim)
        }
    }

    /// `batches` are those of the first and of the last device, where known.
    pub fn check(&self, batches: Option<(usize, usize)>) -> Result<(), TrainingError> {
        if let Some(found) = self.refused {
            return Err(TrainingError::Invalid {
                name: "training strategy",
                expected: "SingleDevice, MultiDevice, or a call of Training::data_parallel",
                found: found.to_owned(),
            });
        }
        if !self.data_parallel {
            return Ok(());
        }
        if let Some(device) = self.devices.iter().find(|device| !has_collectives(device)) {
            return Err(TrainingError::Invalid {
                name: "data-parallel training",
                expected: COLLECTIVES,
                found: format!("{device:?}"),
            });
        }
        let twice = |(n, device): &(usize, &Device)| self.devices[..*n].contains(device);
        if let Some((_, device)) = self.devices.iter().enumerate().find(twice) {
            return Err(TrainingError::Invalid {
                name: "data-parallel training",
                expected: "different devices",
                found: format!("{device:?} more than once"),
            });
        }
        let expected = "as many batches for every device";
        let found = match batches {
            Some((first, last)) if first == last => return Ok(()),
            Some((first, last)) => format!("{first}, and {last} for the last one"),
            None => "a loader that does not tell how many it has".to_owned(),
        };
        Err(TrainingError::Invalid {
            name: "training samples",
            expected,
            found,
        })
    }
}
