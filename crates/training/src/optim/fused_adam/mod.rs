//! Adam in one pass over memory.
//!
//! Burn's Adam is a dozen tensor operations, each of which reads and writes whole tensors. On a CPU
//! that is what an update of a small network takes most of its time for.

pub(super) mod adamw;
mod by_operations;
mod fused;
mod one_pass;
mod settings;
mod update;
mod weights;

use burn::optim::{Adam, AdamConfig, ModuleOptimizer};

pub use adamw::fused_adamw;
use fused::Fused;
pub(super) use one_pass::fits;
use settings::Settings;
pub(super) use update::normal;
pub(crate) use weights::Weights;

use super::scheduled::{Settable, Values};

/// The least that is added to the root of the second moment. With less, it would show that a subnormal
/// one, whose root is up to 1.1e-19, became 0: that is half of what an `f32` of 3.6e-12 can tell.
const SMALLEST_ADDEND: f64 = 4e-12;

/// The optimizer of `config`, which updates in one pass where it can.
///
/// It is Burn's [`Adam`], with the same state in the same record, but for two things. The factors that correct the bias
/// of the moments are computed in double precision, as PyTorch's are, on every device and for parameters of `f32` and
/// `f64`: Burn's, in single precision, make updates shorter by up to 7e-6, and most of the first thousand by more than
/// 1e-6. And on CPU backends, where parameters of `f32` are updated in one pass, moments that are subnormal become 0. No
/// weight shows that but one that is itself almost 0: in an update it changes a weight by less than the learning rate
/// times 1.2e-37 over epsilon, so that with an epsilon of 1e-8 and a rate of at most 1 the weight would have to be
/// nearer to 0 than 1e-21. For parameters of 16 bits, with AMSGrad, weight decay or gradient clipping, and with an epsilon
/// below 4e-12 over the root of `1 - beta_2`, which is 1.3e-10 for the usual 0.999, it is Burn's own.
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

pub(super) type FusedAdam = Fused<Adam>;

impl FusedAdam {
    /// `None` if `config` asks for more than plain Adam, or cannot be read.
    pub(super) fn new(config: &AdamConfig) -> Option<Self> {
        let fused = config.with_values(&Values::default());
        fused.settings.is_some().then_some(fused)
    }
}

impl Settable for AdamConfig {
    type Optimizer = FusedAdam;

    fn with_values(&self, values: &Values) -> FusedAdam {
        let settings = Settings::of_adam(self).unwrap_or_else(unknown);
        Fused {
            settings: settings.map(|of| of.with(values)).filter(has_addend),
            burns: self.adjusted(values).build(),
        }
    }
}

fn unknown(error: serde_json::Error) -> Option<Settings> {
    log::warn!("Adam's settings are unknown, so updates are Burn's own: {error}");
    None
}

/// Whether enough is added to the root of the second moment. It is least in the first update.
fn has_addend(settings: &Settings) -> bool {
    settings.epsilon * (1.0 - settings.beta_2).sqrt() >= SMALLEST_ADDEND
}

#[cfg(test)]
mod tests;
