//! An update of one parameter.

use burn::optim::AdaptiveMomentumState;
use burn::tensor::{DType, Tensor, TensorData};
use pulp::Arch;

use super::update::{Factors, Update};
use super::weights::Weights;
use crate::device::is_cpu;

/// Whether an update can be done in one pass: on a CPU, where the parameter and all `others` are `f32`.
pub(in crate::optim) fn fits<'a, const D: usize>(
    tensor: &Tensor<D>,
    others: impl IntoIterator<Item = Option<&'a Tensor<D>>>,
) -> bool {
    let fits = |other: &Tensor<D>| other.dtype() == DType::F32 && other.dims() == tensor.dims();
    is_cpu(&tensor.device()) && fits(tensor) && others.into_iter().flatten().all(fits)
}

/// The new weights and state, where [`fits`] says that they can be had; `factors` are those of the update with
/// a number, from 1 on.
pub(super) fn one_pass<const D: usize>(
    tensor: Tensor<D>,
    grad: Tensor<D>,
    state: Option<AdaptiveMomentumState<D>>,
    factors: impl FnOnce(usize) -> Factors<f32>,
) -> (Tensor<D>, AdaptiveMomentumState<D>) {
    let device = tensor.device();
    let (time, moments) = match state {
        Some(state) => (state.time + 1, [state.moment_1, state.moment_2]),
        None => (1, [(); 2].map(|()| Tensor::zeros(grad.dims(), &device))),
    };
    // No copies: nobody else holds these, or only a view of them.
    let [mut moment_1, mut moment_2] = moments.map(Tensor::into_data);
    let mut grad = grad.into_data();
    let weights = Weights::of(tensor);
    let slices = (
        weights.as_slice(),
        grad.as_mut_slice(),
        moment_1.as_mut_slice(),
        moment_2.as_mut_slice(),
    );
    let updated = match slices {
        (Some(weights), Ok(new), Ok(moment_1), Ok(moment_2)) => {
            Arch::new().dispatch(Update {
                factors: factors(time),
                weights,
                grad: new,
                moment_1,
                moment_2,
            });
            grad
        }
        // Not `f32`, which has been ruled out.
        _ => weights.into_data(),
    };
    let tensor = |data: TensorData| Tensor::from_data(data, &device);
    let state = AdaptiveMomentumState::new(time, tensor(moment_1), tensor(moment_2));
    (tensor(updated), state)
}
