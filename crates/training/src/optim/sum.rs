//! A sum that comes out the same each time.

use burn::tensor::Tensor;

use crate::device::is_cpu;

/// The sum of all elements, of shape `[1]`, with the same bits each time.
///
/// On a GPU Burn's own sum may add up blocks atomically, in whatever order they are done; a run that is
/// resumed would end elsewhere. Sums over a dimension have an order.
pub(super) fn sum<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    if is_cpu(&tensor.device()) {
        return tensor.sum();
    }
    let dimensions: Vec<usize> = (0..D).collect();
    tensor.sum_dims(&dimensions).reshape([1])
}
