//! A small classifier for the [Burn](https://burn.dev) deep-learning framework.
//!
//! [`Mlp`] is the 784-128-10 network of burn-lr's running experiment. It names no backend: the
//! device it is initialised on decides where it runs.
//!
//! ```text
//! [batch, 784] or [batch, 28, 28] -> fc1 -> ReLU -> fc2 -> logits [batch, 10]
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod batch;
mod mlp;

pub use batch::ClassificationBatch;
pub use mlp::{Mlp, MlpConfig};
