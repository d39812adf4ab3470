//! A reduced learning rate for the first steps.

use serde::{Deserialize, Serialize};

use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Multiplies the learning rate by `factor` until `total_iters` steps have passed:
/// `lr(t) = initial_lr * factor` for `t < total_iters`, then `initial_lr`.
///
/// The rate that never changes is [`Constant`](crate::Constant).
///
/// ```
/// use burn_lr_scheduler::{ConstantLr, Run, ScheduleConfig};
///
/// let schedule = ConstantLr::new(0.1).with_factor(0.5).with_total_iters(3);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_epoch(938))?;
/// let lrs: Vec<f64> = (0..5).map(|epoch| curve.lr(epoch)).collect();
/// assert_eq!(lrs, [0.05, 0.05, 0.05, 0.1, 0.1]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `initial_lr` and `factor` must be finite and at least 0, `total_iters` at least 1 step.
///
/// # Source
/// PyTorch's `ConstantLR`. It refuses factors above 1 and divides by zero at the end of a factor of
/// 0; here both are legal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ConstantLr {
    /// The learning rate after the first steps.
    pub initial_lr: f64,
    /// What the rate is multiplied by at first; 1/3 by default.
    #[serde(default = "default_factor")]
    pub factor: f64,
    /// How long it is multiplied; 5 steps by default.
    #[serde(default = "default_total_iters")]
    pub total_iters: Length,
}

fn default_factor() -> f64 {
    1.0 / 3.0
}

fn default_total_iters() -> Length {
    Length::Steps(5)
}

impl ConstantLr {
    /// A third of `initial_lr` for 5 steps, then `initial_lr`.
    pub fn new(initial_lr: f64) -> Self {
        Self {
            initial_lr,
            factor: default_factor(),
            total_iters: default_total_iters(),
        }
    }

    /// Sets what the rate is multiplied by at first.
    pub fn with_factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Sets how long it is multiplied.
    pub fn with_total_iters(mut self, total_iters: impl Into<Length>) -> Self {
        self.total_iters = total_iters.into();
        self
    }
}

impl Schedule for ConstantLr {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let factor = build.non_negative("factor", self.factor)?;
        let total_iters = build.steps("total_iters", self.total_iters)?;
        Ok(Curve::new(move |step| {
            if step < total_iters {
                initial_lr * factor
            } else {
                initial_lr
            }
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![("ConstantLR", Self::new(0.1).with_total_iters(100))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    #[test]
    fn a_factor_of_zero_ends_too() {
        let schedule = ConstantLr::new(0.1).with_factor(0.0).with_total_iters(2);
        let curve = ScheduleConfig::from(schedule)
            .curve(&Run::per_update())
            .unwrap();
        assert_eq!(
            [0, 1, 2, u64::MAX].map(|step| curve.lr(step)),
            [0.0, 0.0, 0.1, 0.1]
        );
    }
}
