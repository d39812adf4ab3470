//! The initial weights of a model.
//!
//! Burn draws a weight when it is first looked at, and another order of looking gives other weights. A
//! run first writes the model out, for which Burn's own layers look at some of their weights, and then
//! puts it into training mode, which looks at the others. That order is part of what a seed stands for:
//! whatever looks at a model before it is trained draws its weights here.

use std::fmt::Display;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bool, Int, Tensor};

/// Draws the initial weights of `model` that were not drawn yet, in the order in which
/// [`Training::fit`](crate::Training::fit) draws them: first those that its text looks at, then all
/// others as they are visited.
///
/// What is drawn already stays as it is, and so does a model that is drawn.
///
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::Device;
/// use burn_lr_training::draw_weights;
///
/// let linear: Linear = LinearConfig::new(8, 2).init(&Device::default());
/// assert!(!linear.weight.is_initialized());
/// draw_weights(&linear);
/// assert!(linear.weight.is_initialized());
/// ```
pub fn draw_weights<M: Module + Display>(model: &M) {
    let _ = model.to_string();
    model.visit(&mut Look);
}

struct Look;

impl ModuleVisitor for Look {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        param.base();
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        param.base();
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        param.base();
    }
}
