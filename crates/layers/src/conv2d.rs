//! Two-dimensional convolution.

use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;

/// What `layer.forward(input)` is: for each output the sum of what the kernel covers of the input, each number times its weight,
/// and the bias.
///
/// Shapes: `input` `[batch, channels, height, width]`, the result `[batch, outputs, rows, columns]`, with Burn's rows and columns for
/// the layer's padding, stride and dilation.
///
/// The gradients are sums over the same pixels and weights, where Burn's are convolutions with kernels as large as an image.
/// Images are computed on as many threads as Rayon has, with results that do not depend on their number. In one pass
/// are layers of one group with strides of at most 4, at most 128 channels on either side, no more pairs of them than an output
/// has pixels, squared, at most 2^18 weights and 2^24 numbers in an image with its padding and in its output. The rest is
/// Burn's, whose products gain with many channels and small images.
///
/// A number of the input that is not finite makes gradients of weights NaN, also of those that see it nowhere, and one of the
/// weights those of the input.
///
/// # Panics
/// As Burn's, where shapes do not fit.
///
/// Source: LeCun and others, ["Gradient-Based Learning Applied to Document Recognition"](https://doi.org/10.1109/5.726791) (1998).
///
/// ```
/// use burn::nn::PaddingConfig2d;
/// use burn::nn::conv::Conv2dConfig;
/// use burn::tensor::{Device, Tensor};
///
/// let device = Device::flex().autodiff();
/// let layer = Conv2dConfig::new([1, 8], [3, 3])
///     .with_padding(PaddingConfig2d::Same)
///     .init(&device);
/// let x = Tensor::<4>::ones([2, 1, 28, 28], &device);
/// assert_eq!(burn_lr_layers::conv2d(&layer, x).dims(), [2, 8, 28, 28]);
/// ```
pub fn conv2d(layer: &Conv2d, input: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "flex")]
    let input = match crate::flex::conv2d(layer, input) {
        Ok(output) => return output,
        Err(input) => input,
    };
    layer.forward(input)
}
