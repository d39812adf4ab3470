//! Polynomial decay in cycles that lengthen and lose height.

use serde::{Deserialize, Serialize};

use crate::cycles::{Cycles, Peaks};
use crate::power::shaped;
use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Decays along a polynomial from a peak to `min_lr`, again and again; each cycle is `cycle_mul` times
/// as long as the one before, and its peak `cycle_decay` times as high.
///
/// In cycle `i`, at the share `p` of its `cycle_length * cycle_mul^i` steps:
/// `lr = min_lr + (peak - min_lr) * (1 - p^k_decay)^power`, with
/// `peak = max(initial_lr * cycle_decay^i, min_lr)`, or as [`Peaks`] says.
///
/// Step 0 is `initial_lr` to the bit. After `cycle_limit` cycles the rate stays at `min_lr`;
/// without a limit the cycles go on for ever, unless each is shorter than the one before: then all of
/// them fit into `cycle_length / (1 - cycle_mul)` steps. A cycle may end between two steps.
///
/// ```
/// use burn_lr_scheduler::{PolynomialDecayCycles, Run, ScheduleConfig};
///
/// let schedule = PolynomialDecayCycles::new(0.4, 2).with_cycle_mul(2.0).with_cycle_decay(0.5);
/// let curve = ScheduleConfig::from(schedule.with_cycle_limit(2)).curve(&Run::per_epoch(938))?;
/// let lrs: Vec<String> = (0..8).map(|epoch| format!("{:.3}", curve.lr(epoch))).collect();
/// assert_eq!(lrs.join(" "), "0.400 0.200 0.200 0.150 0.100 0.050 0.000 0.000");
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `initial_lr` must be finite and at least 0, `min_lr` between 0 and `initial_lr`, `cycle_length`
/// above 0 steps, `cycle_mul`, `cycle_decay`, `power` and `k_decay` finite and above 0, `cycle_limit` at
/// least 1.
///
/// # Source
/// timm's `PolyLRScheduler`, with [k-decay](https://arxiv.org/abs/2004.05909). Differences: `power`
/// is 1 by default, as in PyTorch and Keras, timm's is 0.5; there is no limit by default, timm's is
/// 1 cycle; a peak falls below `min_lr` with [`Peaks::Free`] only; where timm's logarithm is rounded down
/// at the start of a cycle, it gives one more step to the old one. timm's warmup is
/// [`Warmup`](crate::Warmup). The `cycle` option of Keras's `PolynomialDecay` is another thing, see
/// [`PolynomialDecay`](crate::PolynomialDecay).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PolynomialDecayCycles {
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
    /// The power of the decay: 1 for a line, above 1 for one that drops fast at first; 1 by default.
    #[serde(default = "one")]
    pub power: f64,
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

impl PolynomialDecayCycles {
    /// Cycles of equal length and height, down to 0, without end.
    pub fn new(initial_lr: f64, cycle_length: impl Into<Length>) -> Self {
        Self {
            initial_lr,
            cycle_length: cycle_length.into(),
            min_lr: 0.0,
            cycle_mul: 1.0,
            cycle_decay: 1.0,
            cycle_limit: None,
            power: 1.0,
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

    /// Sets the power of the decay.
    pub fn with_power(mut self, power: f64) -> Self {
        self.power = power;
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

impl Schedule for PolynomialDecayCycles {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let power = build.positive("power", self.power)?;
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
        cycles.curve(build, move |progress| shaped(1.0 - progress, power))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![
            ("Polynomial cycles", Self::new(0.1, 75)),
            (
                "Polynomial cycles, longer and lower",
                Self::new(0.1, 40)
                    .with_cycle_mul(2.0)
                    .with_cycle_decay(0.6)
                    .with_min_lr(0.005),
            ),
            (
                "Polynomial cycles, power 2, limit 2",
                Self::new(0.1, 100).with_power(2.0).with_cycle_limit(2),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    #[test]
    fn bad_hyperparameters_are_refused_by_name() {
        let good = || PolynomialDecayCycles::new(0.1, 10);
        for (schedule, name) in [
            (good().with_power(0.0), "power"),
            (good().with_power(f64::INFINITY), "power"),
            (good().with_k_decay(f64::NAN), "k_decay"),
        ] {
            let name = format!("PolynomialDecayCycles.{name}");
            let error = ScheduleConfig::from(schedule).curve(&Run::per_update());
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
