//! A rate that falls with a power of the tokens that were seen.

use serde::{Deserialize, Serialize};

use crate::interpolation::mix;
use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Warms up, falls with a power of the tokens that were seen, and decays along a line at the end.
///
/// With `power(t) = min(max_lr, coefficient * (tokens_per_step * t)^exponent)`:
///
/// - `t < warmup`: `lr(t) = start_lr + (power(warmup) - start_lr) * t / warmup`
/// - then, for `stable` steps: `lr(t) = power(t)`
/// - then, for `decay` steps: from `power(warmup + stable)` along a line to `end_lr`, where it stays
///
/// The middle does not depend on how long the run is. With `tokens_per_step` of 1, the default, it is counted in
/// steps. Step 0 is `start_lr`, or `max_lr` without warmup. Without `decay` the middle has no end.
///
/// ```
/// use burn_lr_scheduler::{PowerLr, Run, ScheduleConfig};
///
/// let schedule = PowerLr::new(0.4, 0.8, 4).with_exponent(-0.5).with_decay(60, 2);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_update())?;
/// let lrs = [0, 2, 4, 16, 64, 65, 66].map(|step| format!("{:.3}", curve.lr(step)));
/// assert_eq!(lrs.join(" "), "0.000 0.200 0.400 0.200 0.100 0.050 0.000");
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `max_lr`, `coefficient` and `end_lr` must be finite and at least 0, `start_lr` too, `exponent` finite and
/// below 0, `tokens_per_step` finite and above 0. Without `stable` the power has no end: `decay` and `end_lr` must
/// be 0.
///
/// # Source
/// [Shen et al.](https://arxiv.org/abs/2408.13359), where the coefficient is `a` times the batch size, `a` being
/// about 4 and the exponent -0.51: `power(t)` above is what is implemented of the paper, with `n = tokens_per_step * t`
/// the tokens that were seen. OLMo-core's `PowerLR`. Difference: the decay is along a line, where the paper leaves
/// its form open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PowerLr {
    /// The learning rate that is not exceeded.
    pub max_lr: f64,
    /// The learning rate of the first token, were it not for `max_lr`.
    pub coefficient: f64,
    /// The power of the number of tokens; -0.51 by default.
    #[serde(default = "default_exponent")]
    pub exponent: f64,
    /// How many tokens a step has; 1 by default.
    #[serde(default = "one")]
    pub tokens_per_step: f64,
    /// How long the warmup lasts.
    pub warmup: Length,
    /// The learning rate that the warmup starts from; 0 by default.
    #[serde(default)]
    pub start_lr: f64,
    /// How long the rate falls with the power; for ever by default.
    #[serde(default)]
    pub stable: Option<Length>,
    /// How long the decay at the end lasts; it is empty by default.
    #[serde(default = "none")]
    pub decay: Length,
    /// The learning rate that the decay ends at; 0 by default.
    #[serde(default)]
    pub end_lr: f64,
}

fn default_exponent() -> f64 {
    -0.51
}

fn one() -> f64 {
    1.0
}

fn none() -> Length {
    Length::Steps(0)
}

impl PowerLr {
    /// A power of the steps, without end.
    pub fn new(max_lr: f64, coefficient: f64, warmup: impl Into<Length>) -> Self {
        Self {
            max_lr,
            coefficient,
            exponent: default_exponent(),
            tokens_per_step: 1.0,
            warmup: warmup.into(),
            start_lr: 0.0,
            stable: None,
            decay: none(),
            end_lr: 0.0,
        }
    }

    /// Sets the power.
    pub fn with_exponent(mut self, exponent: f64) -> Self {
        self.exponent = exponent;
        self
    }

    /// Sets how many tokens a step has.
    pub fn with_tokens_per_step(mut self, tokens_per_step: f64) -> Self {
        self.tokens_per_step = tokens_per_step;
        self
    }

    /// Sets the learning rate that the warmup starts from.
    pub fn with_start_lr(mut self, start_lr: f64) -> Self {
        self.start_lr = start_lr;
        self
    }

    /// Ends the power after `stable`, with a `decay`.
    pub fn with_decay(mut self, stable: impl Into<Length>, decay: impl Into<Length>) -> Self {
        self.stable = Some(stable.into());
        self.decay = decay.into();
        self
    }

    /// Sets the learning rate that the decay ends at.
    pub fn with_end_lr(mut self, end_lr: f64) -> Self {
        self.end_lr = end_lr;
        self
    }
}

impl Schedule for PowerLr {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let max_lr = build.non_negative("max_lr", self.max_lr)?;
        let coefficient = build.non_negative("coefficient", self.coefficient)?;
        let below_0 = "a finite number below 0";
        let exponent = build.check("exponent", self.exponent, below_0, |e| e < 0.0)?;
        let tokens = build.positive("tokens_per_step", self.tokens_per_step)?;
        let start_lr = build.non_negative("start_lr", self.start_lr)?;
        let end_lr = build.non_negative("end_lr", self.end_lr)?;
        let warmup = build.steps_or_zero("warmup", self.warmup)?;
        let end = match self.stable {
            Some(stable) => warmup.saturating_add(build.steps_or_zero("stable", stable)?),
            None => u64::MAX,
        };
        let decay = build.steps_or_zero("decay", self.decay)?;
        if self.stable.is_none() {
            let expected = "0 without the length `stable`, after which it would begin";
            if decay > 0 {
                return Err(build.invalid("decay", expected, self.decay));
            }
            build.check("end_lr", end_lr, expected, |end_lr| end_lr == 0.0)?;
        }
        // At step 0 the power is infinite, or not a number without a coefficient.
        let power = move |step: u64| {
            let power = (step as f64 * tokens).powf(exponent).min(f64::MAX);
            (coefficient * power).min(max_lr)
        };
        let (top, last) = (power(warmup), power(end));
        Ok(Curve::new(move |step| {
            if step < warmup {
                return mix(top, start_lr, step as f64 / warmup as f64);
            }
            match step.checked_sub(end) {
                None => power(step),
                Some(decaying) if decaying >= decay => end_lr,
                Some(decaying) => mix(end_lr, last, decaying as f64 / decay as f64),
            }
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![
            ("Power, by step", Self::new(0.1, 0.6, 30)),
            (
                "Power, by token, decay",
                Self::new(0.1, 20.0, 30)
                    .with_tokens_per_step(1000.0)
                    .with_decay(200, 50),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    fn build(schedule: PowerLr) -> Result<Curve, ScheduleError> {
        ScheduleConfig::from(schedule).curve(&Run::per_update())
    }

    #[test]
    fn without_warmup_it_starts_at_the_highest_rate_and_without_decay_it_has_no_end() {
        let curve = build(PowerLr::new(0.3, 3.0, 0).with_exponent(-1.0)).unwrap();
        assert_eq!((curve.lr(0), curve.lr(10), curve.lr(30)), (0.3, 0.3, 0.1));
        assert!(curve.lr(1 << 60) > 0.0);
        assert_eq!(build(PowerLr::new(0.3, 0.0, 0)).unwrap().lr(0), 0.0);
    }

    #[test]
    fn tokens_scale_the_step() {
        let by_step = build(PowerLr::new(1.0, 0.5, 3).with_exponent(-0.5)).unwrap();
        let tokens = PowerLr::new(1.0, 2.0, 3).with_exponent(-0.5);
        let by_token = build(tokens.with_tokens_per_step(16.0)).unwrap();
        assert_eq!(by_step.lr(9), by_token.lr(9));
    }

    #[test]
    fn bad_hyperparameters_are_refused_by_name() {
        let good = || PowerLr::new(0.1, 1.0, 10);
        let endless_with_decay = PowerLr {
            stable: None,
            ..good().with_decay(0, 5)
        };
        for (schedule, name) in [
            (PowerLr::new(-0.1, 1.0, 10), "max_lr"),
            (PowerLr::new(0.1, f64::NAN, 10), "coefficient"),
            (good().with_exponent(0.0), "exponent"),
            (good().with_tokens_per_step(0.0), "tokens_per_step"),
            (good().with_start_lr(-1.0), "start_lr"),
            (good().with_end_lr(-1.0), "end_lr"),
            (good().with_decay(0.5, 1), "stable"),
            (good().with_end_lr(0.01), "end_lr"),
            (endless_with_decay, "decay"),
        ] {
            let name = format!("PowerLr.{name}");
            let error = build(schedule);
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
