//! A schedule whose lengths are multiplied.

use serde::{Deserialize, Serialize};

use crate::{Build, Curve, Schedule, ScheduleConfig, ScheduleError};

/// Multiplies every length in steps or epochs in the base schedule by `ratio`, rounded down to a whole step.
///
/// To run a recipe in half the time, or in twice. Lengths in percent stay what they are: the run itself is
/// what changes them. Lengths that end between two steps are not rounded.
///
/// ```
/// use burn_lr_scheduler::{Run, ScheduleConfig, StepLr, Stretched};
///
/// let schedule = Stretched::new(StepLr::new(0.4, 3).with_gamma(0.5), 1.5);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_update())?;
/// let lrs: Vec<f64> = (0..9).map(|step| curve.lr(step)).collect();
/// assert_eq!(lrs, [0.4, 0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.2, 0.1]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `ratio` must be finite and above 0. A length that becomes 0 is an error where that is one.
///
/// # Source
/// Composer's `scale_schedule_ratio`. Difference: it spares the warmup of its schedulers with warmup; put a
/// [`Warmup`](crate::Warmup) around, or leave it to be multiplied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Stretched {
    /// The schedule whose lengths are multiplied.
    pub base: Box<ScheduleConfig>,
    /// What they are multiplied by.
    pub ratio: f64,
}

impl Stretched {
    /// `base`, `ratio` times as long.
    pub fn new(base: impl Into<ScheduleConfig>, ratio: f64) -> Self {
        Self {
            base: Box::new(base.into()),
            ratio,
        }
    }
}

impl Schedule for Stretched {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let ratio = build.positive("ratio", self.ratio)?;
        build.stretched(ratio).child("base", &self.base)
    }

    fn examples() -> Vec<(&'static str, Self)> {
        use crate::{Length::Epochs, StepLr};
        let base = || StepLr::new(0.1, Epochs(15.0)).with_gamma(0.5);
        vec![
            ("Stretched by 0.5", Self::new(base(), 0.5)),
            ("Stretched by 1.5", Self::new(base(), 1.5)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CosineAnnealingLr, Length, Length::Percent, Run, StepLr};

    fn build(schedule: Stretched) -> Result<Curve, ScheduleError> {
        let run = Run::per_update().with_updates_per_epoch(3).with_epochs(4);
        ScheduleConfig::from(schedule).curve(&run)
    }

    #[test]
    fn steps_and_epochs_are_multiplied_and_percentages_are_not() {
        let end = |length: Length| {
            let cosine = CosineAnnealingLr::new(0.1, length);
            let curve = build(Stretched::new(cosine, 1.5)).unwrap();
            (0..).find(|&step| curve.lr(step) == 0.0)
        };
        assert_eq!(end(Length::Steps(5)), Some(7));
        assert_eq!(end(Length::Epochs(1.0)), Some(4));
        assert_eq!(end(Length::Fractional(5.0)), Some(8));
        assert_eq!(end(Percent(50.0)), Some(6));
    }

    #[test]
    fn ratios_multiply_and_keep_any_step() {
        let inner = Stretched::new(StepLr::new(0.4, 8).with_gamma(0.5), 0.5);
        let curve = build(Stretched::new(inner, 0.5)).unwrap();
        assert_eq!((curve.lr(1), curve.lr(2)), (0.4, 0.2));
        let longest = StepLr::new(0.4, u64::MAX).with_gamma(0.5);
        let curve = build(Stretched::new(longest, 1.0)).unwrap();
        assert_eq!((curve.lr(u64::MAX - 1), curve.lr(u64::MAX)), (0.4, 0.2));
    }

    #[test]
    fn what_becomes_empty_is_refused_by_name() {
        for (schedule, name) in [
            (Stretched::new(StepLr::new(0.1, 3), 0.0), "ratio"),
            (Stretched::new(StepLr::new(0.1, 3), f64::NAN), "ratio"),
            (
                Stretched::new(StepLr::new(0.1, 3), 0.1),
                "base.StepLr.step_size",
            ),
        ] {
            let name = format!("Stretched.{name}");
            let error = build(schedule);
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
