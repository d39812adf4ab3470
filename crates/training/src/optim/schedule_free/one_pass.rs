//! An update of schedule-free AdamW in one pass over memory, on CPUs.
//!
//! As tensor operations it would be about fifteen.

use burn::tensor::{DType, Tensor, TensorData};
use pulp::{Arch, NullaryFnOnce};

use crate::device::is_cpu;
use crate::optim::Weights;

/// What an update has in common for all weights.
#[derive(Debug, Clone, Copy)]
pub(super) struct Factors {
    pub one_minus_beta_2: f32,
    /// 1 over what corrects the bias of the second moment.
    pub correction: f32,
    pub epsilon: f32,
    pub weight_decay: f32,
    pub share: f32,
    pub of_update: f32,
    pub lr: f32,
}

/// With less in the denominator, it would show that a subnormal moment became 0.
const SMALLEST_EPSILON: f32 = 1e-10;

/// Whether an update can be done in one pass: on a CPU, of `f32`.
pub(super) fn fits<const D: usize>(
    factors: &Factors,
    y: &Tensor<D>,
    others: [&Tensor<D>; 3],
) -> bool {
    let fits = |other: &Tensor<D>| other.dtype() == DType::F32 && other.dims() == y.dims();
    factors.epsilon >= SMALLEST_EPSILON
        && is_cpu(&y.device())
        && fits(y)
        && others.into_iter().all(fits)
}

/// The new `y`, `z` and second moment, where [`fits`] says that they can be had.
pub(super) fn one_pass<const D: usize>(
    factors: Factors,
    y: Tensor<D>,
    others: [Tensor<D>; 3],
) -> [Tensor<D>; 3] {
    let device = y.device();
    // No copies: nobody else holds these, or only a view of them.
    let [mut grad, mut z, mut exp_avg_sq] = others.map(Tensor::into_data);
    let weights = Weights::of(y);
    let slices = (
        weights.as_slice(),
        grad.as_mut_slice(),
        z.as_mut_slice(),
        exp_avg_sq.as_mut_slice(),
    );
    let y = match slices {
        (Some(y), Ok(new), Ok(z), Ok(exp_avg_sq)) => {
            Arch::new().dispatch(Update {
                factors,
                y,
                grad: new,
                z,
                exp_avg_sq,
            });
            grad
        }
        // Not `f32`, which has been ruled out.
        _ => weights.into_data(),
    };
    let tensor = |data: TensorData| Tensor::from_data(data, &device);
    [tensor(y), tensor(z), tensor(exp_avg_sq)]
}

struct Update<'a> {
    factors: Factors,
    y: &'a [f32],
    /// The gradient, and afterwards the new `y`.
    grad: &'a mut [f32],
    z: &'a mut [f32],
    exp_avg_sq: &'a mut [f32],
}

// Not a closure: the compiler may leave the call of one outside of what is compiled for the vectors.
impl NullaryFnOnce for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let factors = self.factors;
        // From the nearer end, so that a share of 1 is that end.
        let is_near_y = factors.share < 0.5;
        let rest = 1.0 - factors.share;
        let states = self.z.iter_mut().zip(self.exp_avg_sq);
        let weights = self.y.iter().zip(self.grad.iter_mut());
        for ((y, grad), (z, exp_avg_sq)) in weights.zip(states) {
            let (old, g, end) = (*y, *grad, *z);
            let second = *exp_avg_sq + (g * g - *exp_avg_sq) * factors.one_minus_beta_2;
            *exp_avg_sq = normal(second);
            let root = (*exp_avg_sq * factors.correction).sqrt();
            let update = g / (root + factors.epsilon) + factors.weight_decay * old;
            let difference = end - old;
            let between = if is_near_y {
                old + difference * factors.share
            } else {
                end - difference * rest
            };
            *grad = between + update * factors.of_update;
            *z = end - update * factors.lr;
        }
    }
}

/// 0 for numbers too small to be normal, with which processors are many times slower.
#[inline(always)]
fn normal(moment: f32) -> f32 {
    if moment.abs() < f32::MIN_POSITIVE {
        0.0
    } else {
        moment
    }
}
