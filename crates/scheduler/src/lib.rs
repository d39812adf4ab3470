//! Learning-rate schedules for the [Burn](https://burn.dev) deep-learning framework.
//!
//! A **schedule** ([`StepLr`], [`Sequence`], ...) is data: hyperparameters that can be written in
//! code or read from a document. A [`Curve`] is a validated schedule: a pure function from step to
//! learning rate. A [`Scheduler`] is the counter around a curve; it implements Burn's
//! [`LrScheduler`](burn_optim::lr_scheduler::LrScheduler) and goes straight into Burn's Learner or
//! a hand-written loop.
//!
//! ```text
//! StepLr, Sequence, ... --build for a Run--> Curve: step -> lr --count--> Scheduler: LrScheduler
//!                                              ^                              |
//!                                              +------- observe(metric) <-----+
//! ```
//!
//! The [gallery] shows what each schedule looks like.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod anneal_strategy;
mod build;
mod clocked;
mod closure;
mod curve;
mod custom;
mod cycles;
mod document;
mod error;
mod held;
mod hyperparameters;
mod interpolation;
mod laps;
mod length;
mod older;
mod plateau;
mod power;
mod record;
mod run;
mod running_product;
mod schedule;
mod scheduler;
mod schedules;
mod stretches;
mod warmup_kind;
mod wsd_decay;

pub use anneal_strategy::AnnealStrategy;
pub use build::{Build, MAX_DEPTH};
pub use clocked::Clocked;
pub use closure::Closure;
pub use curve::Curve;
pub use custom::{CustomConfig, CustomSchedule};
pub use cycles::Peaks;
pub use error::ScheduleError;
pub use interpolation::Interpolation;
pub use length::{Length, ParseLengthError};
pub use older::complete_as_it_ran;
pub use plateau::{Counting, Mode, NanPolicy, PlateauState, ThresholdMode, Verdict};
pub use run::{Clock, Run};
pub use schedule::Schedule;
pub use scheduler::Scheduler;
pub use schedules::*;
pub use warmup_kind::WarmupKind;
pub use wsd_decay::WsdDecay;

/// Pictures of all schedules.
#[cfg(doc)]
#[doc = include_str!("../gallery/gallery.md")]
pub mod gallery {}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
