//! Adam in one pass over memory.
//!
//! Burn's Adam is a dozen tensor operations, each of which reads and writes whole tensors. On a CPU
//! that is what an update of a small network takes most of its time for.

mod settings;
mod update;
mod weights;

use burn::optim::{
    Adam, AdamConfig, AdamState, AdaptiveMomentumState, LearningRate, ModuleOptimizer, Optimizer,
};
use burn::tensor::{DType, Device, Tensor, TensorData};
use pulp::Arch;

use crate::device::is_cpu;
use settings::Settings;
use update::Update;
pub(crate) use weights::Weights;

/// The least that is added to the root of the second moment. With less, it would show that a subnormal
/// one, whose root is up to 1.1e-19, became 0: that is half of what an `f32` of 3.6e-12 can tell.
const SMALLEST_ADDEND: f32 = 4e-12;

/// The optimizer of `config`, which updates in one pass where it can.
///
/// On CPU backends and for parameters of `f32` it does the arithmetic of Burn's [`Adam`], operation
/// by operation, and leaves the same state in the same record; only moments that are subnormal
/// become 0. No weight shows that but one that is itself almost 0: in an update it changes a weight by
/// less than the learning rate times 1.2e-37 over epsilon, so that with an epsilon of 1e-8 and a rate of
/// at most 1 the weight would have to be nearer to 0 than 1e-21. On other devices, with AMSGrad, weight
/// decay or gradient clipping, and with an epsilon below 4e-12 over the root of `1 - beta_2`, which is
/// 1.3e-10 for the usual 0.999, it is Burn's own.
///
/// ```
/// use burn_lr_training::optim::{adam, fused_adam};
///
/// // In place of `adam().init()`.
/// let optimizer = fused_adam(&adam());
/// ```
pub fn fused_adam(config: &AdamConfig) -> ModuleOptimizer {
    match FusedAdam::new(config) {
        Some(fused) => fused.into(),
        None => config.init(),
    }
}

/// The rule for one parameter, which a parameter group can have too.
#[derive(Clone)]
pub(super) struct FusedAdam {
    settings: Settings,
    /// For what cannot be done in one pass.
    burns: Adam,
}

impl FusedAdam {
    /// `None` if `config` asks for more than plain Adam, or cannot be read.
    pub(super) fn new(config: &AdamConfig) -> Option<Self> {
        let settings = match Settings::plain(config) {
            Ok(settings) => settings?,
            Err(error) => {
                log::warn!("Adam's settings are unknown, so updates are Burn's own: {error}");
                return None;
            }
        };
        // It is least in the first update.
        let addend = settings.epsilon * (1.0 - settings.beta_2).sqrt();
        (addend >= SMALLEST_ADDEND).then(|| Self {
            settings,
            burns: config.build(),
        })
    }
}

impl Optimizer for FusedAdam {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let device = tensor.device();
        let fits = |other: &Tensor<D>| other.dtype() == DType::F32 && other.dims() == tensor.dims();
        let moments_fit = state
            .as_ref()
            .is_none_or(|state| fits(&state.momentum.moment_1) && fits(&state.momentum.moment_2));
        if !is_cpu(&device) || !fits(&tensor) || !fits(&grad) || !moments_fit {
            return self.burns.step(lr, tensor, grad, state);
        }
        let (time, moments) = match state.map(|state| state.momentum) {
            Some(state) => (state.time + 1, [state.moment_1, state.moment_2]),
            None => (1, [(); 2].map(|()| Tensor::zeros(grad.dims(), &device))),
        };
        // No copies: nobody else holds these, or only a view of them.
        let [mut moment_1, mut moment_2] = moments.map(Tensor::into_data);
        let mut grad = grad.into_data();
        let weights = Weights::of(tensor);
        let factors = self.settings.factors(lr, time);
        let slices = (
            weights.as_slice(),
            grad.as_mut_slice(),
            moment_1.as_mut_slice(),
            moment_2.as_mut_slice(),
        );
        let updated = match slices {
            (Some(weights), Ok(new), Ok(moment_1), Ok(moment_2)) => {
                Arch::new().dispatch(Update {
                    factors,
                    weights,
                    grad: new,
                    moment_1,
                    moment_2,
                });
                grad
            }
            // Not `f32`, which has been ruled out.
            _ => weights.into_data(),
        };
        let tensor = |data: TensorData| Tensor::from_data(data, &device);
        let state = AdaptiveMomentumState::new(time, tensor(moment_1), tensor(moment_2));
        (tensor(updated), Some(AdamState::new(state)))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        Adam::to_device(state, device)
    }
}

#[cfg(test)]
mod tests;
