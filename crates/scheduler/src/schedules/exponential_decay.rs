//! Exponential decay with a unit of time, a staircase and a floor.

use serde::{Deserialize, Serialize};

use crate::power::raised;
use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Multiplies the learning rate by `decay_rate` every `decay_steps`, smoothly:
/// `lr(t) = initial_lr * decay_rate^((t - decay_begin) / decay_steps)`.
///
/// Up to `decay_begin` the rate stays at `initial_lr`, step 0 being that to the bit. With
/// `staircase` the exponent is rounded down, so the rate changes once every `decay_steps`. Without
/// `end_lr` the decay never ends; with it the rate stays there once it arrives, as at a floor, or
/// as at a ceiling if `decay_rate` is above 1.
///
/// ```
/// use burn_lr_scheduler::{ExponentialDecay, Run, ScheduleConfig};
///
/// let schedule = ExponentialDecay::new(0.1, 2, 0.25).with_end_lr(0.01);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_epoch(938))?;
/// let lrs: Vec<f64> = (0..5).map(|epoch| curve.lr(epoch)).collect();
/// assert_eq!(lrs, [0.1, 0.05, 0.025, 0.0125, 0.01]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `initial_lr` must be finite and at least 0, `decay_steps` above 0 steps, `decay_rate` finite and
/// above 0, `end_lr` finite and on the side of `initial_lr` that the rate moves to.
///
/// # Source
/// optax's `exponential_decay` (`transition_steps`, `transition_begin`, `end_value`) and Keras's
/// `ExponentialDecay`. Differences: optax takes a `decay_rate` or `transition_steps` of 0 for no
/// decay, and an `end_value` on the wrong side for the initial rate; here those are errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExponentialDecay {
    /// The learning rate before the decay begins.
    pub initial_lr: f64,
    /// How long the rate takes to change by `decay_rate`.
    pub decay_steps: Length,
    /// What the rate is multiplied by every `decay_steps`.
    pub decay_rate: f64,
    /// When the decay begins; at step 0 by default.
    #[serde(default = "default_decay_begin")]
    pub decay_begin: Length,
    /// Whether the rate changes once every `decay_steps` instead of every step; false by default.
    #[serde(default)]
    pub staircase: bool,
    /// Where the decay ends; nowhere by default.
    #[serde(default)]
    pub end_lr: Option<f64>,
}

fn default_decay_begin() -> Length {
    Length::Steps(0)
}

impl ExponentialDecay {
    /// A smooth decay from step 0 on, without end.
    pub fn new(initial_lr: f64, decay_steps: impl Into<Length>, decay_rate: f64) -> Self {
        Self {
            initial_lr,
            decay_steps: decay_steps.into(),
            decay_rate,
            decay_begin: default_decay_begin(),
            staircase: false,
            end_lr: None,
        }
    }

    /// Sets when the decay begins.
    pub fn with_decay_begin(mut self, decay_begin: impl Into<Length>) -> Self {
        self.decay_begin = decay_begin.into();
        self
    }

    /// Sets whether the rate changes once every `decay_steps` instead of every step.
    pub fn with_staircase(mut self, staircase: bool) -> Self {
        self.staircase = staircase;
        self
    }

    /// Sets where the decay ends.
    pub fn with_end_lr(mut self, end_lr: f64) -> Self {
        self.end_lr = Some(end_lr);
        self
    }
}

impl Schedule for ExponentialDecay {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let decay_steps = build.laps("decay_steps", self.decay_steps)?;
        let decay_rate = build.positive("decay_rate", self.decay_rate)?;
        let decay_begin = build.steps_or_zero("decay_begin", self.decay_begin)?;
        let (floor, ceiling) = match self.end_lr {
            None => (0.0, f64::MAX),
            Some(end) if decay_rate < 1.0 => {
                let end = build.at_most("end_lr", end, "initial_lr", initial_lr)?;
                (end, f64::MAX)
            }
            Some(end) => {
                let expected = format!("a finite number of at least initial_lr, {initial_lr}");
                let end = build.check("end_lr", end, &expected, |end| end >= initial_lr)?;
                (0.0, end)
            }
        };
        let staircase = self.staircase;
        Ok(Curve::new(move |step| {
            let step = step.saturating_sub(decay_begin);
            let time = if staircase {
                decay_steps.split(step).0 as f64
            } else {
                decay_steps.ratio(step)
            };
            // Finite, so that growth leaves an initial rate of 0 at 0.
            let growth = raised(decay_rate, time).min(f64::MAX);
            (initial_lr * growth).clamp(floor, ceiling)
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![
            (
                "Exponential decay with a floor",
                Self::new(0.1, 60, 0.3)
                    .with_decay_begin(50)
                    .with_end_lr(0.005),
            ),
            (
                "Exponential decay, staircase",
                Self::new(0.1, 40, 0.6).with_staircase(true),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    fn build(schedule: ExponentialDecay) -> Result<Curve, ScheduleError> {
        ScheduleConfig::from(schedule).curve(&Run::per_update())
    }

    #[test]
    fn a_staircase_counts_from_where_the_decay_begins() {
        let decay = ExponentialDecay::new(0.8, 2, 0.5).with_staircase(true);
        let curve = build(decay.with_decay_begin(3)).unwrap();
        let lrs: Vec<f64> = (0..8).map(|step| curve.lr(step)).collect();
        assert_eq!(lrs, [0.8, 0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.2]);
    }

    #[test]
    fn growth_ends_at_its_ceiling_and_leaves_zero_at_zero() {
        let curve = build(ExponentialDecay::new(0.1, 1, 2.0).with_end_lr(1.0)).unwrap();
        assert_eq!(
            (curve.lr(1), curve.lr(4), curve.lr(u64::MAX)),
            (0.2, 1.0, 1.0)
        );
        let curve = build(ExponentialDecay::new(0.0, 1, 2.0).with_end_lr(1.0)).unwrap();
        assert_eq!(curve.lr(u64::MAX), 0.0);
    }

    #[test]
    fn bad_hyperparameters_are_refused_by_name() {
        for (schedule, name) in [
            (ExponentialDecay::new(-0.1, 1, 0.5), "initial_lr"),
            (ExponentialDecay::new(0.1, 0, 0.5), "decay_steps"),
            (ExponentialDecay::new(0.1, 1, 0.0), "decay_rate"),
            (
                ExponentialDecay::new(0.1, 1, 0.5).with_end_lr(0.2),
                "end_lr",
            ),
            (
                ExponentialDecay::new(0.1, 1, 2.0).with_end_lr(0.05),
                "end_lr",
            ),
        ] {
            let name = format!("ExponentialDecay.{name}");
            let error = build(schedule);
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
