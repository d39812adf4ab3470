//! Batch normalization.

use burn::nn::BatchNorm;
use burn::tensor::Tensor;

/// What `layer.forward(input)` is: each channel less its mean and divided by its deviation, both over the batch, and
/// then scaled and shifted by the layer's own.
///
/// Shape: `[batch, channels, ...]`, and the same comes out. In one pass are training, which keeps the layer's running
/// statistics, and at least 16 numbers of a channel in each sample, as images have; the rest is Burn's. Sums of
/// more than 1024 numbers of a sample, and those over the batch, are in double precision.
///
/// # Panics
/// As Burn's, if the input has fewer than two dimensions or another number of channels.
///
/// Source: Ioffe and Szegedy, ["Batch Normalization"](https://arxiv.org/abs/1502.03167) (2015).
///
/// ```
/// use burn::nn::BatchNormConfig;
/// use burn::tensor::{Device, Tensor};
///
/// let device = Device::flex().autodiff();
/// let layer = BatchNormConfig::new(1).init(&device);
/// let x = Tensor::<1>::from_floats([1.0, 3.0], &device).reshape([2, 1, 1]).expand([2, 1, 16]);
/// let y: Vec<f32> = burn_lr_layers::batch_norm(&layer, x).into_data().iter().collect();
/// assert!((y[0] + 1.0).abs() < 1e-5 && (y[16] - 1.0).abs() < 1e-5);
/// ```
pub fn batch_norm<const D: usize>(layer: &BatchNorm, input: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    let input = match crate::flex::batch_norm(layer, input) {
        Ok(output) => return output,
        Err(input) => input,
    };
    layer.forward(input)
}
