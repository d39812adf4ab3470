//! The examples: as processes that are interrupted and killed, as functions, and their unit tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;

#[cfg(unix)]
mod compare_example;
#[cfg(unix)]
mod interrupt;
#[cfg(unix)]
mod killed_examples;
#[cfg(all(unix, feature = "pytorch"))]
mod parity;
mod predict;
