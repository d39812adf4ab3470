//! Schedule-free optimizers: an average of the iterates in place of a decay of the learning rate.
//!
//! There are three sequences of weights. The gradient is computed at `y`, which are the weights of the
//! model in training; `z` are those of the optimizer without momentum; and `x`, the average of the `z`,
//! are those to be evaluated:
//!
//! ```text
//! z' = z - lr g(y)
//! x' = x + c (z' - x)
//! y' = (1 - beta) z' + beta x'
//! ```
//!
//! with `c = w / (sum of all w)`, `w = k^r max(lr)^weight_lr_power` in update `k`, from 1 on, whose rate is
//! the highest so far at most. State and record hold `z`; `x` follows from `y` and `z`.
//!
//! # Which weights are which
//! The reference has `optimizer.train()` and `optimizer.eval()`, which overwrite the model's weights, and
//! what they are at a time is easily mistaken. Here the model that is trained always has `y`, and `x` is
//! another model: a run has [`Training`](crate::Training) validate, observe, keep and give that, and in a loop
//! of one's own it is what [`LoopOptimizer::evaluated`](super::LoopOptimizer::evaluated) returns.
//!
//! # Differences from the reference
//! `k`, the sum of weights and the highest rate are of each parameter, not of a group: a parameter without a
//! gradient keeps its `y`, `z` and `x`, as there, but the update does not count for it, so that its average
//! and the bias correction of its second moment go on where they were. Where all parameters have gradients
//! in all updates there is no difference. Of the reference's classes, `RAdamScheduleFree` and
//! `ScheduleFreeWrapper` are left out: the one needs no warmup, which `warmup_steps` gives, the other is called highly
//! experimental by its authors.

mod adamw;
mod evaluation;
mod one_pass;
mod sgd;
mod weighting;

pub(super) use adamw::ScheduleFreeAdamW;
pub use adamw::ScheduleFreeAdamWConfig;
pub(super) use evaluation::Evaluation;
pub(super) use sgd::ScheduleFreeSgd;
pub use sgd::ScheduleFreeSgdConfig;
