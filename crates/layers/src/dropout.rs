//! Dropout.

use burn::nn::Dropout;
use burn::tensor::Tensor;

/// What `layer.forward(input)` is: during training, each number is 0 with the probability `layer.prob`, and
/// otherwise divided by what is left of 1.
///
/// Shape: any, and the same comes out. It does nothing where Burn's does nothing: on a device without automatic
/// differentiation, for a layer that is frozen, and with a probability of 0. As Burn's, it multiplies by 0, of which
/// infinity makes NaN.
///
/// The numbers are chosen by the generator Philox4x32-10, with a key that is drawn from the device's generator anew in
/// every call. So they are a function of [`Device::seed`](burn::tensor::Device::seed) and of what has been drawn since, as
/// with Burn's layer, and a run that is exact with that is exact with this; but they are not the same ones. The chance is
/// `layer.prob` within 2⁻³².
///
/// Sources: Srivastava and others, ["Dropout"](https://jmlr.org/papers/v15/srivastava14a.html) (2014); Salmon and others,
/// ["Parallel random numbers: as easy as 1, 2, 3"](https://doi.org/10.1145/2063384.2063405) (2011).
///
/// ```
/// use burn::nn::DropoutConfig;
/// use burn::tensor::{Device, Tensor};
///
/// let half = DropoutConfig::new(0.5).init();
/// let ones = Tensor::<1>::ones([1000], &Device::flex().autodiff());
/// let thinned: Vec<f32> = burn_lr_layers::dropout(&half, ones).into_data().iter().collect();
/// assert!(thinned.iter().all(|x| [0.0, 2.0].contains(x)));
///
/// let ones = Tensor::<1>::ones([1000], &Device::flex());
/// let same: Vec<f32> = burn_lr_layers::dropout(&half, ones).into_data().iter().collect();
/// assert_eq!(same, [1.0; 1000]);
/// ```
pub fn dropout<const D: usize>(layer: &Dropout, input: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    let input = match crate::flex::dropout(layer, input) {
        Ok(output) => return output,
        Err(input) => input,
    };
    layer.forward(input)
}
