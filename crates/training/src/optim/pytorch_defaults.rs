//! Burn's optimizers with PyTorch's constants.
//!
//! The formulas are the same; of the defaults, some differ, without a word to who expects PyTorch's.
//! Burn's Adam and AdamW also correct the bias of their moments in single precision;
//! [`fused_adam`](super::fused_adam()) and [`fused_adamw`](super::fused_adamw()), which `Training` uses on CPUs,
//! in double precision, as PyTorch.

use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdaGradConfig, AdamConfig, AdamWConfig, RmsPropConfig};

/// PyTorch's `Adam`: betas 0.9 and 0.999, epsilon 1e-8. Burn's own epsilon is 1e-5.
pub fn adam() -> AdamConfig {
    AdamConfig::new()
        .with_beta_1(0.9)
        .with_beta_2(0.999)
        .with_epsilon(1e-8)
}

/// PyTorch's `AdamW`: betas 0.9 and 0.999, epsilon 1e-8, weight decay 0.01. Burn's own epsilon is 1e-5,
/// its weight decay 1e-4.
pub fn adamw() -> AdamWConfig {
    AdamWConfig::new()
        .with_beta_1(0.9)
        .with_beta_2(0.999)
        .with_epsilon(1e-8)
        .with_weight_decay(0.01)
}

/// The momentum of PyTorch's `SGD`, without dampening. Burn dampens by 0.1.
///
/// ```
/// use burn::optim::SgdConfig;
/// use burn_lr_training::optim::momentum;
///
/// let sgd = SgdConfig::new().with_momentum(Some(momentum(0.9)));
/// ```
pub fn momentum(momentum: f64) -> MomentumConfig {
    MomentumConfig::new()
        .with_momentum(momentum)
        .with_dampening(0.0)
        .with_nesterov(false)
}

/// PyTorch's `RMSprop`: alpha 0.99, epsilon 1e-8, no momentum, not centered. Burn's own epsilon is 1e-5,
/// its momentum 0.9.
pub fn rms_prop() -> RmsPropConfig {
    RmsPropConfig::new()
        .with_alpha(0.99)
        .with_momentum(0.0)
        .with_epsilon(1e-8)
        .with_centered(false)
}

/// PyTorch's `Adagrad`: epsilon 1e-10, no decay of the rate. Burn's own epsilon is 1e-5.
pub fn ada_grad() -> AdaGradConfig {
    AdaGradConfig::new().with_lr_decay(0.0).with_epsilon(1e-10)
}
