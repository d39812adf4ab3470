//! Prodigy: Adam with a step size that it estimates itself.
//!
//! The estimate `d` is of all parameters together, so that an update takes two passes over the model, of
//! which the first measures, parameter by parameter, and the second applies; where a run goes on from a record,
//! one before them recalls the estimate, which the state of every parameter holds.

mod config;
mod estimate;
mod rule;
mod shared;

pub use config::ProdigyConfig;
pub(super) use rule::Prodigy;
pub(super) use shared::{Phase, Shared};
