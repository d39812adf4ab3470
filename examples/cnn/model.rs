//! A small convolutional network.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig, PaddingConfig2d,
};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use burn_lr::layers;
use burn_lr::model::ClassificationBatch;

/// Two convolutions with batch norm, each halving the sides of its images, and two linear layers.
///
/// `[batch, 784] -> [batch, 8, 14, 14] -> [batch, 16, 7, 7] -> [batch, 64] -> logits [batch, 10]`
#[derive(Module, Debug)]
pub struct Cnn {
    stem: Block,
    body: Block,
    dropout: Dropout,
    hidden: Linear,
    head: Linear,
}

impl Cnn {
    pub fn new(device: &Device) -> Self {
        Self {
            stem: Block::new([1, 8], device),
            body: Block::new([8, 16], device),
            dropout: DropoutConfig::new(0.25).init(),
            hidden: LinearConfig::new(16 * 7 * 7, 64).init(device),
            head: LinearConfig::new(64, 10).init(device),
        }
    }

    pub fn forward(&self, images: Tensor<2>) -> Tensor<2> {
        let images = images.reshape([-1, 1, 28, 28]);
        let features = self.body.forward(self.stem.forward(images));
        let hidden = self.hidden.forward(features.flatten(1, 3));
        self.head
            .forward(layers::dropout(&self.dropout, relu(hidden)))
    }

    fn classify(&self, batch: ClassificationBatch) -> (Tensor<1>, ClassificationOutput) {
        let ClassificationBatch { inputs, targets } = batch;
        let logits = self.forward(inputs);
        let loss = CrossEntropyLossConfig::new().init(&logits.device());
        let loss = layers::cross_entropy(&loss, logits.clone(), targets.clone());
        // Burn's metric weighs a batch by the length of its loss: one entry a sample makes every
        // sample count once, those of a short last batch too.
        let per_sample = loss.clone().detach().expand([targets.dims()[0]]);
        (loss, ClassificationOutput::new(per_sample, logits, targets))
    }
}

/// A convolution, its batch norm, and pooling.
#[derive(Module, Debug)]
struct Block {
    conv: Conv2d,
    norm: BatchNorm,
    pool: MaxPool2d,
}

impl Block {
    fn new(channels: [usize; 2], device: &Device) -> Self {
        Self {
            // The norm has a bias of its own.
            conv: Conv2dConfig::new(channels, [3, 3])
                .with_padding(PaddingConfig2d::Same)
                .with_bias(false)
                .init(device),
            norm: BatchNormConfig::new(channels[1]).init(device),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
        }
    }

    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let features = layers::batch_norm(&self.norm, layers::conv2d(&self.conv, images));
        self.pool.forward(relu(features))
    }
}

impl TrainStep for Cnn {
    type Input = ClassificationBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: ClassificationBatch) -> TrainOutput<ClassificationOutput> {
        let (loss, output) = self.classify(batch);
        TrainOutput::new(self, loss.backward(), output)
    }
}

impl InferenceStep for Cnn {
    type Input = ClassificationBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: ClassificationBatch) -> ClassificationOutput {
        self.classify(batch).1
    }
}
