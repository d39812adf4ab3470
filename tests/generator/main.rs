//! Tests that draw random numbers for longer than a model's first weights. A backend has one
//! generator for all threads, so they have a process of their own, and run one after another.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;

use std::sync::{Mutex, MutexGuard, PoisonError};

mod dropout;
mod lr_finder;
mod seeded;
mod weights;

/// The right to seed the generator and to draw from it.
fn generator() -> MutexGuard<'static, ()> {
    static GENERATOR: Mutex<()> = Mutex::new(());
    GENERATOR.lock().unwrap_or_else(PoisonError::into_inner)
}
