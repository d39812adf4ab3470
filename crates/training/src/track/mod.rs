//! What follows a run while it goes: TensorBoard, a web page, somebody's server.
//!
//! A [`Tracker`] is told where a run begins, every so many updates what they led to, every epoch, and
//! the end. It changes no bit of the run, and one that fails costs the run nothing.

mod record;
mod tracker;

pub use record::{RunStart, UpdateRecord};
pub use tracker::{Tracker, TrackerError};
