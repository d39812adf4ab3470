//! Keeps the Learner's metrics of each epoch in memory, instead of a line a batch in files.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::train::logger::MetricLogger;
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{MetricAttributes, MetricDefinition, MetricId, NumericEntry};

use crate::history::Metrics;

/// The final values of all numeric metrics, by split and epoch.
#[derive(Clone, Default)]
pub(crate) struct MetricsLog(Arc<Mutex<Values>>);

#[derive(Default)]
struct Values {
    definitions: HashMap<MetricId, MetricDefinition>,
    values: HashMap<(Split, usize), HashMap<String, f64>>,
}

impl MetricsLog {
    fn lock(&self) -> MutexGuard<'_, Values> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The metrics of `split` in `epoch`, under the names of the history.
    pub(crate) fn metrics(&self, split: Split, epoch: usize) -> Metrics {
        let log = self.lock();
        let Some(values) = log.values.get(&(split, epoch)) else {
            return Metrics::new();
        };
        values
            .iter()
            .map(|(name, &value)| {
                let scale = if log.is_percentage(name) { 100.0 } else { 1.0 };
                (history_name(name), value / scale)
            })
            .collect()
    }
}

impl Values {
    fn is_percentage(&self, name: &str) -> bool {
        self.definitions.values().any(|definition| {
            *definition.name == name
                && matches!(&definition.attributes, MetricAttributes::Numeric(attributes)
                    if attributes.unit.as_deref() == Some("%"))
        })
    }
}

/// The name of a metric in the history: `Top-K Accuracy` becomes `top-k_accuracy`.
fn history_name(name: &str) -> String {
    name.to_lowercase().replace(' ', "_")
}

impl MetricLogger for MetricsLog {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        for metric in update.entries_numeric {
            if let Some(NumericEntry::Final(value)) = metric.numeric_entry {
                let mut log = self.lock();
                let Some(name) = log
                    .definitions
                    .get(&metric.entry.metric_id)
                    .map(|definition| definition.name.to_string())
                else {
                    continue;
                };
                log.values
                    .entry((split.clone(), epoch))
                    .or_default()
                    .insert(name, value);
            }
        }
    }

    fn read_numeric(
        &mut self,
        name: &str,
        epoch: usize,
        split: &Split,
    ) -> Result<Vec<NumericEntry>, String> {
        let log = self.lock();
        let value = log
            .values
            .get(&(split.clone(), epoch))
            .and_then(|values| values.get(name));
        Ok(value
            .map(|&value| NumericEntry::Final(value))
            .into_iter()
            .collect())
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        self.lock()
            .definitions
            .insert(definition.metric_id.clone(), definition);
    }

    fn log_epoch_summary(&mut self, _summary: EpochSummary) {}
}
