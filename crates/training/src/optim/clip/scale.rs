//! Gradients within a limit.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::gradients::Gradients;
use super::norm::{Coefficient, widened};

/// Divides the gradients of the parameters of `model`.
pub(crate) fn divide<M: Module>(grads: &mut GradientsParams, model: &M, by: usize) {
    let factor = Limit::Factor(Coefficient::Number(1.0 / by as f64));
    model.visit(&mut Scale::new(grads, factor));
}

/// What to do to each gradient.
pub(super) enum Limit {
    Factor(Coefficient),
    Value(f64),
}

pub(super) struct Scale<'a, G> {
    grads: &'a mut G,
    limit: Limit,
    seen: HashSet<ParamId>,
}

impl<'a, G> Scale<'a, G> {
    pub(super) fn new(grads: &'a mut G, limit: Limit) -> Self {
        Self {
            grads,
            limit,
            seen: HashSet::new(),
        }
    }
}

impl<G: Gradients> ModuleVisitor for Scale<'_, G> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.seen.insert(param.id) {
            return;
        }
        if let Some(grad) = self.grads.take::<D>(param.id) {
            let dtype = grad.dtype();
            let limited = self.limit.apply(widened(grad));
            self.grads.put(param.id, limited.cast(dtype));
        }
    }
}

impl Limit {
    fn apply<const D: usize>(&self, grad: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Factor(Coefficient::Number(factor)) => grad.mul_scalar(*factor),
            Self::Factor(Coefficient::Tensor(factor)) => {
                let factor = Tensor::clone(factor)
                    .to_device(&grad.device())
                    .cast(grad.dtype());
                grad.mul(factor.unsqueeze())
            }
            // With masks, which NaN passes, whatever a backend's clamp makes of it.
            Self::Value(max) => {
                let above = grad.clone().greater_scalar(*max);
                let below = grad.clone().lower_scalar(-*max);
                grad.mask_fill(above, *max).mask_fill(below, -*max)
            }
        }
    }
}
