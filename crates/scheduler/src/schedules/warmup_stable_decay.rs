//! Warmup, a long plateau, a short decay.

use serde::{Deserialize, Serialize};

use crate::interpolation::mix;
use crate::wsd_decay::WsdDecay;
use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Warms up linearly to `peak_lr`, stays there, and decays at the end (WSD).
///
/// With `p` the share of the phase that is over:
///
/// - `warmup`: `lr = start_lr + (peak_lr - start_lr) * p`
/// - `stable`: `lr = peak_lr`; with a `stable_timescale`
///   `lr = max(peak_lr * (1 + t / stable_timescale)^-stable_power, end_lr)`, `t` counting from the end of
///   the warmup, also during the decay
/// - `decay`: `lr = end_lr + (stable - end_lr) * left(p)`, with what is left as of [`WsdDecay`], which has another
///   formula for `inverse`
///
/// Step 0 is `start_lr`, or `peak_lr` without warmup. From `warmup + stable + decay` on the rate
/// stays at `end_lr`. The three lengths are often shares of the run, as here:
///
/// ```
/// use burn_lr_scheduler::{Length::Percent, Run, ScheduleConfig, WarmupStableDecay, WsdDecay};
///
/// let schedule = WarmupStableDecay::new(0.1, Percent(10.0), Percent(70.0), Percent(20.0))
///     .with_decay_kind(WsdDecay::Linear);
/// let run = Run::per_update().with_updates_per_epoch(10).with_epochs(4);
/// let curve = ScheduleConfig::from(schedule).curve(&run)?;
/// let lrs = [0, 2, 4, 31, 32, 36, 40].map(|step| curve.lr(step));
/// assert_eq!(lrs, [0.0, 0.05, 0.1, 0.1, 0.1, 0.05, 0.0]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `peak_lr` must be finite and at least 0, `start_lr` and `end_lr` between 0 and `peak_lr`,
/// `stable_timescale` above 0 steps, `stable_power` and `decay_power` finite and above 0, `decay_ratio`
/// between 0 and 1. Each of the lengths may be 0. With [`WsdDecay::Inverse`] `end_lr` must be above 0.
///
/// # Source
/// [MiniCPM](https://arxiv.org/abs/2404.06395) and, for `1-sqrt`,
/// [Hägele et al.](https://arxiv.org/abs/2405.18392); Hugging Face's `get_wsd_schedule`, timm's
/// `WSDLRScheduler` (`stable_fn`, `decay_power`, `decay_ratio`), Megatron-LM's `WSD`. Differences: Hugging
/// Face has a ratio, `min_lr_ratio`, for both ends; timm's `t_initial` is `stable + decay`, its default
/// decay `1-sqrt`. The warmup is always linear ([`Warmup`](crate::Warmup) in front of an empty `warmup`
/// gives the other kinds).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WarmupStableDecay {
    /// The learning rate of the stable phase, the highest.
    pub peak_lr: f64,
    /// How long the warmup lasts.
    pub warmup: Length,
    /// How long the rate stays at its peak.
    pub stable: Length,
    /// How long the decay lasts.
    pub decay: Length,
    /// The shape of the decay; cosine by default.
    #[serde(default)]
    pub decay_kind: WsdDecay,
    /// The learning rate that the warmup starts from; 0 by default.
    #[serde(default)]
    pub start_lr: f64,
    /// The learning rate that the decay ends at; 0 by default.
    #[serde(default)]
    pub end_lr: f64,
    /// The power of [`WsdDecay::OneMinusPower`]; 0.5 by default.
    #[serde(default = "half")]
    pub decay_power: f64,
    /// The ratio of [`WsdDecay::Exponential`]; 0.1 by default.
    #[serde(default = "tenth")]
    pub decay_ratio: f64,
    /// How slowly the stable phase decays; it is constant by default.
    #[serde(default)]
    pub stable_timescale: Option<Length>,
    /// The power that the stable phase decays with; 0.5 by default.
    #[serde(default = "half")]
    pub stable_power: f64,
}

fn half() -> f64 {
    0.5
}

fn tenth() -> f64 {
    0.1
}

impl WarmupStableDecay {
    /// From 0 to `peak_lr` and, along a cosine, back to 0.
    pub fn new(
        peak_lr: f64,
        warmup: impl Into<Length>,
        stable: impl Into<Length>,
        decay: impl Into<Length>,
    ) -> Self {
        Self {
            peak_lr,
            warmup: warmup.into(),
            stable: stable.into(),
            decay: decay.into(),
            decay_kind: WsdDecay::default(),
            start_lr: 0.0,
            end_lr: 0.0,
            decay_power: half(),
            decay_ratio: tenth(),
            stable_timescale: None,
            stable_power: half(),
        }
    }

    /// Sets the shape of the decay.
    pub fn with_decay_kind(mut self, decay_kind: WsdDecay) -> Self {
        self.decay_kind = decay_kind;
        self
    }

    /// Sets the learning rate that the warmup starts from.
    pub fn with_start_lr(mut self, start_lr: f64) -> Self {
        self.start_lr = start_lr;
        self
    }

    /// Sets the learning rate that the decay ends at.
    pub fn with_end_lr(mut self, end_lr: f64) -> Self {
        self.end_lr = end_lr;
        self
    }

    /// Sets the power of [`WsdDecay::OneMinusPower`].
    pub fn with_decay_power(mut self, decay_power: f64) -> Self {
        self.decay_power = decay_power;
        self
    }

    /// Sets the ratio of [`WsdDecay::Exponential`].
    pub fn with_decay_ratio(mut self, decay_ratio: f64) -> Self {
        self.decay_ratio = decay_ratio;
        self
    }

    /// Lets the stable phase decay, with a power of `1 + t / timescale`.
    pub fn with_stable_decay(mut self, timescale: impl Into<Length>, power: f64) -> Self {
        self.stable_timescale = Some(timescale.into());
        self.stable_power = power;
        self
    }
}

impl Schedule for WarmupStableDecay {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let peak_lr = build.non_negative("peak_lr", self.peak_lr)?;
        let start_lr = build.at_most("start_lr", self.start_lr, "peak_lr", peak_lr)?;
        let end_lr = build.at_most("end_lr", self.end_lr, "peak_lr", peak_lr)?;
        let end_lr = self.decay_kind.check_end(build, end_lr)?;
        let warmup = build.steps_or_zero("warmup", self.warmup)?;
        let stable = build.steps_or_zero("stable", self.stable)?;
        let decay = build.steps_or_zero("decay", self.decay)?;
        let decay_power = build.positive("decay_power", self.decay_power)?;
        let decay_ratio = build.check("decay_ratio", self.decay_ratio, "between 0 and 1", |r| {
            0.0 < r && r < 1.0
        })?;
        let stable_power = build.positive("stable_power", self.stable_power)?;
        let timescale = match self.stable_timescale {
            Some(timescale) => Some(build.laps("stable_timescale", timescale)?),
            None => None,
        };
        let kind = self.decay_kind;
        Ok(Curve::new(move |step| {
            let Some(after_warmup) = step.checked_sub(warmup) else {
                return mix(peak_lr, start_lr, step as f64 / warmup as f64);
            };
            let decaying = after_warmup.saturating_sub(stable);
            if decaying >= decay && after_warmup >= stable {
                return end_lr;
            }
            let stable_lr = match timescale {
                None => peak_lr,
                Some(scale) => {
                    let fallen = (1.0 + scale.ratio(after_warmup)).powf(-stable_power);
                    (peak_lr * fallen).max(end_lr)
                }
            };
            if decaying == 0 {
                return stable_lr;
            }
            let over = decaying as f64 / decay as f64;
            kind.between(stable_lr, end_lr, over, decay_power, decay_ratio)
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        let wsd = || Self::new(0.1, 30, 180, 90);
        vec![
            ("Warmup, stable, cosine decay", wsd()),
            (
                "Warmup, stable, linear decay",
                wsd().with_decay_kind(WsdDecay::Linear).with_end_lr(0.01),
            ),
            (
                "Warmup, stable, 1-sqrt decay",
                wsd()
                    .with_decay_kind(WsdDecay::OneMinusSqrt)
                    .with_start_lr(0.01),
            ),
            (
                "Warmup, stable, 1-square decay",
                wsd().with_decay_kind(WsdDecay::OneMinusSquare),
            ),
            (
                "Warmup, decaying stable phase, 1-power decay",
                wsd()
                    .with_stable_decay(60, 0.5)
                    .with_decay_kind(WsdDecay::OneMinusPower)
                    .with_decay_power(0.7)
                    .with_end_lr(0.005),
            ),
            (
                "Warmup, stable, exponential decay",
                wsd()
                    .with_decay_kind(WsdDecay::Exponential)
                    .with_decay_ratio(0.05),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    fn build(schedule: WarmupStableDecay) -> Result<Curve, ScheduleError> {
        ScheduleConfig::from(schedule).curve(&Run::per_update())
    }

    #[test]
    fn every_decay_starts_at_the_peak_and_ends_exactly() {
        for kind in [
            WsdDecay::Linear,
            WsdDecay::Cosine,
            WsdDecay::OneMinusSqrt,
            WsdDecay::OneMinusSquare,
            WsdDecay::OneMinusPower,
            WsdDecay::Exponential,
        ] {
            let wsd = WarmupStableDecay::new(0.3, 0, 2, 4).with_decay_kind(kind);
            let curve = build(wsd.with_end_lr(0.07)).unwrap();
            assert_eq!([0, 1, 2].map(|step| curve.lr(step)), [0.3; 3]);
            assert!(curve.lr(5) > 0.07);
            assert_eq!([6, 7, u64::MAX].map(|step| curve.lr(step)), [0.07; 3]);
        }
    }

    #[test]
    fn an_empty_decay_is_a_drop() {
        let curve = build(WarmupStableDecay::new(0.1, 1, 2, 0).with_end_lr(0.01)).unwrap();
        let lrs: Vec<f64> = (0..5).map(|step| curve.lr(step)).collect();
        assert_eq!(lrs, [0.0, 0.1, 0.1, 0.01, 0.01]);
        let curve = build(WarmupStableDecay::new(0.1, 0, 0, 0)).unwrap();
        assert_eq!(curve.lr(0), 0.0);
    }

    #[test]
    fn a_stable_phase_may_decay_and_the_decay_goes_on_from_there() {
        let wsd = WarmupStableDecay::new(0.8, 0, 9, 4).with_decay_kind(WsdDecay::Linear);
        let curve = build(wsd.with_stable_decay(1, 0.5)).unwrap();
        assert_eq!(
            (curve.lr(0), curve.lr(3), curve.lr(8)),
            (0.8, 0.4, 0.8 / 3.0)
        );
        assert_eq!((curve.lr(15), curve.lr(13)), (0.0, 0.0));
        assert_eq!(curve.lr(11), 0.8 * 12_f64.powf(-0.5) * 0.5);
    }

    #[test]
    fn lengths_that_overflow_in_sum_do_no_harm() {
        let max = u64::MAX;
        let curve = build(WarmupStableDecay::new(0.1, max, max, max)).unwrap();
        assert_eq!((curve.lr(0), curve.lr(max)), (0.0, 0.1));
    }

    #[test]
    fn bad_hyperparameters_are_refused_by_name() {
        let good = || WarmupStableDecay::new(0.1, 1, 1, 1);
        for (schedule, name) in [
            (WarmupStableDecay::new(-0.1, 1, 1, 1), "peak_lr"),
            (good().with_decay_power(0.0), "decay_power"),
            (good().with_decay_ratio(1.0), "decay_ratio"),
            (good().with_stable_decay(0, 0.5), "stable_timescale"),
            (good().with_stable_decay(1, f64::NAN), "stable_power"),
            (good().with_start_lr(0.2), "start_lr"),
            (good().with_end_lr(f64::NAN), "end_lr"),
        ] {
            let name = format!("WarmupStableDecay.{name}");
            let error = build(schedule);
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
