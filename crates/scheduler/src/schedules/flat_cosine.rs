//! Flat, then half a cosine wave.

use serde::{Deserialize, Serialize};

use crate::interpolation::Interpolation;
use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Stays at `initial_lr` for the length of `flat`, then decays along half a cosine wave to `end_lr`
/// within `decay`.
///
/// With `p = (t - flat) / decay`: `lr = end_lr + (initial_lr - end_lr) * (1 + cos(pi * p)) / 2`.
/// Step 0 is `initial_lr`, step `flat + decay` and all later ones `end_lr`, to the bit.
///
/// ```
/// use burn_lr_scheduler::{FlatCosine, Run, ScheduleConfig};
///
/// let schedule = FlatCosine::new(0.1, 6, 4).with_end_lr(0.02);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_epoch(938))?;
/// let lrs = [0, 6, 7, 8, 9, 10].map(|epoch| format!("{:.4}", curve.lr(epoch)));
/// assert_eq!(lrs.join(" "), "0.1000 0.1000 0.0883 0.0600 0.0317 0.0200");
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `initial_lr` must be finite and at least 0, `end_lr` between 0 and `initial_lr`, `decay` at least
/// 1 step.
///
/// # Source
/// fastai's `fit_flat_cos`, where `flat` is `pct_start`, 75 % of the run, and `end_lr` is
/// `initial_lr / div_final`, a hundred-thousandth. Here `end_lr` is 0 by default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FlatCosine {
    /// The learning rate of the flat part.
    pub initial_lr: f64,
    /// How long the rate stays.
    pub flat: Length,
    /// How long the decay lasts.
    pub decay: Length,
    /// Where the decay ends; 0 by default.
    #[serde(default)]
    pub end_lr: f64,
}

impl FlatCosine {
    /// `initial_lr` for the length of `flat`, then a decay to 0.
    pub fn new(initial_lr: f64, flat: impl Into<Length>, decay: impl Into<Length>) -> Self {
        Self {
            initial_lr,
            flat: flat.into(),
            decay: decay.into(),
            end_lr: 0.0,
        }
    }

    /// Sets where the decay ends.
    pub fn with_end_lr(mut self, end_lr: f64) -> Self {
        self.end_lr = end_lr;
        self
    }
}

impl Schedule for FlatCosine {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let end_lr = build.at_most("end_lr", self.end_lr, "initial_lr", initial_lr)?;
        let flat = build.steps_or_zero("flat", self.flat)?;
        let decay = build.steps("decay", self.decay)?;
        Ok(Curve::new(move |step| {
            let step = step.saturating_sub(flat).min(decay);
            let progress = step as f64 / decay as f64;
            Interpolation::Cosine.between(initial_lr, end_lr, progress)
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![("Flat, then cosine", Self::new(0.1, 200, 80))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    fn build(schedule: FlatCosine) -> Result<Curve, ScheduleError> {
        ScheduleConfig::from(schedule).curve(&Run::per_update())
    }

    #[test]
    fn both_ends_are_exact() {
        let curve = build(FlatCosine::new(0.3, 5, 7).with_end_lr(0.1)).unwrap();
        assert_eq!((curve.lr(0), curve.lr(5)), (0.3, 0.3));
        assert_eq!((curve.lr(12), curve.lr(u64::MAX)), (0.1, 0.1));
        assert!(curve.lr(11) > 0.1);
    }

    #[test]
    fn bad_hyperparameters_are_refused_by_name() {
        for (schedule, name) in [
            (
                FlatCosine::new(f64::INFINITY, 1, 1),
                "FlatCosine.initial_lr",
            ),
            (FlatCosine::new(0.1, 1, 0), "FlatCosine.decay"),
            (
                FlatCosine::new(0.1, 1, 1).with_end_lr(0.2),
                "FlatCosine.end_lr",
            ),
        ] {
            let error = build(schedule);
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
