//! Decay along a hyperbolic tangent.

use serde::{Deserialize, Serialize};

use crate::cycles::{Cycles, Peaks};
use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Stays high, then decays along a hyperbolic tangent, in one cycle or several.
///
/// In cycle `i`, at the share `p` of its `cycle_length * cycle_mul^i` steps:
/// `lr = min_lr + (peak - min_lr) * (1 - tanh(lb * (1 - p) + ub * p)) / 2`, with
/// `peak = max(initial_lr * cycle_decay^i, min_lr)`, or as [`Peaks`] says.
///
/// Step 0 is a little below `initial_lr`: by a millionth with the default `lb` of -7. At the end of
/// a cycle the tangent is a little above `min_lr`: by 0.25 % of the peak with the default `ub` of
/// 3. After `cycle_limit` cycles, one by default, the rate stays at `min_lr`.
///
/// ```
/// use burn_lr_scheduler::{Run, ScheduleConfig, TanhDecay};
///
/// let curve = ScheduleConfig::from(TanhDecay::new(0.1, 100)).curve(&Run::per_update())?;
/// let lrs = [0, 25, 50, 75, 99, 100].map(|step| format!("{:.4}", curve.lr(step)));
/// assert_eq!(lrs.join(" "), "0.1000 0.1000 0.0982 0.0269 0.0003 0.0000");
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `initial_lr` must be finite and at least 0, `min_lr` between 0 and `initial_lr`, `cycle_length`
/// above 0 steps, `lb` and `ub` finite with `lb` below `ub`, `cycle_mul` and `cycle_decay` finite and
/// above 0, `cycle_limit` at least 1.
///
/// # Source
/// timm's `TanhLRScheduler`, after [Hsueh et al.](https://arxiv.org/abs/1806.01593). Differences: a
/// peak falls below `min_lr` with [`Peaks::Free`] only; where timm's logarithm is rounded down at the
/// start of a cycle, it gives one more step to the old one. timm's warmup is
/// [`Warmup`](crate::Warmup), with `target_lr = initial_lr`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TanhDecay {
    /// The rate that the first cycle starts from.
    pub initial_lr: f64,
    /// How long the first cycle is.
    pub cycle_length: Length,
    /// Where the decay ends; 0 by default.
    #[serde(default)]
    pub min_lr: f64,
    /// The argument of the tangent at the start of a cycle; -7 by default.
    #[serde(default = "default_lb")]
    pub lb: f64,
    /// The argument of the tangent at the end of a cycle; 3 by default.
    #[serde(default = "default_ub")]
    pub ub: f64,
    /// What each cycle's length is multiplied by for the next one; 1 by default.
    #[serde(default = "one")]
    pub cycle_mul: f64,
    /// What each cycle's peak is multiplied by for the next one; 1 by default.
    #[serde(default = "one")]
    pub cycle_decay: f64,
    /// How many cycles there are; 1 by default.
    #[serde(default = "default_cycle_limit")]
    pub cycle_limit: u64,
    /// What `cycle_decay` does to the peaks; `floored` by default.
    #[serde(default)]
    pub peaks: Peaks,
}

fn default_lb() -> f64 {
    -7.0
}

fn default_ub() -> f64 {
    3.0
}

fn one() -> f64 {
    1.0
}

fn default_cycle_limit() -> u64 {
    1
}

impl TanhDecay {
    /// One decay to 0.
    pub fn new(initial_lr: f64, cycle_length: impl Into<Length>) -> Self {
        Self {
            initial_lr,
            cycle_length: cycle_length.into(),
            min_lr: 0.0,
            lb: default_lb(),
            ub: default_ub(),
            cycle_mul: 1.0,
            cycle_decay: 1.0,
            cycle_limit: default_cycle_limit(),
            peaks: Peaks::default(),
        }
    }

    /// Sets where the decay ends.
    pub fn with_min_lr(mut self, min_lr: f64) -> Self {
        self.min_lr = min_lr;
        self
    }

    /// Sets the arguments of the tangent at the start and at the end of a cycle.
    pub fn with_bounds(mut self, lb: f64, ub: f64) -> Self {
        self.lb = lb;
        self.ub = ub;
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
        self.cycle_limit = cycle_limit;
        self
    }

    /// Sets what the decay of the cycles does to their peaks.
    pub fn with_peaks(mut self, peaks: Peaks) -> Self {
        self.peaks = peaks;
        self
    }
}

impl Schedule for TanhDecay {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let lb = build.check("lb", self.lb, "a finite number", |_| true)?;
        let ub = build.check("ub", self.ub, "a finite number above lb", |ub| ub > lb)?;
        let cycles = Cycles {
            initial_lr: self.initial_lr,
            min_lr: self.min_lr,
            length: self.cycle_length,
            mul: self.cycle_mul,
            decay: self.cycle_decay,
            peaks: self.peaks,
            limit: Some(self.cycle_limit),
            k_decay: 1.0,
        };
        cycles.curve(build, move |progress| {
            let argument = lb * (1.0 - progress) + ub * progress;
            0.5 * (1.0 - argument.tanh())
        })
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![
            ("Tanh decay", Self::new(0.1, 300)),
            (
                "Tanh decay, three cycles",
                Self::new(0.1, 60)
                    .with_min_lr(0.002)
                    .with_bounds(-5.0, 2.0)
                    .with_cycle_mul(1.5)
                    .with_cycle_decay(0.7)
                    .with_cycle_limit(3),
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
        let good = || TanhDecay::new(0.1, 10);
        for (schedule, name) in [
            (TanhDecay::new(f64::NAN, 10), "initial_lr"),
            (good().with_min_lr(-0.1), "min_lr"),
            (good().with_bounds(f64::NEG_INFINITY, 3.0), "lb"),
            (good().with_bounds(3.0, 3.0), "ub"),
            (good().with_bounds(3.0, f64::NAN), "ub"),
            (good().with_cycle_limit(0), "cycle_limit"),
        ] {
            let name = format!("TanhDecay.{name}");
            let error = ScheduleConfig::from(schedule).curve(&Run::per_update());
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
