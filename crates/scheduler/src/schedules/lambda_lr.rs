//! A learning rate scaled by a function of the user's.

use serde::{Deserialize, Deserializer, Serialize};

use crate::closure::{self, Closure};
use crate::{Build, Curve, Schedule, ScheduleError};

/// Scales the learning rate by a closure: `lr(t) = initial_lr * lr_lambda(t)`.
///
/// Where the product is NaN or negative the rate is 0, and where it is infinite `f64::MAX`: a
/// training never gets a rate that is not a finite number. The closure should be a pure function;
/// it may be called for any step, in any order and more than once.
///
/// ```
/// use burn_lr_scheduler::{LambdaLr, Run, ScheduleConfig};
///
/// let schedule = LambdaLr::new(0.1, |epoch| 1.0 / (1 + epoch) as f64);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_epoch(938))?;
/// let lrs: Vec<f64> = (0..4).map(|epoch| curve.lr(epoch)).collect();
/// assert_eq!(lrs, [0.1, 0.05, 0.03333333333333333, 0.025]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// A closure cannot be written to a document: `lr_lambda` appears there as the text `"closure"`,
/// and a document that holds a `LambdaLr` is refused. For the same reason a record cannot tell
/// whether the closure is the one that the record was made with.
///
/// # Errors
/// `initial_lr` must be finite and at least 0.
///
/// # Source
/// PyTorch's `LambdaLR`. It lets NaN, infinities and negative rates through.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LambdaLr {
    /// The learning rate that the closure scales.
    pub initial_lr: f64,
    /// The factor at a step.
    pub lr_lambda: Closure,
}

impl LambdaLr {
    /// `initial_lr` scaled by `lr_lambda(step)`.
    pub fn new(initial_lr: f64, lr_lambda: impl Fn(u64) -> f64 + Send + Sync + 'static) -> Self {
        Self {
            initial_lr,
            lr_lambda: lr_lambda.into(),
        }
    }
}

impl<'de> Deserialize<'de> for LambdaLr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        closure::refuse(deserializer)
    }
}

impl Schedule for LambdaLr {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let lr_lambda = self.lr_lambda.clone();
        Ok(Curve::new(move |step| initial_lr * lr_lambda.call(step)))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![(
            "LambdaLR, a damped wave",
            Self::new(0.1, |step| {
                let t = step as f64;
                (-t / 120.0).exp() * (1.0 + (t / 12.0).cos()) / 2.0
            }),
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig, Sequence};

    #[test]
    fn bad_factors_give_a_finite_rate() {
        let factors = [f64::NAN, -1.0, f64::INFINITY, f64::NEG_INFINITY, 0.5];
        let schedule = LambdaLr::new(0.1, move |step| factors[step as usize]);
        let curve = ScheduleConfig::from(schedule)
            .curve(&Run::per_update())
            .unwrap();
        let lrs: Vec<f64> = (0..5).map(|step| curve.lr(step)).collect();
        assert_eq!(lrs, [0.0, 0.0, f64::MAX, 0.0, 0.05]);
    }

    #[test]
    fn a_closure_nests_and_is_described_but_not_read() {
        let schedule = LambdaLr::new(0.1, |_| 1.0);
        assert_eq!(schedule, schedule.clone());
        assert_ne!(schedule, LambdaLr::new(0.1, |_| 1.0));

        let nested = ScheduleConfig::from(Sequence::new([schedule.into()], [0; 0]));
        let document = serde_json::to_string(&nested).unwrap();
        assert!(document.contains(r#"{"LambdaLr":{"initial_lr":0.1,"lr_lambda":"closure"}}"#));
        let error = ScheduleConfig::from_json(&document);
        assert!(
            matches!(&error, Err(ScheduleError::Document { reason, .. }) if reason.contains("closure"))
        );
    }
}
