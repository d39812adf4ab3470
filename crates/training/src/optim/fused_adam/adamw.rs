//! The same with decoupled weight decay.

use burn::optim::{AdamW, AdamWConfig, AdamWState, LearningRate, ModuleOptimizer, Optimizer};
use burn::tensor::{Device, Tensor};

use super::one_pass::{fits, one_pass};
use super::settings::Settings;

/// The optimizer of `config`, which updates in one pass where it can.
///
/// What [`fused_adam`](super::fused_adam()) is to Burn's Adam it is to Burn's [`AdamW`], with the same record;
/// with AMSGrad, cautious weight decay, gradient clipping or too small an epsilon it is Burn's own.
///
/// ```
/// use burn_lr_training::optim::{adamw, fused_adamw};
///
/// // In place of `adamw().init()`.
/// let optimizer = fused_adamw(&adamw());
/// ```
pub fn fused_adamw(config: &AdamWConfig) -> ModuleOptimizer {
    match FusedAdamW::new(config) {
        Some(fused) => fused.into(),
        None => config.init(),
    }
}

/// The rule for one parameter, which a parameter group can have too.
#[derive(Clone)]
pub(in crate::optim) struct FusedAdamW {
    settings: Settings,
    /// For what cannot be done in one pass.
    burns: AdamW,
}

impl FusedAdamW {
    /// `None` if `config` asks for more than plain AdamW, or cannot be read.
    pub(in crate::optim) fn new(config: &AdamWConfig) -> Option<Self> {
        Settings::of_adamw(config)
            .unwrap_or_else(super::unknown)
            .filter(super::has_addend)
            .map(|settings| Self {
                settings,
                burns: config.build(),
            })
    }
}

impl Optimizer for FusedAdamW {
    type State<const D: usize> = AdamWState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        if !fits(&tensor, &grad, state.as_ref().map(|state| &state.momentum)) {
            return self.burns.step(lr, tensor, grad, state);
        }
        let momentum = state.map(|state| state.momentum);
        let factors = |time| self.settings.factors(lr, time);
        let (updated, momentum) = one_pass(tensor, grad, momentum, factors);
        (updated, Some(AdamWState::new(momentum)))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        AdamW::to_device(state, device)
    }
}
