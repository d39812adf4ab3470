//! A network for a row of numbers.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use burn::train::{InferenceStep, RegressionOutput, TrainOutput, TrainStep};

use super::data::{FEATURES, Rows};

/// Two hidden layers of 32 units: `[batch, FEATURES] -> [batch, 1]`.
#[derive(Module, Debug)]
pub struct Mlp {
    first: Linear,
    second: Linear,
    head: Linear,
}

impl Mlp {
    pub fn new(device: &Device) -> Self {
        Self {
            first: LinearConfig::new(FEATURES, 32).init(device),
            second: LinearConfig::new(32, 32).init(device),
            head: LinearConfig::new(32, 1).init(device),
        }
    }

    pub fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        let hidden = relu(self.first.forward(features));
        let hidden = relu(self.second.forward(hidden));
        self.head.forward(hidden)
    }

    /// The mean squared error, and the output for the metrics with the error of each row, so that
    /// every row counts once, whatever the size of its batch.
    fn regress(&self, rows: Rows) -> (Tensor<1>, RegressionOutput) {
        let output = self.forward(rows.features);
        let errors = (output.clone() - rows.targets.clone())
            .square()
            .flatten(0, 1);
        let output = RegressionOutput::new(errors.clone().detach(), output, rows.targets);
        (errors.mean(), output)
    }
}

impl TrainStep for Mlp {
    type Input = Rows;
    type Output = RegressionOutput;

    fn step(&self, rows: Rows) -> TrainOutput<RegressionOutput> {
        let (loss, output) = self.regress(rows);
        TrainOutput::new(self, loss.backward(), output)
    }
}

impl InferenceStep for Mlp {
    type Input = Rows;
    type Output = RegressionOutput;

    fn step(&self, rows: Rows) -> RegressionOutput {
        self.regress(rows).1
    }
}
