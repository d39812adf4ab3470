//! Stops a run that no longer improves.

use burn_lr_scheduler::Mode;
use serde::Serialize;

use super::best::Best;
use super::history::History;
use super::record::EpochRecord;
use crate::key::{MetricKey, valid};

/// Ends a run once a metric has not been better than its best for a number of epochs.
///
/// It is a function of the history alone, so a resumed run stops where the uninterrupted one does.
/// With Burn's own Learner, use `MetricEarlyStoppingStrategy`.
///
/// ```
/// use burn_lr_scheduler::Mode;
/// use burn_lr_training::metrics::{EarlyStopping, valid};
///
/// let by_loss = EarlyStopping::new(5);
/// let by_accuracy = EarlyStopping::new(5).on(valid("accuracy"), Mode::Max);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EarlyStopping {
    best: Best,
    patience: usize,
}

impl EarlyStopping {
    /// Stops when the validation loss has not improved for `patience` epochs: with 1, in the first one
    /// that is no better than the best. 0 counts as 1, as in Keras.
    pub fn new(patience: usize) -> Self {
        Self {
            best: Best::min(valid("loss")),
            patience,
        }
    }

    /// Watches that metric instead, of which the least or the greatest value is best.
    pub fn on(mut self, metric: MetricKey, mode: Mode) -> Self {
        self.best = Best { metric, mode };
        self
    }

    /// The metric that is watched.
    pub fn metric(&self) -> &MetricKey {
        &self.best.metric
    }

    /// Whether a run with this history stops here.
    ///
    /// Epochs that were made before the metric was registered do not count, nor those before a branch that
    /// changed something: it has its patience before it, whatever its parent had left.
    pub fn stops(&self, history: &History) -> bool {
        let best = self.best.of(history).map_or(0, |best| best.epoch);
        let lacks = |epoch: &&EpochRecord| epoch.get(&self.best.metric).is_none();
        let unknown = history.epochs.iter().rev().find(lacks);
        let since = unknown.map_or(best, |unknown| unknown.epoch.max(best));
        let branches = history.branches.iter().rev();
        let mut changed = branches.filter(|branch| !branch.changes.is_empty());
        let since = since.max(changed.next().map_or(0, |branch| branch.epoch));
        let last = history.epochs.last();
        last.is_some_and(|last| last.epoch - since >= self.patience.max(1))
    }

    /// Why a run with this history stops here, if it does.
    pub(crate) fn reason(&self, history: &History) -> Option<String> {
        let since = match self.best.of(history) {
            Some(best) => format!("has not improved since epoch {}", best.epoch),
            None => "never had a value".to_owned(),
        };
        let metric = &self.best.metric;
        let stops = self.stops(history);
        stops.then(|| format!("stopped early: {metric} {since}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Metrics;
    use super::*;

    fn history(losses: &[f64]) -> History {
        let epochs = (1..).zip(losses).map(|(epoch, &loss)| EpochRecord {
            valid: Metrics::from([("loss".to_owned(), loss)]),
            ..EpochRecord::new(epoch)
        });
        History {
            epochs: epochs.collect(),
            ..History::default()
        }
    }

    /// The first epoch at which a run with these losses stops.
    fn stop(stopping: &EarlyStopping, losses: &[f64]) -> Option<usize> {
        (0..=losses.len()).find(|&n| stopping.stops(&history(&losses[..n])))
    }

    #[test]
    fn it_stops_when_patience_is_exhausted() {
        let stopping = EarlyStopping::new(2);
        assert_eq!(stop(&stopping, &[3.0, 2.0, 2.0, 1.9, 1.8]), None);
        assert_eq!(stop(&stopping, &[3.0, 2.0, 2.0, 2.1, 1.0]), Some(4));
        assert_eq!(stop(&stopping, &[f64::NAN, f64::NAN, 1.0]), Some(2));
        assert_eq!(stop(&stopping, &[2.0, f64::NAN, 1.0, 2.0]), None);
    }

    #[test]
    fn without_patience_it_stops_in_the_first_epoch_that_is_no_better() {
        for patience in [0, 1] {
            let stopping = EarlyStopping::new(patience);
            assert_eq!(stop(&stopping, &[3.0, 2.0, 2.0, 1.0]), Some(3));
            assert_eq!(stop(&stopping, &[3.0, 2.0, 1.0]), None);
        }
    }

    #[test]
    fn epochs_without_the_metric_do_not_count() {
        let stopping = EarlyStopping::new(2);
        let mut history = history(&[3.0, 3.0, 3.0, 2.0]);
        for epoch in &mut history.epochs[..3] {
            epoch.valid.clear();
        }
        assert!(!stopping.stops(&history));
        history.epochs[3].valid.clear();
        assert!(!stopping.stops(&history));
    }

    #[test]
    fn a_branch_that_changed_something_has_its_patience_before_it() {
        use super::super::{Lineage, SettingChange};
        let stopping = EarlyStopping::new(2);
        let branched = |epoch, changes| Lineage {
            parent: "parent".to_owned(),
            epoch,
            updates: 0,
            sha256: String::new(),
            changes,
        };
        let change = || SettingChange::new("schedule".into(), "0.1".into(), "0.01".into());
        let mut history = history(&[1.0, 2.0, 2.0]);
        assert!(stopping.stops(&history));
        history.branches.push(branched(3, Vec::new()));
        assert!(stopping.stops(&history));
        history.branches.insert(0, branched(2, vec![change()]));
        assert!(!stopping.stops(&history));
        history.branches[0].epoch = 1;
        assert!(stopping.stops(&history));
    }

    #[test]
    fn the_reason_names_the_metric_and_its_best_epoch() {
        let stopping = EarlyStopping::new(2);
        let reason = |losses: &[f64]| stopping.reason(&history(losses));
        assert_eq!(reason(&[3.0, 2.0, 2.0]), None);
        let expected = "stopped early: valid_loss has not improved since epoch 2";
        assert_eq!(reason(&[3.0, 2.0, 2.0, 2.1]).unwrap(), expected);
        let expected = "stopped early: valid_loss never had a value";
        assert_eq!(reason(&[f64::NAN; 2]).unwrap(), expected);
    }

    #[test]
    fn a_metric_may_be_better_when_it_is_larger() {
        let stopping = EarlyStopping::new(1).on(valid("loss"), Mode::Max);
        assert_eq!(stop(&stopping, &[1.0, 2.0, 3.0, 3.0]), Some(4));
    }
}
