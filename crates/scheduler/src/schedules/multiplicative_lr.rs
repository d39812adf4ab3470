//! A learning rate multiplied, at every step, by a factor of the user's.

use serde::{Deserialize, Deserializer, Serialize};

use crate::closure::{self, Closure};
use crate::running_product::{self, RunningProduct};
use crate::{Build, Curve, Schedule, ScheduleError};

/// Multiplies the learning rate of the step before by a closure:
/// `lr(0) = initial_lr`, `lr(t) = lr(t - 1) * lr_lambda(t)`.
///
/// This is the one schedule without a closed form. Its curve remembers the last two values, so
/// steps in sequence cost one call of the closure each; a jump, as after loading a record, costs
/// one call per step from the beginning or, forwards, from the last value on. Clones of a curve
/// remember on their own. From step [`HORIZON`](Self::HORIZON) on the rate holds, which bounds the
/// cost of a jump.
///
/// A product that becomes NaN or negative is 0 from there on, and one that becomes infinite
/// saturates at `f64::MAX`.
///
/// ```
/// use burn_lr_scheduler::{MultiplicativeLr, Run, ScheduleConfig};
///
/// // Halve at every fourth step.
/// let halve = |step| if step % 4 == 0 { 0.5 } else { 1.0 };
/// let schedule = MultiplicativeLr::new(0.1, halve);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_epoch(938))?;
/// let lrs: Vec<f64> = (0..9).map(|epoch| curve.lr(epoch)).collect();
/// assert_eq!(lrs, [0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.025]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// Like [`LambdaLr`](crate::LambdaLr) it cannot be read from a document.
///
/// # Errors
/// `initial_lr` must be finite and at least 0.
///
/// # Source
/// PyTorch's `MultiplicativeLR`. It lets NaN, infinities and negative rates through, and has no
/// horizon.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MultiplicativeLr {
    /// The learning rate of step 0.
    pub initial_lr: f64,
    /// What a step multiplies the rate of the step before by; never called for step 0.
    pub lr_lambda: Closure,
}

impl MultiplicativeLr {
    /// The number of steps after which the rate holds: 2^24, about 16.8 million.
    pub const HORIZON: u64 = running_product::HORIZON;

    /// `initial_lr`, multiplied by `lr_lambda(step)` at every step but step 0.
    pub fn new(initial_lr: f64, lr_lambda: impl Fn(u64) -> f64 + Send + Sync + 'static) -> Self {
        Self {
            initial_lr,
            lr_lambda: lr_lambda.into(),
        }
    }
}

impl<'de> Deserialize<'de> for MultiplicativeLr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        closure::refuse(deserializer)
    }
}

impl Schedule for MultiplicativeLr {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let product = RunningProduct::new(initial_lr, self.lr_lambda.clone());
        Ok(Curve::running_product(product))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![(
            "MultiplicativeLR, faster and faster",
            Self::new(0.1, |step| 1.0 - step.min(1000) as f64 / 15_000.0),
        )]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::{Run, ScheduleConfig};

    fn build(lr_lambda: impl Fn(u64) -> f64 + Send + Sync + 'static) -> Curve {
        ScheduleConfig::from(MultiplicativeLr::new(1.0, lr_lambda))
            .curve(&Run::per_update())
            .unwrap()
    }

    #[test]
    fn each_clone_pays_one_call_a_step() {
        let calls = Arc::new(AtomicU64::new(0));
        let counter = calls.clone();
        let early = build(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            0.99
        });
        let late = early.clone();
        late.lr(500);
        assert_eq!(calls.swap(0, Ordering::Relaxed), 500);
        for step in 0..100 {
            assert!(early.lr(step) > late.lr(500 + step));
            // Looking back one step is free.
            assert!(early.lr(step.saturating_sub(1)) >= early.lr(step));
        }
        assert_eq!(calls.load(Ordering::Relaxed), 99 + 99);
    }

    #[test]
    fn any_order_gives_the_same_values() {
        let factor = |step: u64| 1.0 - 1.0 / (step + 10) as f64;
        let (forwards, jumping) = (build(factor), build(factor));
        let lrs: Vec<f64> = (0..50).map(|step| forwards.lr(step)).collect();
        for step in [0, 49, 3, 4, 2, 48, 48, 47, 46, 0] {
            assert_eq!(jumping.lr(step), lrs[step as usize], "{step}");
        }
    }

    #[test]
    fn what_is_known_is_not_asked_for_again() {
        let calls = Arc::new(AtomicU64::new(0));
        let counter = calls.clone();
        let curve = build(move |step| {
            counter.fetch_add(1, Ordering::Relaxed);
            if step == 5 { 0.0 } else { 1.0 }
        });
        for step in [0, 1, 1, 2, 2, 1, 3, 4, 4, 3, 4] {
            curve.clone().lr(step);
            assert_eq!((curve.lr(step), curve.clone().lr(step)), (1.0, 1.0));
        }
        // Four steps, and each of them once more by a clone.
        assert_eq!(calls.swap(0, Ordering::Relaxed), 4 + 4);
        for step in [5, 5, 6, 7, 6, 1000, u64::MAX] {
            assert_eq!(curve.lr(step), 0.0);
        }
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_factor_may_ask_for_the_rate_before() {
        let curve = Arc::new(std::sync::OnceLock::<Curve>::new());
        let itself = curve.clone();
        let halves = move |step: u64| {
            let before = itself.get().unwrap().lr(step - 1);
            if before > 0.2 { 0.5 } else { 1.0 }
        };
        let curve = curve.get_or_init(|| build(halves));
        let lrs: Vec<f64> = (0..5).map(|step| curve.lr(step)).collect();
        assert_eq!(lrs, [1.0, 0.5, 0.25, 0.125, 0.125]);
    }

    #[test]
    fn threads_share_a_curve() {
        let curve = build(|step| if step % 2 == 0 { 2.0 } else { 0.5 });
        std::thread::scope(|scope| {
            for _ in 0..3 {
                let curve = &curve;
                scope.spawn(move || {
                    for step in 0..2000 {
                        let expected = if step % 2 == 0 { 1.0 } else { 0.5 };
                        assert_eq!(curve.lr(step), expected, "{step}");
                    }
                });
            }
        });
    }

    #[test]
    fn bad_factors_stop_the_training_for_good() {
        for bad in [f64::NAN, -1.0, f64::NEG_INFINITY] {
            let curve = build(move |step| if step == 3 { bad } else { 2.0 });
            let lrs: Vec<f64> = (0..6).map(|step| curve.lr(step)).collect();
            assert_eq!(lrs, [1.0, 2.0, 4.0, 0.0, 0.0, 0.0]);
        }
        let curve = build(|step| if step == 1 { f64::INFINITY } else { 1.0 });
        assert_eq!(curve.lr(2), f64::MAX);
    }

    #[test]
    fn the_last_step_is_reached_in_bounded_time() {
        assert_eq!(build(|_| 0.5).lr(u64::MAX), 0.0);
        assert_eq!(build(|_| 1.0).lr(u64::MAX), 1.0);
    }
}
