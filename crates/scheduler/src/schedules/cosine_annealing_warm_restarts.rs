//! Half cosines one after another, each longer than the one before.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::stretches::Stretches;
use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Anneals along half a cosine and starts again from the initial learning rate:
/// `lr(t) = eta_min + (initial_lr - eta_min) * (1 + cos(pi * t_cur / t_i)) / 2`, where `t_cur`
/// counts from the last restart and the cycle's length `t_i` is `t_0`, `t_0 * t_mult`,
/// `t_0 * t_mult^2` and so on.
///
/// Step 0 and every restart are `initial_lr` to the bit. `eta_min` itself is never reached: the
/// step on which it would be is the restart. The restarts never end.
///
/// ```
/// use burn_lr_scheduler::{CosineAnnealingWarmRestarts, Run, ScheduleConfig};
///
/// let schedule = CosineAnnealingWarmRestarts::new(1.0, 2).with_t_mult(2);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_epoch(938))?;
/// let lrs: Vec<String> = (0..7).map(|epoch| format!("{:.2}", curve.lr(epoch))).collect();
/// assert_eq!(lrs, ["1.00", "0.50", "1.00", "0.85", "0.50", "0.15", "1.00"]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `initial_lr` must be finite and at least 0, `eta_min` between 0 and `initial_lr`, `t_0` at least
/// 1 step, `t_mult` at least 1.
///
/// # Source
/// PyTorch's `CosineAnnealingWarmRestarts`, after Loshchilov and Hutter, "SGDR" (2017). Only whole
/// steps are supported, while PyTorch also takes fractions of an epoch; and where it is told the
/// epoch, it finds the cycle with a logarithm that may err by one at a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CosineAnnealingWarmRestarts {
    /// The learning rate at the start of every cycle.
    pub initial_lr: f64,
    /// The length of the first cycle.
    pub t_0: Length,
    /// How many times as long as the one before each cycle is; 1 by default.
    #[serde(default = "default_t_mult")]
    pub t_mult: u64,
    /// The rate towards which every cycle falls; 0 by default.
    #[serde(default)]
    pub eta_min: f64,
}

fn default_t_mult() -> u64 {
    1
}

impl CosineAnnealingWarmRestarts {
    /// Cycles of length `t_0` from `initial_lr` to 0.
    pub fn new(initial_lr: f64, t_0: impl Into<Length>) -> Self {
        Self {
            initial_lr,
            t_0: t_0.into(),
            t_mult: default_t_mult(),
            eta_min: 0.0,
        }
    }

    /// Sets how many times as long as the one before each cycle is.
    pub fn with_t_mult(mut self, t_mult: u64) -> Self {
        self.t_mult = t_mult;
        self
    }

    /// Sets the rate towards which every cycle falls.
    pub fn with_eta_min(mut self, eta_min: f64) -> Self {
        self.eta_min = eta_min;
        self
    }
}

impl Schedule for CosineAnnealingWarmRestarts {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let t_0 = build.steps("t_0", self.t_0)?;
        let eta_min = build.check("eta_min", self.eta_min, "0 to initial_lr", |eta_min| {
            (0.0..=initial_lr).contains(&eta_min)
        })?;
        let anneal = move |t_cur: u64, t_i: u64| {
            if t_cur == 0 {
                return initial_lr;
            }
            let angle = PI * t_cur as f64 / t_i as f64;
            eta_min + (initial_lr - eta_min) * (1.0 + angle.cos()) / 2.0
        };
        match self.t_mult {
            0 => Err(build.invalid("t_mult", "a whole number of at least 1", 0)),
            1 => Ok(Curve::new(move |step| anneal(step % t_0, t_0))),
            t_mult => {
                let cycles = Stretches::new(cycles(t_0, t_mult));
                Ok(Curve::new(move |step| {
                    let &(start, t_i) = cycles.at(|&(start, _)| start <= step);
                    anneal(step - start, t_i)
                }))
            }
        }
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![
            ("CosineAnnealingWarmRestarts", Self::new(0.1, 60)),
            (
                "CosineAnnealingWarmRestarts, t_mult 2",
                Self::new(0.1, 40).with_t_mult(2).with_eta_min(0.001),
            ),
        ]
    }
}

/// Starts and lengths of all cycles that begin within `u64`, at most 65; the first starts at 0.
fn cycles(t_0: u64, t_mult: u64) -> Vec<(u64, u64)> {
    std::iter::successors(Some((0, t_0)), |&(start, t_i): &(u64, u64)| {
        Some((start.checked_add(t_i)?, t_i.saturating_mul(t_mult)))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    fn build(schedule: CosineAnnealingWarmRestarts) -> Result<Curve, ScheduleError> {
        ScheduleConfig::from(schedule).curve(&Run::per_update())
    }

    #[test]
    fn restarts_are_exact() {
        let schedule = CosineAnnealingWarmRestarts::new(0.3, 10).with_eta_min(0.1);
        let curve = build(schedule.clone()).unwrap();
        assert_eq!([0, 10, 20].map(|step| curve.lr(step)), [0.3; 3]);
        let curve = build(schedule.with_t_mult(3)).unwrap();
        assert_eq!([0, 10, 40, 130, 400].map(|step| curve.lr(step)), [0.3; 5]);
        assert!([9, 39, 129, 399].iter().all(|&step| curve.lr(step) < 0.11));
    }

    #[test]
    fn cycles_stop_at_the_last_step() {
        assert_eq!(cycles(1, 2).len(), 65);
        assert_eq!(cycles(u64::MAX, 2), [(0, u64::MAX), (u64::MAX, u64::MAX)]);
        for t_mult in [1, 2, u64::MAX] {
            let curve = build(CosineAnnealingWarmRestarts::new(0.1, 1).with_t_mult(t_mult));
            assert!((0.0..=0.1).contains(&curve.unwrap().lr(u64::MAX)));
        }
    }

    #[test]
    fn a_factor_of_zero_is_refused() {
        let error = build(CosineAnnealingWarmRestarts::new(0.1, 5).with_t_mult(0));
        assert!(matches!(
            error,
            Err(ScheduleError::Invalid { path, .. }) if path == "CosineAnnealingWarmRestarts.t_mult"
        ));
    }
}
