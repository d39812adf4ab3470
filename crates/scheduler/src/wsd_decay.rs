//! The shape of the decay that ends a long run.

use serde::{Deserialize, Serialize};

use crate::interpolation::{cosine, mix};
use crate::{Build, ScheduleError};

/// How a [`WarmupStableDecay`](crate::WarmupStableDecay) and a [`WsdS`](crate::WsdS) decay; `p` is the share of
/// the decay that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WsdDecay {
    /// Along a line: what is left is `1 - p`.
    Linear,
    /// Along half a cosine wave: what is left is `(1 + cos(pi * p)) / 2`.
    #[default]
    Cosine,
    /// Fast at first: what is left is `1 - sqrt(p)`.
    #[serde(rename = "1-sqrt")]
    OneMinusSqrt,
    /// Slow at first: what is left is `1 - p^2`.
    #[serde(rename = "1-square")]
    OneMinusSquare,
    /// What is left is `1 - p^decay_power`.
    #[serde(rename = "1-power")]
    OneMinusPower,
    /// By the same factor every step, moved down to end at 0: with `r = decay_ratio` what is left is
    /// `(r^p - r) / (1 - r)`. timm's ratio is 0.1; Megatron-LM's `2 * 0.5^p - 1` is this with 0.5.
    Exponential,
    /// In inverse proportion: `1 / lr` is on a line, so `lr = 1 / (p / end_lr + (1 - p) / start)` from the rate
    /// `start`. `end_lr` must be above 0.
    Inverse,
}

impl WsdDecay {
    /// Checks the rate that a decay of this kind leads to.
    pub(crate) fn check_end(self, build: &Build<'_>, end_lr: f64) -> Result<f64, ScheduleError> {
        if self == Self::Inverse {
            build.positive("end_lr", end_lr)
        } else {
            Ok(end_lr)
        }
    }

    /// The rate at the share `over` of the decay from `start` to `end`.
    pub(crate) fn between(self, start: f64, end: f64, over: f64, power: f64, ratio: f64) -> f64 {
        let left = match self {
            Self::Linear => 1.0 - over,
            Self::Cosine => cosine(over),
            Self::OneMinusSqrt => 1.0 - over.sqrt(),
            Self::OneMinusSquare => 1.0 - over * over,
            Self::OneMinusPower => 1.0 - over.powf(power),
            Self::Exponential => (ratio.powf(over) - ratio) / (1.0 - ratio),
            Self::Inverse => return 1.0 / (over / end + (1.0 - over) / start),
        };
        mix(start, end, left)
    }
}
