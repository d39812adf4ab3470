//! A learning rate that never changes.

use serde::{Deserialize, Serialize};

use crate::{Build, Curve, Schedule, ScheduleError};

/// The same learning rate at every step: `lr(t) = lr`.
///
/// The usual base of a [`ReduceLrOnPlateau`](crate::ReduceLrOnPlateau). PyTorch's `ConstantLR`,
/// which raises the rate after some steps, is [`ConstantLr`](crate::ConstantLr).
///
/// ```
/// use burn_lr_scheduler::{Constant, Run, ScheduleConfig};
///
/// let curve = ScheduleConfig::from(Constant::new(0.01)).curve(&Run::per_update())?;
/// assert_eq!((curve.lr(0), curve.lr(u64::MAX)), (0.01, 0.01));
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `lr` must be finite and at least 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Constant {
    /// The learning rate.
    pub lr: f64,
}

impl Constant {
    /// The schedule that always gives `lr`.
    pub fn new(lr: f64) -> Self {
        Self { lr }
    }
}

impl Schedule for Constant {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let lr = build.non_negative("lr", self.lr)?;
        Ok(Curve::new(move |_| lr))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![("Constant", Self::new(0.1))]
    }
}
