//! Runs with optimizers that need no schedule: schedule-free ones, of which other weights are evaluated than
//! trained, and Prodigy.

mod branches;
mod evaluated;
mod refused;
mod resumed;
