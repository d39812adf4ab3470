//! The Gaussian error linear unit.

use std::f32::consts::FRAC_1_SQRT_2;

use burn::tensor::{Tensor, TensorData};
use pulp::NullaryFnOnce;

use super::exponential::exp;
use super::fused::{Gradient, Operation, fused, numbers};
use super::width::widest;

/// One over the root of twice pi.
const PEAK: f32 = 0.398_942_3;

/// From here on the error function is one minus an exponential, to the precision of `f32`.
const FAR: f32 = 0.927_734_4;

/// Gives `input` back where it is not for here.
pub(crate) fn gelu<const D: usize>(input: Tensor<D>) -> Result<Tensor<D>, Tensor<D>> {
    fused(input, Gelu)
}

#[derive(Clone, Copy)]
pub(crate) struct Gelu;

impl Operation for Gelu {
    type Gradient = Slope;

    fn forward(self, mut input: TensorData) -> TensorData {
        widest(Values(numbers(&mut input)));
        input
    }

    fn tracked(self, mut input: TensorData) -> (TensorData, Slope) {
        let values = numbers(&mut input);
        let mut slope = vec![0.0; values.len()];
        widest(ValuesAndSlope {
            values,
            slope: &mut slope,
        });
        (input, Slope(slope))
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Slope(Vec<f32>);

impl Gradient for Slope {
    fn of_input(self, mut of_output: TensorData) -> TensorData {
        widest(Product(numbers(&mut of_output), &self.0));
        of_output
    }
}

/// The chance that a standard normal variable is below `x`, by the polynomials of Norbert Juffa's
/// [`erff`](https://stackoverflow.com/a/35148199): near 0 of the error function, and far from it of the
/// logarithm of what it lacks to 1, so that nothing is lost by a difference.
#[inline(always)]
fn cumulative(x: f32) -> f32 {
    let t = x.abs() * FRAC_1_SQRT_2;
    let s = t * t;
    let mut far = -1.728_534_7e-5 * t + 3.831_972_6e-4;
    far = far * s + (-3.883_964_4e-3 * t + 2.425_462_2e-2);
    far = far * t - 1.067_778_8e-1;
    far = far * t - 6.348_467e-1;
    far = far * t - 1.287_175_1e-1;
    far = far * t - t;
    let mut near = -5.967_617e-4 * s + 4.991_194_2e-3;
    near = near * s - 2.676_813_5e-2;
    near = near * s + 1.128_199_25e-1;
    near = near * s - 3.761_253_4e-1;
    near = near * s + 1.283_791_7e-1;
    near = near * t + t;
    let outside = if t > FAR {
        0.5 * exp(far)
    } else {
        0.5 - 0.5 * near
    };
    if x < 0.0 { outside } else { 1.0 - outside }
}

struct Values<'a>(&'a mut [f32]);

impl NullaryFnOnce for Values<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for x in self.0 {
            *x *= cumulative(*x);
        }
    }
}

struct ValuesAndSlope<'a> {
    values: &'a mut [f32],
    slope: &'a mut [f32],
}

impl NullaryFnOnce for ValuesAndSlope<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (x, slope) in self.values.iter_mut().zip(self.slope) {
            let below = cumulative(*x);
            *slope = below + *x * (PEAK * exp(-0.5 * *x * *x));
            *x *= below;
        }
    }
}

struct Product<'a>(&'a mut [f32], &'a [f32]);

impl NullaryFnOnce for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (value, factor) in self.0.iter_mut().zip(self.1) {
            *value *= factor;
        }
    }
}
