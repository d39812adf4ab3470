//! A schedule held within bounds.

use serde::{Deserialize, Serialize};

use crate::{Build, Curve, Schedule, ScheduleConfig, ScheduleError};

/// Holds every value of the base schedule within bounds:
/// `lr(t) = min(max(base(t), min_lr), max_lr)`.
///
/// A floor for a decay that would never end, or a ceiling for one that starts too high. The floor
/// holds for the cuts of a plateau inside as well, at step 0 as at any other.
///
/// ```
/// use burn_lr_scheduler::{Clamped, Run, ScheduleConfig, StepLr};
///
/// let schedule = Clamped::new(StepLr::new(0.1, 1)).with_min_lr(0.005).with_max_lr(0.05);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_epoch(938))?;
/// let lrs: Vec<f64> = (0..4).map(|epoch| curve.lr(epoch)).collect();
/// assert_eq!(lrs, [0.05, 0.1 * 0.1, 0.005, 0.005]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `min_lr` must be finite and at least 0, `max_lr` finite and at least `min_lr`.
///
/// # Source
/// This library's own. Where a schedule has an `end_lr` or `eta_min`, the curve arrives there
/// smoothly; clamping cuts it off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Clamped {
    /// The schedule that is held within the bounds.
    pub base: Box<ScheduleConfig>,
    /// The lowest learning rate; 0 by default.
    #[serde(default)]
    pub min_lr: f64,
    /// The highest learning rate; unbounded by default.
    #[serde(default)]
    pub max_lr: Option<f64>,
}

impl Clamped {
    /// `base`, without bounds yet.
    pub fn new(base: impl Into<ScheduleConfig>) -> Self {
        Self {
            base: Box::new(base.into()),
            min_lr: 0.0,
            max_lr: None,
        }
    }

    /// Sets the lowest learning rate.
    pub fn with_min_lr(mut self, min_lr: f64) -> Self {
        self.min_lr = min_lr;
        self
    }

    /// Sets the highest learning rate.
    pub fn with_max_lr(mut self, max_lr: f64) -> Self {
        self.max_lr = Some(max_lr);
        self
    }
}

impl Schedule for Clamped {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let min_lr = build.non_negative("min_lr", self.min_lr)?;
        let max_lr = match self.max_lr {
            None => f64::MAX,
            Some(max_lr) => {
                let expected = format!("a finite number of at least min_lr, {min_lr}");
                build.check("max_lr", max_lr, &expected, |max_lr| max_lr >= min_lr)?
            }
        };
        let base = build.child("base", &self.base)?;
        Ok(base.map(move |_, lr| lr.clamp(min_lr, max_lr)))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        use crate::StepLr;
        vec![(
            "Clamped StepLR, 0.01 to 0.08",
            Self::new(StepLr::new(0.1, 30).with_gamma(0.7))
                .with_min_lr(0.01)
                .with_max_lr(0.08),
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Constant, Run};

    #[test]
    fn bounds_are_checked() {
        let clamped = |min_lr, max_lr| {
            let clamped = Clamped::new(Constant::new(0.1));
            let clamped = clamped.with_min_lr(min_lr).with_max_lr(max_lr);
            ScheduleConfig::from(clamped).curve(&Run::per_update())
        };
        assert_eq!(clamped(0.2, 0.2).unwrap().lr(0), 0.2);
        for (min_lr, max_lr, name) in [
            (0.2, 0.1, "Clamped.max_lr"),
            (0.2, f64::INFINITY, "Clamped.max_lr"),
            (0.2, f64::NAN, "Clamped.max_lr"),
            (-0.2, 0.1, "Clamped.min_lr"),
            (f64::NAN, 0.1, "Clamped.min_lr"),
        ] {
            assert!(matches!(
                clamped(min_lr, max_lr),
                Err(ScheduleError::Invalid { path, .. }) if path == name
            ));
        }
    }
}
