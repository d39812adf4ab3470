//! Layers in one pass where there are any, and Burn's own on every other backend that is compiled in.

use burn::nn::attention::{MhaInput, MultiHeadAttentionConfig, generate_autoregressive_mask};
use burn::nn::conv::Conv2dConfig;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::{Device, Int, Tensor, TensorData, activation};
use burn_lr::layers;
use burn_lr::training::device::Backend;

fn input(device: &Device) -> Tensor<3> {
    let numbers: Vec<f32> = (0..2 * 5 * 8).map(|at| (at as f32 * 0.7).sin()).collect();
    Tensor::from_data(TensorData::new(numbers, [2, 5, 8]), device).require_grad()
}

/// What a layer makes of the input, and the gradient.
fn outcome(device: &Device, layer: impl Fn(Tensor<3>) -> Tensor<3>) -> Vec<f32> {
    let input = input(device);
    let output = layer(input.clone());
    let gradients = output.clone().square().sum().backward();
    let gradient = input.grad(&gradients).unwrap();
    let both = [output.into_data(), gradient.into_data()];
    both.iter().flat_map(|data| data.iter::<f32>()).collect()
}

#[test]
fn every_backend_has_them() {
    for backend in Backend::compiled() {
        let device = backend.device().unwrap().autodiff();
        let attention = MultiHeadAttentionConfig::new(8, 2)
            .with_dropout(0.0)
            .init(&device);
        let loss = CrossEntropyLossConfig::new().init(&device);
        let past = generate_autoregressive_mask(2, 5, &device);
        let targets = Tensor::<1, Int>::from_ints([0, 1, 2, 3, 4, 5, 6, 7, 0, 1], &device);
        let flat = |x: Tensor<3>| x.reshape([10, 8]);
        let convolution = Conv2dConfig::new([2, 4], [3, 3]).init(&device);
        let images = |x: Tensor<3>| x.reshape([1, 2, 5, 8]);
        let pairs = [
            (
                outcome(&device, layers::gelu),
                outcome(&device, activation::gelu),
            ),
            (
                outcome(&device, |x| {
                    let inputs = [x.clone(), x.clone(), x];
                    layers::attention(&attention, inputs, Some(past.clone()))
                }),
                outcome(&device, |x| {
                    let input = MhaInput::self_attn(x).mask_attn(past.clone());
                    attention.forward(input).context
                }),
            ),
            (
                outcome(&device, |x| {
                    layers::conv2d(&convolution, images(x)).flatten(1, 2)
                }),
                outcome(&device, |x| convolution.forward(images(x)).flatten(1, 2)),
            ),
            (
                outcome(&device, |x| {
                    layers::cross_entropy(&loss, flat(x), targets.clone()).reshape([1, 1, 1])
                }),
                outcome(&device, |x| {
                    let loss = loss.forward(flat(x), targets.clone());
                    loss.reshape([1, 1, 1])
                }),
            ),
        ];
        let normalized = |forward: fn(&BatchNorm, Tensor<3>) -> Tensor<3>| {
            // Channels of 20 numbers in each of two samples.
            let norm = BatchNormConfig::new(2).init(&device);
            let mut outcome = outcome(&device, |x| {
                forward(&norm, x.reshape([2, 2, 20])).reshape([2, 5, 8])
            });
            for state in [&norm.running_mean, &norm.running_var] {
                outcome.extend(state.value_sync().into_data().iter::<f32>());
            }
            outcome
        };
        let norms = [layers::batch_norm, BatchNorm::forward].map(normalized);
        let norms = <(Vec<f32>, Vec<f32>)>::from(norms);
        for (found, expected) in pairs.into_iter().chain([norms]) {
            assert_eq!(found.len(), expected.len());
            let is_close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5;
            assert!(found.iter().zip(&expected).all(is_close), "{backend}");
            assert!(backend == Backend::Flex || found == expected, "{backend}");
        }
    }
}
