//! An update of one parameter on any device, with the corrections that Burn's has in single precision.

use burn::optim::AdaptiveMomentumState;
use burn::tensor::Tensor;

use super::update::Factors;

/// The new weights and state; `factors` are those of the update with a number, from 1 on.
pub(super) fn by_operations<const D: usize>(
    tensor: Tensor<D>,
    grad: Tensor<D>,
    state: Option<AdaptiveMomentumState<D>>,
    factors: impl FnOnce(usize) -> Factors<f64>,
) -> (Tensor<D>, AdaptiveMomentumState<D>) {
    let factors = factors(state.as_ref().map_or(1, |state| state.time + 1));
    let new_1 = grad.clone().mul_scalar(factors.one_minus_beta_1);
    let new_2 = grad.square().mul_scalar(factors.one_minus_beta_2);
    let (time, moment_1, moment_2) = match state {
        Some(state) => (
            state.time + 1,
            state.moment_1.mul_scalar(factors.beta_1).add(new_1),
            state.moment_2.mul_scalar(factors.beta_2).add(new_2),
        ),
        None => (1, new_1, new_2),
    };
    let root = moment_2.clone().sqrt().add_scalar(factors.epsilon);
    let step = moment_1.clone().mul_scalar(factors.moment_1).div(root);
    let kept = if factors.cautious {
        let apart = tensor.clone().greater_equal_scalar(0.0);
        let apart = apart.not_equal(moment_1.clone().greater_equal_scalar(0.0));
        let lost = tensor.clone().mul_scalar(factors.lost);
        tensor - lost.mask_fill(apart, 0.0)
    } else if factors.lost == 0.0 {
        tensor
    } else {
        tensor.mul_scalar(factors.kept)
    };
    let updated = kept - step.mul_scalar(factors.lr);
    let state = AdaptiveMomentumState::new(time, moment_1, moment_2);
    (updated, state)
}
