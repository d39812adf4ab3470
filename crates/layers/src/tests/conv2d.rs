use burn::module::{Module, Param};
use burn::nn::PaddingConfig2d::{self, Explicit, Same, Valid};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{DType, Device, Tensor};

use super::{assert_rounded, assert_same, mixed, numbers, outcome};
use crate::conv2d;
use crate::flex::in_each_width;

type Kind = ([usize; 2], [usize; 2], [usize; 2], PaddingConfig2d, bool);

/// Channels, kernel, stride, padding and whether there is a bias; of the kind that `x` is.
fn layer((channels, kernel, stride, padding, bias): &Kind, x: &Tensor<4>) -> Conv2d {
    let device = x.device();
    let mut layer = Conv2dConfig::new(*channels, *kernel)
        .with_stride(*stride)
        .with_padding(padding.clone())
        .with_bias(*bias)
        .init(&device);
    let [outputs, inputs] = [channels[1], channels[0]];
    let weight = mixed::<4>([outputs, inputs, kernel[0], kernel[1]], &device) * 0.3;
    layer.weight = Param::from_tensor(weight.cast(x.dtype()));
    layer.bias = bias.then(|| Param::from_tensor(mixed([outputs], &device).cast(x.dtype())));
    layer
}

fn kinds() -> Vec<(Kind, [usize; 4])> {
    vec![
        (([1, 8], [3, 3], [1, 1], Same, false), [5, 1, 28, 28]),
        (([8, 16], [3, 3], [1, 1], Same, true), [11, 8, 14, 14]),
        (([3, 5], [1, 1], [1, 1], Valid, true), [2, 3, 6, 7]),
        (([3, 5], [1, 1], [2, 2], Valid, true), [2, 3, 6, 7]),
        (
            ([2, 4], [5, 5], [1, 1], Explicit(2, 2, 2, 2), true),
            [3, 2, 9, 5],
        ),
        (([2, 3], [5, 5], [2, 2], Valid, true), [3, 2, 12, 11]),
        (([2, 3], [4, 2], [1, 1], Same, true), [2, 2, 6, 7]),
        (([2, 3], [2, 4], [2, 1], Same, false), [2, 2, 7, 6]),
        (([1, 1], [3, 3], [2, 2], Same, true), [2, 1, 9, 8]),
        (
            ([2, 3], [3, 3], [3, 4], Explicit(1, 1, 1, 1), true),
            [2, 2, 10, 11],
        ),
        (
            ([2, 3], [2, 2], [3, 3], Explicit(1, 0, 1, 0), true),
            [2, 2, 10, 11],
        ),
        (
            ([2, 3], [3, 3], [1, 1], Explicit(0, 1, 2, 3), true),
            [2, 2, 5, 6],
        ),
        (
            ([2, 3], [3, 3], [2, 2], Explicit(4, 5, 4, 5), true),
            [2, 2, 5, 6],
        ),
        (
            ([1, 2], [5, 5], [1, 1], Explicit(2, 2, 2, 2), true),
            [2, 1, 3, 2],
        ),
        (
            ([17, 9], [3, 3], [1, 1], Explicit(1, 1, 1, 1), true),
            [1, 17, 40, 50],
        ),
        (([1, 1], [1, 3], [1, 1], Valid, true), [1, 1, 1, 3]),
    ]
}

#[test]
fn it_is_burns() {
    for (kind, shape) in kinds() {
        let ours = |x: Tensor<4>| conv2d(&layer(&kind, &x), x);
        assert_same(shape, ours, |x| layer(&kind, &x).forward(x));
    }
}

/// Of the output with weights that differ: the gradients of weights and bias.
fn of_layer(
    kind: &Kind,
    input: &Tensor<4>,
    forward: fn(&Conv2d, Tensor<4>) -> Tensor<4>,
) -> Vec<Vec<f64>> {
    let layer = layer(kind, input);
    let output = forward(&layer, input.clone());
    let weights = mixed(output.dims(), &output.device()).cast(output.dtype());
    let gradients = (output * weights).sum().backward();
    let mut found = vec![numbers(layer.weight.grad(&gradients).unwrap())];
    found.extend(
        layer
            .bias
            .map(|bias| numbers(bias.grad(&gradients).unwrap())),
    );
    found
}

#[test]
fn the_layer_gets_burns_gradients() {
    for (kind, shape) in kinds() {
        for device in [
            Device::flex().autodiff(),
            Device::flex().autodiff().gradient_checkpointing(),
        ] {
            let input = mixed::<4>(shape, &device);
            for input in [input.clone(), input.require_grad()] {
                let found = of_layer(&kind, &input, conv2d);
                let burns = of_layer(&kind, &input, Conv2d::forward);
                let exact = of_layer(&kind, &input.clone().cast(DType::F64), Conv2d::forward);
                for ((found, burns), exact) in found.iter().zip(&burns).zip(&exact) {
                    assert_rounded(found, burns, exact);
                }
                assert_eq!(of_layer(&kind, &input, conv2d), found);
            }
        }
    }
}

#[test]
fn errors_do_not_grow_with_images() {
    let kind = ([1, 1], [3, 3], [1, 1], Same, true);
    let device = Device::flex().autodiff();
    let input = mixed::<4>([1, 1, 1500, 1500], &device).abs();
    let of = |x: Tensor<4>, forward: fn(&Conv2d, Tensor<4>) -> Tensor<4>| {
        let layer = layer(&kind, &x);
        let gradients = (forward(&layer, x) * 0.7).sum().backward();
        let of_bias = numbers(layer.bias.unwrap().grad(&gradients).unwrap());
        [numbers(layer.weight.grad(&gradients).unwrap()), of_bias]
    };
    let found = of(input.clone(), conv2d);
    let exact = of(input.cast(DType::F64), Conv2d::forward);
    for (found, exact) in found.iter().zip(&exact) {
        for (found, exact) in found.iter().zip(exact) {
            assert!((found / exact - 1.0).abs() < 1e-6, "{found} for {exact}");
        }
    }
}

#[test]
fn images_may_lie_otherwise_in_memory() {
    let input = mixed::<4>([2, 6, 5, 3], &Device::flex().autodiff());
    let turned = |x: Tensor<4>| x.swap_dims(1, 3);
    let kind = ([3, 4], [3, 3], [1, 1], Same, true);
    let of = |x: Tensor<4>, forward: fn(&Conv2d, Tensor<4>) -> Tensor<4>| {
        outcome(&x, |x| forward(&layer(&kind, &x), turned(x)))
    };
    let [found, burns] = [conv2d, Conv2d::forward].map(|forward| of(input.clone(), forward));
    let exact = of(input.cast(DType::F64), Conv2d::forward);
    for ((found, burns), exact) in found.iter().zip(&burns).zip(&exact) {
        assert_rounded(found, burns, exact);
    }
}

#[test]
fn a_frozen_layer_has_no_gradients() {
    let device = Device::flex().autodiff();
    let input = mixed::<4>([2, 2, 6, 6], &device);
    let kind = ([2, 3], [3, 3], [1, 1], Same, true);
    let frozen = layer(&kind, &input).freeze();
    let found = outcome(&input, |x| conv2d(&frozen, x));
    assert_eq!(found, outcome(&input, |x| conv2d(&layer(&kind, &x), x)));

    let mut layer = layer(&kind, &input);
    layer.weight = layer.weight.set_require_grad(false);
    let gradients = conv2d(&layer, input).sum().backward();
    assert!(layer.weight.grad(&gradients).is_none());
    let of_bias = layer.bias.unwrap().grad(&gradients).unwrap();
    assert_eq!(numbers(of_bias), [72.0; 3]);
}

#[test]
fn what_would_not_gain_is_burns() {
    let device = Device::flex().autodiff();
    for (channels, kernel, groups, stride, side) in [
        ([4, 6], 3, 2, 1, 7),
        ([129, 1], 3, 1, 1, 14),
        ([16, 16], 3, 1, 1, 5),
        ([128, 128], 5, 1, 1, 17),
        ([1, 2], 3, 1, 5, 12),
        ([1, 2], 3, 1, 1 << 40, 6),
        ([1, 1], 3, 1, 1, 2050),
    ] {
        let input = mixed::<4>([2, channels[0], side, side], &device);
        let layer = Conv2dConfig::new(channels, [kernel, kernel])
            .with_groups(groups)
            .with_stride([stride, stride])
            .init(&device);
        let found = outcome(&input, |x| conv2d(&layer, x));
        assert_eq!(found, outcome(&input, |x| layer.forward(x)));
    }
}

/// So many that several blocks of samples are one piece of work.
#[test]
fn batches_may_be_large() {
    for (kind, shape) in [
        (([2, 5], [3, 3], [1, 1], Same, true), [150, 2, 32, 32]),
        (([3, 2], [3, 3], [2, 1], Valid, true), [401, 3, 21, 19]),
    ] {
        let input = mixed::<4>(shape, &Device::flex().autodiff());
        let of = |x: &Tensor<4>, forward: fn(&Conv2d, Tensor<4>) -> Tensor<4>| {
            let [output, of_input] = outcome(x, |x| forward(&layer(&kind, &x), x));
            let mut all = vec![output, of_input];
            all.extend(of_layer(&kind, x, forward));
            all
        };
        let [found, burns] = [conv2d, Conv2d::forward].map(|forward| of(&input, forward));
        let exact = of(&input.cast(DType::F64), Conv2d::forward);
        for ((found, burns), exact) in found.iter().zip(&burns).zip(&exact) {
            assert_rounded(found, burns, exact);
        }
    }
}

#[test]
fn entries_of_the_kernel_may_be_apart() {
    for (stride, padding) in [
        ([1, 1], Valid),
        ([2, 2], Explicit(2, 1, 2, 1)),
        ([3, 1], Valid),
    ] {
        let kind = ([2, 3], [3, 2], stride, padding, true);
        let apart = |x: &Tensor<4>| {
            let mut layer = layer(&kind, x);
            layer.dilation = [2, 3];
            layer
        };
        assert_same(
            [2, 2, 9, 10],
            |x| conv2d(&apart(&x), x),
            |x| apart(&x).forward(x),
        );
    }
}

#[test]
fn an_empty_batch_is_burns() {
    let device = Device::flex().autodiff();
    let input = Tensor::<4>::zeros([0, 2, 6, 6], &device);
    let layer = layer(&([2, 3], [3, 3], [1, 1], Same, true), &input);
    assert_eq!(conv2d(&layer, input).dims(), [0, 3, 6, 6]);
}

#[test]
fn what_burn_refuses_is_refused() {
    for (kind, shape) in [
        (([2, 3], [5, 5], [1, 1], Valid, true), [2, 2, 4, 4]),
        (([2, 3], [3, 3], [1, 1], Valid, true), [2, 4, 6, 6]),
    ] {
        let of = |forward: fn(&Conv2d, Tensor<4>) -> Tensor<4>| {
            let input = mixed::<4>(shape, &Device::flex().autodiff());
            std::panic::catch_unwind(|| forward(&layer(&kind, &input), input.clone()).into_data())
        };
        let [found, burns] = [of(conv2d), of(Conv2d::forward)];
        assert_eq!(found.ok(), burns.ok());
    }
}

#[test]
fn the_bits_do_not_depend_on_vectors_or_threads() {
    for (kind, shape) in kinds() {
        let input = mixed::<4>(
            [19, shape[1], shape[2], shape[3]],
            &Device::flex().autodiff(),
        );
        let run = || {
            let of_input = outcome(&input, |x| conv2d(&layer(&kind, &x), x));
            (of_input, of_layer(&kind, &input, conv2d))
        };
        let expected = run();
        let outcomes = in_each_width(run);
        assert!(outcomes.iter().all(|outcome| *outcome == expected));
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let found = pool.build().unwrap().install(run);
            assert!(found == expected, "{threads} threads, {shape:?}");
        }
    }
}
