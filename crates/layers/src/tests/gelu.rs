use burn::tensor::activation::gelu as burns;
use burn::tensor::{DType, Device, Tensor, TensorData};

use super::{assert_close, assert_same, mixed, numbers, outcome};
use crate::gelu;

#[test]
fn it_is_burns() {
    for shape in [[1, 1], [3, 5], [7, 64], [0, 4], [4, 0]] {
        assert_same(shape, gelu, burns);
    }
}

#[test]
fn the_order_in_memory_does_not_matter() {
    let device = Device::flex().autodiff();
    let views: [fn(Tensor<2>) -> Tensor<2>; 4] = [
        |x| x.swap_dims(0, 1),
        |x| x.slice([2..5, 1..4]),
        |x| x.slice([4..5, 0..9]).expand([6, 9]),
        |x| x.flip([1]),
    ];
    for view in views {
        let input = mixed([8, 9], &device);
        let found = outcome(&input, |x| gelu(view(x)));
        let expected = outcome(&input, |x| burns(view(x)));
        for (found, expected) in found.iter().zip(&expected) {
            assert_close(found, expected, 2e-6);
        }
    }
}

#[test]
fn it_is_near_the_true_value_everywhere() {
    let device = Device::flex().autodiff();
    let grid: Vec<f32> = (-300_000..=300_000)
        .map(|at| at as f32 / 25_000.0)
        .collect();
    let input = Tensor::<1>::from_floats(&grid[..], &device);
    let wide = input.clone().cast(DType::F64);
    let of = |input: Tensor<1>, layer: fn(Tensor<1>) -> Tensor<1>| {
        let input = input.require_grad();
        let output = layer(input.clone());
        let gradients = output.clone().sum().backward();
        [numbers(output), numbers(input.grad(&gradients).unwrap())]
    };
    let ([values, slopes], [true_values, true_slopes]) = (of(input, gelu), of(wide, burns));
    for (at, x) in grid.iter().enumerate() {
        let bound = 2e-7 * f64::from(x.abs()).max(1.0);
        assert!((values[at] - true_values[at]).abs() < bound, "{x}");
        assert!((slopes[at] - true_slopes[at]).abs() < 2e-7, "{x}");
    }
}

#[test]
fn what_is_no_ordinary_number_is_as_with_burn() {
    let device = Device::flex().autodiff();
    let edges = [
        0.0,
        -0.0,
        1e-45,
        -1e-40,
        f32::MIN_POSITIVE,
        1e20,
        -1e20,
        f32::MAX,
        f32::MIN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
    ];
    let input = Tensor::<1>::from_floats(edges, &device);
    let [found, expected] = [gelu, burns].map(|layer| {
        let input = input.clone().require_grad();
        let output = layer(input.clone());
        let gradients = output.clone().sum().backward();
        [numbers(output), numbers(input.grad(&gradients).unwrap())]
    });
    for (found, expected) in found.iter().zip(&expected) {
        assert_close(found, expected, 1e-7);
    }
    assert!(found[0][1].is_sign_negative() && found[0][1] == 0.0);
}

#[test]
fn vectors_have_the_bits_of_single_numbers() {
    let device = Device::flex();
    let whole = numbers(gelu(mixed([64], &device)));
    let input = mixed([64], &device).into_data();
    for (number, expected) in input.iter::<f32>().zip(whole) {
        let one = Tensor::<1>::from_data(TensorData::from([number]), &device);
        assert_eq!(numbers(gelu(one)), [expected]);
    }
}
