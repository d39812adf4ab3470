//! A training run: what it is configured with, how it goes, stops and is resumed.
//!
//! ```text
//! Training (builder) --check--> Spec (must not change) + Free (may) --fit--> Learner, update by update
//!                                                                              |
//!                        RunDirectory <--history, checkpoints, models-- EpochEnd
//! ```

mod average;
mod average_end;
mod averages;
mod batch_growth;
mod branch;
mod branching;
mod builder;
mod by_time;
mod changes;
mod check;
mod course;
mod directory;
mod display;
mod ending;
mod epoch_end;
mod exactness;
mod extent;
mod find;
mod fit;
mod gate;
mod going_on;
mod gradients;
mod hooks;
mod inherited;
mod known;
mod last_model;
mod launch;
mod length;
mod lock;
mod merged;
mod no_schedule;
mod origin;
mod period;
mod place;
mod plan;
mod recompute;
mod registration;
mod resume;
mod running_epoch;
mod saved;
mod schedulers;
mod second_pass;
mod shown;
mod spec;
mod start;
mod stop;
mod stream;
mod summary;
mod tracking;
mod tracks;
mod training;
mod update_loop;
mod updates;
mod verify;
mod within;

pub use batch_growth::{BatchGrowth, Counted};
pub use branch::Branch;
pub use directory::RunDirectory;
pub use display::Display;
pub use extent::Period;
pub use launch::Launch;
pub use lock::Lock;
pub use training::{Trained, Training};
pub use verify::Verification;
