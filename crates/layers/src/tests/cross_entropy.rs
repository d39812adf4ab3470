use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::tensor::{Device, Int, Tensor};

use super::{assert_close, assert_same, mixed, outcome};
use crate::cross_entropy;

fn targets(rows: usize, classes: usize, device: &Device) -> Tensor<1, Int> {
    let targets: Vec<i64> = (0..rows).map(|row| (row * 5 % classes) as i64).collect();
    Tensor::from_ints(&targets[..], device)
}

fn plain(device: &Device) -> CrossEntropyLoss {
    CrossEntropyLossConfig::new().init(device)
}

#[test]
fn it_is_burns() {
    for [rows, classes] in [[1, 1], [1, 3], [5, 17], [64, 10], [33, 75]] {
        let burns = |logits: Tensor<2>| {
            let device = logits.device();
            plain(&device).forward(logits, targets(rows, classes, &device))
        };
        let ours = |logits: Tensor<2>| {
            let device = logits.device();
            cross_entropy(&plain(&device), logits, targets(rows, classes, &device))
        };
        assert_same([rows, classes], ours, burns);
    }
}

#[test]
fn a_layer_with_settings_is_burns() {
    let device = Device::flex().autodiff();
    let config = CrossEntropyLossConfig::new;
    for config in [
        config().with_weights(Some(vec![1.0, 2.0, 0.5])),
        config().with_smoothing(Some(0.1)),
        config().with_pad_tokens(Some(vec![1])),
        config().with_logits(false),
    ] {
        let (loss, input) = (config.init(&device), mixed([6, 3], &device).exp());
        let found = outcome(&input, |x| cross_entropy(&loss, x, targets(6, 3, &device)));
        let expected = outcome(&input, |x| loss.forward(x, targets(6, 3, &device)));
        assert_eq!(found, expected);
    }
}

#[test]
fn extremes_are_as_with_burn() {
    let device = Device::flex().autodiff();
    let inf = f32::INFINITY;
    for row in [
        [0.0, 0.0, -0.0],
        [1e30, -1e30, 0.0],
        [f32::MAX, f32::MIN, 1.0],
        [-1000.0, 1000.0, 0.0],
        [-inf, 0.0, 1.0],
        [0.0, -inf, 1.0],
        [-inf, -inf, -inf],
        [0.0, inf, 0.0],
        [f32::NAN, 0.0, 0.0],
    ] {
        let input = Tensor::<2>::from_floats([row, [1.0, 2.0, 3.0]], &device);
        let targets = Tensor::<1, Int>::from_ints([1, 2], &device);
        let found = outcome(&input, |x| {
            cross_entropy(&plain(&device), x, targets.clone())
        });
        let expected = outcome(&input, |x| plain(&device).forward(x, targets.clone()));
        for (found, expected) in found.iter().zip(&expected) {
            assert_close(found, expected, 1e-6);
        }
    }
}

#[test]
fn the_logits_remain_what_they_were() {
    let device = Device::flex();
    let logits = mixed::<2>([4, 3], &device);
    let before = logits.to_data();
    cross_entropy(&plain(&device), logits.clone(), targets(4, 3, &device));
    assert_eq!(logits.into_data(), before);
}

#[test]
fn an_empty_batch_is_burns() {
    let device = Device::flex();
    let [empty, none] = [mixed::<2>([0, 3], &device), mixed([0, 3], &device)];
    let found = cross_entropy(&plain(&device), empty, targets(0, 3, &device));
    let expected = plain(&device).forward(none, targets(0, 3, &device));
    let [found, expected] = [found, expected].map(|loss| loss.into_scalar::<f32>());
    assert_eq!(found.to_bits(), expected.to_bits());
}

#[test]
#[should_panic(expected = "axis 0 expected 4, got 3")]
fn as_many_targets_as_rows_are_wanted() {
    let device = Device::flex();
    cross_entropy(
        &plain(&device),
        mixed([4, 3], &device),
        targets(3, 3, &device),
    );
}

#[test]
#[should_panic]
fn a_target_must_be_a_class() {
    let device = Device::flex();
    let beyond = Tensor::<1, Int>::from_ints([0, 3], &device);
    cross_entropy(&plain(&device), mixed([2, 3], &device), beyond);
}
