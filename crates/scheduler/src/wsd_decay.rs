//! The shape of the decay that ends a long run.

use serde::{Deserialize, Serialize};

use crate::interpolation::cosine;

/// How a [`WarmupStableDecay`](crate::WarmupStableDecay) decays; `p` is the share of the decay that is
/// over.
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
}

impl WsdDecay {
    /// What is left at the share `over` of the decay.
    pub(crate) fn left(self, over: f64, power: f64, ratio: f64) -> f64 {
        match self {
            Self::Linear => 1.0 - over,
            Self::Cosine => cosine(over),
            Self::OneMinusSqrt => 1.0 - over.sqrt(),
            Self::OneMinusSquare => 1.0 - over * over,
            Self::OneMinusPower => 1.0 - over.powf(power),
            Self::Exponential => (ratio.powf(over) - ratio) / (1.0 - ratio),
        }
    }
}
