//! Decay with the inverse of the step.

use serde::{Deserialize, Serialize};

use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Decays with the inverse of the step:
/// `lr(t) = initial_lr / (1 + decay_rate * t / decay_steps)`.
///
/// With `staircase` the quotient `t / decay_steps` is rounded down, so the rate falls once every
/// `decay_steps`. Step 0 is `initial_lr` to the bit; the decay never ends.
///
/// ```
/// use burn_lr_scheduler::{InverseTimeDecay, Run, ScheduleConfig};
///
/// let schedule = InverseTimeDecay::new(0.1, 2, 0.5);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_epoch(938))?;
/// let lrs = [0, 1, 4, 36].map(|epoch| curve.lr(epoch));
/// assert_eq!(lrs, [0.1, 0.08, 0.05, 0.01]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `initial_lr` and `decay_rate` must be finite and at least 0, `decay_steps` above 0 steps.
///
/// # Source
/// Keras's `InverseTimeDecay`, which accepts a negative `decay_rate` and divides by 0 on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct InverseTimeDecay {
    /// The learning rate of step 0.
    pub initial_lr: f64,
    /// The unit of time that `decay_rate` refers to.
    pub decay_steps: Length,
    /// By how much the divisor grows every `decay_steps`.
    pub decay_rate: f64,
    /// Whether the rate falls once every `decay_steps` instead of every step; false by default.
    #[serde(default)]
    pub staircase: bool,
}

impl InverseTimeDecay {
    /// A smooth decay.
    pub fn new(initial_lr: f64, decay_steps: impl Into<Length>, decay_rate: f64) -> Self {
        Self {
            initial_lr,
            decay_steps: decay_steps.into(),
            decay_rate,
            staircase: false,
        }
    }

    /// Sets whether the rate falls once every `decay_steps` instead of every step.
    pub fn with_staircase(mut self, staircase: bool) -> Self {
        self.staircase = staircase;
        self
    }
}

impl Schedule for InverseTimeDecay {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let decay_steps = build.laps("decay_steps", self.decay_steps)?;
        let decay_rate = build.non_negative("decay_rate", self.decay_rate)?;
        let staircase = self.staircase;
        Ok(Curve::new(move |step| {
            let time = if staircase {
                decay_steps.split(step).0 as f64
            } else {
                decay_steps.ratio(step)
            };
            initial_lr / (1.0 + decay_rate * time)
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        let decay = || Self::new(0.1, 50, 1.0);
        vec![
            ("Inverse time decay", decay()),
            (
                "Inverse time decay, staircase",
                decay().with_staircase(true),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    fn build(schedule: InverseTimeDecay) -> Result<Curve, ScheduleError> {
        ScheduleConfig::from(schedule).curve(&Run::per_update())
    }

    #[test]
    fn a_staircase_falls_every_decay_steps() {
        let curve = build(InverseTimeDecay::new(0.6, 3, 1.0).with_staircase(true)).unwrap();
        let lrs: Vec<f64> = (0..7).map(|step| curve.lr(step)).collect();
        assert_eq!(lrs, [0.6, 0.6, 0.6, 0.3, 0.3, 0.3, 0.6 / 3.0]);
    }

    #[test]
    fn bad_hyperparameters_are_refused_by_name() {
        for (schedule, name) in [
            (InverseTimeDecay::new(-0.1, 1, 1.0), "initial_lr"),
            (InverseTimeDecay::new(0.1, 0, 1.0), "decay_steps"),
            (InverseTimeDecay::new(0.1, 1, -1.0), "decay_rate"),
            (InverseTimeDecay::new(0.1, 1, f64::INFINITY), "decay_rate"),
        ] {
            let name = format!("InverseTimeDecay.{name}");
            let error = build(schedule);
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
