//! A schedule that has already been running for a while.

use serde::{Deserialize, Serialize};

use crate::{Build, Curve, Length, Schedule, ScheduleConfig, ScheduleError};

/// Begins the base schedule `by` steps after its own step 0: `lr(t) = base(t + by)`.
///
/// Libraries differ in whether the first update of a warmup has the start value or is the first step up,
/// and likewise of decays; shifted by 1, `t / w` becomes `(t + 1) / w`. Step 0 is `base(by)`; there is no
/// end. A plateau in the base observes from step 0 on.
///
/// ```
/// use burn_lr_scheduler::{Constant, Run, ScheduleConfig, Shifted, Warmup};
///
/// let schedule = Shifted::new(Warmup::new(Constant::new(0.4), 4), 1);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_update())?;
/// let lrs: Vec<f64> = (0..4).map(|step| curve.lr(step)).collect();
/// assert_eq!(lrs, [0.1, 0.2, 0.4 * 0.75, 0.4]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// Those of the base schedule, and of a length that is not a whole number of steps.
///
/// # Source
/// This library's own, for what torchtitan, DeepSpeed and Hugging Face's `cosine_warmup_with_min_lr` do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Shifted {
    /// The schedule that is begun later.
    pub base: Box<ScheduleConfig>,
    /// How many of its steps are left out.
    pub by: Length,
}

impl Shifted {
    /// `base` without its first steps.
    pub fn new(base: impl Into<ScheduleConfig>, by: impl Into<Length>) -> Self {
        Self {
            base: Box::new(base.into()),
            by: by.into(),
        }
    }
}

impl Schedule for Shifted {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let by = build.steps_or_zero("by", self.by)?;
        Ok(build.child("base", &self.base)?.shifted(by))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        use crate::{CosineAnnealingLr, Warmup};
        let base = || Warmup::new(CosineAnnealingLr::new(0.1, 200), 100);
        vec![
            ("Shifted by 1", Self::new(base(), 1)),
            ("Shifted by 50", Self::new(base(), 50)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Constant, ReduceLrOnPlateau, Run, Sequence, StepLr};

    #[test]
    fn steps_do_not_overflow() {
        let schedule = Shifted::new(StepLr::new(0.1, u64::MAX), u64::MAX);
        let curve = ScheduleConfig::from(schedule)
            .curve(&Run::per_update())
            .unwrap();
        assert_eq!((curve.lr(0), curve.lr(u64::MAX)), (curve.lr(1), 0.1 * 0.1));
    }

    #[test]
    fn a_plateau_that_starts_later_starts_earlier() {
        let plateau = ReduceLrOnPlateau::new(0.4)
            .with_patience(0)
            .with_factor(0.5);
        let sequence = Sequence::new([Constant::new(0.4).into(), plateau.into()], [3]);
        let schedule = ScheduleConfig::from(Shifted::new(sequence, 2));
        let mut curve = schedule.curve(&Run::per_update()).unwrap();
        assert_eq!(curve.observe(0, 1.0).unwrap().len(), 0);
        assert_eq!(curve.observe(1, 1.0).unwrap().len(), 1);
        curve.observe(2, 2.0).unwrap();
        assert_eq!(curve.lr(3), 0.2);
    }
}
