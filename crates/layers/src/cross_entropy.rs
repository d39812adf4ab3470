//! Cross entropy.

use burn::nn::loss::CrossEntropyLoss;
use burn::tensor::{Int, Tensor};

/// The mean cross entropy of rows of logits and the classes that are right: `layer.forward(logits, targets)`, PyTorch's
/// `CrossEntropyLoss()`.
///
/// Shapes: `logits` `[batch, classes]`, `targets` `[batch]`, the result `[1]`. In one pass is the plain loss; of a layer with
/// weights, smoothing, classes that are padding, or probabilities in place of logits it is Burn's, and so it is of an empty batch,
/// of which that is NaN.
///
/// # Panics
/// As Burn's: with another number of targets than rows, and with a target that is no class.
///
/// ```
/// use burn::nn::loss::CrossEntropyLossConfig;
/// use burn::tensor::{Device, Int, Tensor};
///
/// let device = Device::flex();
/// let logits = Tensor::<2>::from_floats([[0.0, 0.0], [0.0, 0.0]], &device);
/// let targets = Tensor::<1, Int>::from_ints([0, 1], &device);
/// let loss = CrossEntropyLossConfig::new().init(&device);
/// let loss: f32 = burn_lr_layers::cross_entropy(&loss, logits, targets).into_scalar();
/// assert!((loss - 2f32.ln()).abs() < 1e-6);
/// ```
pub fn cross_entropy(
    layer: &CrossEntropyLoss,
    logits: Tensor<2>,
    targets: Tensor<1, Int>,
) -> Tensor<1> {
    #[cfg(feature = "flex")]
    let logits = match crate::flex::cross_entropy(layer, logits, &targets) {
        Ok(loss) => return loss,
        Err(logits) => logits,
    };
    layer.forward(logits, targets)
}
