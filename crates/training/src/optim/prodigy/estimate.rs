//! The step size that is estimated.

use burn::optim::{LearningRate, StateSink, StateSource};
use burn_pack::Scalar;

use super::config::ProdigyConfig;

/// What is known of it after so many updates, of all parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::optim) struct Estimate {
    pub updates: u64,
    pub d: f64,
    d_max: f64,
    numerator: f64,
}

impl Estimate {
    /// That before the first update.
    pub(super) fn first(config: &ProdigyConfig) -> Self {
        Self {
            updates: 0,
            d: config.d0,
            d_max: config.d0,
            numerator: 0.0,
        }
    }

    /// What the next update is made with, times `d / d0` in its sums.
    pub(super) fn dlr(&self, config: &ProdigyConfig, lr: LearningRate) -> f64 {
        let correction = if config.use_bias_correction {
            let number = i32::try_from(self.updates.saturating_add(1)).unwrap_or(i32::MAX);
            (1.0 - config.beta_2.powi(number)).sqrt() / (1.0 - config.beta_1.powi(number))
        } else {
            1.0
        };
        self.d * lr * correction
    }

    /// That after the next update, whose sums over all parameters these are.
    pub(super) fn next(&self, config: &ProdigyConfig, added: f64, denominator: f64) -> Self {
        let numerator = self.numerator * config.beta_3() + added;
        let found = config.d_coef * numerator / denominator;
        let d = if self.d == config.d0 {
            self.d.max(found)
        } else {
            self.d
        };
        let d_max = self.d_max.max(found);
        Self {
            updates: self.updates.saturating_add(1),
            d: d_max.min(d * config.growth_rate.unwrap_or(f64::INFINITY)),
            d_max,
            numerator,
        }
    }

    pub(super) fn flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_scalar(prefix, "updates", Scalar::from(self.updates));
        out.push_scalar(prefix, "d", Scalar::from(self.d));
        out.push_scalar(prefix, "d_max", Scalar::from(self.d_max));
        out.push_scalar(prefix, "d_numerator", Scalar::from(self.numerator));
    }

    pub(super) fn unflatten(prefix: &str, from: &mut StateSource) -> Option<Self> {
        let mut scalar = |leaf| from.take_scalar(prefix, leaf);
        Some(Self {
            updates: scalar("updates")?.try_into().ok()?,
            d: scalar("d")?.try_into().ok()?,
            d_max: scalar("d_max")?.try_into().ok()?,
            numerator: scalar("d_numerator")?.try_into().ok()?,
        })
    }
}
