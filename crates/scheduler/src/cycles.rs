//! Cycles that lengthen and whose peaks decay, as timm's schedulers have them.

use crate::{Build, Length, ScheduleError};

/// Cycle `i` lasts `length * mul^i` steps, and its peak is `decay^i` of the first one's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cycles {
    length: u64,
    mul: f64,
    decay: f64,
    limit: u64,
}

/// A place inside a cycle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    /// The cycle's peak as a share of the first one's.
    pub peak: f64,
    /// How much of the cycle is over: 0 to 1.
    pub progress: f64,
}

impl Cycles {
    pub(crate) fn build(
        build: &Build<'_>,
        length: Length,
        mul: f64,
        decay: f64,
        limit: Option<u64>,
    ) -> Result<Self, ScheduleError> {
        if limit == Some(0) {
            return Err(build.invalid("cycle_limit", "at least 1 cycle", 0));
        }
        let one_or_more = "a finite number of 1 or more";
        let share = "a number above 0, at most 1";
        Ok(Self {
            length: build.steps("cycle_length", length)?,
            mul: build.check("cycle_mul", mul, one_or_more, |mul| mul >= 1.0)?,
            decay: build.check("cycle_decay", decay, share, |d| 0.0 < d && d <= 1.0)?,
            limit: limit.unwrap_or(u64::MAX),
        })
    }

    /// Where `step` falls; `None` after the last cycle.
    pub(crate) fn at(&self, step: u64) -> Option<Place> {
        let (cycle, progress) = match self.mul == 1.0 {
            true => {
                let progress = (step % self.length) as f64 / self.length as f64;
                ((step / self.length) as f64, progress)
            }
            false => self.lengthening(step as f64),
        };
        (cycle < self.limit as f64).then(|| Place {
            peak: self.decay.powf(cycle),
            progress,
        })
    }

    fn lengthening(&self, step: f64) -> (f64, f64) {
        let length = self.length as f64;
        let start = |cycle: f64| length * ((self.mul.powf(cycle) - 1.0) / (self.mul - 1.0));
        let growth = (step / length * (self.mul - 1.0)).min(f64::MAX);
        let guess = (growth.ln_1p() / self.mul.ln()).floor();
        // The logarithm may miss a boundary by its rounding error.
        let cycle = if start(guess + 1.0) <= step {
            guess + 1.0
        } else if start(guess) > step {
            (guess - 1.0).max(0.0)
        } else {
            guess
        };
        let progress = (step - start(cycle)) / (length * self.mul.powf(cycle));
        (cycle, progress.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycles(length: u64, mul: f64) -> Cycles {
        Cycles {
            length,
            mul,
            decay: 0.5,
            limit: u64::MAX,
        }
    }

    #[test]
    fn boundaries_are_exact() {
        for (length, mul) in [(10, 1.0), (10, 2.0), (1, 10.0), (7, 3.0), (4, 1.5)] {
            let cycles = cycles(length, mul);
            let (mut start, mut width) = (0.0, length as f64);
            for cycle in 0..8 {
                if f64::fract(start) == 0.0 {
                    let place = cycles.at(start as u64).unwrap();
                    let peak = 0.5_f64.powi(cycle);
                    assert_eq!(
                        place,
                        Place {
                            peak,
                            progress: 0.0
                        },
                        "{mul} {cycle}"
                    );
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
                    let place = cycles(length, mul).at(step).unwrap();
                    assert!(
                        (0.0..=1.0).contains(&place.progress),
                        "{mul} {length} {step}"
                    );
                    assert!((0.0..=1.0).contains(&place.peak), "{mul} {length} {step}");
                }
            }
        }
    }
}
