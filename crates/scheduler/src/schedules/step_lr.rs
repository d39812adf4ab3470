//! Decay by a factor every few steps.

use serde::{Deserialize, Serialize};

use crate::power::power;
use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Multiplies the learning rate by `gamma` every `step_size` steps:
/// `lr(t) = initial_lr * gamma^floor(t / step_size)`.
///
/// Step 0 is `initial_lr` to the bit; the decay never ends. A `step_size` that ends between two steps
/// is counted exactly: with 2.4 the rate changes at steps 3, 5, 8, 10 and 12.
///
/// ```
/// use burn_lr_scheduler::{Run, ScheduleConfig, StepLr};
///
/// // Halve every 3 epochs.
/// let schedule = StepLr::new(0.01, 3).with_gamma(0.5);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_epoch(938))?;
/// let lrs: Vec<f64> = (0..7).map(|epoch| curve.lr(epoch)).collect();
/// assert_eq!(lrs, [0.01, 0.01, 0.01, 0.005, 0.005, 0.005, 0.0025]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `initial_lr` must be finite and at least 0, `step_size` above 0 steps, `gamma` finite and
/// above 0. Factors above 1 grow the rate and are legal.
///
/// # Source
/// PyTorch's `StepLR`. It accepts a negative `gamma`; here that is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StepLr {
    /// The learning rate of the first steps.
    pub initial_lr: f64,
    /// How long each rate lasts.
    pub step_size: Length,
    /// What the rate is multiplied by; 0.1 by default.
    #[serde(default = "default_gamma")]
    pub gamma: f64,
}

fn default_gamma() -> f64 {
    0.1
}

impl StepLr {
    /// A decay to a tenth every `step_size`.
    pub fn new(initial_lr: f64, step_size: impl Into<Length>) -> Self {
        Self {
            initial_lr,
            step_size: step_size.into(),
            gamma: default_gamma(),
        }
    }

    /// Sets what the rate is multiplied by.
    pub fn with_gamma(mut self, gamma: f64) -> Self {
        self.gamma = gamma;
        self
    }
}

impl Schedule for StepLr {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let step_size = build.laps("step_size", self.step_size)?;
        let gamma = build.positive("gamma", self.gamma)?;
        Ok(Curve::new(move |step| {
            initial_lr * power(gamma, step_size.split(step).0)
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![
            ("StepLR, gamma 0.1", Self::new(0.1, 60)),
            ("StepLR, gamma 0.5", Self::new(0.1, 30).with_gamma(0.5)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    fn build(schedule: StepLr, run: Run) -> Result<Curve, ScheduleError> {
        ScheduleConfig::from(schedule).curve(&run)
    }

    #[test]
    fn a_step_size_may_end_between_steps() {
        let schedule = ScheduleConfig::from(StepLr::new(1.0, 2.4).with_gamma(0.5));
        let curve = schedule.curve(&Run::per_update()).unwrap();
        let lrs: Vec<f64> = (0..9).map(|step| curve.lr(step)).collect();
        assert_eq!(lrs, [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]);
        let epochs = ScheduleConfig::from(StepLr::new(1.0, Length::Epochs(2.4)).with_gamma(0.5));
        assert_eq!(epochs.curve(&Run::per_epoch(7)).unwrap().lr(8), 0.125);
    }

    #[test]
    fn lengths_are_resolved_against_the_run() {
        let run = Run::per_update()
            .with_updates_per_epoch(100)
            .with_epochs(10);
        for (length, first_decay) in [
            (Length::Steps(7), 7),
            (Length::Epochs(1.5), 150),
            (Length::Percent(30.0), 300),
        ] {
            let curve = build(StepLr::new(1.0, length), run).unwrap();
            assert_eq!(curve.lr(first_decay - 1), 1.0, "{length}");
            assert_eq!(curve.lr(first_decay), 0.1, "{length}");
        }
    }

    #[test]
    fn an_unresolved_length_is_an_error() {
        let error = build(StepLr::new(1.0, Length::Percent(30.0)), Run::per_epoch(10));
        assert!(matches!(
            error,
            Err(ScheduleError::UnresolvedLength { path, .. }) if path == "StepLr.step_size"
        ));
    }

    #[test]
    fn bad_hyperparameters_are_refused_by_name() {
        for (schedule, name) in [
            (StepLr::new(f64::NAN, 3), "StepLr.initial_lr"),
            (StepLr::new(-0.1, 3), "StepLr.initial_lr"),
            (StepLr::new(0.1, 0), "StepLr.step_size"),
            (StepLr::new(0.1, 3).with_gamma(0.0), "StepLr.gamma"),
            (
                StepLr::new(0.1, 3).with_gamma(f64::INFINITY),
                "StepLr.gamma",
            ),
        ] {
            let error = build(schedule, Run::per_update());
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
