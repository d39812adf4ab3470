//! The training engine as a user of the facade meets it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;

mod changed;
mod clipping;
mod groups;
mod net;
mod noisy;
mod optimizers;
mod plain;
mod refused;
mod resumed;
mod updates;
