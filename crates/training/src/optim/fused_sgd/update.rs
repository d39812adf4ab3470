//! One update's arithmetic, in single precision and in the order of Burn's SGD.

use pulp::NullaryFnOnce;

use super::super::fused_adam::normal;

/// What an update has in common for all weights.
#[derive(Clone, Copy)]
pub(super) struct Factors {
    pub(super) weight_decay: Option<f32>,
    pub(super) momentum: f32,
    /// What of the gradient goes into the velocity.
    pub(super) gradient: f32,
    pub(super) nesterov: bool,
    pub(super) lr: f32,
}

/// An update of all weights and velocities, with the widest vectors that the processor has.
pub(super) struct Update<'a> {
    pub(super) factors: Factors,
    pub(super) weights: &'a [f32],
    /// The gradient, and afterwards the new weights.
    pub(super) grad: &'a mut [f32],
    /// None without momentum.
    pub(super) velocity: Option<&'a mut [f32]>,
}

// Not a closure: the compiler may leave the call of one outside of what is compiled for the vectors.
impl NullaryFnOnce for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Factors {
            weight_decay,
            momentum,
            gradient,
            nesterov,
            lr,
        } = self.factors;
        // One loop for each kind, so that none asks for every weight which it is.
        if let Some(decay) = weight_decay {
            for (grad, weight) in self.grad.iter_mut().zip(self.weights) {
                *grad += *weight * decay;
            }
        }
        let grads = self.grad.iter_mut().zip(self.weights);
        match self.velocity {
            None => {
                for (grad, weight) in grads {
                    *grad = *weight - *grad * lr;
                }
            }
            Some(velocity) if nesterov => {
                for ((grad, weight), velocity) in grads.zip(velocity) {
                    *velocity = normal(*grad * gradient + *velocity * momentum);
                    *grad = *weight - (*velocity * momentum + *grad) * lr;
                }
            }
            Some(velocity) => {
                for ((grad, weight), velocity) in grads.zip(velocity) {
                    *velocity = normal(*grad * gradient + *velocity * momentum);
                    *grad = *weight - *velocity * lr;
                }
            }
        }
    }
}
