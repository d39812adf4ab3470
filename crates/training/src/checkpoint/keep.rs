//! Which checkpoints are kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::manifest::{BestSoFar, Manifest};
use crate::metrics::{Best, Split};

/// Which checkpoints are kept: the last two by default.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
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

    /// The best of the epochs up to that of `new`, which is not in `complete` itself yet, and if it is the
    /// first one, of those before a branch.
    ///
    /// What the checkpoint before it says counts more than the metrics of those that are there: the
    /// best one may be damaged, but is no worse for that.
    pub(super) fn best_so_far(
        &self,
        complete: &BTreeMap<usize, Manifest>,
        inherited: Option<&BestSoFar>,
        new: &Manifest,
    ) -> Option<BestSoFar> {
        let best = self.best.as_ref()?;
        let earlier = || complete.range(..new.epoch).map(|(_, manifest)| manifest);
        let last = earlier().next_back();
        let so_far = match last.map_or(inherited, |last| last.best.as_ref()) {
            Some(so_far) if so_far.by == *best => Some(so_far.clone()),
            _ => earlier().fold(None, |so_far, next| better(best, so_far, next)),
        };
        better(best, so_far, new)
    }

    /// The best of the epochs up to that of `checkpoint`, which is complete.
    pub(super) fn best_as_of(
        &self,
        complete: &BTreeMap<usize, Manifest>,
        checkpoint: &Manifest,
    ) -> Option<BestSoFar> {
        match &checkpoint.best {
            Some(best) if Some(&best.by) == self.best.as_ref() => Some(best.clone()),
            // The policy is another one than when the checkpoint was made.
            _ => self.best_so_far(complete, None, checkpoint),
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

/// The value of what `best` goes by in the epoch of `manifest`.
fn value(best: &Best, manifest: &Manifest) -> Option<f64> {
    let metrics = match best.metric.split() {
        Split::Train => &manifest.train,
        Split::Valid => &manifest.valid,
    };
    metrics.get(best.metric.name()).copied()
}

/// The better of the two; of equals, and if there is no value, the one so far.
fn better(best: &Best, so_far: Option<BestSoFar>, next: &Manifest) -> Option<BestSoFar> {
    let value = value(best, next).unwrap_or(f64::NAN);
    if best.improves(value, so_far.as_ref().map(|so_far| so_far.value)) {
        return Some(BestSoFar::new(best, next, value));
    }
    so_far
}
