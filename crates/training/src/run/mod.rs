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
mod builder;
mod changes;
mod check;
mod directory;
mod display;
mod epoch_end;
mod exactness;
mod find;
mod fit;
mod gate;
mod gradients;
mod hooks;
mod known;
mod last_model;
mod lock;
mod merged;
mod place;
mod plan;
mod recompute;
mod registration;
mod resume;
mod second_pass;
mod spec;
mod start;
mod stop;
mod training;
mod update_loop;

pub use directory::RunDirectory;
pub use display::Display;
pub use lock::Lock;
pub use training::{Trained, Training};
