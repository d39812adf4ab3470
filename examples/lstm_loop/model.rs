//! A recurrent network for a series.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig, Lstm, LstmConfig};
use burn::tensor::{Device, Tensor};

use super::data::FEATURES;

const HIDDEN: usize = 32;

/// An LSTM, whose last output says what comes next: `[batch, days, FEATURES] -> [batch, 1]`.
///
/// It says by how much the next day differs from the last one, which is easier to learn.
#[derive(Module, Debug)]
pub struct Forecaster {
    lstm: Lstm,
    dropout: Dropout,
    head: Linear,
}

impl Forecaster {
    pub fn new(device: &Device) -> Self {
        Self {
            lstm: LstmConfig::new(FEATURES, HIDDEN, true).init(device),
            dropout: DropoutConfig::new(0.2).init(),
            head: LinearConfig::new(HIDDEN, 1).init(device),
        }
    }

    pub fn forward(&self, days: Tensor<3>) -> Tensor<2> {
        let [batch, length, _] = days.dims();
        let today = days.clone().slice([0..batch, length - 1..length, 0..1]);
        let (_, last) = self.lstm.forward(days, None);
        let change = self.head.forward(self.dropout.forward(last.hidden));
        today.flatten(1, 2) + change
    }
}
