//! Two networks that learn from each other.

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::activation::{leaky_relu, sigmoid};
use burn::tensor::{Device, Tensor};
use burn_lr::mnist::MNIST_PIXELS;

/// Numbers that a digit is made of.
pub const NOISE: usize = 32;
/// How much of a negative input passes.
const LEAK: f64 = 0.2;

/// Makes digits of noise: `[batch, NOISE] -> [batch, 784]`, pixels from 0 to 1.
#[derive(Module, Debug)]
pub struct Generator {
    first: Linear,
    first_norm: BatchNorm,
    second: Linear,
    second_norm: BatchNorm,
    paint: Linear,
}

impl Generator {
    pub fn new(device: &Device) -> Self {
        Self {
            first: LinearConfig::new(NOISE, 128).with_bias(false).init(device),
            first_norm: BatchNormConfig::new(128).init(device),
            second: LinearConfig::new(128, 256).with_bias(false).init(device),
            second_norm: BatchNormConfig::new(256).init(device),
            paint: LinearConfig::new(256, MNIST_PIXELS).init(device),
        }
    }

    pub fn forward(&self, noise: Tensor<2>) -> Tensor<2> {
        let hidden = self.first_norm.forward(self.first.forward(noise));
        let hidden = self.second.forward(leaky_relu(hidden, LEAK));
        let hidden = leaky_relu(self.second_norm.forward(hidden), LEAK);
        sigmoid(self.paint.forward(hidden))
    }
}

/// Tells real digits, above 0, from made ones, below: `[batch, 784] -> [batch, 1]`.
#[derive(Module, Debug)]
pub struct Discriminator {
    first: Linear,
    second: Linear,
    head: Linear,
    dropout: Dropout,
}

impl Discriminator {
    pub fn new(device: &Device) -> Self {
        Self {
            first: LinearConfig::new(MNIST_PIXELS, 256).init(device),
            second: LinearConfig::new(256, 128).init(device),
            head: LinearConfig::new(128, 1).init(device),
            dropout: DropoutConfig::new(0.3).init(),
        }
    }

    pub fn forward(&self, digits: Tensor<2>) -> Tensor<2> {
        let hidden = leaky_relu(self.first.forward(digits), LEAK);
        let hidden = self.second.forward(self.dropout.forward(hidden));
        let hidden = self.dropout.forward(leaky_relu(hidden, LEAK));
        self.head.forward(hidden)
    }
}
