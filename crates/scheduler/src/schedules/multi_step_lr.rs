//! Decay by a factor at given steps.

use serde::{Deserialize, Serialize};

use crate::power::power;
use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Multiplies the learning rate by `gamma` at each milestone:
/// `lr(t) = initial_lr * gamma^(number of milestones <= t)`.
///
/// Step 0 is `initial_lr` to the bit; after the last milestone the rate holds. Without milestones
/// it is constant.
///
/// ```
/// use burn_lr_scheduler::{MultiStepLr, Run, ScheduleConfig};
///
/// let schedule = MultiStepLr::new(0.1, [2, 5]).with_gamma(0.5);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_epoch(938))?;
/// let lrs: Vec<f64> = (0..7).map(|epoch| curve.lr(epoch)).collect();
/// assert_eq!(lrs, [0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `initial_lr` must be finite and at least 0, milestones at least 1 step and strictly increasing,
/// `gamma` finite and above 0.
///
/// # Source
/// PyTorch's `MultiStepLR`. It sorts milestones, counts one given twice twice, and accepts 0 and a
/// negative `gamma`; here these are errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MultiStepLr {
    /// The learning rate before the first milestone.
    pub initial_lr: f64,
    /// The steps at which the rate is multiplied.
    pub milestones: Vec<Length>,
    /// What the rate is multiplied by; 0.1 by default.
    #[serde(default = "default_gamma")]
    pub gamma: f64,
}

fn default_gamma() -> f64 {
    0.1
}

impl MultiStepLr {
    /// A decay to a tenth at each of `milestones`.
    pub fn new<L: Into<Length>>(initial_lr: f64, milestones: impl IntoIterator<Item = L>) -> Self {
        Self {
            initial_lr,
            milestones: milestones.into_iter().map(Into::into).collect(),
            gamma: default_gamma(),
        }
    }

    /// Sets what the rate is multiplied by.
    pub fn with_gamma(mut self, gamma: f64) -> Self {
        self.gamma = gamma;
        self
    }
}

impl Schedule for MultiStepLr {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let milestones = build.increasing("milestones", &self.milestones)?;
        let gamma = build.positive("gamma", self.gamma)?;
        Ok(Curve::new(move |step| {
            let passed = milestones.partition_point(|&milestone| milestone <= step);
            initial_lr * power(gamma, passed as u64)
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![
            ("MultiStepLR, gamma 0.1", Self::new(0.1, [90, 180, 240])),
            (
                "MultiStepLR, gamma 0.5",
                Self::new(0.1, [60, 120, 160, 200, 280]).with_gamma(0.5),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    #[test]
    fn milestones_must_increase_and_are_named() {
        for (milestones, name) in [
            (vec![5, 5], "MultiStepLr.milestones[1]"),
            (vec![5, 9, 7], "MultiStepLr.milestones[2]"),
            (vec![0, 9], "MultiStepLr.milestones[0]"),
        ] {
            let error =
                ScheduleConfig::from(MultiStepLr::new(0.1, milestones)).curve(&Run::per_update());
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }

    #[test]
    fn milestones_may_be_shares_of_the_run() {
        let milestones = [Length::Percent(50.0), Length::Percent(75.0)];
        let curve = ScheduleConfig::from(MultiStepLr::new(1.0, milestones))
            .curve(&Run::per_epoch(10).with_epochs(8))
            .unwrap();
        assert_eq!(
            [3, 4, 5, 6].map(|step| curve.lr(step)),
            [1.0, 0.1, 0.1, 0.1_f64.powi(2)]
        );
    }
}
