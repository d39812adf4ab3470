use burn::module::Module;
use burn::nn::attention::{
    MhaInput, MultiHeadAttention, MultiHeadAttentionConfig, generate_autoregressive_mask,
};
use burn::tensor::{Bool, DType, Device, Tensor};

use super::dropout::GENERATOR;
use super::{assert_close, assert_same, mixed, numbers, outcome};
use crate::attention;

type Mask = Tensor<3, Bool>;

/// With weights that are the same everywhere, of the kind that `x` is.
fn layer(x: &Tensor<3>, dropout: f64, quiet: bool) -> MultiHeadAttention {
    let device = x.device();
    let config = MultiHeadAttentionConfig::new(8, 2)
        .with_dropout(dropout)
        .with_quiet_softmax(quiet);
    let mut layer = config.init(&device);
    let shift = |at: usize| mixed([8, 8], &device) * 0.1 + at as f32 * 0.05;
    let linears = [
        &mut layer.query,
        &mut layer.key,
        &mut layer.value,
        &mut layer.output,
    ];
    for (at, linear) in linears.into_iter().enumerate() {
        linear.weight = burn::module::Param::from_tensor(shift(at).cast(x.dtype()));
        linear.bias = None;
    }
    layer
}

fn burns(layer: &MultiHeadAttention, inputs: [Tensor<3>; 3], mask: Option<Mask>) -> Tensor<3> {
    let [query, key, value] = inputs;
    let input = MhaInput::new(query, key, value);
    let input = match mask {
        Some(mask) => input.mask_attn(mask),
        None => input,
    };
    layer.forward(input).context
}

type Masking = fn(&Tensor<3>) -> Option<Mask>;

const MASKS: [Masking; 5] = [
    |_| None,
    |x| {
        let [batch, length, _] = x.dims();
        Some(generate_autoregressive_mask(batch, length, &x.device()))
    },
    // One after another, of which some rows are masked as a whole.
    |x| {
        let [batch, length, _] = x.dims();
        let rows = mixed([batch, length, 1], &x.device()).expand([batch, length, length]);
        Some(rows.lower_elem(-1.0))
    },
    |x| {
        let [batch, length, _] = x.dims();
        Some(mixed([batch, length, length], &x.device()).greater_elem(1.0))
    },
    // Burn broadcasts it.
    |x| {
        let length = x.dims()[1];
        Some(generate_autoregressive_mask(1, length, &x.device()))
    },
];

#[test]
fn it_is_burns() {
    for mask in MASKS {
        for shape in [[1, 1, 8], [3, 5, 8], [2, 19, 8]] {
            let all = |x: Tensor<3>| [x.clone() * 0.5, x.clone(), x];
            assert_same(
                shape,
                |x| attention(&layer(&x, 0.0, false), all(x.clone()), mask(&x)),
                |x| burns(&layer(&x, 0.0, false), all(x.clone()), mask(&x)),
            );
        }
    }
}

#[test]
fn keys_may_be_others_than_queries() {
    let device = Device::flex().autodiff();
    let query = mixed([2, 3, 8], &device);
    let all = |x: Tensor<3>| [query.clone(), x.clone(), x];
    let mask = mixed([2, 3, 7], &device).greater_elem(0.5);
    let input = mixed([2, 7, 8], &device);
    let layer = layer(&input, 0.0, false);
    let found = outcome(&input, |x| attention(&layer, all(x), Some(mask.clone())));
    let expected = outcome(&input, |x| burns(&layer, all(x), Some(mask.clone())));
    for (found, expected) in found.iter().zip(&expected) {
        assert_close(found, expected, 2e-6);
    }
}

#[test]
fn a_new_layer_draws_burns_weights() {
    let _alone = GENERATOR.lock();
    let device = Device::flex().autodiff();
    let input = mixed([2, 3, 8], &device);
    // They are drawn where they are used first.
    let weights = |forward: fn(&MultiHeadAttention, [Tensor<3>; 3]) -> Tensor<3>| {
        device.seed(6);
        let layer = MultiHeadAttentionConfig::new(8, 2)
            .with_dropout(0.0)
            .init(&device);
        forward(&layer, [(); 3].map(|()| input.clone()));
        let linears = [&layer.query, &layer.key, &layer.value, &layer.output];
        linears.map(|linear| numbers(linear.weight.val()))
    };
    let [found, expected] = [
        weights(|layer, inputs| attention(layer, inputs, None)),
        weights(|layer, inputs| burns(layer, inputs, None)),
    ];
    assert_eq!(found, expected);
}

#[test]
fn padding_is_a_mask_of_all_queries() {
    let device = Device::flex().autodiff();
    let input = mixed([2, 5, 8], &device);
    let layer = layer(&input, 0.0, false);
    let all = |x: Tensor<3>| [x.clone(), x.clone(), x];
    let padding = mixed::<2>([2, 5], &device).greater_elem(1.0);
    let past = generate_autoregressive_mask(2, 5, &device);
    let expected = outcome(&input, |x| {
        let both = MhaInput::self_attn(x).mask_pad(padding.clone());
        layer.forward(both.mask_attn(past.clone())).context
    });
    let mask: Mask = padding.clone().unsqueeze_dim::<3>(1).expand([2, 5, 5]);
    let mask = past.clone().bool_or(mask);
    let found = outcome(&input, |x| attention(&layer, all(x), Some(mask.clone())));
    for (found, expected) in found.iter().zip(&expected) {
        assert_close(found, expected, 2e-6);
    }
}

#[test]
fn a_mask_may_be_part_of_another() {
    let device = Device::flex().autodiff();
    let query = mixed([2, 3, 8], &device);
    let input = mixed([2, 5, 8], &device);
    let layer = layer(&input, 0.0, false);
    let all = |x: Tensor<3>| [query.clone(), x.clone(), x];
    let larger = mixed::<3>([6, 9, 11], &device).greater_elem(0.3);
    for mask in [
        larger.clone().slice([3..5, 2..5, 4..9]),
        larger.clone().slice([0..2, 0..3, 0..5]),
        larger.clone().slice([4..6, 4..9, 8..11]).swap_dims(1, 2),
        larger.slice([1..2, 0..3, 6..11]).expand([2, 3, 5]),
    ] {
        let found = outcome(&input, |x| attention(&layer, all(x), Some(mask.clone())));
        let expected = outcome(&input, |x| burns(&layer, all(x), Some(mask.clone())));
        for (found, expected) in found.iter().zip(&expected) {
            assert_close(found, expected, 2e-6);
        }
    }
}

#[test]
fn the_layer_gets_burns_gradients() {
    let device = Device::flex().autodiff();
    let input = mixed([2, 5, 8], &device);
    let layer = layer(&input, 0.0, false);
    let inputs = || [input.clone(), input.clone(), input.clone()];
    let past = || Some(generate_autoregressive_mask(2, 5, &device));
    let of = |output: Tensor<3>| {
        let gradients = (output * mixed([2, 5, 8], &device)).sum().backward();
        let linears = [&layer.query, &layer.key, &layer.value, &layer.output];
        linears.map(|linear| numbers(linear.weight.grad(&gradients).unwrap()))
    };
    let (found, expected) = (
        of(attention(&layer, inputs(), past())),
        of(burns(&layer, inputs(), past())),
    );
    for (found, expected) in found.iter().zip(&expected) {
        assert_close(found, expected, 3e-5);
    }
}

#[test]
fn a_quiet_softmax_is_burns() {
    let device = Device::flex().autodiff();
    let input = mixed([2, 3, 8], &device);
    let layer = layer(&input, 0.0, true);
    let all = |x: Tensor<3>| [x.clone(), x.clone(), x];
    let found = outcome(&input, |x| attention(&layer, all(x), None));
    assert_eq!(found, outcome(&input, |x| burns(&layer, all(x), None)));
}

#[test]
fn what_is_no_ordinary_number_is_as_with_burn() {
    let device = Device::flex().autodiff();
    let all = |x: Tensor<3>| [x.clone(), x.clone(), x];
    for edge in [
        0.0,
        -0.0,
        1e18,
        f32::MAX,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
    ] {
        let edges = Tensor::<3>::full([2, 1, 8], edge, &device);
        let input = Tensor::cat(vec![edges, mixed([2, 3, 8], &device)], 1);
        let layer = layer(&input, 0.0, false);
        let past = || Some(generate_autoregressive_mask(2, 4, &device));
        let found = numbers(attention(&layer, all(input.clone()), past()));
        assert_close(
            &found,
            &numbers(burns(&layer, all(input.clone()), past())),
            1e-5,
        );
    }
}

#[test]
fn its_dropout_follows_from_the_seed_and_is_in_the_gradient() {
    let _alone = GENERATOR.lock();
    let device = Device::flex().autodiff();
    let input = mixed([4, 16, 8], &device);
    let all = |x: Tensor<3>| [x.clone(), x.clone(), x];
    let seeded = |dropout, seed| {
        device.seed(seed);
        let layer = layer(&input, dropout, false);
        outcome(&input, |x| attention(&layer, all(x), None))
    };
    assert_eq!(seeded(0.5, 7), seeded(0.5, 7));
    assert_ne!(seeded(0.5, 7), seeded(0.5, 8));
    assert_ne!(seeded(0.5, 7), seeded(0.0, 7));
    let frozen = layer(&input, 0.5, false).freeze();
    let expected = numbers(burns(&frozen, all(input.clone()), None));
    assert_close(
        &numbers(attention(&frozen, all(input.clone()), None)),
        &expected,
        1e-6,
    );

    // The derivative in one direction, by differences in double the step.
    let layer = layer(&input, 0.3, false);
    let direction = mixed([4, 16, 8], &device) * 0.25;
    let weights = mixed([4, 16, 8], &device).flip([1]);
    let at = |step: f32| {
        device.seed(3);
        let x = input.clone().detach() + direction.clone() * step;
        let x = x.require_grad();
        let sum = (attention(&layer, all(x.clone()), None) * weights.clone()).sum();
        let gradient = x.grad(&sum.backward()).unwrap();
        let slope = (gradient * direction.clone().inner()).sum();
        let value: f64 = numbers(sum.cast(DType::F64))[0];
        [value, numbers(slope)[0]]
    };
    let step = 1.0 / 128.0;
    let difference = (at(step)[0] - at(-step)[0]) / f64::from(2.0 * step);
    let [_, slope] = at(0.0);
    assert!(
        (difference - slope).abs() < 0.01 * slope.abs(),
        "{difference} {slope}"
    );
}
