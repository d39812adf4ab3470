//! Trains candidates under seeds.

mod check;
mod evaluation;
mod experiment;
mod notices;
mod pool;
mod prepare;
mod progress;
mod pruner;
mod settings_file;
mod train;
mod trial_file;

pub(crate) use check::{Checked, check_candidates, cores};
pub use experiment::Experiment;
pub(crate) use pruner::Pruner;
