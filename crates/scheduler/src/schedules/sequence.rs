//! One schedule after another.

use serde::{Deserialize, Serialize};

use crate::curve::Part;
use crate::{Build, Curve, Length, Schedule, ScheduleConfig, ScheduleError};

/// Runs one schedule after another: schedule `i` is active from milestone `i - 1` on, and starts
/// at its own step 0 there.
///
/// Step 0 belongs to the first schedule, a milestone's own step to the next one; the last schedule
/// has no end. A plateau inside observes only while its schedule is the active one.
///
/// ```
/// use burn_lr_scheduler::{Constant, Run, ScheduleConfig, Sequence, StepLr};
///
/// let schedule = Sequence::new([Constant::new(0.001).into(), StepLr::new(0.01, 2).into()], [3]);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_epoch(938))?;
/// let lrs: Vec<f64> = (0..6).map(|epoch| curve.lr(epoch)).collect();
/// assert_eq!(lrs, [0.001, 0.001, 0.001, 0.01, 0.01, 0.001]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// There must be at least one schedule, one milestone fewer than schedules, and milestones must be
/// at least 1 and strictly increase.
///
/// # Source
/// PyTorch's `SequentialLR`. Differences: each schedule carries its own learning rate; nested
/// sequences do not step twice; `OneCycleLr` and plateaus are allowed inside; unsorted milestones
/// are an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Sequence {
    /// The schedules in their order.
    pub schedules: Vec<ScheduleConfig>,
    /// Where each schedule but the first starts.
    pub milestones: Vec<Length>,
}

impl Sequence {
    /// `schedules` in their order, each but the first starting at its milestone.
    pub fn new<L: Into<Length>>(
        schedules: impl IntoIterator<Item = ScheduleConfig>,
        milestones: impl IntoIterator<Item = L>,
    ) -> Self {
        Self {
            schedules: schedules.into_iter().collect(),
            milestones: milestones.into_iter().map(Into::into).collect(),
        }
    }
}

impl Schedule for Sequence {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        if self.schedules.is_empty() {
            return Err(build.invalid("schedules", "at least one schedule", "none"));
        }
        let count = self.schedules.len();
        let starts = build.between("milestones", &self.milestones, "schedules", count)?;
        let parts = std::iter::once(0)
            .chain(starts)
            .zip(&self.schedules)
            .enumerate()
            .map(|(i, (start, schedule))| {
                Ok(Part {
                    start,
                    origin: start,
                    curve: build.child(&format!("schedules[{i}]"), schedule)?,
                })
            })
            .collect::<Result<_, ScheduleError>>()?;
        Ok(Curve::sequence(parts))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        use crate::{Constant, StepLr};
        vec![(
            "Sequence: constant, then StepLR",
            Self::new(
                [
                    Constant::new(0.02).into(),
                    StepLr::new(0.1, 50).with_gamma(0.5).into(),
                ],
                [50],
            ),
        )]
    }
}
