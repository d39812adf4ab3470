//! The state machine behind [`ReduceLrOnPlateau`](crate::ReduceLrOnPlateau).
//!
//! It knows no Burn type and no schedule: it is told a metric and the base learning rate, and
//! answers whether the rate is cut. A cut is kept as a multiplier, so it survives whatever the base
//! schedule does next. As long as the base stays where it was at the last cut, the rate is the
//! result of PyTorch's own arithmetic (`max(old * factor, min_lr)`), to the bit.

use crate::ScheduleError;

mod greedy;
mod settings;

pub use settings::{Counting, Mode, NanPolicy, ThresholdMode};
pub(crate) use settings::{Greedy, Settings};

/// Everything a plateau remembers.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct PlateauState {
    /// The best metric so far; infinite before the first.
    pub best: f64,
    /// Bad epochs in a row.
    pub bad_epochs: u64,
    /// Epochs of the current cooldown that remain.
    pub cooldown_left: u64,
    /// How often the rate was cut.
    pub cuts: u64,
    /// How many metrics were observed.
    pub observed: u64,
    /// The product of all cuts, which scales the base schedule.
    pub multiplier: f64,
    /// The base schedule's value at the last cut; NaN before the first.
    pub base_at_cut: f64,
    /// The learning rate that the last cut led to; NaN before the first.
    pub lr_at_cut: f64,
    /// Good epochs in a row, of a [`GreedyLr`](crate::GreedyLr).
    pub good_epochs: u64,
    /// Epochs that remain until it counts again after a rise.
    pub warmup_left: u64,
    /// How often it would have cut at its lowest rate.
    pub times_at_floor: u64,
}

/// What a plateau made of one metric.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// The metric improved on the best so far by more than the threshold.
    Improved,
    /// It did not, and patience is not exhausted.
    Bad {
        /// Bad epochs in a row, this one included.
        bad_epochs: u64,
    },
    /// It did not, but a cooldown is running and bad epochs are not counted.
    CoolingDown {
        /// Epochs of the cooldown that remain.
        epochs_left: u64,
    },
    /// Patience was exhausted and the learning rate was cut.
    Cut {
        /// The rate before.
        from: f64,
        /// The rate after, at the same point of the base schedule.
        to: f64,
    },
    /// The learning rate was raised: by a factor above 1, or by a [`GreedyLr`](crate::GreedyLr).
    Raised {
        /// The rate before.
        from: f64,
        /// The rate after, at the same point of the base schedule.
        to: f64,
    },
    /// Patience was exhausted, but the rate is at its limit, or the cut would not exceed `eps`.
    AtFloor {
        /// The rate, unchanged.
        lr: f64,
    },
}

impl Verdict {
    /// The same verdict, every rate passed through `map`.
    pub(crate) fn with_rates(self, map: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::Cut { from, to } => Self::Cut {
                from: map(from),
                to: map(to),
            },
            Self::Raised { from, to } => Self::Raised {
                from: map(from),
                to: map(to),
            },
            Self::AtFloor { lr } => Self::AtFloor { lr: map(lr) },
            Self::Improved | Self::Bad { .. } | Self::CoolingDown { .. } => self,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Plateau {
    settings: Settings,
    state: PlateauState,
}

impl Plateau {
    pub(crate) fn new(settings: Settings) -> Self {
        let state = PlateauState {
            best: settings.worst(),
            bad_epochs: 0,
            cooldown_left: 0,
            cuts: 0,
            observed: 0,
            multiplier: 1.0,
            base_at_cut: f64::NAN,
            lr_at_cut: f64::NAN,
            good_epochs: 0,
            warmup_left: 0,
            times_at_floor: 0,
        };
        Self { settings, state }
    }

    pub(crate) fn state(&self) -> &PlateauState {
        &self.state
    }

    pub(crate) fn restore(&mut self, state: PlateauState) {
        self.state = state;
    }

    /// The learning rate for a base schedule's value.
    pub(crate) fn apply(&self, base: f64) -> f64 {
        if base == self.state.base_at_cut {
            self.state.lr_at_cut
        } else {
            base * self.state.multiplier
        }
    }

    /// The same once it has raised the rate as far as it goes.
    pub(crate) fn apply_at_most(&self, base: f64) -> f64 {
        let now = self.apply(base);
        let raises = self.settings.greedy.is_some() || self.settings.factor > 1.0;
        if raises && base > 0.0 {
            now.max(self.settings.max_lr)
        } else {
            now
        }
    }

    pub(crate) fn check(&self, metric: f64) -> Result<(), ScheduleError> {
        match self.settings.nan {
            NanPolicy::Error if metric.is_nan() => Err(ScheduleError::NanMetric {
                path: self.settings.path.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Takes in the metric of an epoch at whose end the base schedule stood at `base`.
    pub(crate) fn observe(&mut self, base: f64, metric: f64) -> Verdict {
        if let Some(greedy) = self.settings.greedy {
            return self.observe_greedily(&greedy, base, metric);
        }
        let Settings {
            patience, cooldown, ..
        } = self.settings;
        let improved = self.improves(metric);
        let state = &mut self.state;
        state.observed = state.observed.saturating_add(1);
        if improved {
            state.best = metric;
        }

        // Where a cooldown is running, whether this epoch still belongs to it.
        let cooling = match self.settings.counting {
            Counting::Pytorch | Counting::Optax => state.cooldown_left > 0,
            Counting::Keras => state.cooldown_left > 1,
        };
        state.cooldown_left = state.cooldown_left.saturating_sub(1);
        if improved || cooling {
            state.bad_epochs = 0;
            return if improved {
                Verdict::Improved
            } else {
                Verdict::CoolingDown {
                    epochs_left: state.cooldown_left,
                }
            };
        }

        state.bad_epochs = state.bad_epochs.saturating_add(1);
        let exhausted = match self.settings.counting {
            Counting::Pytorch => state.bad_epochs > patience,
            Counting::Keras | Counting::Optax => state.bad_epochs >= patience,
        };
        if !exhausted {
            return Verdict::Bad {
                bad_epochs: state.bad_epochs,
            };
        }
        state.bad_epochs = 0;
        state.cooldown_left = cooldown;
        self.cut(base)
    }

    fn cut(&mut self, base: f64) -> Verdict {
        let Settings {
            factor,
            min_lr,
            max_lr,
            ..
        } = self.settings;
        let scaled = self.apply(base) * factor;
        if factor > 1.0 {
            self.raise(base, scaled.min(max_lr))
        } else {
            self.lower(base, scaled.max(min_lr))
        }
    }

    /// Goes down to the rate `to`, unless that is no way down, as for a base below the floor.
    fn lower(&mut self, base: f64, to: f64) -> Verdict {
        let from = self.apply(base);
        if from - to > self.settings.eps {
            self.set(base, to);
            Verdict::Cut { from, to }
        } else {
            Verdict::AtFloor { lr: from }
        }
    }

    /// Goes up to the rate `to`, unless that is no way up.
    fn raise(&mut self, base: f64, to: f64) -> Verdict {
        let from = self.apply(base);
        if to - from > self.settings.eps {
            self.set(base, to);
            Verdict::Raised { from, to }
        } else {
            Verdict::AtFloor { lr: from }
        }
    }

    fn set(&mut self, base: f64, to: f64) {
        let multiplier = self.state.multiplier * (to / self.apply(base));
        self.state.multiplier = multiplier.min(f64::MAX);
        self.state.base_at_cut = base;
        self.state.lr_at_cut = to;
        self.state.cuts = self.state.cuts.saturating_add(1);
    }

    fn improves(&self, metric: f64) -> bool {
        let best = self.state.best;
        let threshold = self.settings.threshold;
        if best.is_infinite() {
            return match self.settings.mode {
                Mode::Min => metric < best,
                Mode::Max => metric > best,
            };
        }
        // PyTorch's `best * (1 -/+ threshold)`, mirrored where `best` is negative: there it would
        // demand less than no improvement.
        match (self.settings.mode, self.settings.threshold_mode) {
            (Mode::Min, ThresholdMode::Rel) => metric < best * (1.0 - threshold * best.signum()),
            (Mode::Max, ThresholdMode::Rel) => metric > best * (1.0 + threshold * best.signum()),
            (Mode::Min, ThresholdMode::Factor) => metric < best * (1.0 - threshold),
            (Mode::Max, ThresholdMode::Factor) => metric > best * (1.0 + threshold),
            (Mode::Min, ThresholdMode::Abs) => metric < best - threshold,
            (Mode::Max, ThresholdMode::Abs) => metric > best + threshold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ReduceLrOnPlateau, Run, ScheduleConfig};

    #[test]
    fn on_negative_metrics_the_factor_takes_a_worse_one_for_better() {
        let verdicts = |threshold_mode| {
            let plateau = ReduceLrOnPlateau::new(0.1).with_threshold(0.1, threshold_mode);
            let mut curve = ScheduleConfig::from(plateau)
                .curve(&Run::per_update())
                .unwrap();
            let mut observe = |metric| curve.observe(0, metric).unwrap()[0];
            (observe(-1.0), observe(-0.95))
        };
        let bad = Verdict::Bad { bad_epochs: 1 };
        let improved = Verdict::Improved;
        assert_eq!(verdicts(ThresholdMode::Rel), (improved, bad));
        assert_eq!(verdicts(ThresholdMode::Factor), (improved, improved));
    }
}
