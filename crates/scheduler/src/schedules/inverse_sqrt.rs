//! Linear warmup, then decay with the inverse square root of the step.

use serde::{Deserialize, Serialize};

use crate::interpolation::mix;
use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Warms up linearly to `peak_lr`, then decays with the inverse square root of the step.
///
/// With `w` steps of warmup and a timescale of `s` steps, which is `w` unless set:
///
/// - `t < w`: `lr(t) = start_lr + (peak_lr - start_lr) * t / w`
/// - `t >= w`: `lr(t) = end_lr + (peak_lr - end_lr) * sqrt(s / (s + t - w))`, which is
///   `peak_lr * sqrt(w / t)` for `s = w` and an `end_lr` of 0
///
/// Step 0 is `start_lr`, step `w` is `peak_lr`, both to the bit; the decay never ends, but
/// nears `end_lr`.
///
/// ```
/// use burn_lr_scheduler::{InverseSqrt, Run, ScheduleConfig};
///
/// let curve = ScheduleConfig::from(InverseSqrt::new(0.1, 4)).curve(&Run::per_update())?;
/// let lrs = [0, 2, 4, 16, 64].map(|step| curve.lr(step));
/// assert_eq!(lrs, [0.0, 0.05, 0.1, 0.05, 0.025]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `peak_lr` must be finite and at least 0, `start_lr` and `end_lr` between 0 and `peak_lr`, `timescale`
/// at least 1 step. An empty `warmup` needs a `timescale`.
///
/// # Source
/// fairseq's `inverse_sqrt` (`lr`, `warmup_updates`, `warmup_init_lr`); with a `timescale` Hugging
/// Face's `get_inverse_sqrt_schedule`, with an `end_lr` OLMo-core's `InvSqrtWithWarmup`. Difference:
/// without warmup Hugging Face's timescale is 10 000; here it has to be given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct InverseSqrt {
    /// The learning rate at the end of the warmup, the highest.
    pub peak_lr: f64,
    /// How long the warmup lasts.
    pub warmup: Length,
    /// The learning rate that the warmup starts from; 0 by default.
    #[serde(default)]
    pub start_lr: f64,
    /// How long the decay takes to divide the rate by the square root of 2; the warmup by default.
    #[serde(default)]
    pub timescale: Option<Length>,
    /// The learning rate that the decay nears; 0 by default.
    #[serde(default)]
    pub end_lr: f64,
}

impl InverseSqrt {
    /// A warmup from 0 to `peak_lr`, and a decay on the scale of the warmup.
    pub fn new(peak_lr: f64, warmup: impl Into<Length>) -> Self {
        Self {
            peak_lr,
            warmup: warmup.into(),
            start_lr: 0.0,
            timescale: None,
            end_lr: 0.0,
        }
    }

    /// Sets the learning rate that the warmup starts from.
    pub fn with_start_lr(mut self, start_lr: f64) -> Self {
        self.start_lr = start_lr;
        self
    }

    /// Sets how long the decay takes to divide the rate by the square root of 2.
    pub fn with_timescale(mut self, timescale: impl Into<Length>) -> Self {
        self.timescale = Some(timescale.into());
        self
    }

    /// Sets the learning rate that the decay nears.
    pub fn with_end_lr(mut self, end_lr: f64) -> Self {
        self.end_lr = end_lr;
        self
    }
}

impl Schedule for InverseSqrt {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let peak_lr = build.non_negative("peak_lr", self.peak_lr)?;
        let start_lr = build.at_most("start_lr", self.start_lr, "peak_lr", peak_lr)?;
        let end_lr = build.at_most("end_lr", self.end_lr, "peak_lr", peak_lr)?;
        let warmup = build.steps_or_zero("warmup", self.warmup)?;
        let timescale = match self.timescale {
            Some(timescale) => build.steps("timescale", timescale)?,
            None if warmup > 0 => warmup,
            None => {
                let expected = "a timescale, or a warmup of at least 1 step";
                return Err(build.invalid("timescale", expected, "neither"));
            }
        };
        Ok(Curve::new(move |step| match step.checked_sub(warmup) {
            None => mix(peak_lr, start_lr, step as f64 / warmup as f64),
            Some(step) => {
                let timescale = timescale as f64;
                let left = (timescale / (timescale + step as f64)).sqrt();
                mix(peak_lr, end_lr, left)
            }
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![
            ("Inverse square root", Self::new(0.1, 30)),
            (
                "Inverse square root, timescale 100",
                Self::new(0.1, 30).with_start_lr(0.02).with_timescale(100),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    fn build(schedule: InverseSqrt) -> Result<Curve, ScheduleError> {
        ScheduleConfig::from(schedule).curve(&Run::per_update())
    }

    #[test]
    fn without_warmup_a_timescale_is_needed() {
        let curve = build(InverseSqrt::new(0.1, 0).with_timescale(10)).unwrap();
        assert_eq!((curve.lr(0), curve.lr(30)), (0.1, 0.05));
        assert!(matches!(
            build(InverseSqrt::new(0.1, 0)),
            Err(ScheduleError::Invalid { path, .. }) if path == "InverseSqrt.timescale"
        ));
    }

    #[test]
    fn both_ends_of_the_warmup_are_exact() {
        let curve = build(InverseSqrt::new(0.3, 7).with_start_lr(0.1)).unwrap();
        assert_eq!((curve.lr(0), curve.lr(7)), (0.1, 0.3));
        assert!(build(InverseSqrt::new(0.3, 7).with_start_lr(0.4)).is_err());
        assert!(build(InverseSqrt::new(0.3, 7).with_end_lr(0.4)).is_err());
    }

    #[test]
    fn the_decay_nears_its_end() {
        let curve = build(InverseSqrt::new(0.5, 4).with_end_lr(0.1)).unwrap();
        assert_eq!((curve.lr(4), curve.lr(16)), (0.5, 0.5 * 0.5 + 0.1 * 0.5));
        assert!((curve.lr(u64::MAX) - 0.1).abs() < 1e-9);
    }
}
