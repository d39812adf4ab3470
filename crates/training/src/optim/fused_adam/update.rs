//! One update's arithmetic, in single precision and in the order of Burn's Adam.

use pulp::NullaryFnOnce;

/// What an update has in common for all weights.
#[derive(Clone, Copy)]
pub(super) struct Factors {
    pub(super) beta_1: f32,
    pub(super) one_minus_beta_1: f32,
    pub(super) beta_2: f32,
    pub(super) one_minus_beta_2: f32,
    pub(super) moment_1: f32,
    pub(super) epsilon: f32,
    /// What weight decay leaves of a weight; 1 without.
    pub(super) kept: f32,
    pub(super) lr: f32,
}

/// An update of all weights and moments, with the widest vectors that the processor has.
pub(super) struct Update<'a> {
    pub(super) factors: Factors,
    pub(super) weights: &'a [f32],
    /// The gradient, and afterwards the new weights.
    pub(super) grad: &'a mut [f32],
    pub(super) moment_1: &'a mut [f32],
    pub(super) moment_2: &'a mut [f32],
}

// Not a closure: the compiler may leave the call of one outside of what is compiled for the vectors.
impl NullaryFnOnce for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let moments = self.moment_1.iter_mut().zip(self.moment_2);
        let grads = self.grad.iter_mut().zip(self.weights);
        for ((grad, weight), (moment_1, moment_2)) in grads.zip(moments) {
            *grad = self.factors.updated(*weight, *grad, moment_1, moment_2);
        }
    }
}

impl Factors {
    #[inline(always)]
    pub(super) fn updated(
        &self,
        weight: f32,
        grad: f32,
        moment_1: &mut f32,
        moment_2: &mut f32,
    ) -> f32 {
        let first = *moment_1 * self.beta_1 + grad * self.one_minus_beta_1;
        let second = *moment_2 * self.beta_2 + grad * grad * self.one_minus_beta_2;
        *moment_1 = normal(first);
        *moment_2 = normal(second);
        let step = *moment_1 * self.moment_1 / (moment_2.sqrt() + self.epsilon);
        weight * self.kept - step * self.lr
    }
}

/// 0 for numbers too small to be normal.
///
/// Inputs that are always 0, such as the pixels at an image's edge, let the moments of their weights
/// decay into such numbers, with which processors are many times slower.
#[inline(always)]
fn normal(moment: f32) -> f32 {
    if moment.abs() < f32::MIN_POSITIVE {
        0.0
    } else {
        moment
    }
}
