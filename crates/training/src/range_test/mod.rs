//! The learning-rate range test: which learning rate to begin with.

mod batches;
mod error;
mod lr_finder;
mod sweep;
mod updates;

pub use error::LrFinderError;
pub use lr_finder::LrFinder;
pub use sweep::{LrPoint, LrSweep, SweepEnd};
