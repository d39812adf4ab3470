//! Decay to zero along a power of the remaining share.

use serde::{Deserialize, Serialize};

use crate::power::shaped;
use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Decays the learning rate to 0 along a polynomial:
/// `lr(t) = initial_lr * (1 - t / total_iters)^power`.
///
/// Step 0 is `initial_lr` to the bit; from step `total_iters` on the rate is 0.
///
/// ```
/// use burn_lr_scheduler::{PolynomialLr, Run, ScheduleConfig};
///
/// let schedule = PolynomialLr::new(0.1).with_total_iters(4).with_power(2.0);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_epoch(938))?;
/// let lrs: Vec<f64> = (0..6).map(|epoch| curve.lr(epoch)).collect();
/// assert_eq!(lrs, [0.1, 0.05625, 0.025, 0.00625, 0.0, 0.0]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `initial_lr` must be finite and at least 0, `total_iters` at least 1 step, `power` finite and
/// above 0.
///
/// # Source
/// PyTorch's `PolynomialLR`. It accepts a `power` of 0, which never decays, and negative ones,
/// which divide by zero at the end; here these are errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PolynomialLr {
    /// The learning rate of step 0.
    pub initial_lr: f64,
    /// How long the decay takes; 5 steps by default.
    #[serde(default = "default_total_iters")]
    pub total_iters: Length,
    /// The power of the remaining share; 1 by default, a straight line.
    #[serde(default = "default_power")]
    pub power: f64,
}

fn default_total_iters() -> Length {
    Length::Steps(5)
}

fn default_power() -> f64 {
    1.0
}

impl PolynomialLr {
    /// A straight line to 0 in 5 steps.
    pub fn new(initial_lr: f64) -> Self {
        Self {
            initial_lr,
            total_iters: default_total_iters(),
            power: default_power(),
        }
    }

    /// Sets how long the decay takes.
    pub fn with_total_iters(mut self, total_iters: impl Into<Length>) -> Self {
        self.total_iters = total_iters.into();
        self
    }

    /// Sets the power of the remaining share.
    pub fn with_power(mut self, power: f64) -> Self {
        self.power = power;
        self
    }
}

impl Schedule for PolynomialLr {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let total_iters = build.steps("total_iters", self.total_iters)?;
        let power = build.positive("power", self.power)?;
        Ok(Curve::new(move |step| {
            let passed = step.min(total_iters) as f64 / total_iters as f64;
            initial_lr * shaped(1.0 - passed, power)
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        let over = |power| Self::new(0.1).with_total_iters(260).with_power(power);
        vec![
            ("PolynomialLR, power 1", over(1.0)),
            ("PolynomialLR, power 2", over(2.0)),
            ("PolynomialLR, power 0.5", over(0.5)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    #[test]
    fn it_ends_at_zero() {
        for power in [1e-300, 0.5, 3.0, 1e300] {
            let schedule = PolynomialLr::new(0.1)
                .with_total_iters(10)
                .with_power(power);
            let curve = ScheduleConfig::from(schedule)
                .curve(&Run::per_update())
                .unwrap();
            assert_eq!(
                (curve.lr(0), curve.lr(10), curve.lr(u64::MAX)),
                (0.1, 0.0, 0.0)
            );
        }
    }

    #[test]
    fn the_power_must_be_above_zero() {
        for power in [0.0, -1.0, f64::NAN] {
            let error = ScheduleConfig::from(PolynomialLr::new(0.1).with_power(power))
                .curve(&Run::per_update());
            assert!(matches!(
                error,
                Err(ScheduleError::Invalid { path, .. }) if path == "PolynomialLr.power"
            ));
        }
    }
}
