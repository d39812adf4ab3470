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
            // Without a division, which would be a fifth of a step's time.
            Self::Whole(length) if step < length => (0, step as f64),
            Self::Whole(length) => (step / length, (step % length) as f64),
            Self::Fractional(length) => {
                // The quotient rounded down would be one too large where it is rounded up to a whole
                // number. This is how Python divides.
                let left = step as f64 % length;
                (((step as f64 - left) / length).round() as u64, left)
            }
        }
    }

    /// How often the length fits into `step`, rounded up.
    pub(crate) fn begun(self, step: u64) -> f64 {
        if let Self::Fractional(length) = self {
            let ratio = step as f64 / length;
            let passed = ratio as u64 as f64;
            // A whole number may be one that the ratio is rounded to.
            if passed < ratio {
                return passed + 1.0;
            }
        }
        let (passed, left) = self.split(step);
        passed as f64 + if left > 0.0 { 1.0 } else { 0.0 }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_length_is_counted_exactly() {
        let laps = Laps::Whole(3);
        assert_eq!(laps.split(7), (2, 1.0));
        assert_eq!(laps.split(u64::MAX), (u64::MAX / 3, 0.0));
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

    #[test]
    fn what_has_begun_has_passed_or_is_under_way() {
        let fractional = [0.1, 0.3, 2.4, 72.5, 1.0 / 3.0, f64::MIN_POSITIVE, 1e300];
        let lengths = fractional.map(Laps::Fractional).into_iter();
        for laps in lengths.chain([1, 3, u64::MAX].map(Laps::Whole)) {
            for step in (0..3000)
                .chain(1_000_000_000..1_000_000_300)
                .chain([u64::MAX])
            {
                let (passed, left) = laps.split(step);
                let under_way = if left > 0.0 { 1.0 } else { 0.0 };
                assert_eq!(
                    laps.begun(step),
                    passed as f64 + under_way,
                    "{laps:?} {step}"
                );
            }
        }
    }
}
