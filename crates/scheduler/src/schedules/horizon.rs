//! A schedule for a run of another length.

use serde::{Deserialize, Serialize};

use crate::{Build, Curve, Schedule, ScheduleConfig, ScheduleError};

/// Builds the base schedule for a run of `epochs` epochs, whatever the length of the run:
/// percentages in it are shares of those.
///
/// To stop early on the way of a longer schedule, to go on after its end, or to try the beginning of a long run
/// as it will be. Lengths in steps and in epochs are what they are. Within a horizon another one counts.
///
/// ```
/// use burn_lr_scheduler::{CosineAnnealingLr, Horizon, Length::Percent, Run, ScheduleConfig};
///
/// let cosine = CosineAnnealingLr::new(0.4, Percent(100.0));
/// let run = Run::per_epoch(938).with_epochs(5);
/// let curve = ScheduleConfig::from(Horizon::new(cosine, 10)).curve(&run)?;
/// assert_eq!((curve.lr(0), curve.lr(5), curve.lr(10)), (0.4, 0.2, 0.0));
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `epochs` must be at least 1.
///
/// # Source
/// This library's own, for torchtitan's `total_steps`, OLMo-core's `t_max` and the like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Horizon {
    /// The schedule that is built for the other length.
    pub base: Box<ScheduleConfig>,
    /// How many epochs percentages are shares of.
    pub epochs: u64,
}

impl Horizon {
    /// `base` as in a run of `epochs` epochs.
    pub fn new(base: impl Into<ScheduleConfig>, epochs: u64) -> Self {
        Self {
            base: Box::new(base.into()),
            epochs,
        }
    }
}

impl Schedule for Horizon {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        if self.epochs == 0 {
            return Err(build.invalid("epochs", "at least 1 epoch", 0));
        }
        build.with_horizon(self.epochs).child("base", &self.base)
    }

    fn examples() -> Vec<(&'static str, Self)> {
        use crate::{CosineAnnealingLr, Length::Percent};
        let cosine = || CosineAnnealingLr::new(0.1, Percent(100.0));
        vec![
            ("Horizon of 40 epochs", Self::new(cosine(), 40)),
            ("Horizon of 90 epochs", Self::new(cosine(), 90)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CosineAnnealingLr, Length::Percent, Run, Scheduler, Sequence, StepLr};
    use burn_optim::lr_scheduler::LrScheduler;

    fn horizon(epochs: u64) -> Horizon {
        Horizon::new(CosineAnnealingLr::new(0.4, Percent(50.0)), epochs)
    }

    #[test]
    fn it_ends_with_its_base() {
        let step = StepLr::new(0.4, Percent(50.0)).with_gamma(0.5);
        let schedule = Sequence::new([horizon(4).into(), step.into()], [8]);
        let run = Run::per_update().with_updates_per_epoch(3).with_epochs(4);
        let curve = ScheduleConfig::from(schedule).curve(&run).unwrap();
        assert_eq!(
            (curve.lr(6), curve.lr(8 + 5), curve.lr(8 + 6)),
            (0.0, 0.4, 0.2)
        );
    }

    #[test]
    fn a_record_may_go_on_in_a_run_of_another_length() {
        let run = Run::per_update().with_updates_per_epoch(3);
        let saved = Scheduler::new(horizon(6), run.with_epochs(4)).unwrap();
        let mut longer = Scheduler::new(horizon(6), run.with_epochs(9)).unwrap();
        longer.try_load_record(&saved.to_record()).unwrap();
        let run = Run::per_update().with_updates_per_epoch(5).with_epochs(4);
        let mut other = Scheduler::new(horizon(6), run).unwrap();
        assert!(other.try_load_record(&saved.to_record()).is_err());
    }

    #[test]
    fn no_epochs_are_refused() {
        let error = ScheduleConfig::from(horizon(0)).curve(&Run::per_epoch(3));
        assert!(
            matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == "Horizon.epochs")
        );
    }
}
