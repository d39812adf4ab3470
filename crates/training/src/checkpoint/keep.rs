//! Which checkpoints are kept.

use std::collections::{BTreeMap, BTreeSet};

use burn::train::metric::store::Split;
use burn_lr_scheduler::Mode;
use serde::Serialize;

use super::manifest::{BestSoFar, Manifest};
use crate::history::{EpochRecord, History, Metrics, serialize_split};

/// Which checkpoints are kept: the last two by default.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeepPolicy {
    /// How many of the newest checkpoints are kept; 0 counts as 1.
    ///
    /// Two leave one to fall back to if the newest gets damaged.
    pub last: usize,
    /// What makes a checkpoint the best, which is kept however old it is.
    pub best: Option<Best>,
}

impl Default for KeepPolicy {
    fn default() -> Self {
        Self::last(2)
    }
}

impl KeepPolicy {
    /// Keeps the newest `last` checkpoints.
    pub fn last(last: usize) -> Self {
        Self { last, best: None }
    }

    /// Keeps all checkpoints.
    pub fn all() -> Self {
        Self::last(usize::MAX)
    }

    /// Keeps the best checkpoint too.
    pub fn with_best(mut self, best: Best) -> Self {
        self.best = Some(best);
        self
    }

    /// The best of the epochs up to `epoch`, which is not in `complete` itself yet.
    ///
    /// What the checkpoint before it says counts more than the metrics of those that are there: the
    /// best one may be damaged, but is no worse for that.
    pub(super) fn best_so_far(
        &self,
        complete: &BTreeMap<usize, Manifest>,
        new: &Manifest,
    ) -> Option<BestSoFar> {
        let best = self.best.as_ref()?;
        let earlier = || complete.range(..new.epoch).map(|(_, manifest)| manifest);
        let so_far = match earlier().next_back().and_then(|last| last.best.as_ref()) {
            Some(so_far) if so_far.is_by(best) => Some(so_far.clone()),
            _ => earlier().fold(None, |so_far, next| best.better(so_far, next)),
        };
        best.better(so_far, new)
    }

    /// The best of the epochs up to that of `checkpoint`, which is complete.
    pub(super) fn best_as_of(
        &self,
        complete: &BTreeMap<usize, Manifest>,
        checkpoint: &Manifest,
    ) -> Option<BestSoFar> {
        match &checkpoint.best {
            Some(best) if best.is_by(self.best.as_ref()?) => Some(best.clone()),
            // The policy is another one than when the checkpoint was made.
            _ => self.best_so_far(complete, checkpoint),
        }
    }

    /// Those of the checkpoints up to `newest` that are not to be kept.
    pub(super) fn superfluous(
        &self,
        complete: &BTreeMap<usize, Manifest>,
        condemned: &BTreeSet<usize>,
        newest: usize,
    ) -> Vec<usize> {
        // Newer ones than the newest are of a run that was given up. They do not count, and to
        // delete them is not our business.
        let epochs = || complete.range(..=newest).map(|(&epoch, _)| epoch);
        let best = complete
            .get(&newest)
            .and_then(|newest| self.best_as_of(complete, newest))
            .map(|best| best.epoch);
        let last = epochs().rev().take(self.last.max(1)).last();
        epochs()
            .filter(|epoch| *epoch < newest && Some(*epoch) != best)
            .filter(|epoch| last.is_some_and(|last| *epoch < last) || condemned.contains(epoch))
            .collect()
    }
}

/// What makes a checkpoint the best: a metric of its epoch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Best {
    /// The metric, as the history names it: `loss`, `accuracy`.
    pub metric: String,
    /// The split that it is of: training or validation.
    #[serde(serialize_with = "serialize_split")]
    pub split: Split,
    /// Whether smaller or larger is better.
    pub mode: Mode,
}

impl Best {
    /// The best by a metric of the validation split.
    pub fn valid(metric: impl Into<String>, mode: Mode) -> Self {
        Self {
            metric: metric.into(),
            split: Split::Valid,
            mode,
        }
    }

    /// The best by a metric of the training split.
    pub fn train(metric: impl Into<String>, mode: Mode) -> Self {
        Self {
            metric: metric.into(),
            split: Split::Train,
            mode,
        }
    }

    /// The metrics of the split in question.
    pub(super) fn of_split<'a>(
        &self,
        train: &'a Metrics,
        valid: &'a Metrics,
    ) -> Option<&'a Metrics> {
        match self.split {
            Split::Train => Some(train),
            Split::Valid => Some(valid),
            Split::Test(_) => None,
        }
    }

    /// The best epoch of `history`, the first of several, if any has a value.
    pub(crate) fn of_history<'a>(&self, history: &'a History) -> Option<&'a EpochRecord> {
        let value = |epoch: &EpochRecord| {
            let value = self.of_split(&epoch.train, &epoch.valid)?.get(&self.metric);
            value.copied().filter(|value| !value.is_nan())
        };
        let epochs = history
            .epochs
            .iter()
            .filter_map(|epoch| Some((epoch, value(epoch)?)));
        epochs
            .reduce(|best, next| {
                let improved = match self.mode {
                    Mode::Min => next.1 < best.1,
                    Mode::Max => next.1 > best.1,
                };
                if improved { next } else { best }
            })
            .map(|(epoch, _)| epoch)
    }

    /// The better of the two; of equals, and if there is no value, the one so far.
    fn better(&self, so_far: Option<BestSoFar>, next: &Manifest) -> Option<BestSoFar> {
        let metrics = self.of_split(&next.train, &next.valid);
        let Some(&value) = metrics.and_then(|metrics| metrics.get(&self.metric)) else {
            return so_far;
        };
        let improved = match (&so_far, self.mode) {
            (None, _) => !value.is_nan(),
            (Some(so_far), Mode::Min) => value < so_far.value,
            (Some(so_far), Mode::Max) => value > so_far.value,
        };
        match improved {
            true => Some(BestSoFar::new(self, next, value)),
            false => so_far,
        }
    }
}
