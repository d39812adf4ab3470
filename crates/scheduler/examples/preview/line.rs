//! What is drawn: learning rates step by step, and the round numbers beside them.

/// One schedule's learning rates, from step 0 on.
pub struct Line {
    /// What the legend calls it.
    pub label: String,
    /// The learning rate of every step.
    pub lrs: Vec<f64>,
}

/// The largest rate of all lines, which the axis has to reach.
pub fn highest(lines: &[Line]) -> f64 {
    let rates = lines.iter().flat_map(|line| &line.lrs);
    rates.fold(0.0, |highest, &lr| lr.max(highest))
}

/// An axis from 0 to at least the largest value, divided by round numbers.
pub struct Axis {
    /// The distance between two ticks: 1, 2 or 5 times a power of ten.
    unit: f64,
    /// The number of units up to the end of the axis.
    units: u64,
    decimals: usize,
    scientific: bool,
}

impl Axis {
    /// The axis from 0 to `highest`, with about `ticks` ticks.
    pub fn new(highest: f64, ticks: u64) -> Self {
        // A rate below this is drawn as 0, with an axis to 1.
        let highest = if highest > 1e-300 { highest } else { 1.0 };
        let rough = highest / ticks.max(1) as f64;
        let mut exponent = rough.log10().floor() as i32;
        let mut mantissa = match rough / 10f64.powi(exponent) {
            m if m <= 1.0 => 1.0,
            m if m <= 2.0 => 2.0,
            m if m <= 5.0 => 5.0,
            _ => 10.0,
        };
        if mantissa == 10.0 {
            mantissa = 1.0;
            exponent += 1;
        }
        let unit = mantissa * 10f64.powi(exponent);
        Self {
            unit,
            // Against an end of the axis that rounding alone puts one unit further out.
            units: (highest / unit - 1e-9).ceil().max(1.0) as u64,
            decimals: usize::try_from(-exponent).unwrap_or(0),
            scientific: !(1e-3..1e6).contains(&highest),
        }
    }

    /// The end of the axis.
    pub fn end(&self) -> f64 {
        self.at(self.units)
    }

    /// The values of all ticks, 0 and the end included.
    pub fn ticks(&self) -> impl DoubleEndedIterator<Item = f64> {
        (0..=self.units).map(|i| self.at(i))
    }

    /// A tick's value, written like all others of the axis.
    pub fn text(&self, value: f64) -> String {
        if value == 0.0 {
            "0".to_owned()
        } else if self.scientific {
            format!("{value:.1e}").replace(".0e", "e")
        } else {
            format!("{value:.*}", self.decimals)
        }
    }

    fn at(&self, i: u64) -> f64 {
        (i as f64 * self.unit).min(f64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_highest_value() {
        for (highest, end, texts) in [
            (0.1, 0.1, vec!["0", "0.02", "0.04", "0.06", "0.08", "0.10"]),
            (0.11, 0.15, vec!["0", "0.05", "0.10", "0.15"]),
            (3e-4, 3e-4, vec!["0", "1e-4", "2e-4", "3e-4"]),
            (0.0, 1.0, vec!["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ] {
            let axis = Axis::new(highest, 5);
            let found: Vec<String> = axis.ticks().map(|tick| axis.text(tick)).collect();
            assert!((axis.end() - end).abs() <= 1e-12 * end, "{highest}");
            assert_eq!(found, texts, "{highest}");
        }
    }

    #[test]
    fn extremes_have_a_finite_axis() {
        for highest in [f64::MIN_POSITIVE, 5e-324, f64::MAX] {
            let axis = Axis::new(highest, 5);
            assert!(axis.end().is_finite() && axis.end() > 0.0, "{highest}");
        }
    }
}
