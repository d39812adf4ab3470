//! Which optimizer, with what settings, for which parameters, and gradients clipped before it.
//!
//! [`OptimizerConfig`] is any of Burn's optimizers, or one of the caller's, as data: it can be checked
//! before the first update, and what a run was configured with can be compared field by field. A
//! [`Group`] gives a part of the parameters an optimizer or a learning rate of its own;
//! [`ResolvedGroups`] is what groups mean for one model, in lists of parameter paths.
//! [`ScheduleFreeAdamWConfig`], [`ScheduleFreeSgdConfig`] and [`ProdigyConfig`] need no schedule;
//! [`LoopOptimizer`] is any optimizer, these included, for a loop of one's own.
//! [`GradientClip`] clips as PyTorch does, over all parameters, where Burn clips each tensor by itself.
//!
//! ```
//! use burn::nn::{Linear, LinearConfig};
//! use burn::optim::AdamWConfig;
//! use burn_lr_training::optim::{OptimizerConfig, ResolvedGroups, without_decay};
//!
//! let model: Linear = LinearConfig::new(8, 2).init(&burn::tensor::Device::flex().autodiff());
//! let optimizer = OptimizerConfig::from(AdamWConfig::new().with_weight_decay(0.05));
//! let groups = ResolvedGroups::resolve(&optimizer, &[without_decay()], &model)?;
//! assert_eq!(groups.iter().next().map(|group| group.paths()), Some(&["bias".to_owned()][..]));
//! let module_optimizer = optimizer.build(&groups)?;
//! # Ok::<(), burn_lr_training::optim::OptimError>(())
//! ```

mod as_written;
mod build;
mod clip;
mod config;
mod custom;
mod decay;
mod error;
mod fused_adam;
mod fused_sgd;
mod group;
mod hyperparameter;
mod layer_decay;
mod loop_optimizer;
mod param;
mod passes;
mod prodigy;
mod pytorch_defaults;
mod ranged;
mod ranges;
mod resolve;
mod resolved;
mod schedule_free;
mod scheduled;
mod select;
mod state;
mod sum;
#[cfg(test)]
mod test_model;
#[cfg(test)]
mod test_numbers;
#[cfg(test)]
mod tests;

pub(crate) use clip::divide;
pub use clip::{GradientClip, GradientNorm, NonFinite};
pub use config::OptimizerConfig;
pub use custom::CustomOptimizer;
pub use error::OptimError;
pub(crate) use fused_adam::Weights;
pub use fused_adam::{fused_adam, fused_adamw};
pub use fused_sgd::fused_sgd;
pub use group::{Group, without_decay};
pub use hyperparameter::Hyperparameter;
pub use layer_decay::layer_decay;
pub use loop_optimizer::LoopOptimizer;
pub use param::{ParamInfo, parameters};
pub(crate) use passes::Passes;
pub use prodigy::ProdigyConfig;
pub use pytorch_defaults::{ada_grad, adam, adamw, momentum, rms_prop};
pub use resolved::{ResolvedGroup, ResolvedGroups};
pub use schedule_free::{ScheduleFreeAdamWConfig, ScheduleFreeSgdConfig};
#[cfg(test)]
pub(crate) use scheduled::Dial;
pub use scheduled::Driver;
pub(crate) use scheduled::Knob;
pub use select::Select;
pub(crate) use state::{restored, unrestorable};
