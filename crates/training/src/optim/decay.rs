//! Optimizers without their weight decay.

use super::config::OptimizerConfig;

impl OptimizerConfig {
    /// The same optimizer without weight decay; `None` for a custom one, whose author alone knows its.
    pub fn without_weight_decay(&self) -> Option<Self> {
        Some(match self.clone() {
            Self::Adam(config) => config.with_weight_decay(None).into(),
            Self::AdamW(config) => config.with_weight_decay(0.0).into(),
            Self::Adan(config) => config.with_weight_decay(0.0).into(),
            Self::AdaGrad(config) => config.with_weight_decay(None).into(),
            Self::Adafactor(config) => config.with_weight_decay(0.0).into(),
            Self::RmsProp(config) => config.with_weight_decay(None).into(),
            Self::Sgd(config) => config.with_weight_decay(None).into(),
            Self::Lamb(config) => config.with_weight_decay(0.0).into(),
            Self::Lion(config) => config.with_weight_decay(0.0).into(),
            Self::Muon(config) => config.with_weight_decay(None).into(),
            Self::Lbfgs(config) => config.into(),
            Self::ScheduleFreeSgd(config) => config.with_weight_decay(0.0).into(),
            Self::ScheduleFreeAdamW(config) => config.with_weight_decay(0.0).into(),
            Self::Prodigy(config) => config.with_weight_decay(0.0).into(),
            Self::Custom(_) => return None,
        })
    }
}
