//! Powers that are cheaper than `powf` where they can be.

/// The largest exponent for which repeated multiplication is used: its error grows with the
/// exponent, and stays below 1e-13 up to here.
const MULTIPLIED: u64 = 512;

/// `base^exponent`.
pub(crate) fn power(base: f64, exponent: u64) -> f64 {
    if exponent <= MULTIPLIED {
        base.powi(exponent as i32)
    } else {
        base.powf(exponent as f64)
    }
}

/// `share^exponent`, where the exponent is usually 1.
pub(crate) fn shaped(share: f64, exponent: f64) -> f64 {
    if exponent == 1.0 {
        share
    } else {
        share.powf(exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_agree() {
        for base in [0.1_f64, 0.5, 0.97, 0.999_999, 1.0, 1.1, 3.0] {
            for exponent in 0..=MULTIPLIED {
                let exact = base.powf(exponent as f64);
                let difference = (power(base, exponent) - exact).abs();
                // Below the smallest normal number there are no relative errors to speak of.
                assert!(
                    difference <= 1e-13 * exact + f64::MIN_POSITIVE,
                    "{base} {exponent}"
                );
            }
        }
    }
}
