//! Decay by a factor at every step.

use serde::{Deserialize, Serialize};

use crate::power::raised;
use crate::{Build, Curve, Schedule, ScheduleError};

/// Multiplies the learning rate by `gamma` at every step: `lr(t) = initial_lr * gamma^t`.
///
/// Step 0 is `initial_lr` to the bit; the decay never ends. With `gamma` above 1 the rate grows and
/// saturates at `f64::MAX`.
///
/// ```
/// use burn_lr_scheduler::{ExponentialLr, Run, ScheduleConfig};
///
/// let curve = ScheduleConfig::from(ExponentialLr::new(0.1, 0.5)).curve(&Run::per_epoch(938))?;
/// let lrs: Vec<f64> = (0..4).map(|epoch| curve.lr(epoch)).collect();
/// assert_eq!(lrs, [0.1, 0.05, 0.025, 0.0125]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `initial_lr` must be finite and at least 0, `gamma` finite and above 0.
///
/// # Source
/// PyTorch's `ExponentialLR`. It accepts a negative `gamma`; here that is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExponentialLr {
    /// The learning rate of step 0.
    pub initial_lr: f64,
    /// What every step multiplies the rate by.
    pub gamma: f64,
}

impl ExponentialLr {
    /// A decay by `gamma` at every step.
    pub fn new(initial_lr: f64, gamma: f64) -> Self {
        Self { initial_lr, gamma }
    }
}

impl Schedule for ExponentialLr {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let gamma = build.positive("gamma", self.gamma)?;
        Ok(Curve::new(move |step| {
            initial_lr * raised(gamma, step as f64)
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![
            ("ExponentialLR, gamma 0.98", Self::new(0.1, 0.98)),
            ("ExponentialLR, growing", Self::new(0.0001, 1.02)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    #[test]
    fn the_far_end_is_finite() {
        for (initial_lr, gamma, end) in [
            (0.1, 0.9, 0.0),
            (0.1, 1.0, 0.1),
            (0.1, 1.1, f64::MAX),
            (0.0, 1.1, 0.0),
        ] {
            let curve = ScheduleConfig::from(ExponentialLr::new(initial_lr, gamma))
                .curve(&Run::per_update())
                .unwrap();
            assert_eq!(curve.lr(u64::MAX), end);
        }
    }

    #[test]
    fn gamma_must_be_above_zero() {
        for gamma in [0.0, -0.9, f64::NAN, f64::INFINITY] {
            let error =
                ScheduleConfig::from(ExponentialLr::new(0.1, gamma)).curve(&Run::per_update());
            assert!(matches!(
                error,
                Err(ScheduleError::Invalid { path, .. }) if path == "ExponentialLr.gamma"
            ));
        }
    }
}
