//! The network of `fixtures/make.py`.

use std::fs;

use burn::module::{Module, Param};
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear,
    LinearConfig,
};
use burn::tensor::{Device, Int, Tensor};
use serde::Deserialize;

use super::weights::fixture;

#[derive(Module, Debug)]
pub struct Net {
    embedding: Embedding,
    conv: Conv1d,
    pub norm: BatchNorm,
    pub blocks: Vec<Linear>,
    layer_norm: LayerNorm,
    head: Head,
}

/// PyTorch has no variants: the weight is `head.weight` there.
#[derive(Module, Debug)]
enum Head {
    Plain(Linear),
}

impl Net {
    /// With all values of the first norm and of the bias of the convolution `value`.
    pub fn new(value: f32) -> Self {
        let device = Device::flex().autodiff();
        let head = LinearConfig::new(4, 2).with_bias(false);
        let mut net = Self {
            embedding: EmbeddingConfig::new(6, 4).init(&device),
            conv: Conv1dConfig::new(4, 3, 2).init(&device),
            norm: BatchNormConfig::new(3).init(&device),
            blocks: vec![
                LinearConfig::new(9, 5).init(&device),
                LinearConfig::new(5, 4).init(&device),
            ],
            layer_norm: LayerNormConfig::new(4).init(&device),
            head: Head::Plain(head.init(&device)),
        };
        net.norm.gamma = Param::from_tensor(Tensor::full([3], value, &device));
        net
    }

    /// As in evaluation, logits `[batch, 2]` of `tokens`.
    pub fn forward(&self, tokens: &[Vec<i64>]) -> Tensor<2> {
        let net = self.clone().valid();
        let length = tokens[0].len();
        let flat: Vec<i64> = tokens.iter().flatten().copied().collect();
        let tokens = Tensor::<1, Int>::from_ints(flat.as_slice(), &Device::flex());
        let tokens = tokens.reshape([-1, length as i64]);
        let x = net.embedding.forward(tokens).swap_dims(1, 2);
        let x = net.norm.forward(net.conv.forward(x));
        let mut x: Tensor<2> = x.flatten(1, 2);
        for block in &net.blocks {
            x = block.forward(x).tanh();
        }
        let Head::Plain(head) = &net.head;
        head.forward(net.layer_norm.forward(x))
    }
}

/// What PyTorch computes.
pub struct Expected {
    pub tokens: Vec<Vec<i64>>,
    pub output: Vec<f32>,
}

impl Expected {
    pub fn read() -> Self {
        #[derive(Deserialize)]
        struct File {
            tokens: Vec<Vec<i64>>,
            output: Vec<Vec<f32>>,
        }
        let json = fs::read(fixture("expected.json")).unwrap();
        let File { tokens, output } = serde_json::from_slice(&json).unwrap();
        Self {
            tokens,
            output: output.concat(),
        }
    }
}
