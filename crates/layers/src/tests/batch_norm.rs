use std::env;
use std::process::Command;

use burn::module::{Module, Param, RunningState};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::{DType, Device, FloatDType, Tensor};

use super::{assert_close, assert_same, mixed, numbers, outcome};
use crate::batch_norm;

/// With a scale and a shift for each channel, and of the kind that `x` is.
fn layer<const D: usize>(x: &Tensor<D>) -> BatchNorm {
    let (device, channels) = (x.device(), x.dims()[1]);
    let mut layer = BatchNormConfig::new(channels).init(&device);
    let mixed = |channels| mixed::<1>([channels], &device).cast(x.dtype());
    layer.gamma = Param::from_tensor(mixed(channels));
    layer.beta = Param::from_tensor(mixed(channels) * 0.5);
    layer.running_mean = RunningState::new(mixed(channels).detach());
    layer.running_var = RunningState::new(mixed(channels).detach().abs());
    layer
}

#[test]
fn it_is_burns() {
    for shape in [[3, 2, 16], [64, 8, 49], [1, 1, 17], [5, 3, 4]] {
        let ours = |x: Tensor<3>| batch_norm(&layer(&x), x);
        assert_same(shape, ours, |x| layer(&x).forward(x));
    }
    let flat = |x: Tensor<2>| batch_norm(&layer(&x), x);
    assert_same([8, 5], flat, |x| layer(&x).forward(x));
}

#[test]
fn images_may_lie_otherwise_in_memory() {
    let device = Device::flex().autodiff();
    let input = mixed::<4>([2, 6, 5, 3], &device);
    let turned = |x: Tensor<4>| x.swap_dims(1, 3);
    let layer = layer(&turned(input.clone()));
    let found = outcome(&input, |x| batch_norm(&layer, turned(x)));
    let expected = outcome(&input, |x| layer.forward(turned(x)));
    for (found, expected) in found.iter().zip(&expected) {
        assert_close(found, expected, 5e-6);
    }
}

#[test]
fn the_layer_gets_burns_gradients_and_statistics() {
    let device = Device::flex().autodiff();
    let input = mixed::<3>([7, 3, 20], &device) + 2.0;
    let of = |forward: fn(&BatchNorm, Tensor<3>) -> Tensor<3>| {
        let layer = layer(&input);
        forward(&layer, input.clone() * 3.0);
        let output = forward(&layer, input.clone());
        let gradients = (output * mixed([7, 3, 20], &device)).sum().backward();
        [
            numbers(layer.gamma.grad(&gradients).unwrap()),
            numbers(layer.beta.grad(&gradients).unwrap()),
            numbers(layer.running_mean.value_sync()),
            numbers(layer.running_var.value_sync()),
        ]
    };
    let [found, expected] = [of(batch_norm), of(BatchNorm::forward)];
    for (found, expected) in found.iter().zip(&expected) {
        assert_close(found, expected, 5e-6);
    }
}

#[test]
fn out_of_training_it_is_burns() {
    let training = Device::flex().autodiff();
    for (layer, device) in [
        (layer(&mixed([2, 3, 16], &training)).freeze(), &training),
        (
            layer(&mixed([2, 3, 16], &training)).valid(),
            &Device::flex(),
        ),
    ] {
        let input = mixed::<3>([2, 3, 16], device);
        let found = numbers(batch_norm(&layer, input.clone()));
        assert_eq!(found, numbers(layer.forward(input)));
    }
}

#[test]
fn what_is_no_ordinary_number_is_as_with_burn() {
    let device = Device::flex().autodiff();
    for edge in [
        0.0,
        -0.0,
        1e-30,
        1e15,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
    ] {
        let edges = Tensor::<3>::full([4, 1, 16], edge, &device);
        let input = Tensor::cat(vec![edges, mixed([4, 2, 16], &device)], 1);
        let layer = layer(&input);
        let found = outcome(&input, |x| batch_norm(&layer, x));
        let expected = outcome(&input, |x| layer.forward(x));
        assert_close(&found[0], &expected[0], 5e-6);
        // Of equal numbers it is what rounding leaves, times the inverse of the root of epsilon.
        assert_close(&found[1], &expected[1], 2e-3);
    }
}

#[test]
fn long_samples_are_as_exact_as_short_ones() {
    let device = Device::flex().autodiff();
    for shape in [[1, 1, 1 << 20], [512, 2, 1 << 10]] {
        let input = mixed::<3>(shape, &device) + 100.0;
        let of = |forward: fn(&BatchNorm, Tensor<3>) -> Tensor<3>, kind: DType| {
            let layer = layer(&input.clone().cast(kind));
            let [output, gradient] =
                outcome(&input.clone().cast(kind), |x| forward(&layer, x) * 0.01);
            let running = [&layer.running_mean, &layer.running_var];
            let [mean, variance] = running.map(|state| numbers(state.value_sync()));
            [output, gradient, mean, variance]
        };
        let found = of(batch_norm, DType::F32);
        let exact = of(BatchNorm::forward, DType::F64);
        for (found, exact) in found.iter().zip(&exact) {
            assert_close(found, exact, 1e-6);
        }
    }
}

#[test]
fn the_device_may_make_other_numbers() {
    // A device can be configured once in a process, and before anything is made on it.
    const ALONE: &str = "BURN_LR_LAYERS_TEST_ALONE";
    if env::var_os(ALONE).is_none() {
        let name = "tests::batch_norm::the_device_may_make_other_numbers";
        let mut alone = Command::new(env::current_exe().unwrap());
        let status = alone.args(["--exact", name]).env(ALONE, "1").status();
        assert!(status.unwrap().success());
        return;
    }
    let mut device = Device::flex();
    device.configure(FloatDType::F64).unwrap();
    let input = mixed::<3>([3, 2, 16], &device.autodiff()).cast(DType::F32);
    let statistics = |forward: fn(&BatchNorm, Tensor<3>) -> Tensor<3>| {
        let layer = layer(&input);
        assert_eq!(forward(&layer, input.clone()).dtype(), DType::F32);
        layer.running_mean.value_sync()
    };
    let [found, expected] = [batch_norm, BatchNorm::forward].map(statistics);
    assert_eq!(found.dtype(), DType::F32);
    assert_close(&numbers(found), &numbers(expected), 1e-6);
}

#[test]
#[should_panic(expected = "axis 1 expected 3, got 4")]
fn the_channels_must_be_the_layers() {
    let device = Device::flex().autodiff();
    batch_norm(
        &layer(&mixed([2, 3, 16], &device)),
        mixed::<3>([2, 4, 16], &device),
    );
}
