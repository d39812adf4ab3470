//! The state machine behind [`ReduceLrOnPlateau`](crate::ReduceLrOnPlateau).
//!
//! It knows no Burn type and no schedule: it is told a metric and the base learning rate, and
//! answers whether the rate is cut. A cut is kept as a multiplier, so it survives whatever the base
//! schedule does next. As long as the base stays where it was at the last cut, the rate is the
//! result of PyTorch's own arithmetic (`max(old * factor, min_lr)`), to the bit.

use serde::{Deserialize, Serialize};

use crate::ScheduleError;

/// Whether a smaller or a larger metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Smaller is better, as for a loss.
    #[default]
    Min,
    /// Larger is better, as for an accuracy.
    Max,
}

/// How the threshold of an improvement is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ThresholdMode {
    /// Relative to the best value: `best -/+ threshold * |best|`.
    #[default]
    Rel,
    /// As a factor of the best value, `best * (1 -/+ threshold)`: PyTorch's and optax's `rel` as they
    /// compute it. It differs from [`Rel`](Self::Rel) where the best is negative; there a metric that is a
    /// little worse is taken for better.
    Factor,
    /// In the metric's own units: `best -/+ threshold`.
    Abs,
}

/// What a metric that is NaN counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NanPolicy {
    /// A bad epoch, as in PyTorch.
    #[default]
    Bad,
    /// An error; the observation is refused and changes nothing.
    Error,
}

/// Whose way of counting bad epochs and cooldowns is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Counting {
    /// PyTorch's: a cut on bad epoch `patience + 1`; the last epoch of a cooldown is not counted.
    #[default]
    Pytorch,
    /// Keras's: a cut on bad epoch `patience`; the last epoch of a cooldown is counted.
    Keras,
    /// optax's: a cut on bad epoch `patience`; every epoch of a cooldown is passed over.
    Optax,
}

/// The settings of the state machine, validated by
/// [`ReduceLrOnPlateau`](crate::ReduceLrOnPlateau).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// The place in the schedule tree, for errors.
    pub path: String,
    pub mode: Mode,
    pub factor: f64,
    pub patience: u64,
    pub threshold: f64,
    pub threshold_mode: ThresholdMode,
    pub cooldown: u64,
    pub min_lr: f64,
    pub eps: f64,
    pub nan: NanPolicy,
    pub counting: Counting,
}

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
    /// Patience was exhausted, but the rate is at its floor, or the cut would not exceed `eps`.
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
        let best = match settings.mode {
            Mode::Min => f64::INFINITY,
            Mode::Max => f64::NEG_INFINITY,
        };
        let state = PlateauState {
            best,
            bad_epochs: 0,
            cooldown_left: 0,
            cuts: 0,
            observed: 0,
            multiplier: 1.0,
            base_at_cut: f64::NAN,
            lr_at_cut: f64::NAN,
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
        let from = self.apply(base);
        let to = (from * self.settings.factor).max(self.settings.min_lr);
        // Also false where a base below the floor would be raised to it.
        if from - to > self.settings.eps {
            self.state.multiplier *= to / from;
            self.state.base_at_cut = base;
            self.state.lr_at_cut = to;
            self.state.cuts = self.state.cuts.saturating_add(1);
            Verdict::Cut { from, to }
        } else {
            Verdict::AtFloor { lr: from }
        }
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
