//! Softmax of a row.

use super::exponential::exp;
use super::lanes::{greatest, sum};

/// Of what a row was: its greatest number, and the sum of the exponentials of the distances from that.
pub(crate) struct Scale {
    pub(crate) greatest: f32,
    pub(crate) sum: f32,
}

/// Makes probabilities of a row of logits.
#[inline(always)]
pub(crate) fn softmax(row: &mut [f32]) -> Scale {
    let greatest = greatest(row);
    for value in row.iter_mut() {
        *value = exp(*value - greatest);
    }
    let sum = sum(row) as f32;
    let factor = 1.0 / sum;
    for value in row {
        *value *= factor;
    }
    Scale { greatest, sum }
}
