//! The training engine as a user of the facade meets it.

mod batch_means;
mod branches;
mod can_resume;
mod changed;
mod clipping;
mod custom_optimizer;
mod custom_schedule;
mod exact;
mod files;
mod float_types;
mod group_plateaus;
mod groups;
mod hooks;
mod metrics;
pub mod net;
pub mod noisy;
mod non_finite;
mod observer;
mod optimizers;
mod periods;
mod plain;
mod refused;
mod resumed;
mod streams;
pub mod tree;
mod updates;
