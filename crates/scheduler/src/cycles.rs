//! Cycles that lengthen and whose peaks decay, as timm's schedulers have them.

use serde::{Deserialize, Serialize};

use crate::interpolation::mix;
use crate::laps::Laps;
use crate::power::{power, shaped};
use crate::{Build, Curve, Length, ScheduleError};

/// What the decay of cycles does to the height of cycle `i`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Peaks {
    /// The peak is `max(initial_lr * cycle_decay^i, min_lr)`: no rate is below `min_lr`.
    #[default]
    Floored,
    /// timm's: the peak is `initial_lr * cycle_decay^i`, and where that is below `min_lr` a cycle rises
    /// to it.
    Free,
    /// Keras's: the peak is `min_lr + (initial_lr - min_lr) * cycle_decay^i`.
    Height,
}

/// Cycle `i` lasts `length * mul^i` steps, and its peak follows [`Peaks`].
///
/// The fields are hyperparameters, named as in the schedules but for the `cycle_` in front.
pub(crate) struct Cycles {
    pub initial_lr: f64,
    pub min_lr: f64,
    pub length: Length,
    pub mul: f64,
    pub decay: f64,
    pub limit: Option<u64>,
    pub peaks: Peaks,
}

impl Cycles {
    /// The curve that falls from peak to `min_lr` in each cycle; `left` tells how much of the way is
    /// left at a cycle's progress, from 0 to 1.
    pub(crate) fn curve(
        self,
        build: &Build<'_>,
        left: impl Fn(Progress) -> f64 + Send + Sync + 'static,
    ) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let min_lr = build.at_most("min_lr", self.min_lr, "initial_lr", initial_lr)?;
        let length = build.laps("cycle_length", self.length)?;
        let mul = build.positive("cycle_mul", self.mul)?;
        let decay = build.positive("cycle_decay", self.decay)?;
        if self.limit == Some(0) {
            return Err(build.invalid("cycle_limit", "at least 1 cycle", 0));
        }
        let limit = self.limit.unwrap_or(u64::MAX);
        let peaks = self.peaks;
        let places = Places::new(length, mul);
        Ok(Curve::new(move |step| {
            let (cycle, progress) = places.at(step);
            if cycle >= limit {
                return min_lr;
            }
            // Finite, so that growth leaves what is 0 at 0.
            let scale = power(decay, cycle).min(f64::MAX);
            let peak = match peaks {
                Peaks::Floored => (initial_lr * scale).max(min_lr),
                Peaks::Free => initial_lr * scale,
                Peaks::Height => min_lr + (initial_lr - min_lr) * scale,
            };
            mix(peak.min(f64::MAX), min_lr, left(progress))
        }))
    }
}

/// How far a cycle is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Progress {
    /// The steps of the cycle that are over.
    done: f64,
    /// The steps of the whole cycle.
    width: f64,
}

impl Progress {
    /// How much of the cycle is over: 0 to 1.
    pub(crate) fn share(self) -> f64 {
        (self.done / self.width).clamp(0.0, 1.0)
    }

    /// The share to the power of `exponent`, by timm's operations where they do not overflow: near the end of a
    /// cycle what is left of it is as their rounding errors have it.
    pub(crate) fn shaped(self, exponent: f64) -> f64 {
        let whole = self.width.powf(exponent);
        if exponent != 1.0 && whole.is_normal() {
            (self.done.max(0.0).powf(exponent) / whole).clamp(0.0, 1.0)
        } else {
            shaped(self.share(), exponent)
        }
    }
}

/// Where the cycles lie.
struct Places {
    length: Laps,
    mul: f64,
    ln_mul: f64,
}

impl Places {
    fn new(length: Laps, mul: f64) -> Self {
        let ln_mul = mul.ln();
        Self {
            length,
            mul,
            ln_mul,
        }
    }

    /// The cycle that `step` falls into, and how much of it is over. After the infinitely many
    /// cycles that fit into some steps if each is shorter than the one before, it is `u64::MAX`.
    fn at(&self, step: u64) -> (u64, Progress) {
        if self.mul == 1.0 {
            let (cycle, done) = self.length.split(step);
            let width = self.length.length();
            return (cycle, Progress { done, width });
        }
        let (step, length) = (step as f64, self.length.length());
        // A cycle's width over the first one's, and its start.
        let place = |cycle: u64| {
            let width = power(self.mul, cycle);
            let start = length * ((width - 1.0) / (self.mul - 1.0));
            (width, whole_but_for_rounding(start))
        };
        let growth = (step / length * (self.mul - 1.0)).min(f64::MAX);
        if growth <= -1.0 {
            let (done, width) = (1.0, 1.0);
            return (u64::MAX, Progress { done, width });
        }
        let mut cycle = (growth.ln_1p() / self.ln_mul) as u64;
        let mut current = place(cycle);
        let next = place(cycle.saturating_add(1));
        // The logarithm may miss a boundary by its rounding error.
        if next.1 <= step {
            (cycle, current) = (cycle + 1, next);
        } else if current.1 > step {
            cycle = cycle.saturating_sub(1);
            current = place(cycle);
        }
        let (width, start) = current;
        let (done, width) = (step - start, length * width);
        (cycle, Progress { done, width })
    }
}

/// `step`, or the whole number that rounding errors have kept it from being: a factor such as 1.6 is not
/// exact itself.
fn whole_but_for_rounding(step: f64) -> f64 {
    let whole = step.round();
    if (step - whole).abs() <= 1e-12 * whole {
        whole
    } else {
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(places: &Places, step: u64) -> (u64, f64) {
        let (cycle, progress) = places.at(step);
        (cycle, progress.share())
    }

    #[test]
    fn boundaries_are_exact() {
        for (length, mul) in [
            (10, 1.0),
            (10, 2.0),
            (1, 10.0),
            (7, 3.0),
            (4, 1.5),
            (64, 0.5),
        ] {
            let places = Places::new(Laps::Whole(length), mul);
            let (mut start, mut width) = (0.0, length as f64);
            for cycle in 0..8 {
                if f64::fract(start) == 0.0 {
                    assert_eq!(at(&places, start as u64), (cycle, 0.0), "{mul}");
                }
                start += width;
                width *= mul;
            }
        }
    }

    #[test]
    fn boundaries_are_exact_where_factors_are_not() {
        // In tenths, of which the sums are whole.
        for tenths in 5..=30_u64 {
            for length in 1..=300_u64 {
                let places = Places::new(Laps::Whole(length), tenths as f64 / 10.0);
                let mut start = 0;
                for cycle in 0..4_u32 {
                    let unit = 1000;
                    if start % unit == 0 && tenths != 10 {
                        let (found, share) = at(&places, start / unit);
                        assert_eq!((found, share), (cycle.into(), 0.0), "{length} {tenths}");
                    }
                    start += length * tenths.pow(cycle) * 10_u64.pow(3 - cycle);
                }
            }
        }
    }

    #[test]
    fn cycles_that_shorten_end() {
        let places = Places::new(Laps::Whole(64), 0.5);
        assert_eq!(at(&places, 63).0, 0);
        assert_eq!(at(&places, 127), (7, 0.0));
        assert_eq!(at(&places, 128), (u64::MAX, 1.0));
    }

    #[test]
    fn extremes_stay_within_a_cycle() {
        for mul in [
            f64::MIN_POSITIVE,
            0.5,
            1.0 - 1e-9,
            1.0 + f64::EPSILON,
            1.0 + 1e-9,
            2.0,
            1e19,
            1e308,
            f64::MAX,
        ] {
            for length in [1, 10, u64::MAX] {
                for step in [0, 1, 2, 10, 1 << 53, u64::MAX / 2, u64::MAX] {
                    let (_, progress) = Places::new(Laps::Whole(length), mul).at(step);
                    for share in [0.5, 1.0, 1e300].map(|power| progress.shaped(power)) {
                        assert!((0.0..=1.0).contains(&share), "{mul} {length} {step}");
                    }
                }
            }
        }
    }
}
