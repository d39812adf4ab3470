//! Stops a run that no longer improves.

use burn::train::metric::store::Split;
use burn_lr_scheduler::Mode;
use serde::Serialize;

use crate::TrainingError;
use crate::history::{EpochRecord, History, Metrics, serialize_split};
use crate::metrics_log::{LOSS, history_name};

/// Ends a run once a metric has not been better than its best for a number of epochs.
///
/// It is a function of the history alone, so a resumed run stops where the uninterrupted one does.
/// With Burn's own Learner, use `MetricEarlyStoppingStrategy`.
///
/// ```
/// use burn::train::metric::store::Split;
/// use burn_lr_scheduler::Mode;
/// use burn_lr_training::EarlyStopping;
///
/// let by_loss = EarlyStopping::new(5);
/// let by_accuracy = EarlyStopping::new(5).metric("Accuracy", Split::Valid, Mode::Max);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EarlyStopping {
    metric: String,
    #[serde(serialize_with = "serialize_split")]
    split: Split,
    mode: Mode,
    patience: usize,
}

impl EarlyStopping {
    /// Stops when the validation loss has not improved for `patience` epochs.
    pub fn new(patience: usize) -> Self {
        Self {
            metric: history_name(LOSS),
            split: Split::Valid,
            mode: Mode::Min,
            patience,
        }
    }

    /// Watches the metric of that name in `split` instead.
    pub fn metric(mut self, name: &str, split: Split, mode: Mode) -> Self {
        self.metric = history_name(name);
        self.split = split;
        self.mode = mode;
        self
    }

    fn metrics<'a>(&self, epoch: &'a EpochRecord) -> &'a Metrics {
        match self.split {
            Split::Train => &epoch.train,
            _ => &epoch.valid,
        }
    }

    /// An error if the epoch has no value of the metric.
    pub(crate) fn check(&self, epoch: &EpochRecord) -> Result<(), TrainingError> {
        let metrics = self.metrics(epoch);
        match metrics.contains_key(&self.metric) {
            true => Ok(()),
            false => Err(TrainingError::MissingMetric {
                metric: self.metric.clone(),
                split: self.split.to_string(),
                epoch: epoch.epoch,
                known: metrics.keys().cloned().collect(),
            }),
        }
    }

    /// Whether a run with this history stops here.
    pub fn stops(&self, history: &History) -> bool {
        let best = self.best_epoch(history);
        let last = history.epochs.last();
        last.is_some_and(|last| last.epoch - best.unwrap_or(0) >= self.patience)
    }

    /// Why a run with this history stops here, if it does.
    pub(crate) fn reason(&self, history: &History) -> Option<String> {
        let since = match self.best_epoch(history) {
            Some(epoch) => format!("has not improved since epoch {epoch}"),
            None => "never had a value".to_owned(),
        };
        let (split, metric) = (&self.split, &self.metric);
        let stops = self.stops(history);
        stops.then(|| format!("stopped early: {split} {metric} {since}"))
    }

    fn best_epoch(&self, history: &History) -> Option<usize> {
        let value = |epoch| {
            self.metrics(epoch)
                .get(&self.metric)
                .copied()
                .unwrap_or(f64::NAN)
        };
        let mut best = None;
        for epoch in &history.epochs {
            let better = match (best, self.mode) {
                (None, _) => !value(epoch).is_nan(),
                (Some((_, best)), Mode::Min) => value(epoch) < best,
                (Some((_, best)), Mode::Max) => value(epoch) > best,
            };
            if better {
                best = Some((epoch.epoch, value(epoch)));
            }
        }
        best.map(|(epoch, _)| epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(losses: &[f64]) -> History {
        let epochs = (1..).zip(losses).map(|(epoch, &loss)| EpochRecord {
            epoch,
            train: Metrics::new(),
            valid: Metrics::from([("loss".to_owned(), loss)]),
            lr: 0.1,
            next_lr: 0.1,
            cuts: Vec::new(),
            seconds: 0.0,
        });
        History {
            epochs: epochs.collect(),
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
    fn the_reason_names_the_metric_and_its_best_epoch() {
        let stopping = EarlyStopping::new(2);
        let reason = |losses: &[f64]| stopping.reason(&history(losses));
        assert_eq!(reason(&[3.0, 2.0, 2.0]), None);
        let expected = "stopped early: valid loss has not improved since epoch 2";
        assert_eq!(reason(&[3.0, 2.0, 2.0, 2.1]).unwrap(), expected);
        let expected = "stopped early: valid loss never had a value";
        assert_eq!(reason(&[f64::NAN; 2]).unwrap(), expected);
    }

    #[test]
    fn a_metric_may_be_better_when_it_is_larger() {
        let stopping = EarlyStopping::new(1).metric("Loss", Split::Valid, Mode::Max);
        assert_eq!(stop(&stopping, &[1.0, 2.0, 3.0, 3.0]), Some(4));
    }
}
