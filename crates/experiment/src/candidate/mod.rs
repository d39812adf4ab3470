//! What an experiment compares, and what its base sees of that.

mod branch;
mod check;
mod definition;
mod document;
mod setup;
mod trunk;

pub use definition::Candidate;
pub use setup::{SettingError, Setup};
pub use trunk::{BranchPoint, Trunk};
