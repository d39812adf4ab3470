//! Averages of a model's weights along its training, which often are a better model than the last one.
//!
//! | rule | average | source |
//! |---|---|---|
//! | [`Ema`] | `avg += (1 - decay) (weights - avg)`, the newest weights counting most | Polyak and Juditsky 1992; timm's `ModelEmaV3` |
//! | [`Rule::Equal`] | `avg += (weights - avg) / (n + 1)`, all weights from a point on counting the same: SWA | [arXiv 1803.05407](https://arxiv.org/abs/1803.05407); PyTorch's `AveragedModel` |
//! | [`Decay`] | a weighted mean of the last checkpoints, in place of a decay of the learning rate: WSM | [arXiv 2507.17634](https://arxiv.org/abs/2507.17634) |
//!
//! [`Average`] is what [`Training::average`](crate::Training::average) takes: a rule, and when it is
//! applied. [`ModelAverage`] is the average itself, for loops of one's own, and [`merged`] the weighted
//! mean of any models.
//!
//! The average is kept beside the model, not in a module around both. A wrapper that overrides
//! `TrainStep::optimize` would need no place in the loop and none in checkpoints, but it renames every
//! weight: groups by path, the optimizer's state and `best.bpk`, which users load into their plain model,
//! would all have to know of it, and half of what the optimizer visits would be frozen copies.

mod decay;
mod ema;
mod error;
mod fold;
mod merged;
mod model_average;
mod plan;
mod rule;
mod slots;
mod statistics;
mod succession;
#[cfg(test)]
mod tests;

pub use decay::Decay;
pub use ema::{Ema, EmaWarmup};
pub use error::AverageError;
pub use merged::merged;
pub(crate) use merged::merged_with;
pub use model_average::ModelAverage;
pub(crate) use plan::Length;
pub use plan::{Average, Every, Kind, Start, Validate};
pub use rule::Rule;
pub use statistics::{Statistics, recomputed_statistics};
pub(crate) use succession::RunSoFar;
