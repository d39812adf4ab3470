//! Cycles that lengthen and whose peaks decay, as timm's schedulers have them.

use serde::{Deserialize, Serialize};

use crate::interpolation::mix;
use crate::power::{power, shaped};
use crate::stretches::Stretches;
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
#[derive(Clone, Copy)]
pub(crate) struct Cycles {
    pub initial_lr: f64,
    pub min_lr: f64,
    pub length: Length,
    pub mul: f64,
    pub decay: f64,
    pub limit: Option<u64>,
    pub peaks: Peaks,
    /// The power of a cycle's progress.
    pub k_decay: f64,
}

impl Cycles {
    /// The curve that falls from peak to `min_lr` in each cycle; `left` tells how much of the way is
    /// left where a cycle's progress to the power of `k_decay` is so much, from 0 to 1.
    pub(crate) fn curve(
        self,
        build: &Build<'_>,
        left: impl Fn(f64) -> f64 + Send + Sync + 'static,
    ) -> Result<Curve, ScheduleError> {
        self.check(build)?;
        let length = build.laps("cycle_length", self.length)?;
        let (min_lr, mul, k_decay) = (self.min_lr, self.mul, self.k_decay);
        let peak = move |cycle| self.peak(cycle);
        let lr = move |peak, done, width: &Width| match peak {
            Some(peak) => mix(peak, min_lr, left(width.progress(done))),
            None => min_lr,
        };
        if mul == 1.0 {
            let width = Width::new(length.length(), k_decay);
            return Ok(Curve::new(move |step| {
                let (cycle, done) = length.split(step);
                lr(peak(cycle), done, &width)
            }));
        }
        let places = Places::new(length.length(), mul);
        // What all steps of a cycle have in common, known beforehand for the first cycles.
        let common = move |place: Place| {
            let width = Width::new(place.width, k_decay);
            (place.start, peak(place.cycle), width)
        };
        let mut first: Vec<_> = places.first().map(common).collect();
        // Of the last one the end is not known.
        let end = first.pop().map_or(0.0, |(start, ..)| start);
        let first = Stretches::new(first);
        Ok(Curve::new(move |step| {
            let step = step as f64;
            if step < end {
                let (start, peak, width) = first.at(|&(start, ..)| start <= step);
                lr(*peak, step - start, width)
            } else {
                let (start, peak, width) = common(places.at(step));
                lr(peak, step - start, &width)
            }
        }))
    }

    fn check(&self, build: &Build<'_>) -> Result<(), ScheduleError> {
        build.positive("k_decay", self.k_decay)?;
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        build.at_most("min_lr", self.min_lr, "initial_lr", initial_lr)?;
        build.positive("cycle_mul", self.mul)?;
        build.positive("cycle_decay", self.decay)?;
        if self.limit == Some(0) {
            return Err(build.invalid("cycle_limit", "at least 1 cycle", 0));
        }
        Ok(())
    }

    /// Where a cycle begins to fall; `None` beyond the last one.
    fn peak(&self, cycle: u64) -> Option<f64> {
        if cycle >= self.limit.unwrap_or(u64::MAX) {
            return None;
        }
        // Finite, so that growth leaves what is 0 at 0.
        let scale = power(self.decay, cycle).min(f64::MAX);
        let peak = match self.peaks {
            Peaks::Floored => (self.initial_lr * scale).max(self.min_lr),
            Peaks::Free => self.initial_lr * scale,
            Peaks::Height => self.min_lr + (self.initial_lr - self.min_lr) * scale,
        };
        Some(peak.min(f64::MAX))
    }
}

/// The steps of a cycle.
struct Width {
    steps: f64,
    k_decay: f64,
    /// `steps^k_decay`
    raised: f64,
}

impl Width {
    fn new(steps: f64, k_decay: f64) -> Self {
        Self {
            steps,
            k_decay,
            raised: steps.powf(k_decay),
        }
    }

    /// How much of the cycle is over after `done` steps, 0 to 1, to the power of `k_decay`. By timm's operations where
    /// they do not overflow: near the end of a cycle what is left of it is as their rounding errors have it.
    fn progress(&self, done: f64) -> f64 {
        if self.k_decay != 1.0 && self.raised.is_normal() {
            return (done.max(0.0).powf(self.k_decay) / self.raised).clamp(0.0, 1.0);
        }
        shaped((done / self.steps).clamp(0.0, 1.0), self.k_decay)
    }
}

/// Where a cycle lies, in steps.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    cycle: u64,
    start: f64,
    width: f64,
}

/// Where cycles lie, each `mul` times as long as the one before; `mul` is not 1.
struct Places {
    length: f64,
    mul: f64,
    ln_mul: f64,
}

impl Places {
    fn new(length: f64, mul: f64) -> Self {
        let ln_mul = mul.ln();
        Self {
            length,
            mul,
            ln_mul,
        }
    }

    fn of(&self, cycle: u64) -> Place {
        let growth = power(self.mul, cycle);
        let start = self.length * ((growth - 1.0) / (self.mul - 1.0));
        Place {
            cycle,
            start: whole_but_for_rounding(start),
            width: self.length * growth,
        }
    }

    /// The first cycles, at most 64, as far as each begins after the one before, at a step that there is.
    fn first(&self) -> impl Iterator<Item = Place> {
        let mut before = -1.0;
        (0..64)
            .map(|cycle| self.of(cycle))
            .take_while(move |&Place { start, .. }| {
                let after = start > before && start <= u64::MAX as f64;
                before = start;
                after
            })
    }

    /// The cycle that `step` falls into. After the infinitely many cycles that fit into some steps if each is
    /// shorter than the one before, it is number `u64::MAX`, and over.
    fn at(&self, step: f64) -> Place {
        let growth = (step / self.length * (self.mul - 1.0)).min(f64::MAX);
        if growth <= -1.0 {
            return Place {
                cycle: u64::MAX,
                start: step - 1.0,
                width: 1.0,
            };
        }
        let cycle = (growth.ln_1p() / self.ln_mul) as u64;
        let current = self.of(cycle);
        let next = self.of(cycle.saturating_add(1));
        // The logarithm may miss a boundary by its rounding error.
        if next.start <= step {
            next
        } else if current.start > step {
            self.of(cycle.saturating_sub(1))
        } else {
            current
        }
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

    /// The cycle, and how much of it is over.
    fn at(places: &Places, step: u64) -> (u64, f64) {
        let place = places.at(step as f64);
        let width = Width::new(place.width, 1.0);
        (place.cycle, width.progress(step as f64 - place.start))
    }

    #[test]
    fn boundaries_are_exact() {
        for (length, mul) in [(10, 2.0), (1, 10.0), (7, 3.0), (4, 1.5), (64, 0.5)] {
            let places = Places::new(length as f64, mul);
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
        for tenths in (5..=30_u64).filter(|&tenths| tenths != 10) {
            for length in 1..=300_u64 {
                let places = Places::new(length as f64, tenths as f64 / 10.0);
                let mut start = 0;
                for cycle in 0..4_u32 {
                    let unit = 1000;
                    if start % unit == 0 {
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
        let places = Places::new(64.0, 0.5);
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
                    let place = Places::new(length as f64, mul).at(step as f64);
                    for k_decay in [0.5, 1.0, 1e300] {
                        let width = Width::new(place.width, k_decay);
                        let share = width.progress(step as f64 - place.start);
                        assert!((0.0..=1.0).contains(&share), "{mul} {length} {step}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_cycles_are_those_that_a_step_is_found_in() {
        for mul in [
            0.01,
            0.3,
            0.5,
            0.99,
            1.0 - 1e-9,
            1.0 + 1e-9,
            1.1,
            1.6,
            2.0,
            1e19,
            f64::MAX,
        ] {
            for length in [0.3, 1.0, 7.0, 72.5, 1e6, 1e19] {
                let places = Places::new(length, mul);
                let first: Vec<Place> = places.first().collect();
                assert_eq!((first[0].start, first[0].width), (0.0, length));
                for pair in first.windows(2) {
                    let (start, end) = (pair[0].start.ceil(), pair[1].start.ceil());
                    for step in [
                        start,
                        start + 1.0,
                        f64::midpoint(start, end).floor(),
                        end - 1.0,
                    ] {
                        if (start..end).contains(&step) {
                            assert_eq!(places.at(step), pair[0], "{mul} {length} {step}");
                        }
                    }
                }
            }
        }
    }
}
