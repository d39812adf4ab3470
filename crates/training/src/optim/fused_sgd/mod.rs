//! Stochastic gradient descent in one pass over memory.

mod settings;
mod update;

use burn::optim::{
    LearningRate, ModuleOptimizer, Optimizer, RecordState, SgdConfig, StateSink, StateSource,
};
use burn::tensor::{Device, Tensor, TensorData};
use pulp::Arch;

use super::fused_adam::{Weights, fits};
use super::scheduled::{Settable, Values};
use settings::Settings;
use update::Update;

/// The optimizer of `config`, which updates in one pass where it can.
///
/// Burn's [`Sgd`](burn::optim::Sgd), in single precision to the bit, with its records: momentum, dampening, Nesterov's momentum and weight
/// decay included. On CPU backends and for parameters of `f32` it does not take a pass over memory for each operation
/// but one for all, and one more for the weight decay; velocities that are subnormal become 0 there, which no weight shows that is
/// farther from 0 than 1e-30. Elsewhere it takes Burn's operations, and with gradient clipping it is Burn's own.
///
/// ```
/// use burn::optim::SgdConfig;
/// use burn_lr_training::optim::{fused_sgd, momentum};
///
/// // In place of `.init()`.
/// let optimizer = fused_sgd(&SgdConfig::new().with_momentum(Some(momentum(0.9))));
/// ```
pub fn fused_sgd(config: &SgdConfig) -> ModuleOptimizer {
    match FusedSgd::new(config) {
        Some(fused) => fused.into(),
        None => config.init(),
    }
}

/// The rule for one parameter, which a parameter group can have too.
#[derive(Clone)]
pub(super) struct FusedSgd(Settings);

/// What Burn's `SgdState` is, whose parts are private.
#[derive(Clone)]
pub(super) struct SgdState<const D: usize> {
    velocity: Option<Tensor<D>>,
}

/// The name that Burn's state gives it.
const VELOCITY: &str = "momentum.velocity";

impl<const D: usize> RecordState for SgdState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        if let Some(velocity) = &self.velocity {
            out.push_tensor(prefix, VELOCITY, velocity.clone().into_data());
        }
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        let velocity = src.take_tensor(prefix, VELOCITY);
        Some(Self {
            velocity: velocity.map(|data| Tensor::from_data(data, device)),
        })
    }
}

impl FusedSgd {
    /// `None` if `config` has Burn's clipping, which is not the rule's, or cannot be read.
    pub(super) fn new(config: &SgdConfig) -> Option<Self> {
        match Settings::of(config) {
            Ok(settings) => settings.map(Self),
            Err(error) => {
                log::warn!("SGD's settings are unknown, so updates are Burn's own: {error}");
                None
            }
        }
    }
}

impl Settable for SgdConfig {
    type Optimizer = FusedSgd;

    fn with_values(&self, values: &Values) -> FusedSgd {
        let settings = Settings::of_rule(self).unwrap_or_default();
        FusedSgd(settings.with(values))
    }
}

impl Optimizer for FusedSgd {
    type State<const D: usize> = SgdState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let velocity = state.and_then(|state| state.velocity);
        let (updated, velocity) = if fits(&tensor, [Some(&grad), velocity.as_ref()]) {
            self.one_pass(lr, tensor, grad, velocity)
        } else {
            self.by_operations(lr, tensor, grad, velocity)
        };
        (updated, Some(SgdState { velocity }))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        let velocity = state.velocity;
        SgdState {
            velocity: velocity.map(|velocity| velocity.to_device(device)),
        }
    }
}

impl FusedSgd {
    /// As Burn's: any device and type.
    fn by_operations<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        mut grad: Tensor<D>,
        velocity: Option<Tensor<D>>,
    ) -> (Tensor<D>, Option<Tensor<D>>) {
        if let Some(penalty) = self.0.weight_decay {
            grad = tensor.clone().mul_scalar(penalty).add(grad);
        }
        let Some(momentum) = self.0.momentum else {
            return (tensor - grad.mul_scalar(lr), None);
        };
        let factor = momentum.momentum;
        let velocity = match velocity {
            Some(before) => {
                let gradient = grad.clone().mul_scalar(1.0 - momentum.dampening);
                gradient.add(before.mul_scalar(factor))
            }
            None => grad.clone(),
        };
        let step = if momentum.nesterov {
            velocity.clone().mul_scalar(factor).add(grad)
        } else {
            velocity.clone()
        };
        (tensor - step.mul_scalar(lr), Some(velocity))
    }

    /// The same where [`fits`] says that it can be had.
    fn one_pass<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        velocity: Option<Tensor<D>>,
    ) -> (Tensor<D>, Option<Tensor<D>>) {
        let device = tensor.device();
        let is_first = velocity.is_none();
        let velocity = self.0.momentum.is_some().then(|| {
            let zeros = || Tensor::zeros(grad.dims(), &device);
            velocity.unwrap_or_else(zeros)
        });
        // No copies: nobody else holds these, or only a view of them.
        let mut velocity = velocity.map(Tensor::into_data);
        let mut grad = grad.into_data();
        let weights = Weights::of(tensor);
        let of_velocity = velocity.as_mut().map(TensorData::as_mut_slice::<f32>);
        let updated = match (
            weights.as_slice(),
            grad.as_mut_slice(),
            of_velocity.transpose(),
        ) {
            (Some(weights), Ok(new), Ok(velocity)) => {
                Arch::new().dispatch(Update {
                    factors: self.0.factors(lr, is_first),
                    weights,
                    grad: new,
                    velocity,
                });
                grad
            }
            // Not `f32`, which has been ruled out.
            _ => weights.into_data(),
        };
        let tensor = |data: TensorData| Tensor::from_data(data, &device);
        (tensor(updated), velocity.map(tensor))
    }
}

#[cfg(test)]
mod tests;
