//! Half a cosine from the initial learning rate to the lowest.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::power::shaped;
use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Anneals the learning rate along half a cosine:
/// `lr(t) = eta_min + (initial_lr - eta_min) * ((1 + cos(pi * t / t_max)) / 2)^exponent`.
///
/// Step 0 is `initial_lr`, step `t_max` is `eta_min`, both to the bit. Beyond its horizon `t_max`
/// the schedule holds `eta_min`; [`with_mirrored`](Self::with_mirrored) chooses PyTorch's rise
/// instead, which mirrors the fall and so reaches `initial_lr` again at step `2 * t_max`, for ever.
/// `t_max` may end between two steps. `exponent` is 1 unless set; above 1 the rate falls earlier.
///
/// ```
/// use burn_lr_scheduler::{CosineAnnealingLr, Run, ScheduleConfig};
///
/// let schedule = CosineAnnealingLr::new(1.0, 3);
/// let curve = ScheduleConfig::from(schedule.clone()).curve(&Run::per_epoch(938))?;
/// let lrs: Vec<String> = (0..6).map(|epoch| format!("{:.2}", curve.lr(epoch))).collect();
/// assert_eq!(lrs, ["1.00", "0.75", "0.25", "0.00", "0.00", "0.00"]);
///
/// let curve = ScheduleConfig::from(schedule.with_mirrored(true)).curve(&Run::per_epoch(938))?;
/// let lrs: Vec<String> = (0..6).map(|epoch| format!("{:.2}", curve.lr(epoch))).collect();
/// assert_eq!(lrs, ["1.00", "0.75", "0.25", "0.00", "0.25", "0.75"]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `initial_lr` must be finite and at least 0, `eta_min` between 0 and `initial_lr`, `t_max`
/// above 0 steps, `exponent` finite and above 0.
///
/// # Source
/// PyTorch's `CosineAnnealingLR`, after Loshchilov and Hutter, "SGDR" (2017), without restarts.
/// Past `t_max` it always mirrors, and it accepts an `eta_min` above the initial rate. The `exponent` is
/// that of optax's `cosine_decay_schedule`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CosineAnnealingLr {
    /// The learning rate of step 0.
    pub initial_lr: f64,
    /// How long the fall takes.
    pub t_max: Length,
    /// The lowest rate; 0 by default.
    #[serde(default)]
    pub eta_min: f64,
    /// Whether the rate rises and falls again past `t_max`, as in PyTorch; it holds by default.
    #[serde(default)]
    pub mirrored: bool,
    /// The power of the cosine, moved up to lie between 0 and 1; 1 by default.
    #[serde(default = "one")]
    pub exponent: f64,
}

fn one() -> f64 {
    1.0
}

impl CosineAnnealingLr {
    /// From `initial_lr` to 0 in `t_max`.
    pub fn new(initial_lr: f64, t_max: impl Into<Length>) -> Self {
        Self {
            initial_lr,
            t_max: t_max.into(),
            eta_min: 0.0,
            mirrored: false,
            exponent: 1.0,
        }
    }

    /// Sets the lowest rate.
    pub fn with_eta_min(mut self, eta_min: f64) -> Self {
        self.eta_min = eta_min;
        self
    }

    /// Sets whether the rate rises and falls again past `t_max`.
    pub fn with_mirrored(mut self, mirrored: bool) -> Self {
        self.mirrored = mirrored;
        self
    }

    /// Sets the power of the cosine.
    pub fn with_exponent(mut self, exponent: f64) -> Self {
        self.exponent = exponent;
        self
    }
}

impl Schedule for CosineAnnealingLr {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let t_max = build.laps("t_max", self.t_max)?;
        let eta_min = build.check("eta_min", self.eta_min, "0 to initial_lr", |eta_min| {
            (0.0..=initial_lr).contains(&eta_min)
        })?;
        let exponent = build.positive("exponent", self.exponent)?;
        let (mirrored, length) = (self.mirrored, t_max.length());
        let at = move |t: f64| {
            if t == 0.0 {
                return initial_lr;
            }
            // PyTorch's order of operations: near `t_max` another one differs by more than 1e-12.
            let raised = 1.0 + (PI * t / length).cos();
            if exponent == 1.0 {
                return eta_min + (initial_lr - eta_min) * raised / 2.0;
            }
            eta_min + (initial_lr - eta_min) * shaped(raised / 2.0, exponent)
        };
        if mirrored {
            let period = t_max.times(2);
            return Ok(Curve::new(move |step| at(period.split(step).1)));
        }
        let end = at(length);
        Ok(Curve::new(move |step| {
            let t = step as f64;
            if t < length { at(t) } else { end }
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![
            ("CosineAnnealingLR", Self::new(0.1, 250)),
            (
                "CosineAnnealingLR, mirrored",
                Self::new(0.1, 75).with_eta_min(0.01).with_mirrored(true),
            ),
            (
                "CosineAnnealingLR, exponent 2",
                Self::new(0.1, 262.5).with_exponent(2.0),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    fn build(schedule: CosineAnnealingLr) -> Result<Curve, ScheduleError> {
        ScheduleConfig::from(schedule).curve(&Run::per_update())
    }

    #[test]
    fn both_ends_are_exact() {
        for (initial_lr, eta_min) in [(0.1, 0.0), (0.3, 0.1), (0.7, 0.007), (0.2, 0.2)] {
            let schedule = CosineAnnealingLr::new(initial_lr, 7).with_eta_min(eta_min);
            let curve = build(schedule.clone()).unwrap();
            assert_eq!((curve.lr(0), curve.lr(7)), (initial_lr, eta_min));
            assert_eq!(curve.lr(u64::MAX), eta_min);
            let curve = build(schedule.with_mirrored(true)).unwrap();
            assert_eq!((curve.lr(14), curve.lr(21)), (initial_lr, eta_min));
        }
    }

    #[test]
    fn a_fall_may_end_between_steps() {
        let schedule = CosineAnnealingLr::new(1.0, 2.5);
        let curve = build(schedule.clone().with_mirrored(true)).unwrap();
        assert!((curve.lr(2) - curve.lr(3)).abs() < 1e-15);
        assert_eq!(curve.lr(5), 1.0);
        let curve = build(schedule.with_exponent(2.0)).unwrap();
        assert_eq!((curve.lr(3), curve.lr(u64::MAX)), (0.0, 0.0));
        assert!((curve.lr(1) - 0.654_508_497_187_473_7_f64.powi(2)).abs() < 1e-15);
    }

    #[test]
    fn the_lowest_rate_is_not_above_the_initial_one() {
        for eta_min in [0.2, -0.1, f64::NAN] {
            let error = build(CosineAnnealingLr::new(0.1, 7).with_eta_min(eta_min));
            assert!(matches!(
                error,
                Err(ScheduleError::Invalid { path, .. }) if path == "CosineAnnealingLr.eta_min"
            ));
        }
    }
}
