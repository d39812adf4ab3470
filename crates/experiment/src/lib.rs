//! Experiments: the same training for several candidates, and what can be said about them.
//!
//! ```text
//! base (model, data, per seed and settings) ----------+
//! Candidate (schedule, epochs, optimizer, settings) --+--> Experiment --> Trial... --> Results
//! seeds ----------------------------------------------+                                  |
//! Objective (metric, direction, bounds) ----------------> ranking, table, CSV, JSON, Report
//! ```
//!
//! [`Experiment`] trains every [`Candidate`] under every seed; a [`Search`](search::Search) draws
//! candidates and keeps the best. [`Results`](results::Results) have the means and spreads of every
//! metric, comparisons with the first candidate, and the candidates in their order by the
//! [`Objective`]; [`Report`] makes a page of them.
//!
//! The base makes model, data and training; it sees the seed and the candidate's settings, and nothing
//! else of it. So nothing but what a candidate sets differs, unless the base lets it.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod bound;
mod candidate;
mod error;
mod objective;
mod report;
pub mod results;
mod run;
pub mod search;
mod sweep_chart;

pub use candidate::{BranchPoint, Candidate, SettingError, Setup, Trunk};
pub use error::{BaseError, ExperimentError};
pub use objective::Objective;
pub use report::Report;
pub use run::Experiment;
pub use sweep_chart::sweep_chart;
