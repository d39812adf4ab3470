//! Trains candidates under seeds.

mod check;
mod evaluation;
mod experiment;
mod pool;
mod prepare;
mod progress;
mod settings_file;
mod train;
mod weights;

pub(crate) use check::cores;
pub use experiment::Experiment;
