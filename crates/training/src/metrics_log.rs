//! Keeps the Learner's metrics of each epoch in memory, instead of a line a batch in files.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::train::Interrupter;
use burn::train::logger::MetricLogger;
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{MetricAttributes, MetricDefinition, MetricId, NumericEntry};
use serde::{Deserialize, Serialize};

use crate::history::{Metrics, any_float};

/// The metric by which divergence is seen, and that plateaus observe unless told otherwise.
pub(crate) const LOSS: &str = "Loss";

/// The final values of all numeric metrics, by split and epoch.
#[derive(Clone, Default)]
pub(crate) struct MetricsLog(Arc<Mutex<Values>>);

#[derive(Default)]
struct Values {
    definitions: HashMap<MetricId, MetricDefinition>,
    epochs: Vec<LoggedEpoch>,
    /// How many batches of the running split were logged.
    batches: usize,
    divergence: Option<Divergence>,
    interrupter: Option<Interrupter>,
}

/// The metrics of an epoch under their own names and in their own units.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct LoggedEpoch {
    #[serde(with = "any_float")]
    train: Metrics,
    #[serde(with = "any_float")]
    valid: Metrics,
}

/// A training loss that is not finite.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Divergence {
    pub epoch: usize,
    pub iteration: usize,
    pub loss: f64,
}

impl LoggedEpoch {
    fn split(&mut self, split: &Split) -> Option<&mut Metrics> {
        match split {
            Split::Train => Some(&mut self.train),
            Split::Valid => Some(&mut self.valid),
            Split::Test(_) => None,
        }
    }
}

impl MetricsLog {
    fn lock(&self) -> MutexGuard<'_, Values> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `interrupter` stop the run as soon as the training loss is not finite.
    pub(crate) fn stop_on_divergence(&self, interrupter: Interrupter) {
        self.lock().interrupter = Some(interrupter);
    }

    pub(crate) fn divergence(&self) -> Option<Divergence> {
        self.lock().divergence
    }

    /// The metrics of `split` in `epoch`, under the names and in the units of the history.
    pub(crate) fn metrics(&self, split: Split, epoch: usize) -> Metrics {
        let mut log = self.lock();
        let metrics = log.epoch(epoch).split(&split).cloned().unwrap_or_default();
        metrics
            .into_iter()
            .map(|(name, value)| {
                let scale = if log.is_percentage(&name) { 100.0 } else { 1.0 };
                (history_name(&name), value / scale)
            })
            .collect()
    }

    /// The metrics of `split` in `epoch` by their own names.
    pub(crate) fn names(&self, split: &Split, epoch: usize) -> Vec<String> {
        let mut log = self.lock();
        let metrics = log.epoch(epoch).split(split).cloned().unwrap_or_default();
        metrics.into_keys().collect()
    }

    /// All epochs until `epoch`, to be saved.
    pub(crate) fn until(&self, epoch: usize) -> Vec<LoggedEpoch> {
        let log = self.lock();
        log.epochs[..epoch.min(log.epochs.len())].to_vec()
    }

    /// Continues a saved log.
    pub(crate) fn restore(&self, epochs: Vec<LoggedEpoch>) {
        self.lock().epochs = epochs;
    }
}

impl Values {
    /// The metrics of `epoch`, from 1.
    fn epoch(&mut self, epoch: usize) -> &mut LoggedEpoch {
        let index = epoch.saturating_sub(1);
        if self.epochs.len() <= index {
            self.epochs.resize_with(index + 1, LoggedEpoch::default);
        }
        &mut self.epochs[index]
    }

    fn is_percentage(&self, name: &str) -> bool {
        self.definitions.values().any(|definition| {
            *definition.name == name
                && matches!(&definition.attributes, MetricAttributes::Numeric(attributes)
                    if attributes.unit.as_deref() == Some("%"))
        })
    }

    fn watch_loss(&mut self, loss: f64, epoch: usize) {
        if loss.is_finite() || self.divergence.is_some() {
            return;
        }
        self.divergence = Some(Divergence {
            epoch,
            iteration: self.batches,
            loss,
        });
        if let Some(interrupter) = &self.interrupter {
            interrupter.stop(Some("the training loss is not finite"));
        }
    }
}

/// The name of a metric in the history: `Top-K Accuracy` becomes `top-k_accuracy`.
pub(crate) fn history_name(name: &str) -> String {
    name.to_lowercase().replace(' ', "_")
}

impl MetricLogger for MetricsLog {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        let mut log = self.lock();
        log.batches += 1;
        for metric in update.entries_numeric {
            let Some(name) = log
                .definitions
                .get(&metric.entry.metric_id)
                .map(|definition| definition.name.clone())
            else {
                continue;
            };
            match metric.numeric_entry {
                Some(NumericEntry::Final(value)) => {
                    if let Some(metrics) = log.epoch(epoch).split(split) {
                        metrics.insert(name.to_string(), value);
                    }
                }
                Some(entry) if *split == Split::Train && *name == LOSS => {
                    log.watch_loss(entry.current(), epoch);
                }
                _ => {}
            }
        }
    }

    fn read_numeric(
        &mut self,
        name: &str,
        epoch: usize,
        split: &Split,
    ) -> Result<Vec<NumericEntry>, String> {
        let mut log = self.lock();
        if epoch > log.epochs.len() {
            return Ok(Vec::new());
        }
        let value = log
            .epoch(epoch)
            .split(split)
            .and_then(|metrics| metrics.get(name));
        let entry = value.map(|&value| NumericEntry::Final(value));
        Ok(entry.into_iter().collect())
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        self.lock()
            .definitions
            .insert(definition.metric_id.clone(), definition);
    }

    fn log_epoch_summary(&mut self, _summary: EpochSummary) {
        self.lock().batches = 0;
    }
}
