//! The way from the Learner's metrics back to its schedulers.

mod observation;
mod observed;
mod observer;
mod scheduler;

pub use observer::PlateauObserver;
pub use scheduler::{Feedback, FeedbackScheduler, LrState};
