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
/// 1, `div_factor` finite and at least 1, `final_div_factor` finite and above 0.
///
/// # Source
/// PyTorch's `OneCycleLR`, after Smith and Topin, "Super-Convergence" (2018), with its defaults.
/// Differences: after the last step it leaves its range for a step and then raises, here the rate
/// holds; a phase of no length divides by zero there, here it is at its end (`pct_start * n = 1`
/// starts at `max_lr`). As there, a `pct_start` above 0.5 with three phases leaves no room for the
/// third. Momentum is not cycled: a Burn scheduler sets the learning rate only. PyTorch cycles it
/// unless `cycle_momentum=False`; a document that names a momentum is refused.
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
        let peak = pct_start * total_steps as f64 - 1.0;
        // A phase is its end and the rates at both its ends; the step decides which it is in.
        let rise = (peak, initial_lr, max_lr);
        let phases = if self.three_phase {
            let descent_ends = 2.0 * pct_start * total_steps as f64 - 2.0;
            [
                rise,
                (descent_ends, max_lr, initial_lr),
                (last_step as f64, initial_lr, min_lr),
            ]
        } else {
            // The second ends where it begins and so is never entered.
            [
                rise,
                (peak, max_lr, max_lr),
                (last_step as f64, max_lr, min_lr),
            ]
        };
        let strategy = self.anneal_strategy;
        Ok(Curve::new(move |step| {
            let step = step.min(last_step) as f64;
            let (begin, (end, from, to)) = match phases {
                [first, _, _] if step <= first.0 => (0.0, first),
                [first, second, _] if step <= second.0 => (first.0, second),
                [_, second, third] => (second.0, third),
            };
            let pct = if begin < end {
                (step - begin) / (end - begin)
            } else {
                1.0
            };
            strategy.between(from, to, pct)
        }))
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
    fn momentum_is_refused_rather_than_ignored() {
        let document = r#"{"OneCycleLr": {"max_lr": 0.1, "cycle_momentum": true}}"#;
        assert!(matches!(
            ScheduleConfig::from_json(document),
            Err(ScheduleError::Document { path, .. }) if path == "OneCycleLr.cycle_momentum"
        ));
    }
}
