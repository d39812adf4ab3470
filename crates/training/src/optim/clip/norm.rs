//! The norm of all gradients.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::{GradientsParams, MultiGradientsParams};
use burn::tensor::{DType, FloatDType, Tensor};

use super::super::sum::sum;
use super::gradients::Gradients;
use crate::device::is_cpu;

/// What PyTorch adds to the norm before it divides by it.
const EPSILON: f64 = 1e-6;

/// The Euclidean norm of all gradients of a model, as if they were one vector: the norm of the
/// parameters' norms.
///
/// It lies on the device until it is read, for which a GPU has to finish all that it was told before.
#[derive(Debug, Clone)]
pub struct GradientNorm(Option<Tensor<1>>);

impl GradientNorm {
    /// The norm of the gradients of `model`, which is 0 without gradients.
    ///
    /// A parameter that stands at two places counts once.
    pub fn of<M: Module>(grads: &GradientsParams, model: &M) -> Self {
        Self::measured(&mut { grads }, model)
    }

    /// The norm of the sums over devices of gradients, which become the gradients of one device each.
    pub fn of_multi<M: Module>(grads: &mut MultiGradientsParams, model: &M) -> Self {
        Self::measured(grads, model)
    }

    pub(super) fn measured<M: Module>(grads: &mut impl Gradients, model: &M) -> Self {
        let mut visitor = Norms {
            grads,
            seen: HashSet::new(),
            norms: Vec::new(),
        };
        model.visit(&mut visitor);
        let norms = visitor.norms;
        let double = norms.iter().any(|norm| norm.dtype() == DType::F64);
        let dtype = if double {
            FloatDType::F64
        } else {
            FloatDType::F32
        };
        let device = norms.first().map(Tensor::device);
        Self(device.map(|device| {
            let norms = norms.into_iter();
            let norms = norms
                .map(|norm| norm.to_device(&device).cast(dtype))
                .collect();
            sum(Tensor::cat(norms, 0).square()).sqrt()
        }))
    }

    /// The norm on its device, of shape `[1]`; `None` without gradients.
    pub fn tensor(&self) -> Option<Tensor<1>> {
        self.0.clone()
    }

    /// Reads the norm: NaN or infinite if a gradient is, or if its square is beyond the range of `f32`,
    /// above 1.8e19. A norm that cannot be read from its device is NaN.
    pub fn value(&self) -> f64 {
        self.0.clone().map_or(0.0, |norm| {
            norm.try_into_scalar::<f64>().unwrap_or(f64::NAN)
        })
    }

    /// Whether the norm, and so every gradient, is finite. Reads it.
    pub fn is_finite(&self) -> bool {
        self.value().is_finite()
    }

    /// What to multiply gradients with for a norm of at most `max`; `None` if that is 1 for sure.
    pub(super) fn coefficient(&self, max: f64) -> Option<Coefficient> {
        let norm = self.0.as_ref()?;
        if !is_cpu(&norm.device()) {
            return self.coefficient_tensor(max);
        }
        // Where reading costs nothing, gradients within the limit are spared a pass.
        let coefficient = if norm.dtype() == DType::F64 {
            (self.value() + EPSILON).recip() * max
        } else {
            let norm = self.value() as f32;
            f64::from((norm + EPSILON as f32).recip() * max as f32)
        };
        let within = coefficient >= 1.0;
        (!within).then_some(Coefficient::Number(coefficient))
    }

    /// The same without reading the norm.
    pub(super) fn coefficient_tensor(&self, max: f64) -> Option<Coefficient> {
        let norm = self.0.clone()?;
        // In PyTorch's order, and 1 where it is more, which NaN is not.
        let coefficient = norm.add_scalar(EPSILON).recip().mul_scalar(max);
        let above = coefficient.clone().greater_scalar(1.0);
        Some(Coefficient::Tensor(Box::new(
            coefficient.mask_fill(above, 1.0),
        )))
    }
}

/// A factor of all gradients.
pub(super) enum Coefficient {
    Number(f64),
    Tensor(Box<Tensor<1>>),
}

struct Norms<'a, G> {
    grads: &'a mut G,
    seen: HashSet<ParamId>,
    norms: Vec<Tensor<1>>,
}

impl<G: Gradients> ModuleVisitor for Norms<'_, G> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.seen.insert(param.id) {
            return;
        }
        if let Some(grad) = self.grads.take::<D>(param.id) {
            self.norms.push(norm(grad.clone()));
            self.grads.put(param.id, grad);
        }
    }
}

fn norm<const D: usize>(grad: Tensor<D>) -> Tensor<1> {
    sum(widened(grad).square()).sqrt()
}

/// In `f32` at least: in `f16` squares are infinite from 256 on.
pub(super) fn widened<const D: usize>(grad: Tensor<D>) -> Tensor<D> {
    match grad.dtype() {
        DType::F16 | DType::BF16 => grad.cast(FloatDType::F32),
        _ => grad,
    }
}
