//! The layers of the networks in the examples cnn and language_model, each by itself, forward and backward, on flex.
//!
//! ```sh
//! cargo bench --bench layers
//! ```
//!
//! Prints medians; `benches/peers/layers.py` measures the same layers in PyTorch.

use std::hint::black_box;
use std::time::Instant;

use burn::nn::attention::{MhaInput, MultiHeadAttentionConfig, generate_autoregressive_mask};
use burn::nn::conv::Conv2dConfig;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::MaxPool2dConfig;
use burn::nn::{
    BatchNormConfig, DropoutConfig, EmbeddingConfig, LayerNormConfig, LinearConfig, PaddingConfig2d,
};
use burn::tensor::activation::{gelu, relu};
use burn::tensor::{Device, Distribution, Int, Tensor};
use burn_lr::layers;

/// Prints what `layer` of a random input takes, forward and backward.
fn time<const D: usize, const E: usize>(
    name: &str,
    shape: [usize; D],
    gradient: bool,
    layer: impl Fn(Tensor<D>) -> Tensor<E>,
) {
    // What Cargo adds is an option.
    let mut wanted = std::env::args().skip(1).filter(|a| !a.starts_with("--"));
    if !wanted.next().is_none_or(|part| name.contains(&part)) {
        return;
    }
    let device = Device::flex().autodiff();
    let mut seconds = Vec::new();
    for round in 0..220 {
        let mut input = Tensor::random(shape, Distribution::Default, &device);
        if gradient {
            input = input.require_grad();
        }
        let begin = Instant::now();
        black_box(layer(input).sum().backward());
        if round >= 20 {
            seconds.push(begin.elapsed().as_secs_f64());
        }
    }
    seconds.sort_by(f64::total_cmp);
    println!("{name:<44} {:>8.0} µs", 1e6 * seconds[seconds.len() / 2]);
}

/// The layers of both networks in the sizes that they have there.
fn main() {
    let device = &Device::flex().autodiff();
    let conv = |channels| {
        Conv2dConfig::new(channels, [3, 3])
            .with_padding(PaddingConfig2d::Same)
            .with_bias(false)
            .init(device)
    };
    let (stem, body) = (conv([1, 8]), conv([8, 16]));
    time("convolution 1 to 8, 28 x 28", [64, 1, 28, 28], false, |x| {
        stem.forward(x)
    });
    time("convolution 8 to 16, 14 x 14", [64, 8, 14, 14], true, |x| {
        body.forward(x)
    });
    let name = "convolution 1 to 8, 28 x 28, one pass";
    time(name, [64, 1, 28, 28], false, |x| layers::conv2d(&stem, x));
    let name = "convolution 8 to 16, 14 x 14, one pass";
    time(name, [64, 8, 14, 14], true, |x| layers::conv2d(&body, x));
    let norm = BatchNormConfig::new(8).init(device);
    time("batch norm 8, 28 x 28", [64, 8, 28, 28], true, |x| {
        norm.forward(x)
    });
    let name = "batch norm 8, 28 x 28, one pass";
    time(name, [64, 8, 28, 28], true, |x| {
        layers::batch_norm(&norm, x)
    });
    let pool = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
    time("ReLU and pooling 8, 28 x 28", [64, 8, 28, 28], true, |x| {
        pool.forward(relu(x))
    });
    let hidden = LinearConfig::new(784, 64).init(device);
    time("linear 784 to 64", [64, 784], true, |x| hidden.forward(x));

    let shape = [16, 64, 64];
    let past = generate_autoregressive_mask(16, 64, device);
    for dropout in [0.1, 0.0] {
        let attention = MultiHeadAttentionConfig::new(64, 4)
            .with_dropout(dropout)
            .init(device);
        time(&format!("attention, dropout {dropout}"), shape, true, |x| {
            let input = MhaInput::self_attn(x).mask_attn(past.clone());
            attention.forward(input).context
        });
        let name = format!("attention, dropout {dropout}, one pass");
        time(&name, shape, true, |x: Tensor<3>| {
            let inputs = [x.clone(), x.clone(), x];
            layers::attention(&attention, inputs, Some(past.clone()))
        });
    }
    let widen = LinearConfig::new(64, 256).init(device);
    let narrow = LinearConfig::new(256, 64).init(device);
    time("linear 64 to 256 to 64", shape, true, |x| {
        narrow.forward(widen.forward(x))
    });
    time("GELU of 256", [16, 64, 256], true, gelu);
    time("GELU of 256, one pass", [16, 64, 256], true, layers::gelu);
    let norm = LayerNormConfig::new(64).init(device);
    time("layer norm", shape, true, |x| norm.forward(x));
    let dropout = DropoutConfig::new(0.1).init();
    time("dropout", shape, true, |x| dropout.forward(x));
    time("dropout, one pass", shape, true, |x| {
        layers::dropout(&dropout, x)
    });
    let numbers: Vec<i64> = (0..1024).map(|at| at * 7919 % 75).collect();
    let characters = Tensor::<1, Int>::from_data(&numbers[..], device);
    let embedding = EmbeddingConfig::new(75, 64).init(device);
    let head = LinearConfig::new(64, 75).init(device);
    let loss = CrossEntropyLossConfig::new().init(device);
    time("embedding", [1], false, |_| {
        embedding.forward(characters.clone().reshape([16, 64]))
    });
    time("head and cross entropy", [1024, 64], true, |x| {
        loss.forward(head.forward(x), characters.clone())
    });
    let name = "head and cross entropy, one pass";
    time(name, [1024, 64], true, |x| {
        layers::cross_entropy(&loss, head.forward(x), characters.clone())
    });
}
