//! The way to the constant learning rate of stochastic weight averaging.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::{AnnealStrategy, Build, Curve, Length, Schedule, ScheduleError};

/// Anneals the learning rate to `swa_lr` in `anneal_steps` and stays there:
/// `lr(t) = swa_lr * a + initial_lr * (1 - a)`, where `a` is `t / anneal_steps` or, for `cos`,
/// `(1 - cos(pi * t / anneal_steps)) / 2`.
///
/// Step 0 is `initial_lr` and step `anneal_steps` is `swa_lr`, both to the bit; with an
/// `anneal_steps` of 0 the rate is `swa_lr` at once. `swa_lr` may lie above `initial_lr`. Usually
/// the last part of a [`Sequence`](crate::Sequence), with the rate at which the part before ended
/// as its `initial_lr`.
///
/// ```
/// use burn_lr_scheduler::{Run, ScheduleConfig, SwaLr};
///
/// let schedule = SwaLr::new(0.1, 0.5).with_anneal_steps(2);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_epoch(938))?;
/// let lrs: Vec<f64> = (0..4).map(|epoch| curve.lr(epoch)).collect();
/// assert_eq!(lrs, [0.1, 0.3, 0.5, 0.5]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `initial_lr` and `swa_lr` must be finite and at least 0.
///
/// # Source
/// PyTorch's `SWALR` of `torch.optim.swa_utils`, where `anneal_steps` is called `anneal_epochs`.
/// It anneals from whatever rate the optimizer has; here that is `initial_lr`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SwaLr {
    /// The learning rate of step 0.
    pub initial_lr: f64,
    /// The learning rate at the end.
    pub swa_lr: f64,
    /// How long the change takes; 10 steps by default.
    #[serde(default = "default_anneal_steps")]
    pub anneal_steps: Length,
    /// The form of the change; `cos` by default.
    #[serde(default)]
    pub anneal_strategy: AnnealStrategy,
}

fn default_anneal_steps() -> Length {
    Length::Steps(10)
}

impl SwaLr {
    /// Half a cosine from `initial_lr` to `swa_lr` in 10 steps.
    pub fn new(initial_lr: f64, swa_lr: f64) -> Self {
        Self {
            initial_lr,
            swa_lr,
            anneal_steps: default_anneal_steps(),
            anneal_strategy: AnnealStrategy::Cos,
        }
    }

    /// Sets how long the change takes.
    pub fn with_anneal_steps(mut self, anneal_steps: impl Into<Length>) -> Self {
        self.anneal_steps = anneal_steps.into();
        self
    }

    /// Sets the form of the change.
    pub fn with_anneal_strategy(mut self, anneal_strategy: AnnealStrategy) -> Self {
        self.anneal_strategy = anneal_strategy;
        self
    }
}

impl Schedule for SwaLr {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let swa_lr = build.non_negative("swa_lr", self.swa_lr)?;
        let anneal_steps = build.steps_or_zero("anneal_steps", self.anneal_steps)?;
        let strategy = self.anneal_strategy;
        Ok(Curve::new(move |step| {
            if step >= anneal_steps {
                return swa_lr;
            }
            let t = step as f64 / anneal_steps as f64;
            let alpha = match strategy {
                AnnealStrategy::Cos => (1.0 - (PI * t).cos()) / 2.0,
                AnnealStrategy::Linear => t,
            };
            swa_lr * alpha + initial_lr * (1.0 - alpha)
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![
            (
                "SWALR, downwards",
                Self::new(0.1, 0.02).with_anneal_steps(150),
            ),
            (
                "SWALR, linear, upwards",
                Self::new(0.02, 0.1)
                    .with_anneal_steps(150)
                    .with_anneal_strategy(AnnealStrategy::Linear),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    #[test]
    fn both_ends_are_exact() {
        for strategy in [AnnealStrategy::Cos, AnnealStrategy::Linear] {
            let schedule = SwaLr::new(0.3, 0.7)
                .with_anneal_steps(3)
                .with_anneal_strategy(strategy);
            let curve = ScheduleConfig::from(schedule.clone())
                .curve(&Run::per_update())
                .unwrap();
            assert_eq!([0, 3, u64::MAX].map(|step| curve.lr(step)), [0.3, 0.7, 0.7]);
            let curve = ScheduleConfig::from(schedule.with_anneal_steps(0))
                .curve(&Run::per_update())
                .unwrap();
            assert_eq!(curve.lr(0), 0.7);
        }
    }
}
