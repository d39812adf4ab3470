//! One update's arithmetic, in single precision and in the order of Burn's Adam.

use pulp::NullaryFnOnce;

/// What an update has in common for all weights.
#[derive(Clone, Copy)]
pub(super) struct Factors<T> {
    pub(super) beta_1: T,
    pub(super) one_minus_beta_1: T,
    pub(super) beta_2: T,
    pub(super) one_minus_beta_2: T,
    pub(super) moment_1: T,
    pub(super) epsilon: T,
    /// What weight decay leaves of a weight; 1 without.
    pub(super) kept: T,
    /// What it takes.
    pub(super) lost: T,
    /// Whether it takes that only where the update goes the same way.
    pub(super) cautious: bool,
    pub(super) lr: T,
}

impl Factors<f64> {
    /// The nearest of single precision.
    pub(super) fn single(&self) -> Factors<f32> {
        Factors {
            beta_1: self.beta_1 as f32,
            one_minus_beta_1: self.one_minus_beta_1 as f32,
            beta_2: self.beta_2 as f32,
            one_minus_beta_2: self.one_minus_beta_2 as f32,
            moment_1: self.moment_1 as f32,
            epsilon: self.epsilon as f32,
            kept: self.kept as f32,
            lost: self.lost as f32,
            cautious: self.cautious,
            lr: self.lr as f32,
        }
    }
}

/// An update of all weights and moments, with the widest vectors that the processor has.
pub(super) struct Update<'a> {
    pub(super) factors: Factors<f32>,
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
        let factors = self.factors;
        let moments = self.moment_1.iter_mut().zip(self.moment_2);
        let grads = self.grad.iter_mut().zip(self.weights);
        let all = grads.zip(moments);
        // Two loops, so that neither asks for every weight which of the two it is.
        if factors.cautious {
            for ((grad, weight), (moment_1, moment_2)) in all {
                *grad = factors.cautiously_updated(*weight, *grad, moment_1, moment_2);
            }
        } else {
            for ((grad, weight), (moment_1, moment_2)) in all {
                *grad = factors.updated(*weight, *grad, moment_1, moment_2);
            }
        }
    }
}

impl Factors<f32> {
    #[inline(always)]
    pub(super) fn updated(
        &self,
        weight: f32,
        grad: f32,
        moment_1: &mut f32,
        moment_2: &mut f32,
    ) -> f32 {
        let (first, second) = self.moments(grad, *moment_1, *moment_2);
        *moment_1 = normal(first);
        *moment_2 = normal(second);
        weight * self.kept - self.step(*moment_1, *moment_2)
    }

    /// With a decay that no weight has whose first moment has another sign. Moments too small to be normal stay
    /// what they are, for theirs counts as well.
    #[inline(always)]
    fn cautiously_updated(
        &self,
        weight: f32,
        grad: f32,
        moment_1: &mut f32,
        moment_2: &mut f32,
    ) -> f32 {
        (*moment_1, *moment_2) = self.moments(grad, *moment_1, *moment_2);
        let decays = (weight >= 0.0) == (*moment_1 >= 0.0);
        let lost = if decays { weight * self.lost } else { 0.0 };
        weight - lost - self.step(*moment_1, *moment_2)
    }

    #[inline(always)]
    fn moments(&self, grad: f32, first: f32, second: f32) -> (f32, f32) {
        (
            first * self.beta_1 + grad * self.one_minus_beta_1,
            second * self.beta_2 + grad * grad * self.one_minus_beta_2,
        )
    }

    #[inline(always)]
    fn step(&self, moment_1: f32, moment_2: f32) -> f32 {
        moment_1 * self.moment_1 / (moment_2.sqrt() + self.epsilon) * self.lr
    }
}

/// 0 for numbers too small to be normal.
///
/// Inputs that are always 0, such as the pixels at an image's edge, let the moments of their weights
/// decay into such numbers, with which processors are many times slower.
#[inline(always)]
pub(in crate::optim) fn normal(moment: f32) -> f32 {
    if moment.abs() < f32::MIN_POSITIVE {
        0.0
    } else {
        moment
    }
}
