//! A learning rate that cycles between two bounds.

use serde::{Deserialize, Serialize};

use crate::power::{power, raised};
use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Cycles the learning rate linearly between two bounds:
/// `lr(t) = base_lr + (max_lr - base_lr) * x * scale`.
///
/// Within a cycle `x` rises from 0 to 1 in `step_size_up` steps and falls back in `step_size_down`.
/// By [`mode`](CyclicMode), `scale` is 1, `0.5^c` in cycle `c` (from 0), or `gamma^t`. Step 0 and
/// every start of a cycle are `base_lr` to the bit; the cycles never end.
///
/// ```
/// use burn_lr_scheduler::{CyclicLr, CyclicMode, Run, ScheduleConfig};
///
/// let schedule = CyclicLr::new(0.0, 1.0)
///     .with_step_size_up(2)
///     .with_mode(CyclicMode::Triangular2);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_update())?;
/// let lrs: Vec<f64> = (0..9).map(|step| curve.lr(step)).collect();
/// assert_eq!(lrs, [0.0, 0.5, 1.0, 0.5, 0.0, 0.25, 0.5, 0.25, 0.0]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `base_lr` and `max_lr` must be finite and at least 0, `base_lr` at most `max_lr`, `step_size_up` above 0 steps,
/// `gamma` finite and above 0, `base_momentum` and `max_momentum` in [0, 1), the first at most the second. Both step
/// sizes may end between two steps.
///
/// # Momentum
/// The [momentum](Curve::momentum), or Adam's beta 1, cycles inversely, unless
/// [`cycle_momentum`](Self::cycle_momentum) is false: it is `max_momentum - (max_momentum - base_momentum) * x * scale`.
///
/// # Source
/// PyTorch's `CyclicLR`, after Smith, "Cyclical Learning Rates" (2017). It accepts a `base_lr` above `max_lr`, and
/// a `gamma` of 0 or less; here these are errors. A momentum that a `gamma` above 1 would bring below 0 is 0 here.
/// A scale of one's own is a [`LambdaLr`](crate::LambdaLr).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CyclicLr {
    /// The lower bound, and the learning rate of step 0.
    pub base_lr: f64,
    /// The upper bound of the first cycle.
    pub max_lr: f64,
    /// How long a rise takes; 2000 steps by default.
    #[serde(default = "default_step_size_up")]
    pub step_size_up: Length,
    /// How long a fall takes, 0 for a sudden one; as long as the rise by default.
    #[serde(default)]
    pub step_size_down: Option<Length>,
    /// How the height of the cycles changes; `triangular` by default.
    #[serde(default)]
    pub mode: CyclicMode,
    /// The factor per step of `exp_range`, which alone uses it; 1 by default.
    #[serde(default = "default_gamma")]
    pub gamma: f64,
    /// Whether the momentum is cycled inversely to the rate; `true` by default.
    #[serde(default = "default_cycle_momentum")]
    pub cycle_momentum: bool,
    /// The momentum where the rate is highest, in the first cycle; 0.8 by default.
    #[serde(default = "default_base_momentum")]
    pub base_momentum: f64,
    /// The momentum where the rate is lowest; 0.9 by default.
    #[serde(default = "default_max_momentum")]
    pub max_momentum: f64,
}

/// How the height of a [`CyclicLr`]'s cycles changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CyclicMode {
    /// Every cycle is as high as the first.
    #[default]
    Triangular,
    /// Every cycle is half as high as the one before.
    Triangular2,
    /// The height is multiplied by `gamma` at every step.
    ExpRange,
}

fn default_step_size_up() -> Length {
    Length::Steps(2000)
}

fn default_gamma() -> f64 {
    1.0
}

fn default_cycle_momentum() -> bool {
    true
}

fn default_base_momentum() -> f64 {
    0.8
}

fn default_max_momentum() -> f64 {
    0.9
}

impl CyclicLr {
    /// From `base_lr` to `max_lr` in 2000 steps and back in as many, without end.
    pub fn new(base_lr: f64, max_lr: f64) -> Self {
        Self {
            base_lr,
            max_lr,
            step_size_up: default_step_size_up(),
            step_size_down: None,
            mode: CyclicMode::Triangular,
            gamma: default_gamma(),
            cycle_momentum: default_cycle_momentum(),
            base_momentum: default_base_momentum(),
            max_momentum: default_max_momentum(),
        }
    }

    /// Sets how long a rise takes, and a fall too unless that is set.
    pub fn with_step_size_up(mut self, step_size_up: impl Into<Length>) -> Self {
        self.step_size_up = step_size_up.into();
        self
    }

    /// Sets how long a fall takes.
    pub fn with_step_size_down(mut self, step_size_down: impl Into<Length>) -> Self {
        self.step_size_down = Some(step_size_down.into());
        self
    }

    /// Sets how the height of the cycles changes.
    pub fn with_mode(mut self, mode: CyclicMode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets the factor per step of `exp_range`.
    pub fn with_gamma(mut self, gamma: f64) -> Self {
        self.gamma = gamma;
        self
    }

    /// Sets whether the momentum is cycled.
    pub fn with_cycle_momentum(mut self, cycle_momentum: bool) -> Self {
        self.cycle_momentum = cycle_momentum;
        self
    }

    /// Sets the momentum where the rate is highest.
    pub fn with_base_momentum(mut self, base_momentum: f64) -> Self {
        self.base_momentum = base_momentum;
        self
    }

    /// Sets the momentum where the rate is lowest.
    pub fn with_max_momentum(mut self, max_momentum: f64) -> Self {
        self.max_momentum = max_momentum;
        self
    }
}

impl Schedule for CyclicLr {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let max_lr = build.non_negative("max_lr", self.max_lr)?;
        let base_lr = build.check("base_lr", self.base_lr, "0 to max_lr", |base_lr| {
            (0.0..=max_lr).contains(&base_lr)
        })?;
        let up = build.laps("step_size_up", self.step_size_up)?;
        let down = match self.step_size_down {
            Some(length) => build.laps_or_zero("step_size_down", length)?,
            None => up,
        };
        let gamma = build.positive("gamma", self.gamma)?;
        let (base_momentum, max_momentum) =
            build.momentums(self.base_momentum, self.max_momentum)?;
        let mode = self.mode;
        let (period, up, down) = (up.plus(down), up.length(), down.length());
        // `from` at the start of a cycle, `from + height` in its middle, scaled.
        let at = move |step: u64, from: f64, height: f64| {
            let (cycle, t) = period.split(step);
            let x = if t <= up {
                t / up
            } else {
                (period.length() - t) / down
            };
            let height = height * x;
            // Also keeps 0 from being multiplied by an infinite scale.
            if height == 0.0 {
                return from;
            }
            from + height
                * match mode {
                    CyclicMode::Triangular => 1.0,
                    CyclicMode::Triangular2 => power(0.5, cycle),
                    CyclicMode::ExpRange => raised(gamma, step as f64),
                }
        };
        let curve = Curve::new(move |step| at(step, base_lr, max_lr - base_lr));
        if !self.cycle_momentum {
            return Ok(curve);
        }
        let height = base_momentum - max_momentum;
        Ok(curve.with_momentum(move |step| at(step, max_momentum, height).max(0.0)))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        let cyclic = || Self::new(0.01, 0.1).with_step_size_up(30);
        vec![
            ("CyclicLR, triangular", cyclic()),
            (
                "CyclicLR, triangular2",
                cyclic().with_mode(CyclicMode::Triangular2),
            ),
            (
                "CyclicLR, exp_range",
                cyclic()
                    .with_step_size_down(20)
                    .with_mode(CyclicMode::ExpRange)
                    .with_gamma(0.99),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    #[test]
    fn it_stays_within_its_bounds_for_ever() {
        for mode in [
            CyclicMode::Triangular,
            CyclicMode::Triangular2,
            CyclicMode::ExpRange,
        ] {
            for (up, down) in [(1, 0), (1, 1), (7, 3), (u64::MAX, u64::MAX)] {
                let schedule = CyclicLr::new(0.1, 0.3)
                    .with_step_size_up(up)
                    .with_step_size_down(down)
                    .with_mode(mode)
                    .with_gamma(0.9);
                let curve = ScheduleConfig::from(schedule)
                    .curve(&Run::per_update())
                    .unwrap();
                for step in (0..40).chain(u64::MAX - 40..=u64::MAX) {
                    assert!(
                        (0.1..=0.3).contains(&curve.lr(step)),
                        "{mode:?} {up} {step}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_cycle_may_end_between_two_steps() {
        let schedule = CyclicLr::new(0.0, 1.0)
            .with_step_size_up(1.5)
            .with_step_size_down(1);
        let curve = ScheduleConfig::from(schedule)
            .curve(&Run::per_update())
            .unwrap();
        let lrs: Vec<f64> = (0..6).map(|step| curve.lr(step)).collect();
        assert_eq!(lrs, [0.0, 1.0 / 1.5, 0.5, 0.5 / 1.5, 1.0, 0.0]);
    }

    #[test]
    fn a_growing_range_still_starts_every_cycle_at_the_base() {
        let schedule = CyclicLr::new(0.1, 0.3)
            .with_step_size_up(5)
            .with_mode(CyclicMode::ExpRange)
            .with_gamma(2.0);
        let curve = ScheduleConfig::from(schedule)
            .curve(&Run::per_update())
            .unwrap();
        assert_eq!((curve.lr(100_000), curve.lr(100_001)), (0.1, f64::MAX));
    }

    #[test]
    fn the_momentum_falls_as_the_rate_rises() {
        let cyclic = CyclicLr::new(0.0, 1.0)
            .with_step_size_up(2)
            .with_base_momentum(0.5)
            .with_max_momentum(0.75);
        let curve = |schedule: CyclicLr| {
            ScheduleConfig::from(schedule)
                .curve(&Run::per_update())
                .unwrap()
        };
        let momentums = |schedule| {
            let curve = curve(schedule);
            [0, 1, 2, 3, 6].map(|step| curve.momentum(step).unwrap())
        };
        assert_eq!(momentums(cyclic.clone()), [0.75, 0.625, 0.5, 0.625, 0.5]);
        let halving = cyclic.clone().with_mode(CyclicMode::Triangular2);
        assert_eq!(momentums(halving), [0.75, 0.625, 0.5, 0.625, 0.625]);
        let growing = cyclic.clone().with_mode(CyclicMode::ExpRange);
        let growing = curve(growing.with_gamma(2.0));
        assert_eq!(growing.momentum(1001), Some(0.0));
        assert!(!curve(cyclic.with_cycle_momentum(false)).has_momentum());
    }

    #[test]
    fn momentums_out_of_range_are_refused() {
        for (schedule, name) in [
            (
                CyclicLr::new(0.1, 0.2).with_max_momentum(1.0),
                "max_momentum",
            ),
            (
                CyclicLr::new(0.1, 0.2).with_max_momentum(f64::NAN),
                "max_momentum",
            ),
            (
                CyclicLr::new(0.1, 0.2).with_base_momentum(-0.1),
                "base_momentum",
            ),
            (
                CyclicLr::new(0.1, 0.2).with_base_momentum(0.95),
                "base_momentum",
            ),
        ] {
            let error = ScheduleConfig::from(schedule).curve(&Run::per_update());
            let name = format!("CyclicLr.{name}");
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
