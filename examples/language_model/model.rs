//! A small causal transformer.

use burn::config::Config;
use burn::module::Module;
use burn::nn::attention::{
    MultiHeadAttention, MultiHeadAttentionConfig, generate_autoregressive_mask,
};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{
    Dropout, DropoutConfig, Embedding, EmbeddingConfig, Initializer, LayerNorm, LayerNormConfig,
    Linear, LinearConfig,
};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Int, Tensor};
use burn::train::{InferenceStep, SequenceOutput, TrainOutput, TrainStep};
use burn_lr::layers;
use rand::{Rng, RngExt};

use super::data::Lines;

/// The sizes of a [`Transformer`].
#[derive(Config, Debug)]
pub struct TransformerConfig {
    /// Different characters.
    pub alphabet: usize,
    /// The most characters that it looks back at.
    #[config(default = 64)]
    pub context: usize,
    #[config(default = 64)]
    pub width: usize,
    #[config(default = 4)]
    pub heads: usize,
    #[config(default = 2)]
    pub blocks: usize,
    #[config(default = 0.1)]
    pub dropout: f64,
}

impl TransformerConfig {
    pub fn init(&self, device: &Device) -> Transformer {
        let blocks = (0..self.blocks).map(|_| Block::new(self, device));
        // Small, so that it is the network that says what matters: GPT-2's choice.
        let small = Initializer::Normal {
            mean: 0.0,
            std: 0.02,
        };
        let embedding = |entries| {
            let config = EmbeddingConfig::new(entries, self.width);
            config.with_initializer(small.clone()).init(device)
        };
        Transformer {
            characters: embedding(self.alphabet),
            positions: embedding(self.context),
            dropout: DropoutConfig::new(self.dropout).init(),
            blocks: blocks.collect(),
            norm: LayerNormConfig::new(self.width).init(device),
            head: LinearConfig::new(self.width, self.alphabet).init(device),
        }
    }
}

/// Predicts each character from those before it: `[batch, length] -> [batch, length, alphabet]`.
#[derive(Module, Debug)]
pub struct Transformer {
    characters: Embedding,
    positions: Embedding,
    dropout: Dropout,
    blocks: Vec<Block>,
    norm: LayerNorm,
    head: Linear,
}

impl Transformer {
    pub fn forward(&self, characters: Tensor<2, Int>) -> Tensor<3> {
        let (device, [batch, length]) = (characters.device(), characters.dims());
        let places = Tensor::<1, Int>::arange(0..length as i64, &device).unsqueeze();
        let embedded = self.characters.forward(characters) + self.positions.forward(places);
        let past = generate_autoregressive_mask(batch, length, &device);
        let hidden = self
            .blocks
            .iter()
            .fold(layers::dropout(&self.dropout, embedded), |hidden, block| {
                block.forward(hidden, past.clone())
            });
        self.head.forward(self.norm.forward(hidden))
    }

    fn predict(&self, lines: Lines) -> (Tensor<1>, SequenceOutput) {
        let logits = self.forward(lines.inputs);
        let [batch, length, alphabet] = logits.dims();
        let loss = layers::cross_entropy(
            &CrossEntropyLossConfig::new().init(&logits.device()),
            logits.clone().reshape([batch * length, alphabet]),
            lines.targets.clone().flatten(0, 1),
        );
        // One entry a stretch, so that all of them count alike in Burn's metric.
        let per_stretch = loss.clone().detach().expand([batch]);
        let output = SequenceOutput::new(per_stretch, logits, None, lines.targets);
        (loss, output)
    }

    /// `length` characters that might follow `text`, drawn from `rng`.
    pub fn write(&self, mut text: Vec<i64>, length: usize, rng: &mut impl Rng) -> Vec<i64> {
        let device = self.head.weight.val().device();
        let [context, _] = self.positions.weight.dims();
        for _ in 0..length {
            let seen = &text[text.len().saturating_sub(context)..];
            let seen = Tensor::<1, Int>::from_data(seen, &device).unsqueeze::<2>();
            let last = seen.dims()[1] - 1;
            let logits = self.forward(seen).slice([0..1, last..last + 1]);
            let chances: Vec<f32> = softmax(logits, 2).into_data().iter().collect();
            let mut left = rng.random_range(0.0..1.0);
            let drawn = chances.iter().position(|chance| {
                left -= chance;
                left < 0.0
            });
            text.push(drawn.unwrap_or(chances.len() - 1) as i64);
        }
        text
    }
}

/// Attention to the past, then two linear layers, each added to what came in.
#[derive(Module, Debug)]
struct Block {
    attention_norm: LayerNorm,
    attention: MultiHeadAttention,
    norm: LayerNorm,
    widen: Linear,
    narrow: Linear,
    dropout: Dropout,
}

impl Block {
    fn new(config: &TransformerConfig, device: &Device) -> Self {
        let TransformerConfig { width, heads, .. } = *config;
        Self {
            attention_norm: LayerNormConfig::new(width).init(device),
            attention: MultiHeadAttentionConfig::new(width, heads)
                .with_dropout(config.dropout)
                .init(device),
            norm: LayerNormConfig::new(width).init(device),
            widen: LinearConfig::new(width, 4 * width).init(device),
            narrow: LinearConfig::new(4 * width, width).init(device),
            dropout: DropoutConfig::new(config.dropout).init(),
        }
    }

    fn forward(&self, hidden: Tensor<3>, past: Tensor<3, burn::tensor::Bool>) -> Tensor<3> {
        let normed = self.attention_norm.forward(hidden.clone());
        let inputs = [normed.clone(), normed.clone(), normed];
        let attended = layers::attention(&self.attention, inputs, Some(past));
        let hidden = hidden + layers::dropout(&self.dropout, attended);
        let normed = self.norm.forward(hidden.clone());
        let widened = layers::gelu(self.widen.forward(normed));
        hidden + layers::dropout(&self.dropout, self.narrow.forward(widened))
    }
}

impl TrainStep for Transformer {
    type Input = Lines;
    type Output = SequenceOutput;

    fn step(&self, lines: Lines) -> TrainOutput<SequenceOutput> {
        let (loss, output) = self.predict(lines);
        TrainOutput::new(self, loss.backward(), output)
    }
}

impl InferenceStep for Transformer {
    type Input = Lines;
    type Output = SequenceOutput;

    fn step(&self, lines: Lines) -> SequenceOutput {
        self.predict(lines).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_sees_what_comes_after_it() {
        let device = Device::flex();
        let model = TransformerConfig::new(5).with_context(8).init(&device);
        let logits = |text: [i64; 4]| {
            let text = Tensor::<1, Int>::from_data(text, &device).unsqueeze();
            let data = model.forward(text).into_data();
            data.iter::<f32>().collect::<Vec<f32>>()
        };
        let (one, other) = (logits([1, 2, 3, 4]), logits([1, 2, 0, 0]));
        assert_eq!(one[..2 * 5], other[..2 * 5]);
        assert_ne!(one[2 * 5..], other[2 * 5..]);
    }
}
