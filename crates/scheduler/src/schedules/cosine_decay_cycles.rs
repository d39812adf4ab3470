//! Cosine decay in cycles that lengthen and lose height.

use serde::{Deserialize, Serialize};

use crate::cycles::{Cycles, Peaks};
use crate::interpolation::cosine;
use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Decays along a cosine from a peak to `min_lr`, again and again; each cycle is `cycle_mul` times
/// as long as the one before, and its peak `cycle_decay` times as high.
///
/// In cycle `i`, at the share `p` of its `cycle_length * cycle_mul^i` steps:
/// `lr = min_lr + (peak - min_lr) * (1 + cos(pi * p^k_decay)) / 2`, with
/// `peak = max(initial_lr * cycle_decay^i, min_lr)`, or as [`Peaks`] says.
///
/// Step 0 is `initial_lr` to the bit. After `cycle_limit` cycles the rate stays at `min_lr`;
/// without a limit the cycles go on for ever, unless each is shorter than the one before: then all of
/// them fit into `cycle_length / (1 - cycle_mul)` steps. A cycle may end between two steps.
///
/// ```
/// use burn_lr_scheduler::{CosineDecayCycles, Run, ScheduleConfig};
///
/// let schedule = CosineDecayCycles::new(0.4, 2).with_cycle_mul(2.0).with_cycle_decay(0.5);
/// let curve = ScheduleConfig::from(schedule.with_cycle_limit(2)).curve(&Run::per_epoch(938))?;
/// let lrs: Vec<String> = (0..8).map(|epoch| format!("{:.3}", curve.lr(epoch))).collect();
/// assert_eq!(lrs.join(" "), "0.400 0.200 0.200 0.171 0.100 0.029 0.000 0.000");
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `initial_lr` must be finite and at least 0, `min_lr` between 0 and `initial_lr`, `cycle_length`
/// above 0 steps, `cycle_mul`, `cycle_decay` and `k_decay` finite and above 0, `cycle_limit` at least 1.
///
/// # Source
/// timm's `CosineLRScheduler`, after [SGDR](https://arxiv.org/abs/1608.03983) and
/// [k-decay](https://arxiv.org/abs/2004.05909). Differences: there is no limit by default, timm's
/// is 1 cycle; a peak falls below `min_lr` with [`Peaks::Free`] only; where timm's logarithm is rounded
/// down at the start of a cycle, as at step 111 of cycles 1, 10, 100, ... long, it gives one more step to
/// the old one. timm's warmup is [`Warmup`](crate::Warmup). With [`Peaks::Height`] Keras's
/// `CosineDecayRestarts`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CosineDecayCycles {
    /// The peak of the first cycle.
    pub initial_lr: f64,
    /// How long the first cycle is.
    pub cycle_length: Length,
    /// Where each cycle ends; 0 by default.
    #[serde(default)]
    pub min_lr: f64,
    /// What each cycle's length is multiplied by for the next one; 1 by default.
    #[serde(default = "one")]
    pub cycle_mul: f64,
    /// What each cycle's peak is multiplied by for the next one; 1 by default.
    #[serde(default = "one")]
    pub cycle_decay: f64,
    /// How many cycles there are; unlimited by default.
    #[serde(default)]
    pub cycle_limit: Option<u64>,
    /// The power of progress; above 1 the rate stays high for longer; 1 by default.
    #[serde(default = "one")]
    pub k_decay: f64,
    /// What `cycle_decay` does to the peaks; `floored` by default.
    #[serde(default)]
    pub peaks: Peaks,
}

fn one() -> f64 {
    1.0
}

impl CosineDecayCycles {
    /// Cycles of equal length and height, down to 0, without end.
    pub fn new(initial_lr: f64, cycle_length: impl Into<Length>) -> Self {
        Self {
            initial_lr,
            cycle_length: cycle_length.into(),
            min_lr: 0.0,
            cycle_mul: 1.0,
            cycle_decay: 1.0,
            cycle_limit: None,
            k_decay: 1.0,
            peaks: Peaks::default(),
        }
    }

    /// Sets where each cycle ends.
    pub fn with_min_lr(mut self, min_lr: f64) -> Self {
        self.min_lr = min_lr;
        self
    }

    /// Sets what each cycle's length is multiplied by for the next one.
    pub fn with_cycle_mul(mut self, cycle_mul: f64) -> Self {
        self.cycle_mul = cycle_mul;
        self
    }

    /// Sets what each cycle's peak is multiplied by for the next one.
    pub fn with_cycle_decay(mut self, cycle_decay: f64) -> Self {
        self.cycle_decay = cycle_decay;
        self
    }

    /// Sets how many cycles there are.
    pub fn with_cycle_limit(mut self, cycle_limit: u64) -> Self {
        self.cycle_limit = Some(cycle_limit);
        self
    }

    /// Sets the power of progress.
    pub fn with_k_decay(mut self, k_decay: f64) -> Self {
        self.k_decay = k_decay;
        self
    }

    /// Sets what the decay of the cycles does to their peaks.
    pub fn with_peaks(mut self, peaks: Peaks) -> Self {
        self.peaks = peaks;
        self
    }
}

impl Schedule for CosineDecayCycles {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let cycles = Cycles {
            initial_lr: self.initial_lr,
            min_lr: self.min_lr,
            length: self.cycle_length,
            mul: self.cycle_mul,
            decay: self.cycle_decay,
            peaks: self.peaks,
            limit: self.cycle_limit,
            k_decay: self.k_decay,
        };
        cycles.curve(build, cosine)
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![
            ("Cosine cycles", Self::new(0.1, 75)),
            (
                "Cosine cycles, longer and lower",
                Self::new(0.1, 40)
                    .with_cycle_mul(2.0)
                    .with_cycle_decay(0.6)
                    .with_min_lr(0.005),
            ),
            (
                "Cosine cycles, shorter, height halved",
                Self::new(0.1, 150)
                    .with_cycle_mul(0.5)
                    .with_cycle_decay(0.5)
                    .with_min_lr(0.02)
                    .with_peaks(Peaks::Height),
            ),
            (
                "Cosine cycles, k-decay 2, limit 2",
                Self::new(0.1, 100).with_k_decay(2.0).with_cycle_limit(2),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    fn build(schedule: CosineDecayCycles) -> Result<Curve, ScheduleError> {
        ScheduleConfig::from(schedule).curve(&Run::per_update())
    }

    #[test]
    fn a_peak_never_falls_below_the_floor() {
        let cycles = CosineDecayCycles::new(0.1, 4).with_cycle_decay(0.1);
        let curve = build(cycles.with_min_lr(0.05)).unwrap();
        assert_eq!((curve.lr(0), curve.lr(4), curve.lr(6)), (0.1, 0.05, 0.05));
    }

    #[test]
    fn peaks_may_fall_below_the_floor_or_keep_above_it() {
        let cycles = CosineDecayCycles::new(0.4, 4).with_cycle_decay(0.25);
        let peak = |peaks| {
            let curve = build(cycles.clone().with_min_lr(0.2).with_peaks(peaks)).unwrap();
            (curve.lr(0), curve.lr(4))
        };
        assert_eq!(peak(Peaks::Floored), (0.4, 0.2));
        assert_eq!(peak(Peaks::Free), (0.4, 0.1));
        assert_eq!(peak(Peaks::Height), (0.4, 0.25));
    }

    #[test]
    fn steps_in_any_order_give_the_same_rates() {
        for mul in [0.5, 1.0, 1.5, 2.0] {
            let cycles = CosineDecayCycles::new(0.4, 5).with_cycle_mul(mul);
            let schedule = cycles.with_cycle_decay(0.9).with_min_lr(0.01);
            let alone = |step| build(schedule.clone()).unwrap().lr(step);
            let shared = build(schedule.clone()).unwrap();
            let clone = shared.clone();
            let far = [
                u64::MAX,
                1_000_000_000,
                17,
                16,
                15,
                14,
                15,
                5,
                4,
                u64::MAX,
                0,
            ];
            for step in (0..60).chain((0..60).rev()).chain(far) {
                assert_eq!(shared.lr(step), alone(step), "{mul} {step}");
                assert_eq!(
                    clone.lr(2 * (step / 3)),
                    alone(2 * (step / 3)),
                    "{mul} {step}"
                );
            }
        }
    }

    #[test]
    fn bad_hyperparameters_are_refused_by_name() {
        let good = || CosineDecayCycles::new(0.1, 10);
        for (schedule, name) in [
            (CosineDecayCycles::new(-0.1, 10), "initial_lr"),
            (CosineDecayCycles::new(0.1, 0), "cycle_length"),
            (good().with_min_lr(0.2), "min_lr"),
            (good().with_cycle_mul(0.0), "cycle_mul"),
            (good().with_cycle_mul(f64::INFINITY), "cycle_mul"),
            (good().with_cycle_decay(f64::NAN), "cycle_decay"),
            (good().with_cycle_decay(0.0), "cycle_decay"),
            (good().with_cycle_limit(0), "cycle_limit"),
            (good().with_k_decay(0.0), "k_decay"),
            (good().with_k_decay(f64::NAN), "k_decay"),
        ] {
            let name = format!("CosineDecayCycles.{name}");
            let error = build(schedule);
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
