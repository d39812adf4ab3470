//! Sums and the like over many numbers, in an order that vectors of any width can keep.

pub(crate) const LANES: usize = 16;

/// How many numbers are summed in single precision; sums of these are in double, so that the error does not grow
/// with the length.
const PIECE: usize = 1024;

/// Folds what `map` makes of `values`, sixteen at a time, and then what came of these by halves.
#[inline(always)]
fn reduce(
    values: &[f32],
    start: f32,
    map: impl Fn(f32) -> f32,
    fold: impl Fn(f32, f32) -> f32,
) -> f32 {
    let mut lanes = [start; LANES];
    let (whole, rest) = values.as_chunks::<LANES>();
    for chunk in whole {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = fold(*lane, map(*value));
        }
    }
    for (lane, value) in lanes.iter_mut().zip(rest) {
        *lane = fold(*lane, map(*value));
    }
    halves(lanes, fold)
}

#[inline(always)]
pub(crate) fn halves(mut lanes: [f32; LANES], fold: impl Fn(f32, f32) -> f32) -> f32 {
    for width in [8, 4, 2, 1] {
        for at in 0..width {
            lanes[at] = fold(lanes[at], lanes[at + width]);
        }
    }
    lanes[0]
}

#[inline(always)]
pub(crate) fn sum(values: &[f32]) -> f64 {
    sum_of(values, |value| value)
}

/// The sum of what `map` makes of the values.
#[inline(always)]
pub(crate) fn sum_of(values: &[f32], map: impl Fn(f32) -> f32 + Copy) -> f64 {
    let mut sum = 0.0;
    for piece in values.chunks(PIECE) {
        sum += f64::from(reduce(piece, 0.0, map, |a, b| a + b));
    }
    sum
}

/// The greatest of what is no NaN.
#[inline(always)]
pub(crate) fn greatest(values: &[f32]) -> f32 {
    let greater = |a: f32, b: f32| if b > a { b } else { a };
    reduce(values, f32::NEG_INFINITY, |value| value, greater)
}

/// The sum of products.
#[inline(always)]
pub(crate) fn dot(left: &[f32], right: &[f32]) -> f64 {
    let mut sum = 0.0;
    for (left, right) in left.chunks(PIECE).zip(right.chunks(PIECE)) {
        sum += f64::from(products(left, right));
    }
    sum
}

#[inline(always)]
fn products(left: &[f32], right: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let ((whole, rest), (others, rest_of_others)) =
        (left.as_chunks::<LANES>(), right.as_chunks::<LANES>());
    for (chunk, other) in whole.iter().zip(others) {
        for ((lane, a), b) in lanes.iter_mut().zip(chunk).zip(other) {
            *lane += a * b;
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(rest).zip(rest_of_others) {
        *lane += a * b;
    }
    halves(lanes, |a, b| a + b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_does_not_grow_with_the_length() {
        for length in [1, 15, 16, 17, PIECE, PIECE + 1, 1 << 21] {
            // As far from 0 as from each other, and no multiples of a power of two.
            let values: Vec<f32> = (0..length)
                .map(|at| 1.0 + (at as f32 * 0.7).sin() * 0.9)
                .collect();
            let ones = vec![1.0; length];
            let exact: f64 = values.iter().map(|value| f64::from(*value)).sum();
            for found in [sum(&values), dot(&values, &ones), dot(&ones, &values)] {
                assert!((found / exact - 1.0).abs() < 2e-7, "{length}: {found}");
            }
        }
    }
}
