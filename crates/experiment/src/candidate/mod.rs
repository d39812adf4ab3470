//! What an experiment compares, and what its base sees of that.

mod check;
mod definition;
mod document;
mod setup;

pub use definition::Candidate;
pub use setup::{SettingError, Setup};
