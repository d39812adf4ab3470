//! Powers that are cheaper than `powf` where they can be.

/// The largest exponent for which repeated multiplication is used: its error grows with the
/// exponent, and stays below 1e-13 up to here.
const MULTIPLIED: u64 = 512;

/// `base^exponent` of a base that is not negative.
pub(crate) fn power(base: f64, exponent: u64) -> f64 {
    if base == 1.0 {
        1.0
    } else if exponent <= MULTIPLIED {
        base.powi(exponent as i32)
    } else {
        raised(base, exponent as f64)
    }
}

/// `base^exponent` of a base and an exponent that are not negative.
///
/// What is 0 by far takes `powf` four times as long as other powers.
pub(crate) fn raised(base: f64, exponent: f64) -> f64 {
    // `base^exponent <= exp(-exponent * (1 - base))`, and half of the smallest number is above exp(-746).
    if exponent * (1.0 - base) > 746.0 {
        0.0
    } else {
        base.powf(exponent)
    }
}

/// `share^exponent`, where the exponent is usually 1 or 2.
pub(crate) fn shaped(share: f64, exponent: f64) -> f64 {
    if exponent == 1.0 {
        share
    } else if exponent == 2.0 {
        share * share
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

    #[test]
    fn what_is_taken_for_0_is_0() {
        for base in [0.0, 0.1, 0.5, 0.9, 0.999, 0.999_999_9, 1.0, 1.02] {
            for exponent in (0..64).map(|power| 1.5_f64.powi(power)) {
                let exact = f64::powf(base, exponent);
                assert_eq!(raised(base, exponent), exact, "{base} {exponent}");
            }
        }
    }
}
