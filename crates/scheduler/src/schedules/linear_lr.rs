//! A straight line from one factor to another.

use serde::{Deserialize, Serialize};

use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Scales the learning rate by a factor that changes linearly over `total_iters` steps:
/// `lr(t) = initial_lr * (start_factor + (end_factor - start_factor) * t / total_iters)`.
///
/// Step 0 is `initial_lr * start_factor`; from step `total_iters` on the rate is
/// `initial_lr * end_factor`, to the bit.
///
/// ```
/// use burn_lr_scheduler::{LinearLr, Run, ScheduleConfig};
///
/// let schedule = LinearLr::new(0.1).with_start_factor(0.5).with_total_iters(4);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_epoch(938))?;
/// let lrs: Vec<f64> = (0..6).map(|epoch| curve.lr(epoch)).collect();
/// assert_eq!(lrs, [0.05, 0.0625, 0.07500000000000001, 0.08750000000000001, 0.1, 0.1]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `initial_lr` and both factors must be finite and at least 0, `total_iters` at least 1 step.
///
/// # Source
/// PyTorch's `LinearLR`. It refuses factors above 1 and a `start_factor` of 0; here they are legal.
/// Stepped, its fall to 0 may end at a rounding error instead, even below 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LinearLr {
    /// The learning rate that the factors scale.
    pub initial_lr: f64,
    /// The factor of step 0; 1/3 by default.
    #[serde(default = "default_start_factor")]
    pub start_factor: f64,
    /// The factor from step `total_iters` on; 1 by default.
    #[serde(default = "default_end_factor")]
    pub end_factor: f64,
    /// How long the change takes; 5 steps by default.
    #[serde(default = "default_total_iters")]
    pub total_iters: Length,
}

fn default_start_factor() -> f64 {
    1.0 / 3.0
}

fn default_end_factor() -> f64 {
    1.0
}

fn default_total_iters() -> Length {
    Length::Steps(5)
}

impl LinearLr {
    /// From a third of `initial_lr` to `initial_lr` in 5 steps.
    pub fn new(initial_lr: f64) -> Self {
        Self {
            initial_lr,
            start_factor: default_start_factor(),
            end_factor: default_end_factor(),
            total_iters: default_total_iters(),
        }
    }

    /// Sets the factor of step 0.
    pub fn with_start_factor(mut self, start_factor: f64) -> Self {
        self.start_factor = start_factor;
        self
    }

    /// Sets the factor at the end.
    pub fn with_end_factor(mut self, end_factor: f64) -> Self {
        self.end_factor = end_factor;
        self
    }

    /// Sets how long the change takes.
    pub fn with_total_iters(mut self, total_iters: impl Into<Length>) -> Self {
        self.total_iters = total_iters.into();
        self
    }
}

impl Schedule for LinearLr {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let start = build.non_negative("start_factor", self.start_factor)?;
        let end = build.non_negative("end_factor", self.end_factor)?;
        let total_iters = build.steps("total_iters", self.total_iters)?;
        Ok(Curve::new(move |step| {
            let factor = if step < total_iters {
                start + (end - start) * (step as f64 / total_iters as f64)
            } else {
                end
            };
            initial_lr * factor
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![
            ("LinearLR, upwards", Self::new(0.1).with_total_iters(100)),
            (
                "LinearLR, down to 0",
                Self::new(0.1)
                    .with_start_factor(1.0)
                    .with_end_factor(0.0)
                    .with_total_iters(250),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    #[test]
    fn a_start_at_zero_and_an_end_above_one_are_legal() {
        let schedule = LinearLr::new(0.5)
            .with_start_factor(0.0)
            .with_end_factor(3.0)
            .with_total_iters(2);
        let curve = ScheduleConfig::from(schedule)
            .curve(&Run::per_update())
            .unwrap();
        assert_eq!(
            [0, 1, 2, u64::MAX].map(|step| curve.lr(step)),
            [0.0, 0.75, 1.5, 1.5]
        );
    }
}
