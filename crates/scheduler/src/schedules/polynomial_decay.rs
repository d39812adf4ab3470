//! From one learning rate to another along a polynomial.

use serde::{Deserialize, Serialize};

use crate::power::shaped;
use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Moves from `initial_lr` to `end_lr`, down or up, along a polynomial:
/// `lr(t) = end_lr + (initial_lr - end_lr) * (1 - p)^power`, with `p` the share of `length` that is
/// over.
///
/// Up to `begin` the rate is `initial_lr`, from `begin + length` on `end_lr`, both to the bit. With
/// `cycle` the end moves away by `length` each time it is passed: the rate touches `end_lr` at every
/// multiple of `length`, and then goes on from the polynomial of a longer decay. `length` may end
/// between two steps.
///
/// ```
/// use burn_lr_scheduler::{PolynomialDecay, Run, ScheduleConfig};
///
/// let rise = PolynomialDecay::new(0.1, 0.5, 4).with_power(2.0).with_begin(1);
/// let curve = ScheduleConfig::from(rise).curve(&Run::per_update())?;
/// let lrs: Vec<String> = (0..7).map(|step| format!("{:.3}", curve.lr(step))).collect();
/// assert_eq!(lrs.join(" "), "0.100 0.100 0.275 0.400 0.475 0.500 0.500");
///
/// let curve = ScheduleConfig::from(PolynomialDecay::new(0.4, 0.0, 2).with_cycle(true));
/// let curve = curve.curve(&Run::per_update())?;
/// let lrs: Vec<String> = (0..6).map(|step| format!("{:.3}", curve.lr(step))).collect();
/// assert_eq!(lrs.join(" "), "0.400 0.200 0.000 0.100 0.000 0.067");
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `initial_lr` and `end_lr` must be finite and at least 0, `length` above 0 steps, `power` finite and
/// above 0.
///
/// # Source
/// optax's `polynomial_schedule` (`init_value`, `end_value`, `transition_steps`, `transition_begin`) and
/// Keras's `PolynomialDecay`, whose `cycle` it has. Difference: optax takes `transition_steps` of 0
/// for no transition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PolynomialDecay {
    /// The learning rate at the beginning.
    pub initial_lr: f64,
    /// The learning rate at the end; 0 by default.
    #[serde(default)]
    pub end_lr: f64,
    /// How long the way takes.
    pub length: Length,
    /// The power of what is left of it: 1 for a line, above 1 for one that is fast at first; 1 by default.
    #[serde(default = "one")]
    pub power: f64,
    /// When it begins; at step 0 by default.
    #[serde(default = "at_once")]
    pub begin: Length,
    /// Whether the end moves away each time it is passed; false by default.
    #[serde(default)]
    pub cycle: bool,
}

fn one() -> f64 {
    1.0
}

fn at_once() -> Length {
    Length::Steps(0)
}

impl PolynomialDecay {
    /// A line from `initial_lr` to `end_lr` in `length`.
    pub fn new(initial_lr: f64, end_lr: f64, length: impl Into<Length>) -> Self {
        Self {
            initial_lr,
            end_lr,
            length: length.into(),
            power: 1.0,
            begin: at_once(),
            cycle: false,
        }
    }

    /// Sets the power.
    pub fn with_power(mut self, power: f64) -> Self {
        self.power = power;
        self
    }

    /// Sets when it begins.
    pub fn with_begin(mut self, begin: impl Into<Length>) -> Self {
        self.begin = begin.into();
        self
    }

    /// Sets whether the end moves away each time it is passed.
    pub fn with_cycle(mut self, cycle: bool) -> Self {
        self.cycle = cycle;
        self
    }
}

impl Schedule for PolynomialDecay {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let end_lr = build.non_negative("end_lr", self.end_lr)?;
        let length = build.laps("length", self.length)?;
        let power = build.positive("power", self.power)?;
        let begin = build.steps_or_zero("begin", self.begin)?;
        let cycle = self.cycle;
        Ok(Curve::new(move |step| {
            let step = step.saturating_sub(begin);
            let ends = if cycle {
                length.begun(step).max(1.0)
            } else {
                1.0
            };
            let over = (length.ratio(step) / ends).min(1.0);
            // Not from `start * share + end * (1 - share)`: near the end it has lost more digits.
            end_lr + (initial_lr - end_lr) * shaped(1.0 - over, power)
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![
            (
                "Polynomial decay",
                Self::new(0.1, 0.01, 250).with_power(2.0),
            ),
            (
                "Polynomial rise",
                Self::new(0.01, 0.1, 150).with_power(3.0).with_begin(50),
            ),
            (
                "Polynomial decay, cycle",
                Self::new(0.1, 0.0, 72.5).with_cycle(true),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    fn build(schedule: PolynomialDecay) -> Result<Curve, ScheduleError> {
        ScheduleConfig::from(schedule).curve(&Run::per_update())
    }

    #[test]
    fn both_ends_are_exact() {
        for (initial_lr, end_lr) in [(0.3, 0.07), (0.07, 0.3), (0.1, 0.0), (0.2, 0.2)] {
            let decay = PolynomialDecay::new(initial_lr, end_lr, 7).with_power(0.7);
            let curve = build(decay.with_begin(2)).unwrap();
            assert!((curve.lr(0) - initial_lr).abs() <= f64::EPSILON * initial_lr);
            assert_eq!(curve.lr(2), curve.lr(0));
            assert_eq!((curve.lr(9), curve.lr(u64::MAX)), (end_lr, end_lr));
        }
    }

    #[test]
    fn bad_hyperparameters_are_refused_by_name() {
        let good = || PolynomialDecay::new(0.1, 0.01, 10);
        for (schedule, name) in [
            (PolynomialDecay::new(-0.1, 0.01, 10), "initial_lr"),
            (PolynomialDecay::new(0.1, f64::NAN, 10), "end_lr"),
            (PolynomialDecay::new(0.1, 0.01, 0), "length"),
            (PolynomialDecay::new(0.1, 0.01, -0.5), "length"),
            (good().with_power(0.0), "power"),
            (good().with_begin(0.5), "begin"),
        ] {
            let name = format!("PolynomialDecay.{name}");
            let error = build(schedule);
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
