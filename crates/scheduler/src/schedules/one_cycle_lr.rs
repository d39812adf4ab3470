//! One rise and one long fall over the whole run.

use serde::{Deserialize, Serialize};

use crate::{AnnealStrategy, Build, Curve, Length, Schedule, ScheduleError};

/// Raises the learning rate from `initial_lr = max_lr / div_factor` to `max_lr`, then lowers it to
/// `min_lr = initial_lr / final_div_factor`.
///
/// With `n = total_steps` the rise ends at step `pct_start * n - 1` (a fraction, if it is one) and
/// the fall at step `n - 1`. With three phases the rate falls back to `initial_lr` at step
/// `2 * pct_start * n - 2`, and from there to `min_lr`. Within a phase the rate follows
/// [`anneal_strategy`](AnnealStrategy). Step 0 is `initial_lr`, unless `pct_start * n` is at most 1:
/// then there is no rise. Beyond step `n - 1` the rate of that step holds.
///
/// ```
/// use burn_lr_scheduler::{AnnealStrategy, OneCycleLr, Run, ScheduleConfig};
///
/// let schedule = OneCycleLr::new(1.0)
///     .with_total_steps(10)
///     .with_div_factor(4.0)
///     .with_anneal_strategy(AnnealStrategy::Linear);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_update())?;
/// let lrs: Vec<String> = (0..11).map(|step| format!("{:.2}", curve.lr(step))).collect();
/// assert_eq!(lrs[..5], ["0.25", "0.62", "1.00", "0.86", "0.71"]);
/// assert_eq!(lrs[5..], ["0.57", "0.43", "0.29", "0.14", "0.00", "0.00"]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `max_lr` must be finite and at least 0, `total_steps` at least 1 step, `pct_start` between 0 and
/// 1, `div_factor` finite and at least 1, `final_div_factor` finite and above 0, `base_momentum` and `max_momentum`
/// in [0, 1), the first at most the second.
///
/// # Momentum
/// The [momentum](Curve::momentum), or Adam's beta 1, falls from `max_momentum` to `base_momentum` where the rate
/// rises, and rises back where that falls, unless [`cycle_momentum`](Self::cycle_momentum) is false. With three
/// phases it stays at `max_momentum` in the last.
///
/// # Source
/// PyTorch's `OneCycleLR`, after Smith and Topin, "Super-Convergence" (2018), with its defaults.
/// Differences: after the last step it leaves its range for a step and then raises, here the rate
/// holds; a phase of no length divides by zero there, here it is at its end (`pct_start * n = 1`
/// starts at `max_lr`). As there, a `pct_start` above 0.5 with three phases leaves no room for the
/// third.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OneCycleLr {
    /// The highest learning rate.
    pub max_lr: f64,
    /// How long the cycle takes; 100 % of the run by default.
    #[serde(default = "default_total_steps")]
    pub total_steps: Length,
    /// The share of the cycle that the rise takes, 0 to 1; 0.3 by default.
    #[serde(default = "default_pct_start")]
    pub pct_start: f64,
    /// The form of rise and fall; `cos` by default.
    #[serde(default)]
    pub anneal_strategy: AnnealStrategy,
    /// What `max_lr` is divided by for the first rate; 25 by default.
    #[serde(default = "default_div_factor")]
    pub div_factor: f64,
    /// What the first rate is divided by for the last; 10 000 by default.
    #[serde(default = "default_final_div_factor")]
    pub final_div_factor: f64,
    /// Whether the fall pauses at the first rate, as far after the highest as the start lies before
    /// it; `false` by default.
    #[serde(default)]
    pub three_phase: bool,
    /// Whether the momentum is cycled inversely to the rate; `true` by default.
    #[serde(default = "default_cycle_momentum")]
    pub cycle_momentum: bool,
    /// The momentum at the highest rate; 0.85 by default.
    #[serde(default = "default_base_momentum")]
    pub base_momentum: f64,
    /// The momentum at the first rate, and at the last; 0.95 by default.
    #[serde(default = "default_max_momentum")]
    pub max_momentum: f64,
}

fn default_total_steps() -> Length {
    Length::Percent(100.0)
}

fn default_pct_start() -> f64 {
    0.3
}

fn default_div_factor() -> f64 {
    25.0
}

fn default_final_div_factor() -> f64 {
    1e4
}

fn default_cycle_momentum() -> bool {
    true
}

fn default_base_momentum() -> f64 {
    0.85
}

fn default_max_momentum() -> f64 {
    0.95
}

impl OneCycleLr {
    /// PyTorch's defaults over the whole run.
    pub fn new(max_lr: f64) -> Self {
        Self {
            max_lr,
            total_steps: default_total_steps(),
            pct_start: default_pct_start(),
            anneal_strategy: AnnealStrategy::Cos,
            div_factor: default_div_factor(),
            final_div_factor: default_final_div_factor(),
            three_phase: false,
            cycle_momentum: default_cycle_momentum(),
            base_momentum: default_base_momentum(),
            max_momentum: default_max_momentum(),
        }
    }

    /// Sets how long the cycle takes.
    pub fn with_total_steps(mut self, total_steps: impl Into<Length>) -> Self {
        self.total_steps = total_steps.into();
        self
    }

    /// Sets the share of the cycle that the rise takes.
    pub fn with_pct_start(mut self, pct_start: f64) -> Self {
        self.pct_start = pct_start;
        self
    }

    /// Sets the form of rise and fall.
    pub fn with_anneal_strategy(mut self, anneal_strategy: AnnealStrategy) -> Self {
        self.anneal_strategy = anneal_strategy;
        self
    }

    /// Sets what `max_lr` is divided by for the first rate.
    pub fn with_div_factor(mut self, div_factor: f64) -> Self {
        self.div_factor = div_factor;
        self
    }

    /// Sets what the first rate is divided by for the last.
    pub fn with_final_div_factor(mut self, final_div_factor: f64) -> Self {
        self.final_div_factor = final_div_factor;
        self
    }

    /// Sets whether the fall pauses at the first rate.
    pub fn with_three_phase(mut self, three_phase: bool) -> Self {
        self.three_phase = three_phase;
        self
    }

    /// Sets whether the momentum is cycled.
    pub fn with_cycle_momentum(mut self, cycle_momentum: bool) -> Self {
        self.cycle_momentum = cycle_momentum;
        self
    }

    /// Sets the momentum at the highest rate.
    pub fn with_base_momentum(mut self, base_momentum: f64) -> Self {
        self.base_momentum = base_momentum;
        self
    }

    /// Sets the momentum at the first rate, and at the last.
    pub fn with_max_momentum(mut self, max_momentum: f64) -> Self {
        self.max_momentum = max_momentum;
        self
    }
}

impl Schedule for OneCycleLr {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let max_lr = build.non_negative("max_lr", self.max_lr)?;
        let total_steps = build.steps("total_steps", self.total_steps)?;
        let pct_start = build.check("pct_start", self.pct_start, "0 to 1", |pct| {
            (0.0..=1.0).contains(&pct)
        })?;
        let at_least_1 = "a finite number of 1 or more";
        let div_factor =
            build.check("div_factor", self.div_factor, at_least_1, |div| div >= 1.0)?;
        let final_div_factor = build.positive("final_div_factor", self.final_div_factor)?;
        let initial_lr = max_lr / div_factor;
        let min_lr = initial_lr / final_div_factor;

        let last_step = total_steps - 1;
        let (base_momentum, max_momentum) =
            build.momentums(self.base_momentum, self.max_momentum)?;
        let rises = pct_start * total_steps as f64 - 1.0;
        // Where a phase ends, and what is there; the second of two phases is never entered.
        let falls = if self.three_phase {
            2.0 * pct_start * total_steps as f64 - 2.0
        } else {
            rises
        };
        let ends = [rises, falls, last_step as f64];
        let (fallen_lr, fallen_momentum) = if self.three_phase {
            (initial_lr, max_momentum)
        } else {
            (max_lr, base_momentum)
        };
        let rates = [initial_lr, max_lr, fallen_lr, min_lr];
        let momentums = [max_momentum, base_momentum, fallen_momentum, max_momentum];
        let strategy = self.anneal_strategy;
        let at = move |step: u64, values: [f64; 4]| {
            let step = step.min(last_step) as f64;
            let phase = ends[..2].iter().filter(|&&end| step > end).count();
            let begin = if phase == 0 { 0.0 } else { ends[phase - 1] };
            let pct = if begin < ends[phase] {
                (step - begin) / (ends[phase] - begin)
            } else {
                1.0
            };
            strategy.between(values[phase], values[phase + 1], pct)
        };
        let curve = Curve::new(move |step| at(step, rates));
        if !self.cycle_momentum {
            return Ok(curve);
        }
        Ok(curve.with_momentum(move |step| at(step, momentums)))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        let over = |max_lr| Self::new(max_lr).with_total_steps(260);
        vec![
            ("OneCycleLR", over(0.1)),
            (
                "OneCycleLR, linear, three phases",
                over(0.1)
                    .with_anneal_strategy(AnnealStrategy::Linear)
                    .with_pct_start(0.4)
                    .with_div_factor(10.0)
                    .with_three_phase(true),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    fn build(schedule: OneCycleLr) -> Curve {
        ScheduleConfig::from(schedule)
            .curve(&Run::per_update())
            .unwrap()
    }

    #[test]
    fn it_takes_the_whole_run_and_then_holds() {
        let run = Run::per_epoch(938).with_epochs(20);
        let curve = ScheduleConfig::from(OneCycleLr::new(0.5))
            .curve(&run)
            .unwrap();
        assert_eq!((curve.lr(0), curve.lr(5)), (0.5 / 25.0, 0.5));
        assert_eq!(
            [19, 20, 21, u64::MAX].map(|step| curve.lr(step)),
            [0.5 / 25.0 / 1e4; 4]
        );
    }

    #[test]
    fn phases_of_no_length_are_at_their_end() {
        for three_phase in [false, true] {
            let cycle = OneCycleLr::new(1.0).with_three_phase(three_phase);
            let no_rise = cycle.clone().with_total_steps(10).with_pct_start(0.1);
            assert_eq!(build(no_rise).lr(0), 1.0);
            let one_step = cycle.clone().with_total_steps(1);
            assert_eq!(build(one_step.clone()).lr(0), 1.0 / 25.0 / 1e4);
            assert_eq!(build(one_step.with_pct_start(1.0)).lr(0), 1.0);
        }
        let no_fall = OneCycleLr::new(1.0)
            .with_total_steps(10)
            .with_pct_start(1.0);
        assert_eq!(
            [9, 10, 11].map(|step| build(no_fall.clone()).lr(step)),
            [1.0; 3]
        );
    }

    #[test]
    fn every_rate_lies_between_lowest_and_highest() {
        for total_steps in 1..30 {
            for pct_start in [0.0, 0.03, 0.1, 0.3, 0.5, 0.8, 1.0] {
                for three_phase in [false, true] {
                    let curve = build(
                        OneCycleLr::new(1.0)
                            .with_total_steps(total_steps)
                            .with_pct_start(pct_start)
                            .with_three_phase(three_phase),
                    );
                    for step in 0..40 {
                        let lr = curve.lr(step);
                        assert!((1.0 / 25.0 / 1e4..=1.0).contains(&lr), "{lr} at {step}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_momentum_is_lowest_where_the_rate_is_highest() {
        for three_phase in [false, true] {
            let cycle = OneCycleLr::new(1.0)
                .with_total_steps(11)
                .with_pct_start(0.5)
                .with_three_phase(three_phase)
                .with_anneal_strategy(AnnealStrategy::Linear)
                .with_base_momentum(0.5)
                .with_max_momentum(0.75);
            let curve = build(cycle.clone());
            let momentums = [0, 9, 10, 11, u64::MAX].map(|step| curve.momentum(step).unwrap());
            assert_eq!(momentums[0], 0.75);
            assert_eq!(momentums[2..], [0.75; 3]);
            let lowest = (0..11).map(|step| curve.momentum(step).unwrap());
            assert!(lowest.fold(1.0, f64::min) < 0.53);
            assert!(!build(cycle.with_cycle_momentum(false)).has_momentum());
        }
    }

    #[test]
    fn momentums_out_of_range_are_refused() {
        for (schedule, name) in [
            (OneCycleLr::new(0.1).with_max_momentum(1.0), "max_momentum"),
            // As an `f32` it is 1.
            (
                OneCycleLr::new(0.1).with_max_momentum(1.0 - 1e-9),
                "max_momentum",
            ),
            (
                OneCycleLr::new(0.1).with_base_momentum(0.99),
                "base_momentum",
            ),
        ] {
            let schedule = ScheduleConfig::from(schedule.with_total_steps(5));
            let error = schedule.curve(&Run::per_update());
            let name = format!("OneCycleLr.{name}");
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
