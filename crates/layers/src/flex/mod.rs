//! The layers as loops over the numbers of Flex.
//!
//! Loops are written so that the compiler makes vectors of them, without branches, and so that these have the same bits
//! in any width: without fused multiplication, and with sums in the order of [`lanes`].

// What is not for here is given back, and is as large as what comes out.
#![allow(clippy::result_large_err)]

mod attention;
mod batch_norm;
mod conv2d;
mod cross_entropy;
mod dropout;
mod exponential;
mod fused;
mod gelu;
mod lanes;
mod philox;
mod softmax;
mod width;

pub(crate) use attention::attention;
pub(crate) use batch_norm::batch_norm;
pub(crate) use conv2d::conv2d;
pub(crate) use cross_entropy::cross_entropy;
pub(crate) use dropout::dropout;
pub(crate) use gelu::gelu;
#[cfg(test)]
pub(crate) use width::tests::in_each_width;
