//! Files that TensorBoard reads, written by ourselves.
//!
//! The crates for that are years old, or bring all of TensorFlow's messages and an asynchronous runtime; the
//! format is a length, two checksums and five small messages, and has not changed since 2015.

mod event;
mod event_file;
mod hparams;
mod logger;
mod message;
mod tracker;

pub use logger::TensorBoardLogger;
pub use tracker::TensorBoard;
