//! What is averaged in a run, and when.

use serde::{Deserialize, Serialize};

use super::decay::Decay;
use super::ema::Ema;
use super::error::AverageError;
use super::rule::Rule;
use super::statistics::Statistics;

/// What is averaged in a run, and when: for [`Training::average`](crate::Training::average).
///
/// ```
/// use burn_lr_training::average::{Average, Decay, Ema, Statistics, Validate};
///
/// // An exponential moving average over all updates, its decay warmed up as in timm.
/// let ema = Average::ema(Ema::new(0.999).with_warmup(1.0, 0.75));
/// // Stochastic weight averaging: the weights at the end of each epoch after the 75th, with the
/// // statistics of batch norms computed for the average.
/// let swa = Average::swa().after_epochs(75).statistics(Statistics::Recomputed);
/// // The last 5 checkpoints in place of a decay of the learning rate.
/// let wsm = Average::checkpoints(5, Decay::OneMinusSqrt).validate(Validate::Both);
/// for average in [ema, swa, wsm] {
///     average.check(100, Some(938), 5)?;
/// }
/// # Ok::<(), burn_lr_training::average::AverageError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Average {
    /// What the average is.
    pub kind: Kind,
    /// Where it begins.
    #[serde(default)]
    pub start: Start,
    /// How often weights are taken in.
    pub every: Every,
    /// What becomes of running statistics.
    #[serde(default)]
    pub statistics: Statistics,
    /// What is validated.
    #[serde(default)]
    pub validate: Validate,
}

/// What an average is of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// All weights that are taken in.
    Running(Rule),
    /// The weights of the last checkpoints.
    Checkpoints {
        /// How many of them.
        last: usize,
        /// How they are weighted.
        decay: Decay,
    },
}

/// How much of a run is left out of an average, which until then is the model itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Start {
    /// So many updates of the optimizer.
    AfterUpdates(u64),
    /// So many epochs.
    AfterEpochs(u64),
}

/// How often weights are taken into an average, counted from where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Every {
    /// After so many updates of the optimizer; one whose gradients were skipped is none.
    Updates(u64),
    /// At the end of so many epochs.
    Epochs(u64),
}

/// Whether a run validates the model, the average or both.
///
/// | | `valid_loss` is of | `valid_average_loss` | `best.bpk` is of |
/// |---|---|---|---|
/// | [`Average`](Self::Average) | the average | | the average |
/// | [`Model`](Self::Model) | the model | | the model |
/// | [`Both`](Self::Both) | the model | the average | whatever the metric of the best epoch is of |
///
/// And so for all metrics of validation; those of training are the model's, as is the best by one of them.
/// `KeepPolicy::default().with_best(Best::min(valid("average_loss")))` makes
/// `best.bpk` the average's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Validate {
    /// The average alone, as if it were the model.
    #[default]
    Average,
    /// The model alone.
    Model,
    /// Both, which takes twice as long.
    Both,
}

impl Default for Start {
    fn default() -> Self {
        Self::AfterUpdates(0)
    }
}

impl Average {
    fn new(kind: Kind, every: Every) -> Self {
        Self {
            kind,
            start: Start::default(),
            every,
            statistics: Statistics::default(),
            validate: Validate::default(),
        }
    }

    /// An exponential moving average of the weights after every update. Give it an [`Ema`], or a decay.
    pub fn ema(ema: impl Into<Ema>) -> Self {
        Self::new(Kind::Running(Rule::Ema(ema.into())), Every::Updates(1))
    }

    /// Stochastic weight averaging: the equal average of the weights at the end of every epoch. It usually
    /// goes with a high constant rate from its start on, for which there is `SwaLr`.
    pub fn swa() -> Self {
        Self::new(Kind::Running(Rule::Equal), Every::Epochs(1))
    }

    /// The weighted mean of the weights at the end of the `last` epochs, or of as many as there are, in
    /// place of a decay of the learning rate. The checkpoints of as many epochs must be kept; beside them,
    /// so many models are held in memory.
    pub fn checkpoints(last: usize, decay: Decay) -> Self {
        Self::new(Kind::Checkpoints { last, decay }, Every::Epochs(1))
    }

    /// Leaves out the first `updates` of the run.
    pub fn after_updates(mut self, updates: u64) -> Self {
        self.start = Start::AfterUpdates(updates);
        self
    }

    /// Leaves out the first `epochs` of the run, or periods if it is measured in updates, those before a branch
    /// included.
    pub fn after_epochs(mut self, epochs: u64) -> Self {
        self.start = Start::AfterEpochs(epochs);
        self
    }

    /// Takes in the weights after every so many updates.
    pub fn every_updates(mut self, updates: u64) -> Self {
        self.every = Every::Updates(updates);
        self
    }

    /// Takes in the weights at the end of every so many epochs.
    pub fn every_epochs(mut self, epochs: u64) -> Self {
        self.every = Every::Epochs(epochs);
        self
    }

    /// Sets what becomes of running statistics, as batch norms have them; they are averaged by default.
    pub fn statistics(mut self, statistics: Statistics) -> Self {
        self.statistics = statistics;
        self
    }

    /// Sets what is validated: the average by default.
    pub fn validate(mut self, validate: Validate) -> Self {
        self.validate = validate;
        self
    }

    /// Whether it makes sense in a run of so many epochs, of so many updates each if that is known, of which
    /// the last `kept` checkpoints are kept.
    ///
    /// # Errors
    /// [`AverageError::Setting`] for a constant outside its range, [`AverageError::NeverBegins`] if the run
    /// is over before the first weights are taken in, [`AverageError::TooFewKept`] if it needs more
    /// checkpoints.
    pub fn check(
        &self,
        epochs: u64,
        updates_per_epoch: Option<u64>,
        kept: usize,
    ) -> Result<(), AverageError> {
        let until = |epochs: u64| epochs.saturating_mul(updates_per_epoch.unwrap_or(0));
        let length = Length {
            epochs,
            until: updates_per_epoch.is_some().then_some(&until),
            done: (0, 0),
        };
        self.check_in(&length, kept)
    }

    /// The same in a run that has done something already.
    pub(crate) fn check_in(&self, length: &Length<'_>, kept: usize) -> Result<(), AverageError> {
        let setting = |name, expected, found: String| AverageError::Setting {
            name,
            expected,
            found,
        };
        match self.every {
            Every::Updates(0) | Every::Epochs(0) => {
                return Err(setting("every", "at least 1", "0".to_owned()));
            }
            _ => {}
        }
        match self.kind {
            Kind::Running(rule) => rule.check()?,
            Kind::Checkpoints { last: 0, .. } => {
                return Err(setting("checkpoints", "at least 1", "0".to_owned()));
            }
            Kind::Checkpoints { last, .. } if last > kept => {
                return Err(AverageError::TooFewKept { kept, found: last });
            }
            Kind::Checkpoints { .. } if self.every != Every::Epochs(1) => {
                let found = format!("{:?}", self.every);
                let expected = "1 epoch, as checkpoints are made";
                return Err(setting("every", expected, found));
            }
            Kind::Checkpoints { .. } if self.start != Start::default() => {
                let found = format!("{:?}", self.start);
                let expected = "the beginning, for the last checkpoints";
                return Err(setting("start", expected, found));
            }
            Kind::Checkpoints { .. } => {}
        }
        let Some((unit, run, first)) = self.first(length) else {
            return Ok(());
        };
        if first > run {
            return Err(AverageError::NeverBegins { unit, run, first });
        }
        Ok(())
    }

    /// The number of the first update or epoch of a run whose weights are taken in, and how many the run
    /// has; `None` if that is not known.
    fn first(&self, length: &Length<'_>) -> Option<(&'static str, u64, u64)> {
        let Length { epochs, done, .. } = *length;
        let (unit, run, left_out, every) = match (self.start, self.every) {
            (Start::AfterEpochs(left_out), Every::Epochs(every)) => {
                ("epochs", epochs, left_out.max(done.0), every)
            }
            // The epoch in which it begins is its first.
            (Start::AfterUpdates(left_out), Every::Epochs(every)) => {
                let left_out = length.epochs_in(left_out)?;
                ("epochs", epochs, left_out.max(done.0), every)
            }
            (Start::AfterUpdates(left_out), Every::Updates(every)) => {
                let run = length.until?(epochs);
                ("updates", run, left_out.max(done.1), every)
            }
            (Start::AfterEpochs(left_out), Every::Updates(every)) => {
                let (run, left_out) = (length.until?(epochs), length.until?(left_out));
                ("updates", run, left_out.max(done.1), every)
            }
        };
        Some((unit, run, left_out.saturating_add(every)))
    }
}

/// How long a run is.
pub(crate) struct Length<'a> {
    /// Or periods of a run that is measured in updates.
    pub epochs: u64,
    /// The updates until the end of that epoch, if they are known.
    pub until: Option<&'a dyn Fn(u64) -> u64>,
    /// The epochs and updates that are over when the average begins.
    pub done: (u64, u64),
}

impl Length<'_> {
    /// How many epochs are over after so many updates.
    fn epochs_in(&self, updates: u64) -> Option<u64> {
        let until = self.until?;
        let (mut over, mut not) = (0, self.epochs.saturating_add(1));
        while over + 1 < not {
            let middle = over + (not - over) / 2;
            if until(middle) <= updates {
                over = middle;
            } else {
                not = middle;
            }
        }
        Some(over)
    }
}
