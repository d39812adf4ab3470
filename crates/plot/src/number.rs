//! Numbers in tables beside charts.

/// `value` with five significant digits, in powers of ten where it is very small or large.
///
/// ```
/// use burn_lr_plot::five_digits;
///
/// assert_eq!([0.1234567, 12.3, 1e-7].map(five_digits), ["0.12346", "12.300", "1.0000e-7"]);
/// ```
pub fn five_digits(value: f64) -> String {
    // Also for -0, which a sum of nothing is.
    if value == 0.0 {
        return "0".to_owned();
    }
    if !value.is_finite() {
        return value.to_string();
    }
    let magnitude = value.abs().log10().floor();
    if !(-4.0..6.0).contains(&magnitude) {
        return format!("{value:.4e}");
    }
    let digits = (4.0 - magnitude).max(0.0) as usize;
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_five_whatever_the_magnitude() {
        let all = [
            0.0,
            -0.0,
            0.000_123_456,
            12_345.67,
            123_456.7,
            1e7,
            -2.5,
            f64::NAN,
        ];
        let expected = [
            "0",
            "0",
            "0.00012346",
            "12346",
            "123457",
            "1.0000e7",
            "-2.5000",
            "NaN",
        ];
        assert_eq!(all.map(five_digits), expected);
    }
}
