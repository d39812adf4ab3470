//! Warmup, then again and again a stable phase with a short decay.

use serde::{Deserialize, Serialize};

use crate::interpolation::mix;
use crate::wsd_decay::WsdDecay;
use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Warms up to `peak_lr` once, and then decays at the end of every period, to go on from `peak_lr` (WSD-S):
/// a run that gives a model at each of several lengths, without a branch for each.
///
/// A period ends at each of `ends`. Over its last `decay` steps the rate goes to `end_lr`, by default in inverse
/// proportion: with `p` the share of the decay that is over, `lr = 1 / (p / end_lr + (1 - p) / peak_lr)`. The other
/// kinds of [`WsdDecay`] have the formulas that they have in a [`WarmupStableDecay`](crate::WarmupStableDecay). The
/// end itself has `end_lr`, the step after it `peak_lr` again. Step 0 is `start_lr`, or `peak_lr` without warmup; from
/// the last end on the rate stays at `end_lr`.
///
/// ```
/// use burn_lr_scheduler::{Run, ScheduleConfig, WsdS};
///
/// let schedule = WsdS::new(0.6, 2, [6, 10], 2).with_end_lr(0.2);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_update())?;
/// let lrs: Vec<String> = (0..12).map(|step| format!("{:.1}", curve.lr(step))).collect();
/// assert_eq!(lrs.join(" "), "0.0 0.3 0.6 0.6 0.6 0.3 0.2 0.6 0.6 0.3 0.2 0.2");
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `peak_lr` must be finite and at least 0, `start_lr` and `end_lr` between 0 and `peak_lr`, and `end_lr` above 0
/// for the inverse decay. There must be at least one end; ends are at least 1 step and strictly increase, and
/// `decay` fits into each period, into the first beside the warmup.
///
/// # Source
/// [Wen et al.](https://arxiv.org/abs/2410.05192), whose decay is the default here; the default of `end_lr` is that of
/// Levanter's `min_lr_ratio`. OLMo-core's `WSDS` (`period_lengths`, of which the ends are the sums) has the decay
/// [`WsdDecay::Linear`], to 0. Differences: all periods have the same peak and decay, a
/// [`Sequence`](crate::Sequence) has others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WsdS {
    /// The learning rate of the stable phases, the highest.
    pub peak_lr: f64,
    /// How long the warmup lasts.
    pub warmup: Length,
    /// When each period ends.
    pub ends: Vec<Length>,
    /// How long the decay at the end of each period lasts.
    pub decay: Length,
    /// The shape of the decays; `inverse` by default.
    #[serde(default = "inverse")]
    pub decay_kind: WsdDecay,
    /// The learning rate that the warmup starts from; 0 by default.
    #[serde(default)]
    pub start_lr: f64,
    /// The learning rate that each decay ends at; a tenth of `peak_lr` by default.
    #[serde(default)]
    pub end_lr: Option<f64>,
}

fn inverse() -> WsdDecay {
    WsdDecay::Inverse
}

impl WsdS {
    /// From 0 to `peak_lr`, and in inverse proportion to a tenth of that at each of `ends`.
    pub fn new<L: Into<Length>>(
        peak_lr: f64,
        warmup: impl Into<Length>,
        ends: impl IntoIterator<Item = L>,
        decay: impl Into<Length>,
    ) -> Self {
        Self {
            peak_lr,
            warmup: warmup.into(),
            ends: ends.into_iter().map(Into::into).collect(),
            decay: decay.into(),
            decay_kind: inverse(),
            start_lr: 0.0,
            end_lr: None,
        }
    }

    /// Sets the shape of the decays. Those with a parameter have its default.
    pub fn with_decay_kind(mut self, decay_kind: WsdDecay) -> Self {
        self.decay_kind = decay_kind;
        self
    }

    /// Sets the learning rate that the warmup starts from.
    pub fn with_start_lr(mut self, start_lr: f64) -> Self {
        self.start_lr = start_lr;
        self
    }

    /// Sets the learning rate that each decay ends at.
    pub fn with_end_lr(mut self, end_lr: f64) -> Self {
        self.end_lr = Some(end_lr);
        self
    }
}

impl Schedule for WsdS {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let peak_lr = build.non_negative("peak_lr", self.peak_lr)?;
        let start_lr = build.at_most("start_lr", self.start_lr, "peak_lr", peak_lr)?;
        let end_lr = self.end_lr.unwrap_or(peak_lr / 10.0);
        let end_lr = build.at_most("end_lr", end_lr, "peak_lr", peak_lr)?;
        let end_lr = self.decay_kind.check_end(build, end_lr)?;
        let warmup = build.steps_or_zero("warmup", self.warmup)?;
        let decay = build.steps_or_zero("decay", self.decay)?;
        let ends = build.increasing("ends", &self.ends)?;
        let Some(&last) = ends.last() else {
            return Err(build.invalid("ends", "at least one", "none"));
        };
        let mut start = warmup;
        for (i, &end) in ends.iter().enumerate() {
            if start.checked_add(decay).is_none_or(|needed| needed > end) {
                let expected = format!("at least {decay}, the decay, more than {start}");
                return Err(build.invalid(&format!("ends[{i}]"), expected, end));
            }
            start = end;
        }
        let kind = self.decay_kind;
        Ok(Curve::new(move |step| {
            if step < warmup {
                return mix(peak_lr, start_lr, step as f64 / warmup as f64);
            }
            if step >= last {
                return end_lr;
            }
            let end = ends[ends.partition_point(|&end| end < step)];
            let remaining = end - step;
            if remaining == 0 {
                end_lr
            } else if remaining >= decay {
                peak_lr
            } else {
                let over = 1.0 - remaining as f64 / decay as f64;
                kind.between(peak_lr, end_lr, over, 0.5, 0.1)
            }
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![
            ("WSD-S", Self::new(0.1, 30, [100, 200, 300], 20)),
            (
                "WSD-S, linear",
                Self::new(0.1, 30, [150, 290], 50)
                    .with_decay_kind(WsdDecay::Linear)
                    .with_end_lr(0.0),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    fn build(schedule: WsdS) -> Result<Curve, ScheduleError> {
        ScheduleConfig::from(schedule).curve(&Run::per_update())
    }

    #[test]
    fn an_empty_decay_drops_at_each_end() {
        let curve = build(WsdS::new(0.4, 0, [2, 4], 0).with_end_lr(0.1)).unwrap();
        let lrs: Vec<f64> = (0..6).map(|step| curve.lr(step)).collect();
        assert_eq!(lrs, [0.4, 0.4, 0.1, 0.4, 0.1, 0.1]);
    }

    #[test]
    fn the_decay_leads_to_a_tenth_and_may_be_another() {
        let papers = build(WsdS::new(1.0, 0, [10], 10)).unwrap();
        assert_eq!(
            (papers.lr(0), papers.lr(5), papers.lr(10)),
            (1.0, 1.0 / 5.5, 0.1)
        );
        let line = WsdS::new(1.0, 0, [10], 10).with_decay_kind(WsdDecay::Linear);
        assert_eq!(build(line.with_end_lr(0.0)).unwrap().lr(5), 0.5);
    }

    #[test]
    fn bad_hyperparameters_are_refused_by_name() {
        let good = || WsdS::new(0.1, 2, [5, 9], 3);
        for (schedule, name) in [
            (WsdS::new(-0.1, 2, [5, 9], 3), "peak_lr"),
            (WsdS::new(0.1, 2, [0_u64; 0], 3), "ends"),
            (WsdS::new(0.1, 2, [9, 5], 3), "ends[1]"),
            (WsdS::new(0.1, 3, [5, 9], 3), "ends[0]"),
            (WsdS::new(0.1, 2, [5, 7], 3), "ends[1]"),
            (WsdS::new(0.1, 2, [5, 7], u64::MAX), "ends[0]"),
            (good().with_start_lr(0.2), "start_lr"),
            (good().with_end_lr(f64::NAN), "end_lr"),
            (good().with_end_lr(0.0), "end_lr"),
            (WsdS::new(0.0, 2, [5, 9], 3), "end_lr"),
        ] {
            let name = format!("WsdS.{name}");
            let error = build(schedule);
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
