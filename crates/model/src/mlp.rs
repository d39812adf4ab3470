//! A network of two fully connected layers.

use burn::config::Config;
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig, Relu};
use burn::tensor::{Device, Int, Tensor};
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};

use crate::ClassificationBatch;

/// The sizes of an [`Mlp`].
///
/// ```
/// use burn_lr_model::MlpConfig;
///
/// let config = MlpConfig::new().with_hidden(1024);
/// assert_eq!((config.inputs, config.hidden, config.classes), (784, 1024, 10));
/// ```
#[derive(Config, Debug, PartialEq, Eq)]
pub struct MlpConfig {
    /// Features of a sample; 784 by default, the pixels of a 28 by 28 image.
    #[config(default = 784)]
    pub inputs: usize,
    /// Units of the hidden layer; 128 by default.
    #[config(default = 128)]
    pub hidden: usize,
    /// Classes; 10 by default.
    #[config(default = 10)]
    pub classes: usize,
}

impl MlpConfig {
    /// A network with fresh weights on `device`.
    ///
    /// Weights and biases are uniform in `-1/sqrt(fan_in) .. 1/sqrt(fan_in)`, as PyTorch's
    /// `nn.Linear` initialises them. They come from the backend's random number generator: call
    /// [`Device::seed`] first to make them reproducible.
    pub fn init(&self, device: &Device) -> Mlp {
        Mlp {
            fc1: LinearConfig::new(self.inputs, self.hidden).init(device),
            relu: Relu::new(),
            fc2: LinearConfig::new(self.hidden, self.classes).init(device),
        }
    }
}

/// Two fully connected layers, `fc1` and `fc2`, with a ReLU in between.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burn_lr_model::MlpConfig;
///
/// let device = Device::default();
/// let model = MlpConfig::new().init(&device);
/// let images = Tensor::<3>::zeros([2, 28, 28], &device);
/// assert_eq!(model.forward(images).dims(), [2, 10]);
/// ```
#[derive(Module, Debug)]
pub struct Mlp {
    /// From the inputs to the hidden units.
    pub fc1: Linear,
    relu: Relu,
    /// From the hidden units to the logits.
    pub fc2: Linear,
}

impl Mlp {
    /// The logits `[batch, classes]` of samples `[batch, features]` or of any shape whose
    /// dimensions after the first hold the features, such as `[batch, 28, 28]`.
    ///
    /// # Panics
    /// As tensor operations do, if a sample does not have the configured number of features.
    pub fn forward<const D: usize>(&self, samples: Tensor<D>) -> Tensor<2> {
        let samples = samples.flatten::<2>(1, D - 1);
        let hidden = self.relu.forward(self.fc1.forward(samples));
        self.fc2.forward(hidden)
    }

    /// The logits and the mean cross entropy, as a tensor `[1]`.
    fn classify(
        &self,
        inputs: Tensor<2>,
        targets: Tensor<1, Int>,
    ) -> (Tensor<1>, ClassificationOutput) {
        let logits = self.forward(inputs);
        let loss = CrossEntropyLossConfig::new()
            .init(&logits.device())
            .forward(logits.clone(), targets.clone());
        // Burn's loss metric weighs a batch by the length of its loss tensor. One entry a sample
        // makes every sample count once, those of a short last batch too.
        let per_sample = loss.clone().detach().expand([targets.dims()[0]]);
        (loss, ClassificationOutput::new(per_sample, logits, targets))
    }
}

impl TrainStep for Mlp {
    type Input = ClassificationBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: ClassificationBatch) -> TrainOutput<ClassificationOutput> {
        let (loss, output) = self.classify(batch.inputs, batch.targets);
        TrainOutput::new(self, loss.backward(), output)
    }
}

impl InferenceStep for Mlp {
    type Input = ClassificationBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: ClassificationBatch) -> ClassificationOutput {
        self.classify(batch.inputs, batch.targets).1
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;

    fn device() -> Device {
        Device::default()
    }

    #[test]
    fn images_and_rows_give_the_same_logits() {
        let model = MlpConfig::new().init(&device());
        let rows = Tensor::<2>::random([3, 784], Distribution::Default, &device());
        let images = rows.clone().reshape([3, 28, 28]);
        let from_rows = model.forward(rows).into_data();
        assert_eq!(from_rows.shape().as_slice(), &[3, 10]);
        assert_eq!(model.forward(images).into_data(), from_rows);
    }

    #[test]
    fn initial_parameters_fill_pytorchs_bounds() {
        let model = MlpConfig::new().init(&device());
        for (layer, fan_in) in [(&model.fc1, 784.0f32), (&model.fc2, 128.0)] {
            let bound = 1.0 / fan_in.sqrt();
            let bias = layer.bias.as_ref().unwrap().val();
            for values in [layer.weight.val().flatten::<1>(0, 1), bias] {
                let values = values.into_data().try_into_vec::<f32>().unwrap();
                let largest = values.iter().fold(0.0f32, |max, v| max.max(v.abs()));
                assert!(largest <= bound, "{largest} > {bound}");
                // The fewest are ten: uniform ones all lie in an inner hundredth at odds of 1e-20.
                assert!(largest > bound / 100.0, "{largest} is far below {bound}");
            }
        }
        assert_eq!(model.num_params(), 784 * 128 + 128 + 128 * 10 + 10);
    }

    #[test]
    fn the_reported_loss_has_one_entry_a_sample() {
        let model = MlpConfig::new().init(&device());
        let batch = ClassificationBatch {
            inputs: Tensor::zeros([5, 784], &device()),
            targets: Tensor::zeros([5], &device()),
        };
        let output = InferenceStep::step(&model, batch);
        assert_eq!(output.loss.dims(), [5]);
    }

    #[test]
    fn a_training_step_gives_gradients_for_every_parameter() {
        let device = device().autodiff();
        let model = MlpConfig::new().init(&device);
        let batch = ClassificationBatch {
            inputs: Tensor::random([4, 784], Distribution::Default, &device),
            targets: Tensor::from_data([1, 2, 3, 4], &device),
        };
        let output = TrainStep::step(&model, batch);
        assert_eq!(output.grads.len(), 4);
    }
}
