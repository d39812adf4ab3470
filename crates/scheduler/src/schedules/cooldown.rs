//! The end of a run that could have gone on.

use serde::{Deserialize, Serialize};

use crate::wsd_decay::WsdDecay;
use crate::{Build, Curve, Length, Schedule, ScheduleConfig, ScheduleError};

/// Follows the base schedule up to step `start`, and goes from the rate it has there to `end_lr` over
/// `length` steps.
///
/// In between it falls as the [`WsdDecay`] says, by default by `1 - sqrt` of the share of the length that is
/// over. From `start + length` on the rate stays at `end_lr`, which may be above the
/// base's. A plateau in the base no longer hears its metric from `start` on: what it has cut stays cut.
///
/// A long run at a stable rate, branched off at several steps with a cooldown each, gives what shorter
/// runs would have ended with, for the price of the cooldowns:
///
/// ```
/// use burn_lr_scheduler::{Cooldown, Run, ScheduleConfig, Warmup, WsdDecay};
///
/// let stable = Warmup::new(0.1, 10);
/// let schedule = Cooldown::new(stable, 100, 20).with_kind(WsdDecay::Linear);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_update())?;
/// let lrs = [5, 10, 100, 110, 120, 999].map(|step| curve.lr(step));
/// assert_eq!(lrs, [0.05, 0.1, 0.1, 0.05, 0.0, 0.0]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `end_lr` must be finite and at least 0, above 0 for [`WsdDecay::Inverse`], `decay_power` finite and above 0, `decay_ratio` between 0 and
/// 1. Both lengths may be 0.
///
/// # Source
/// [Hägele et al.](https://arxiv.org/abs/2405.18392), whose cooldown is `1-sqrt` over 20 % of the run. Of
/// [`WarmupStableDecay`](crate::WarmupStableDecay) it is the decay, over any schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Cooldown {
    /// The schedule that is followed until then.
    pub base: Box<ScheduleConfig>,
    /// The step from which it is not.
    pub start: Length,
    /// How long the cooldown lasts.
    pub length: Length,
    /// The learning rate that it ends at; 0 by default.
    #[serde(default)]
    pub end_lr: f64,
    /// The shape of the cooldown; `1-sqrt` by default.
    #[serde(default = "default_kind")]
    pub kind: WsdDecay,
    /// The power of [`WsdDecay::OneMinusPower`]; 0.5 by default.
    #[serde(default = "half")]
    pub decay_power: f64,
    /// The ratio of [`WsdDecay::Exponential`]; 0.1 by default.
    #[serde(default = "tenth")]
    pub decay_ratio: f64,
}

fn default_kind() -> WsdDecay {
    WsdDecay::OneMinusSqrt
}

fn half() -> f64 {
    0.5
}

fn tenth() -> f64 {
    0.1
}

impl Cooldown {
    /// `base` up to step `start`, and `1-sqrt` to 0 over `length`.
    pub fn new(
        base: impl Into<ScheduleConfig>,
        start: impl Into<Length>,
        length: impl Into<Length>,
    ) -> Self {
        Self {
            base: Box::new(base.into()),
            start: start.into(),
            length: length.into(),
            end_lr: 0.0,
            kind: default_kind(),
            decay_power: half(),
            decay_ratio: tenth(),
        }
    }

    /// Sets the shape of the cooldown.
    pub fn with_kind(mut self, kind: WsdDecay) -> Self {
        self.kind = kind;
        self
    }

    /// Sets the learning rate that it ends at.
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
}

impl Schedule for Cooldown {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let base = build.child("base", &self.base)?;
        let start = build.steps_or_zero("start", self.start)?;
        let length = build.steps_or_zero("length", self.length)?;
        let end_lr = build.non_negative("end_lr", self.end_lr)?;
        let end_lr = self.kind.check_end(build, end_lr)?;
        let power = build.positive("decay_power", self.decay_power)?;
        let ratio = build.check("decay_ratio", self.decay_ratio, "between 0 and 1", |r| {
            0.0 < r && r < 1.0
        })?;
        let kind = self.kind;
        Ok(base
            .until(start)
            .map(move |step, lr| match step.checked_sub(start) {
                None => lr,
                Some(over) if over >= length => end_lr,
                Some(0) => lr,
                Some(over) => {
                    let over = over as f64 / length as f64;
                    kind.between(lr, end_lr, over, power, ratio)
                }
            }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        use crate::{CosineAnnealingLr, Warmup};
        let stable = || Warmup::new(0.1, 30);
        vec![
            ("Cooldown, 1-sqrt", Self::new(stable(), 200, 80)),
            (
                "Cooldown, exponential",
                Self::new(stable(), 200, 80).with_kind(WsdDecay::Exponential),
            ),
            (
                "Cooldown of a cosine",
                Self::new(CosineAnnealingLr::new(0.1, 300), 120, 60)
                    .with_kind(WsdDecay::Linear)
                    .with_end_lr(0.01),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CosineAnnealingLr, ReduceLrOnPlateau, Run, Scheduler};
    use burn_optim::lr_scheduler::LrScheduler;

    fn curve(schedule: Cooldown) -> Curve {
        ScheduleConfig::from(schedule)
            .curve(&Run::per_epoch(2))
            .unwrap()
    }

    #[test]
    fn it_begins_with_the_base_and_ends_at_the_end() {
        for kind in [
            WsdDecay::Linear,
            WsdDecay::Cosine,
            WsdDecay::OneMinusSqrt,
            WsdDecay::Exponential,
            WsdDecay::Inverse,
        ] {
            let base = CosineAnnealingLr::new(0.4, 20);
            let plain = ScheduleConfig::from(base.clone())
                .curve(&Run::per_epoch(2))
                .unwrap();
            let cooled = curve(Cooldown::new(base, 7, 5).with_kind(kind).with_end_lr(0.01));
            for step in 0..=7 {
                assert_eq!(cooled.lr(step), plain.lr(step), "{kind:?} at {step}");
            }
            for step in 8..12 {
                assert!(cooled.lr(step) < cooled.lr(step - 1) && cooled.lr(step) > 0.01);
            }
            for step in [12, 13, u64::MAX] {
                assert_eq!(cooled.lr(step), 0.01);
            }
        }
    }

    #[test]
    fn it_may_be_empty_or_all_there_is() {
        let empty = curve(Cooldown::new(0.1, 3, 0));
        assert_eq!([2, 3].map(|step| empty.lr(step)), [0.1, 0.0]);
        let all = curve(Cooldown::new(0.1, 0, 2).with_kind(WsdDecay::Linear));
        assert_eq!([0, 1, 2].map(|step| all.lr(step)), [0.1, 0.05, 0.0]);
        // The end may be above.
        let rising = Cooldown::new(0.1, 0, 2)
            .with_kind(WsdDecay::Linear)
            .with_end_lr(0.3);
        assert_eq!(curve(rising).lr(1), 0.2);
    }

    #[test]
    fn a_plateau_no_longer_listens_and_keeps_its_cuts() {
        let plateau = ReduceLrOnPlateau::new(0.8)
            .with_patience(0)
            .with_factor(0.5);
        let cooldown = Cooldown::new(plateau, 2, 4).with_kind(WsdDecay::Linear);
        let mut scheduler = Scheduler::new(cooldown, Run::per_epoch(1)).unwrap();
        let mut lrs = Vec::new();
        for metric in [1.0, 2.0, 3.0, 4.0, 5.0] {
            lrs.push(scheduler.step());
            scheduler.observe(metric).unwrap();
        }
        for (lr, expected) in lrs.into_iter().zip([0.8, 0.8, 0.4, 0.3, 0.2]) {
            assert!((lr - expected).abs() < 1e-15, "{lr} for {expected}");
        }
        assert_eq!(scheduler.plateaus()[0].cuts, 1);
    }
}
