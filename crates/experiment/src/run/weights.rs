//! The initial weights of a model.

use std::fmt::Display;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bool, Int, Tensor};

struct Look;

impl ModuleVisitor for Look {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        param.val();
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        param.val();
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        param.val();
    }
}

/// Draws the initial weights of `model`, which Burn otherwise does when they are first looked at.
pub(crate) fn draw_weights<M: Module + Display>(model: &M) {
    // In the order in which `Training::fit` draws them, which writes the model out first.
    let _ = model.to_string();
    model.visit(&mut Look);
}
