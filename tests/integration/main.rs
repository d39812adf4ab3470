//! The library as its users meet it. One binary, because every binary links Burn once more; those of
//! the examples and those that need the random number generator to themselves are beside it.
//!
//! One subject: `cargo test --workspace --test integration resume::`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;

mod architecture;
mod attach;
mod average;
mod backends;
mod compare;
mod devices;
#[cfg(unix)]
mod disk;
mod engine;
mod experiment;
mod layers;
mod migration;
mod no_schedule;
mod own_model;
mod plateau;
mod pytorch;
#[cfg(feature = "remote")]
mod remote;
mod report_page;
mod resume;
mod tracking;
