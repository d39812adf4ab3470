//! What a plateau is told of how to judge metrics.

use serde::{Deserialize, Serialize};

/// Whether a smaller or a larger metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Smaller is better, as for a loss.
    #[default]
    Min,
    /// Larger is better, as for an accuracy.
    Max,
}

/// How the threshold of an improvement is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ThresholdMode {
    /// Relative to the best value: `best -/+ threshold * |best|`.
    #[default]
    Rel,
    /// As a factor of the best value, `best * (1 -/+ threshold)`: PyTorch's and optax's `rel` as they
    /// compute it. It differs from [`Rel`](Self::Rel) where the best is negative; there a metric that is a
    /// little worse is taken for better.
    Factor,
    /// In the metric's own units: `best -/+ threshold`.
    Abs,
}

/// What a metric that is NaN counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NanPolicy {
    /// A bad epoch, as in PyTorch.
    #[default]
    Bad,
    /// An error; the observation is refused and changes nothing.
    Error,
}

/// Whose way of counting bad epochs and cooldowns is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Counting {
    /// PyTorch's: a cut on bad epoch `patience + 1`; the last epoch of a cooldown is not counted.
    #[default]
    Pytorch,
    /// Keras's: a cut on bad epoch `patience`; the last epoch of a cooldown is counted.
    Keras,
    /// optax's: a cut on bad epoch `patience`; every epoch of a cooldown is passed over.
    Optax,
}

/// What a [`GreedyLr`](crate::GreedyLr) has beside that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Greedy {
    /// Epochs that are passed over after a rise.
    pub warmup: u64,
    /// How many cuts at the lowest rate begin all anew.
    pub reset_start: u64,
}

/// The settings of the state machine, validated by
/// [`ReduceLrOnPlateau`](crate::ReduceLrOnPlateau).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// The place in the schedule tree, for errors.
    pub path: String,
    pub mode: Mode,
    pub factor: f64,
    pub patience: u64,
    pub threshold: f64,
    pub threshold_mode: ThresholdMode,
    pub cooldown: u64,
    pub min_lr: f64,
    /// Infinite without one.
    pub max_lr: f64,
    pub eps: f64,
    pub nan: NanPolicy,
    pub counting: Counting,
    /// Whether improvements raise the rate, and how.
    pub greedy: Option<Greedy>,
}

impl Settings {
    /// What any metric is better than.
    pub(super) fn worst(&self) -> f64 {
        match self.mode {
            Mode::Min => f64::INFINITY,
            Mode::Max => f64::NEG_INFINITY,
        }
    }
}
