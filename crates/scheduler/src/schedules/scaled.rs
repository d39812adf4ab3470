//! A schedule times a number.

use serde::{Deserialize, Serialize};

use crate::{Build, Curve, Schedule, ScheduleConfig, ScheduleError};

/// Multiplies every value of the base schedule: `lr(t) = factor * base(t)`.
///
/// For a batch size that has changed, or a parameter group with a rate of its own: the same base,
/// scaled per group. A factor of 0 freezes the group.
///
/// ```
/// use burn_lr_scheduler::{Run, Scaled, ScheduleConfig, StepLr};
///
/// let schedule = Scaled::new(StepLr::new(0.1, 2).with_gamma(0.5), 4.0);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_update())?;
/// assert_eq!((curve.lr(0), curve.lr(2)), (0.4, 0.2));
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `factor` must be finite and at least 0.
///
/// # Source
/// This library's own. PyTorch gives each parameter group an `lr`, and its schedulers scale them all
/// alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Scaled {
    /// The schedule that is scaled.
    pub base: Box<ScheduleConfig>,
    /// What every value is multiplied by.
    pub factor: f64,
}

impl Scaled {
    /// `base`, every value times `factor`.
    pub fn new(base: impl Into<ScheduleConfig>, factor: f64) -> Self {
        Self {
            base: Box::new(base.into()),
            factor,
        }
    }
}

impl Schedule for Scaled {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let factor = build.non_negative("factor", self.factor)?;
        let base = build.child("base", &self.base)?;
        Ok(base.map(move |_, lr| factor * lr))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        use crate::StepLr;
        vec![(
            "Scaled StepLR, factor 0.3",
            Self::new(StepLr::new(0.1, 75).with_gamma(0.5), 0.3),
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Constant, ReduceLrOnPlateau, Run, Verdict};

    #[test]
    fn verdicts_tell_the_scaled_rates() {
        let plateau = ReduceLrOnPlateau::new(0.4)
            .with_patience(0)
            .with_factor(0.5)
            .with_min_lr(0.2);
        let schedule = ScheduleConfig::from(Scaled::new(plateau, 0.25));
        let mut curve = schedule.curve(&Run::per_update()).unwrap();
        assert_eq!(curve.observe(0, 1.0), Ok(vec![Verdict::Improved]));
        let cut = Verdict::Cut {
            from: 0.1,
            to: 0.05,
        };
        assert_eq!(curve.observe(1, 1.0), Ok(vec![cut]));
        let floor = Verdict::AtFloor { lr: 0.05 };
        assert_eq!(curve.observe(2, 1.0), Ok(vec![floor]));
    }

    #[test]
    fn extremes_stay_finite_and_bad_factors_are_refused() {
        let scaled = |lr, factor| {
            ScheduleConfig::from(Scaled::new(Constant::new(lr), factor)).curve(&Run::per_update())
        };
        assert_eq!(scaled(f64::MAX, f64::MAX).unwrap().lr(0), f64::MAX);
        assert_eq!(scaled(f64::MAX, 0.0).unwrap().lr(0), 0.0);
        for factor in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(
                scaled(0.1, factor),
                Err(ScheduleError::Invalid { path, .. }) if path == "Scaled.factor"
            ));
        }
    }
}
