//! A mean with its spread.

use std::fmt;

use serde::Serialize;
use statrs::statistics::Statistics;

/// A mean with its spread over seeds.
///
/// ```
/// use burn_lr_experiment::results::Stat;
///
/// assert_eq!(Stat::of([0.9662, 0.9701, 0.9624]).to_string(), "0.9662 ± 0.0039");
/// assert_eq!(Stat::of([0.25]).to_string(), "0.2500");
/// assert_eq!(Stat::of([]).to_string(), "-");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Stat {
    /// The mean; NaN if there is no value.
    pub mean: f64,
    /// The sample standard deviation, with n - 1; NaN if there are fewer than two values.
    pub sd: f64,
    /// How many values there are.
    pub n: usize,
}

impl Stat {
    /// The mean and spread of `values`.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        Self {
            mean: (&values).mean(),
            sd: (&values).std_dev(),
            n: values.len(),
        }
    }

    /// The mean and, if there is one, the spread, both times `scale`, as in `97.1 ± 0.2`; `-` if
    /// there is no mean.
    pub fn text(&self, scale: f64, digits: usize) -> String {
        let (mean, sd) = (scale * self.mean, scale * self.sd);
        if mean.is_nan() {
            "-".to_owned()
        } else if self.has_spread() {
            format!("{mean:.digits$} ± {sd:.digits$}")
        } else {
            format!("{mean:.digits$}")
        }
    }

    /// As [`text`](Self::text), for numbers of any magnitude, as in `2.5e-3`.
    pub fn scientific(&self) -> String {
        if self.mean.is_nan() {
            "-".to_owned()
        } else if self.has_spread() {
            format!("{:.2e} ± {:.0e}", self.mean, self.sd)
        } else {
            format!("{:.2e}", self.mean)
        }
    }

    /// Whether the values differ by more than rounding.
    fn has_spread(&self) -> bool {
        self.sd > 1e-9 * self.mean.abs()
    }
}

/// With as many digits as the spread makes sense of, or four: two of the spread are shown.
impl fmt::Display for Stat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = |value: f64| value.abs().log10().floor();
        let decimals = if self.has_spread() {
            1.0 - magnitude(self.sd)
        } else if self.mean == self.mean.round() {
            0.0
        } else {
            3.0 - magnitude(self.mean)
        };
        let text = if decimals > 6.0 || self.mean.abs() >= 1e6 {
            self.scientific()
        } else {
            self.text(1.0, decimals.max(0.0) as usize)
        };
        formatter.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_needs_two_values() {
        let stat = Stat::of([1.0, 2.0, 4.0]);
        assert!((stat.mean - 7.0 / 3.0).abs() < 1e-12);
        // Python: statistics.stdev([1, 2, 4])
        assert!((stat.sd - 1.527_525_231_651_946_7).abs() < 1e-12);
        assert_eq!(stat.n, 3);
        assert!(Stat::of([1.0]).sd.is_nan());
        assert!(Stat::of([]).mean.is_nan());
        assert!(Stat::of([1.0, f64::NAN]).mean.is_nan());
    }

    #[test]
    fn texts_have_the_digits_that_say_something() {
        for (values, text) in [
            (&[12.0, 14.0][..], "13.0 ± 1.4"),
            (&[10.0], "10"),
            (&[0.0, 0.0], "0"),
            (&[2.345_678], "2.346"),
            (&[1234.5], "1234"),
            (&[-0.25, -0.35], "-0.300 ± 0.071"),
            (&[3.2e-9], "3.20e-9"),
            (&[2e7], "2.00e7"),
            (&[1e-8, 3e-8], "2.00e-8 ± 1e-8"),
            (&[f64::NAN], "-"),
            (&[f64::INFINITY], "inf"),
        ] {
            assert_eq!(Stat::of(values.iter().copied()).to_string(), text);
        }
        assert_eq!(Stat::of([0.97, 0.97]).text(100.0, 2), "97.00");
    }
}
