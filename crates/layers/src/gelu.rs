//! The Gaussian error linear unit.

use burn::tensor::{Tensor, activation};

/// `x Φ(x)`, Φ being the distribution of the standard normal: Burn's
/// [`gelu`](burn::tensor::activation::gelu), PyTorch's `GELU()`.
///
/// Shape: any, and the same comes out. On Flex it is within `2e-7 max(1, |x|)` of the true value, and its
/// derivative `Φ(x) + x φ(x)`, which is computed along with it, within `2e-7`, both as near as Burn's. -0 stays -0; of
/// negative infinity it is NaN, as Burn's and PyTorch's is.
///
/// Source: Hendrycks and Gimpel, ["Gaussian Error Linear Units"](https://arxiv.org/abs/1606.08415) (2016).
///
/// ```
/// use burn::tensor::{Device, Tensor};
///
/// let x = Tensor::<1>::from_floats([-1.0, 0.0, 1.0], &Device::flex());
/// let y: Vec<f32> = burn_lr_layers::gelu(x).into_data().iter().collect();
/// assert!((y[0] + 0.158655).abs() < 1e-6 && y[1] == 0.0 && (y[2] - 0.841345).abs() < 1e-6);
/// ```
pub fn gelu<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    let input = match crate::flex::gelu(input) {
        Ok(output) => return output,
        Err(input) => input,
    };
    activation::gelu(input)
}
