//! The form in which a learning rate goes over into another.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// The form of the way from one learning rate to another, in [`OneCycleLr`](crate::OneCycleLr) and
/// [`SwaLr`](crate::SwaLr).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AnnealStrategy {
    /// Half a cosine: slow at both ends.
    #[default]
    Cos,
    /// A straight line.
    Linear,
}

impl AnnealStrategy {
    /// The value at the share `pct` of the way from `start` to `end`.
    pub(crate) fn between(self, start: f64, end: f64, pct: f64) -> f64 {
        // PyTorch's order of operations, down to the rounding error that `Linear` ends with: an exact
        // end can differ by more than 1e-12 from it.
        match self {
            Self::Cos if pct == 0.0 => start,
            Self::Cos => end + (start - end) / 2.0 * ((PI * pct).cos() + 1.0),
            Self::Linear => (end - start) * pct + start,
        }
    }
}
