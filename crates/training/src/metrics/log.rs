//! Keeps the Learner's metrics of each epoch in memory, instead of a line a batch in files.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::train::Interrupter;
use burn::train::logger::MetricLogger;
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split as BurnsSplit};
use burn::train::metric::{MetricAttributes, MetricDefinition, MetricId, NumericEntry};
use serde::{Deserialize, Serialize};

use super::any_float;
use super::record::Metrics;
use crate::TrainingError;
use crate::key::{MetricKey, Split};
use crate::storage::{create_directory, set_aside, write_atomically};

/// Burn's name of the metric by which divergence is seen.
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
    tolerates_divergence: bool,
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
    fn split(&mut self, split: &BurnsSplit) -> Option<&mut Metrics> {
        match split {
            BurnsSplit::Train => Some(&mut self.train),
            BurnsSplit::Valid => Some(&mut self.valid),
            BurnsSplit::Test(_) => None,
        }
    }
}

impl From<Divergence> for TrainingError {
    fn from(divergence: Divergence) -> Self {
        let Divergence {
            epoch,
            iteration,
            loss,
        } = divergence;
        Self::Diverged {
            epoch,
            iteration: Some(iteration),
            loss,
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

    /// Takes a training loss that is not finite for a value like any other.
    pub(crate) fn tolerate_divergence(&self) {
        self.lock().tolerates_divergence = true;
    }

    pub(crate) fn divergence(&self) -> Option<Divergence> {
        self.lock().divergence
    }

    /// The metrics of `split` in `epoch`, under the names and in the units of the history.
    pub(crate) fn metrics(&self, split: Split, epoch: usize) -> Metrics {
        let mut log = self.lock();
        let metrics = log.epoch(epoch).split(&split.burns()).cloned();
        let metrics = metrics.unwrap_or_default().into_iter();
        metrics
            .map(|(name, value)| {
                let scale = if log.is_percentage(&name) { 100.0 } else { 1.0 };
                (MetricKey::name_of(&name), value / scale)
            })
            .collect()
    }

    /// The metrics of `split` in `epoch` by Burn's names.
    pub(crate) fn names(&self, split: &BurnsSplit, epoch: usize) -> Vec<String> {
        let mut log = self.lock();
        let metrics = log.epoch(epoch).split(split).cloned().unwrap_or_default();
        metrics.into_keys().collect()
    }

    /// The names of all numeric metrics that are registered, for whichever split.
    pub(crate) fn registered(&self) -> Vec<String> {
        let log = self.lock();
        let numeric = log
            .definitions
            .values()
            .filter(|definition| matches!(definition.attributes, MetricAttributes::Numeric(_)));
        let mut names: Vec<String> = numeric
            .map(|definition| MetricKey::name_of(&definition.name))
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// Writes the values as Burn's `FileMetricLogger` would, from whose files its summary is made:
    /// `train/epoch-1/Loss.log`. Those of later epochs, which a run has left that was given up, are
    /// set aside.
    pub(crate) fn write_files(&self, directory: &Path) -> Result<(), TrainingError> {
        let log = self.lock();
        for split in ["train", "valid"] {
            let of = |number: usize| directory.join(split).join(format!("epoch-{number}"));
            for later in (log.epochs.len() + 1..)
                .map(of)
                .take_while(|path| path.exists())
            {
                set_aside(&later)?;
            }
        }
        for (number, epoch) in (1..).zip(&log.epochs) {
            for (split, metrics) in [("train", &epoch.train), ("valid", &epoch.valid)] {
                let directory = directory.join(split).join(format!("epoch-{number}"));
                for (name, value) in metrics {
                    create_directory(&directory)?;
                    let file = directory.join(format!("{}.log", name.replace(' ', "_")));
                    write_atomically(&file, NumericEntry::Final(*value).serialize().as_bytes())?;
                }
            }
        }
        Ok(())
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
        if loss.is_finite() || self.tolerates_divergence || self.divergence.is_some() {
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

impl MetricLogger for MetricsLog {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &BurnsSplit) {
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
                Some(entry) if *split == BurnsSplit::Train && *name == LOSS => {
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
        split: &BurnsSplit,
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
