//! The way from one learning rate to another.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// The shape of the way from one learning rate to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Interpolation {
    /// A straight line.
    #[default]
    Linear,
    /// Half a cosine wave, flat at both ends.
    Cosine,
}

impl Interpolation {
    /// The rate at `progress`, 0 to 1, of the way from `start` to `end`; both ends to the bit.
    pub(crate) fn between(self, start: f64, end: f64, progress: f64) -> f64 {
        match self {
            Self::Linear => mix(start, end, 1.0 - progress),
            Self::Cosine => mix(start, end, cosine(progress)),
        }
    }
}

/// What is left of the start of a cosine decay at `progress`: 1 at 0, 0 at 1.
pub(crate) fn cosine(progress: f64) -> f64 {
    0.5 * (1.0 + (PI * progress).cos())
}

/// `share` of `start` and the rest of `end`: to the bit one of them at a share of 1 or 0, and never
/// beyond the range of `f64` as `start - end` could be.
pub(crate) fn mix(start: f64, end: f64, share: f64) -> f64 {
    start * share + end * (1.0 - share)
}
