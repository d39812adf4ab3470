//! The unit tests inside the examples: `cargo test` builds an example with its tests, or as the process
//! that is killed here, but not both.

#[path = "../../../../examples/cnn/data.rs"]
mod cnn;
mod language_model;
#[path = "../../../../examples/lstm_loop/data.rs"]
mod lstm_loop;
#[path = "../../../../examples/regression/data.rs"]
mod regression;
