//! A length that is run through again and again, and may end between two steps.

/// A length above 0 as a measure of steps.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Laps {
    /// Counted in integers, which are exact at any step.
    Whole(u64),
    Fractional(f64),
}

impl Laps {
    pub(crate) fn length(self) -> f64 {
        match self {
            Self::Whole(length) => length as f64,
            Self::Fractional(length) => length,
        }
    }

    /// `step` as a multiple of the length.
    pub(crate) fn ratio(self, step: u64) -> f64 {
        step as f64 / self.length()
    }

    /// How often the length fits into `step`, and the steps that are left.
    pub(crate) fn split(self, step: u64) -> (u64, f64) {
        match self {
            Self::Whole(length) => (step / length, (step % length) as f64),
            Self::Fractional(length) => {
                // The quotient rounded down would be one too large where it is rounded up to a whole
                // number. This is how Python divides.
                let left = step as f64 % length;
                (((step as f64 - left) / length).round() as u64, left)
            }
        }
    }

    /// Both lengths, one after the other.
    pub(crate) fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Self::Whole(a.saturating_add(b)),
            _ => Self::Fractional(self.length() + other.length()),
        }
    }

    pub(crate) fn times(self, factor: u64) -> Self {
        match self {
            Self::Whole(length) => Self::Whole(length.saturating_mul(factor)),
            Self::Fractional(length) => Self::Fractional(length * factor as f64),
        }
    }

    /// `step` if the length has not ended there, otherwise its end.
    pub(crate) fn until_end(self, step: u64) -> f64 {
        (step as f64).min(self.length())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_length_is_counted_exactly() {
        let laps = Laps::Whole(3);
        assert_eq!(laps.split(7), (2, 1.0));
        assert_eq!(laps.split(u64::MAX), (u64::MAX / 3, 0.0));
        assert_eq!(laps.until_end(2), 2.0);
        assert_eq!(laps.until_end(9), 3.0);
    }

    #[test]
    fn a_fractional_one_divides_as_python_does() {
        let laps = Laps::Fractional(2.4);
        let counts: Vec<u64> = (0..10).map(|step| laps.split(step).0).collect();
        assert_eq!(counts, [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]);
        // 0.1 is a little more than a tenth, so it fits into 1 nine times.
        assert_eq!(Laps::Fractional(0.1).split(1).0, 9);
        assert_eq!(
            Laps::Fractional(f64::MIN_POSITIVE).split(u64::MAX).0,
            u64::MAX
        );
    }
}
