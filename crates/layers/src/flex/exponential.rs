//! The exponential function of what is not positive.

use std::f32::consts::LOG2_E;

/// Added and taken away again, it rounds to whole numbers, which are the last bits of the sum.
const ROUNDING: f32 = 12_582_912.0;

/// The logarithm of 2 in two parts, of which the first has bits to spare for being multiplied.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// Below, the result is subnormal.
const LEAST: f32 = -87.336;

/// `e^x` for `x <= 0`, within two units in the last place; 0 where that is subnormal, NaN for NaN.
///
/// Without branches and without fused multiplication, so that it is the same bits in vectors of any width. The
/// polynomial is that of Cephes' `expf`.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let in_range = if x < LEAST { LEAST } else { x };
    let shifted = in_range * LOG2_E + ROUNDING;
    let whole = shifted - ROUNDING;
    let rest = in_range - whole * LN_2[0] - whole * LN_2[1];
    let mut sum = 1.987_569_1e-4;
    sum = sum * rest + 1.398_199_9e-3;
    sum = sum * rest + 8.333_452e-3;
    sum = sum * rest + 4.166_579_6e-2;
    sum = sum * rest + 1.666_666_5e-1;
    sum = sum * rest + 0.5;
    sum = sum * (rest * rest) + rest + 1.0;
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if x < LEAST { 0.0 } else { sum * power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_within_two_units_in_the_last_place() {
        let mut worst: f64 = 0.0;
        for step in 0..2_000_000 {
            let x = -87.3 * (step as f32 / 2e6);
            let exact = f64::from(x).exp();
            let unit = f64::from((exact as f32).next_up() - exact as f32);
            worst = worst.max((f64::from(exp(x)) - exact).abs() / unit);
        }
        assert!(worst < 2.0, "{worst}");
    }

    #[test]
    fn it_ends_as_it_should() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
        assert_eq!(exp(-1e-40), 1.0);
        assert!(exp(LEAST) >= f32::MIN_POSITIVE);
        for small in [LEAST.next_down(), -1e4, f32::MIN, f32::NEG_INFINITY] {
            assert_eq!(exp(small), 0.0);
        }
        assert!(exp(f32::NAN).is_nan());
    }
}
