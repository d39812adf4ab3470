//! Clipping over all gradients, and what to do with those that are not finite.

mod gradients;
mod norm;
mod scale;
#[cfg(test)]
mod tests;

use burn::module::Module;
use burn::optim::{GradientsParams, MultiGradientsParams};
use serde::{Deserialize, Serialize};

use super::error::OptimError;
use gradients::Gradients;
pub use norm::GradientNorm;
pub(crate) use scale::divide;
use scale::{Limit, Scale};

/// A limit on gradients, over all parameters or on each element.
///
/// PyTorch's `clip_grad_norm_` and `clip_grad_value_`: Burn's own clipping, which its optimizers'
/// configs have, takes the norm of each tensor by itself, and so turns the direction of the update.
///
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::optim::GradientsParams;
/// use burn::tensor::{Device, Tensor};
/// use burn_lr_training::optim::GradientClip;
///
/// let device = Device::flex().autodiff();
/// let model: Linear = LinearConfig::new(3, 1).with_bias(false).init(&device);
/// let loss = model.forward(Tensor::<2>::from_floats([[6.0, 8.0, 0.0]], &device)).sum();
/// let mut grads = GradientsParams::from_grads(loss.backward(), &model);
/// let norm = GradientClip::norm(1.0).clip(&mut grads, &model);
/// assert_eq!(norm.value(), 10.0);
/// let clipped = grads.get::<2>(model.weight.id).unwrap().into_data();
/// let clipped: Vec<f32> = clipped.iter().collect();
/// assert!((clipped[0] - 0.6).abs() < 1e-6 && (clipped[1] - 0.8).abs() < 1e-6);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GradientClip(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Norm(f64),
    Value(f64),
}

impl GradientClip {
    /// Scales all gradients by `max / (norm + 1e-6)` if that is below 1, where `norm` is the Euclidean
    /// norm of all gradients as if they were one vector.
    ///
    /// An infinite norm makes them 0, or NaN where they are infinite, and NaN makes all of them NaN,
    /// as in PyTorch. Norms of half-precision gradients are computed in `f32`, as Burn does.
    pub fn norm(max: f64) -> Self {
        Self(Kind::Norm(max))
    }

    /// Limits every element to `-max` and `max`; NaN stays.
    pub fn value(max: f64) -> Self {
        Self(Kind::Value(max))
    }

    /// Whether the limit is one.
    ///
    /// # Errors
    /// [`OptimError::Clip`] unless it is above 0; an infinite one clips nothing.
    pub fn check(&self) -> Result<(), OptimError> {
        let (kind, found) = match self.0 {
            Kind::Norm(max) => ("norm", max),
            Kind::Value(max) => ("value", max),
        };
        if found > 0.0 {
            Ok(())
        } else {
            Err(OptimError::Clip { kind, found })
        }
    }

    /// Clips the gradients of `model`, and returns the norm that they had before.
    pub fn clip<M: Module>(&self, grads: &mut GradientsParams, model: &M) -> GradientNorm {
        self.clip_any(grads, model)
    }

    /// Clips the sums over devices of gradients, which become the gradients of one device each, and
    /// returns the norm that they had before.
    pub fn clip_multi<M: Module>(
        &self,
        grads: &mut MultiGradientsParams,
        model: &M,
    ) -> GradientNorm {
        self.clip_any(grads, model)
    }

    fn clip_any<M: Module>(&self, grads: &mut impl Gradients, model: &M) -> GradientNorm {
        let norm = GradientNorm::measured(grads, model);
        let limit = match self.0 {
            Kind::Norm(max) => norm.coefficient(max).map(Limit::Factor),
            Kind::Value(max) => Some(Limit::Value(max)),
        };
        if let Some(limit) = limit {
            model.visit(&mut Scale::new(grads, limit));
        }
        norm
    }
}

/// What to do with gradients that are not finite, as [`GradientNorm::is_finite`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NonFinite {
    /// Update with them, as PyTorch does. Nothing is read, so nothing waits for the device.
    #[default]
    Propagate,
    /// Leave out the update, and count it. An epoch of which none is left ends the run.
    ///
    /// Only what the optimizer changes is left as it was. A module that changes in the forward pass has
    /// changed: the running statistics of a batch norm that was given a NaN are NaN from then on, and
    /// with them the validation, which [ends the run](crate::TrainingError::ValidationDiverged).
    Skip,
    /// Stop the run.
    Stop,
}
