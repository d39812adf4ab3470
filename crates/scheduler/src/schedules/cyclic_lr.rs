//! A learning rate that cycles between two bounds.

use serde::{Deserialize, Serialize};

use crate::power::power;
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
/// `gamma` finite and above 0. Both step sizes may end between two steps.
///
/// # Source
/// PyTorch's `CyclicLR`, after Smith, "Cyclical Learning Rates" (2017). It accepts a `base_lr` above `max_lr`, and
/// a `gamma` of 0 or less; here these are errors. Momentum is not cycled:
/// a Burn scheduler sets the learning rate only. PyTorch cycles it unless `cycle_momentum=False`;
/// a document that names a momentum is refused. A scale of one's own is a
/// [`LambdaLr`](crate::LambdaLr).
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
        let mode = self.mode;
        let (period, up, down) = (up.plus(down), up.length(), down.length());
        Ok(Curve::new(move |step| {
            let (cycle, t) = period.split(step);
            let x = if t <= up {
                t / up
            } else {
                (period.length() - t) / down
            };
            let height = (max_lr - base_lr) * x;
            // Also keeps 0 from being multiplied by an infinite scale.
            if height == 0.0 {
                return base_lr;
            }
            base_lr
                + height
                    * match mode {
                        CyclicMode::Triangular => 1.0,
                        CyclicMode::Triangular2 => power(0.5, cycle),
                        CyclicMode::ExpRange => gamma.powf(step as f64),
                    }
        }))
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
    fn momentum_is_refused_rather_than_ignored() {
        let document = r#"{"CyclicLr": {"base_lr": 0.1, "max_lr": 1, "base_momentum": 0.8}}"#;
        assert!(matches!(
            ScheduleConfig::from_json(document),
            Err(ScheduleError::Document { path, .. }) if path == "CyclicLr.base_momentum"
        ));
    }
}
