//! Learning-rate schedules, ReduceLROnPlateau and reproducible training runs for the
//! [Burn](https://burn.dev) deep-learning framework.
//!
//! ```text
//! Schedule (step -> lr) -> Scheduler (counts steps: Burn's LrScheduler) -> Learner + Adam -> metrics
//!                              ^                                                                |
//!                              +---- ReduceLrOnPlateau: one observation per epoch <-------------+
//! ```
//!
//! This crate re-exports eight that can also be used alone:
//!
//! - [`scheduler`]: the schedules, independent of any backend,
//! - [`model`]: the small classifier of the running experiment,
//! - [`layers`]: layers of Burn's in one pass over memory, on CPUs,
//! - [`mnist`]: the data set of that experiment, and pictures of digits,
//! - [`training`]: Burn's Learner with any model, optimizer, loader and metric, exactly resumed,
//! - [`experiment`]: candidates under several seeds, an objective, statistics, search and reports,
//! - [`tracking`]: runs followed by TensorBoard and by a live web page,
//! - [`plot`]: line charts as SVG and as text.

pub use burn_lr_experiment as experiment;
pub use burn_lr_layers as layers;
pub use burn_lr_mnist as mnist;
pub use burn_lr_model as model;
pub use burn_lr_plot as plot;
pub use burn_lr_scheduler as scheduler;
pub use burn_lr_tracking as tracking;
pub use burn_lr_training as training;

/// The README's snippets, compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
