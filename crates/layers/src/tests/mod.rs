//! Each layer beside Burn's own.

mod attention;
mod batch_norm;
mod conv2d;
mod cross_entropy;
mod dropout;
mod gelu;
mod width;

use burn::tensor::{DType, Device, Tensor, TensorData};

/// Numbers that look random, from -4 to 4.
fn mixed<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let count = shape.iter().product::<usize>() as i64;
    let mixed = |at: i64| ((at * 7919 + 13) % 4001) as f32 / 500.0 - 4.0;
    let numbers: Vec<f32> = (0..count).map(mixed).collect();
    Tensor::from_data(TensorData::new(numbers, shape), device)
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter().collect()
}

/// What a layer makes of `input`, and the gradient of the sum of that with weights that differ.
fn outcome<const D: usize, const E: usize>(
    input: &Tensor<D>,
    layer: impl Fn(Tensor<D>) -> Tensor<E>,
) -> [Vec<f64>; 2] {
    let input = input.clone().detach().require_grad();
    let output = layer(input.clone());
    let weights = mixed(output.dims(), &output.device()).cast(output.dtype());
    let gradients = (output.clone() * weights).sum().backward();
    let gradient = input.grad(&gradients).unwrap();
    assert_eq!(gradient.dims(), input.dims());
    [numbers(output), numbers(gradient)]
}

/// Whether all numbers are as near as `tolerance`, or relative to those above 1.
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let is_close = (found - expected).abs() <= tolerance * expected.abs().max(1.0)
            || (found == expected)
            || (found.is_nan() && expected.is_nan());
        assert!(is_close, "{at}: found {found:e}, expected {expected:e}");
    }
}

/// Whether `found` is as near to what is `exact` as Burn's single precision is.
fn assert_rounded(found: &[f64], burns: &[f64], exact: &[f64]) {
    assert_eq!(found.len(), exact.len());
    let worst = |of: &[f64]| {
        let errors = of.iter().zip(exact).map(|(x, exact)| (x - exact).abs());
        errors.fold(0.0, f64::max)
    };
    let scale = exact.iter().fold(1.0, |scale: f64, x| scale.max(x.abs()));
    let [found, burns] = [worst(found), worst(burns)];
    assert!(
        found <= 2.0 * burns + 3e-7 * scale,
        "{found:e} beside {burns:e}"
    );
}

/// Compares values and gradients on all kinds of Flex's devices, and has the same bits come of a second call.
fn assert_same<const D: usize, const E: usize>(
    shape: [usize; D],
    ours: impl Fn(Tensor<D>) -> Tensor<E>,
    burns: impl Fn(Tensor<D>) -> Tensor<E>,
) {
    for device in [
        Device::flex().autodiff(),
        Device::flex().autodiff().gradient_checkpointing(),
    ] {
        let input = mixed(shape, &device);
        let exact_input = input.clone().cast(DType::F64);
        let [once, beside] = [outcome(&input, &ours), outcome(&input, &burns)];
        let exact = outcome(&exact_input, &burns);
        for ((found, beside), exact) in once.iter().zip(&beside).zip(&exact) {
            assert_rounded(found, beside, exact);
        }
        assert_eq!(outcome(&input, &ours), once);
        // Nothing asks for a gradient, or could.
        for input in [input.clone(), mixed(shape, &Device::flex())] {
            let exact = numbers(burns(input.clone().cast(DType::F64)));
            let beside = numbers(burns(input.clone()));
            assert_rounded(&numbers(ours(input)), &beside, &exact);
        }
        // The input is somebody else's too, before and after.
        let twice = |input: &Tensor<D>, layer: &dyn Fn(Tensor<D>) -> Tensor<E>| {
            outcome(input, |x| {
                let (halved, first) = (x.clone() * 0.5, layer(x.clone()));
                first * layer(halved) + layer(x)
            })
        };
        let [found, beside] = [twice(&input, &ours), twice(&input, &burns)];
        let exact = twice(&exact_input, &burns);
        for ((found, beside), exact) in found.iter().zip(&beside).zip(&exact) {
            assert_rounded(found, beside, exact);
        }
        // Burn's own, bit for bit.
        for other in [DType::F64, DType::F16] {
            let input = input.clone().cast(other);
            assert_eq!(outcome(&input, &ours), outcome(&input, &burns), "{other:?}");
        }
    }
}
