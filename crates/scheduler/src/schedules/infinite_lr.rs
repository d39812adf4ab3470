//! A rate to train on with for as long as there is data.

use serde::{Deserialize, Serialize};

use crate::interpolation::{cosine, mix};
use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Warms up to `max_lr`, cools down to `constant_lr`, stays there for as long as wanted, and anneals to
/// `min_lr` when a model is to be taken out.
///
/// With `p` the share of the phase that is over:
///
/// - `warmup`: `lr = max_lr * p`
/// - `cooldown`: `lr = constant_lr + (max_lr - constant_lr) * (1 + cos(pi * p)) / 2`
/// - `constant`: `lr = constant_lr`, for ever unless set
/// - `annealing`: `lr = constant_lr * (min_lr / constant_lr)^p`, and `min_lr` from its end on
///
/// Each phase but the constant one may be empty. To train on after an annealing, go back to a checkpoint of
/// the constant phase.
///
/// ```
/// use burn_lr_scheduler::{InfiniteLr, Run, ScheduleConfig};
///
/// let schedule = InfiniteLr::new(0.8, 0.4, 2, 4).with_annealing(10, 2, 0.1);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_update())?;
/// let lrs = [0, 1, 2, 4, 6, 15, 17, 18].map(|step| format!("{:.2}", curve.lr(step)));
/// assert_eq!(lrs.join(" "), "0.00 0.40 0.80 0.60 0.40 0.40 0.20 0.10");
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `max_lr` must be finite and at least 0, `constant_lr` between 0 and `max_lr`, `min_lr` between 0 and
/// `constant_lr`, and above 0 if there is an annealing. Without `constant` nothing comes after the constant phase:
/// `annealing` and `min_lr` must be 0.
///
/// # Source
/// The infinite schedules of [Ibrahim et al.](https://arxiv.org/abs/2403.08763), as used by
/// [Singh et al.](https://arxiv.org/abs/2503.02844); the four formulas above are what is implemented of them.
/// Difference: the cooldown is their cosine, there is no inverse square root for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct InfiniteLr {
    /// The learning rate at the end of the warmup.
    pub max_lr: f64,
    /// The learning rate to train on with.
    pub constant_lr: f64,
    /// How long the warmup lasts.
    pub warmup: Length,
    /// How long the cooldown lasts.
    pub cooldown: Length,
    /// How long the rate is constant; for ever by default.
    #[serde(default)]
    pub constant: Option<Length>,
    /// How long the annealing lasts; it is empty by default.
    #[serde(default = "none")]
    pub annealing: Length,
    /// The learning rate after the annealing; 0 by default.
    #[serde(default)]
    pub min_lr: f64,
}

fn none() -> Length {
    Length::Steps(0)
}

impl InfiniteLr {
    /// From 0 to `max_lr`, down to `constant_lr`, and on with that for ever.
    pub fn new(
        max_lr: f64,
        constant_lr: f64,
        warmup: impl Into<Length>,
        cooldown: impl Into<Length>,
    ) -> Self {
        Self {
            max_lr,
            constant_lr,
            warmup: warmup.into(),
            cooldown: cooldown.into(),
            constant: None,
            annealing: none(),
            min_lr: 0.0,
        }
    }

    /// Ends the constant phase after `constant`, with an `annealing` to `min_lr`.
    pub fn with_annealing(
        mut self,
        constant: impl Into<Length>,
        annealing: impl Into<Length>,
        min_lr: f64,
    ) -> Self {
        self.constant = Some(constant.into());
        self.annealing = annealing.into();
        self.min_lr = min_lr;
        self
    }
}

impl Schedule for InfiniteLr {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let max_lr = build.non_negative("max_lr", self.max_lr)?;
        let constant_lr = build.at_most("constant_lr", self.constant_lr, "max_lr", max_lr)?;
        let min_lr = build.at_most("min_lr", self.min_lr, "constant_lr", constant_lr)?;
        let warmup = build.steps_or_zero("warmup", self.warmup)?;
        let cooldown = build.steps_or_zero("cooldown", self.cooldown)?;
        let constant = match self.constant {
            Some(constant) => Some(build.steps_or_zero("constant", constant)?),
            None => None,
        };
        let annealing = build.steps_or_zero("annealing", self.annealing)?;
        if constant.is_none() {
            let expected = "0 without the length `constant`, after which it would begin";
            if annealing > 0 {
                return Err(build.invalid("annealing", expected, self.annealing));
            }
            build.check("min_lr", min_lr, expected, |min_lr| min_lr == 0.0)?;
        }
        if annealing > 0 {
            build.positive("min_lr", min_lr)?;
        }
        let share = |step: u64, length: u64| step as f64 / length as f64;
        Ok(Curve::new(move |step| {
            let Some(step) = step.checked_sub(warmup) else {
                return max_lr * share(step, warmup);
            };
            let Some(step) = step.checked_sub(cooldown) else {
                return mix(max_lr, constant_lr, cosine(share(step, cooldown)));
            };
            match constant.and_then(|constant| step.checked_sub(constant)) {
                None => constant_lr,
                Some(step) if step >= annealing => min_lr,
                Some(step) => constant_lr * (min_lr / constant_lr).powf(share(step, annealing)),
            }
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![
            ("Infinite", Self::new(0.1, 0.04, 30, 90)),
            (
                "Infinite, annealed",
                Self::new(0.1, 0.05, 30, 60).with_annealing(120, 60, 0.002),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    fn build(schedule: InfiniteLr) -> Result<Curve, ScheduleError> {
        ScheduleConfig::from(schedule).curve(&Run::per_update())
    }

    #[test]
    fn phases_may_be_empty_and_the_constant_one_has_no_end() {
        let curve = build(InfiniteLr::new(0.3, 0.1, 0, 0)).unwrap();
        assert_eq!((curve.lr(0), curve.lr(u64::MAX)), (0.1, 0.1));
        let curve = build(InfiniteLr::new(0.3, 0.1, 0, 2).with_annealing(0, 0, 0.0)).unwrap();
        assert_eq!((curve.lr(0), curve.lr(2)), (0.3, 0.0));
    }

    #[test]
    fn bad_hyperparameters_are_refused_by_name() {
        let good = || InfiniteLr::new(0.1, 0.05, 1, 1);
        let without_constant = |annealing, min_lr| InfiniteLr {
            constant: None,
            ..good().with_annealing(0, annealing, min_lr)
        };
        for (schedule, name) in [
            (InfiniteLr::new(-0.1, 0.05, 1, 1), "max_lr"),
            (InfiniteLr::new(0.1, 0.2, 1, 1), "constant_lr"),
            (InfiniteLr::new(0.1, 0.05, 0.5, 1), "warmup"),
            (good().with_annealing(1, 1, 0.06), "min_lr"),
            (good().with_annealing(1, 1, 0.0), "min_lr"),
            (without_constant(1, 0.0), "annealing"),
            (without_constant(0, 0.01), "min_lr"),
        ] {
            let name = format!("InfiniteLr.{name}");
            let error = build(schedule);
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
