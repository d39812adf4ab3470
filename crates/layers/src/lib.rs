//! Layers of the [Burn](https://burn.dev) deep-learning framework in one pass over memory, on CPUs.
//!
//! On Burn's CPU backend Flex the layers between the matrix products are several operations each, every one of which
//! reads and writes whole tensors, and some compute one number at a time. The functions of this crate do the same as a
//! layer of Burn's, forward and backward, in one loop with the widest vectors that the processor has:
//!
//! | in place of | |
//! |---|---|
//! | `burn::tensor::activation::gelu(x)` | [`gelu(x)`](gelu()) |
//! | `dropout.forward(x)` | [`dropout(&dropout, x)`](dropout()) |
//! | `norm.forward(x)` of a `BatchNorm` | [`batch_norm(&norm, x)`](batch_norm()) |
//! | `conv.forward(x)` of a `Conv2d` | [`conv2d(&conv, x)`](conv2d()) |
//! | `attention.forward(input).context` | [`attention(&attention, [query, key, value], mask)`](attention()) |
//! | `loss.forward(logits, targets)` | [`cross_entropy(&loss, logits, targets)`](cross_entropy()) |
//!
//! They take Burn's own modules, so that a model keeps its fields, its records and its display, and a model that has been
//! trained can be used either way. Where a tensor is not of `f32` on Flex they call the module's own `forward`: on any
//! other device, for `f64` and 16 bits, and without this crate's feature `flex`; and so they do for what each of them
//! says is Burn's. A device with or without automatic differentiation will do, also one with gradient checkpointing,
//! under which they are not computed again.
//!
//! ```
//! use burn::module::Module;
//! use burn::nn::{Dropout, Linear};
//! use burn::tensor::Tensor;
//! use burn_lr_layers as layers;
//!
//! #[derive(Module, Debug)]
//! struct FeedForward {
//!     widen: Linear,
//!     narrow: Linear,
//!     dropout: Dropout,
//! }
//!
//! impl FeedForward {
//!     fn forward(&self, x: Tensor<3>) -> Tensor<3> {
//!         let x = layers::gelu(self.widen.forward(x));
//!         layers::dropout(&self.dropout, self.narrow.forward(x))
//!     }
//! }
//! ```
//!
//! The results are Burn's but for rounding, except for dropout's, in attention too: which numbers it sets to zero follows
//! from the device's seed as Burn's does, but is another choice. No result depends on how wide the vectors are, nor,
//! where it is computed on several threads, on their number.
//!
//! An operation is a [`Backward`](https://docs.rs/burn-autodiff/0.22.1/burn_autodiff/ops/trait.Backward.html) of Burn's, which its
//! feature `extension` is for; there is no unsafe code.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod attention;
mod batch_norm;
mod conv2d;
mod cross_entropy;
mod dropout;
#[cfg(feature = "flex")]
mod flex;
mod gelu;

pub use attention::attention;
pub use batch_norm::batch_norm;
pub use conv2d::conv2d;
pub use cross_entropy::cross_entropy;
pub use dropout::dropout;
pub use gelu::gelu;

#[cfg(all(test, feature = "flex"))]
mod tests;
