//! The same with decoupled weight decay.

use burn::optim::{AdamW, AdamWConfig, ModuleOptimizer};

use super::fused::Fused;
use super::settings::Settings;
use super::{has_addend, unknown};
use crate::optim::scheduled::{Settable, Values};

/// The optimizer of `config`, which updates in one pass where it can.
///
/// What [`fused_adam`](super::fused_adam()) is to Burn's Adam it is to Burn's [`AdamW`], with the same record, also
/// with cautious weight decay, with which moments that are subnormal stay what they are; with AMSGrad, gradient
/// clipping or too small an epsilon it is Burn's own.
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

pub(in crate::optim) type FusedAdamW = Fused<AdamW>;

impl FusedAdamW {
    /// `None` if `config` asks for more than one pass can do, or cannot be read.
    pub(in crate::optim) fn new(config: &AdamWConfig) -> Option<Self> {
        let fused = config.with_values(&Values::default());
        fused.settings.is_some().then_some(fused)
    }
}

impl Settable for AdamWConfig {
    type Optimizer = FusedAdamW;

    fn with_values(&self, values: &Values) -> FusedAdamW {
        let settings = Settings::of_adamw(self).unwrap_or_else(unknown);
        Fused {
            settings: settings.map(|of| of.with(values)).filter(has_addend),
            burns: self.adjusted(values).build(),
        }
    }
}
