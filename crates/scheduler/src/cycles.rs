//! Cycles that lengthen and whose peaks decay, as timm's schedulers have them.

use crate::interpolation::mix;
use crate::power::power;
use crate::{Build, Curve, Length, ScheduleError};

/// Cycle `i` lasts `length * mul^i` steps, and its peak is `decay^i` of the first one's.
///
/// The fields are hyperparameters, named as in the schedules but for the `cycle_` in front.
pub(crate) struct Cycles {
    pub initial_lr: f64,
    pub min_lr: f64,
    pub length: Length,
    pub mul: f64,
    pub decay: f64,
    pub limit: Option<u64>,
}

impl Cycles {
    /// The curve that falls from peak to `min_lr` in each cycle; `left` tells how much of the way is
    /// left at a cycle's progress, both from 0 to 1.
    pub(crate) fn curve(
        self,
        build: &Build<'_>,
        left: impl Fn(f64) -> f64 + Send + Sync + 'static,
    ) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let min_lr = build.at_most("min_lr", self.min_lr, "initial_lr", initial_lr)?;
        let length = build.steps("cycle_length", self.length)?;
        let one_or_more = "a finite number of 1 or more";
        let mul = build.check("cycle_mul", self.mul, one_or_more, |mul| mul >= 1.0)?;
        let share = "a number above 0, at most 1";
        let decay = build.check("cycle_decay", self.decay, share, |d| 0.0 < d && d <= 1.0)?;
        if self.limit == Some(0) {
            return Err(build.invalid("cycle_limit", "at least 1 cycle", 0));
        }
        let limit = self.limit.unwrap_or(u64::MAX);
        let places = Places::new(length, mul);
        Ok(Curve::new(move |step| {
            let (cycle, progress) = places.at(step);
            if cycle >= limit {
                return min_lr;
            }
            let peak = (initial_lr * power(decay, cycle)).max(min_lr);
            mix(peak, min_lr, left(progress))
        }))
    }
}

/// Where the cycles lie.
struct Places {
    length: u64,
    mul: f64,
    ln_mul: f64,
}

impl Places {
    fn new(length: u64, mul: f64) -> Self {
        let ln_mul = mul.ln();
        Self {
            length,
            mul,
            ln_mul,
        }
    }

    /// The cycle that `step` falls into, and how much of it is over: 0 to 1.
    fn at(&self, step: u64) -> (u64, f64) {
        if self.mul == 1.0 {
            let progress = (step % self.length) as f64 / self.length as f64;
            return (step / self.length, progress);
        }
        let (step, length) = (step as f64, self.length as f64);
        // A cycle's width over the first one's, and its start.
        let place = |cycle: u64| {
            let width = power(self.mul, cycle);
            (width, length * ((width - 1.0) / (self.mul - 1.0)))
        };
        let growth = (step / length * (self.mul - 1.0)).min(f64::MAX);
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
        let progress = (step - start) / (length * width);
        (cycle, progress.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_exact() {
        for (length, mul) in [(10, 1.0), (10, 2.0), (1, 10.0), (7, 3.0), (4, 1.5)] {
            let places = Places::new(length, mul);
            let (mut start, mut width) = (0.0, length as f64);
            for cycle in 0..8 {
                if f64::fract(start) == 0.0 {
                    assert_eq!(places.at(start as u64), (cycle, 0.0), "{mul}");
                }
                start += width;
                width *= mul;
            }
        }
    }

    #[test]
    fn extremes_stay_within_a_cycle() {
        for mul in [1.0 + f64::EPSILON, 1.0 + 1e-9, 2.0, 1e19, 1e308, f64::MAX] {
            for length in [1, 10, u64::MAX] {
                for step in [0, 1, 2, 10, 1 << 53, u64::MAX / 2, u64::MAX] {
                    let (_, progress) = Places::new(length, mul).at(step);
                    assert!((0.0..=1.0).contains(&progress), "{mul} {length} {step}");
                }
            }
        }
    }
}
