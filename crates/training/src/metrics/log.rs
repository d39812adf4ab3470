//! Keeps the Learner's metrics of each epoch in memory, instead of a line a batch in files.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::train::Interrupter;
use burn::train::logger::MetricLogger;
use burn::train::metric::store::{
    EpochSummary, MetricsUpdate, NumericMetricUpdate, Split as BurnsSplit,
};
use burn::train::metric::{MetricDefinition, MetricId, NumericEntry};
use serde::{Deserialize, Serialize};

use super::any_float;
use super::divergence::Divergence;
use super::means::{Means, SavedMeans};
use super::record::Metrics;
use super::unit::is_percentage;
use crate::key::{MetricKey, Split};

/// Burn's name of the metric by which divergence is seen.
pub(crate) const LOSS: &str = "Loss";

/// The last values of all numeric metrics, by split and epoch.
///
/// Burn marks most of them as final, but not those that are no means over batches, such as AUROC or
/// the use of memory: whatever comes last in a split is its value.
#[derive(Clone, Default)]
pub(crate) struct MetricsLog(Arc<Mutex<Values>>);

#[derive(Default)]
struct Values {
    definitions: HashMap<MetricId, MetricDefinition>,
    /// The names of metrics that are in percent.
    percentages: HashSet<String>,
    /// The name of a metric that was registered more than once for a split.
    twice: Option<String>,
    epochs: Vec<LoggedEpoch>,
    /// How many batches of the running split were logged.
    batches: usize,
    /// The training metrics of the running epoch, as far as they can be continued.
    means: Means,
    /// Metrics of an epoch that was continued whose values are of its rest alone.
    partial: Vec<String>,
    divergence: Option<Divergence>,
    tolerates_divergence: bool,
    interrupter: Option<Interrupter>,
    on_batch: Option<OnBatch>,
}

/// Told of an epoch whose batch was logged, and given the batch's metrics if it asks.
type OnBatch = Box<dyn FnMut(usize, &mut dyn FnMut() -> Metrics) + Send>;

/// The metrics of an epoch under their own names and in their own units.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct LoggedEpoch {
    #[serde(with = "any_float")]
    pub(super) train: Metrics,
    #[serde(with = "any_float")]
    pub(super) valid: Metrics,
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

impl MetricsLog {
    fn lock(&self) -> MutexGuard<'_, Values> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `interrupter` stop the run as soon as the training loss is not finite.
    pub(crate) fn stop_on_divergence(&self, interrupter: Interrupter) {
        self.lock().interrupter = Some(interrupter);
    }

    /// Has `on_batch` called with the epoch of every training batch, and what gives its metrics, under the
    /// names and in the units of the history.
    pub(crate) fn on_batch(
        &self,
        on_batch: impl FnMut(usize, &mut dyn FnMut() -> Metrics) + Send + 'static,
    ) {
        self.lock().on_batch = Some(Box::new(on_batch));
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
                let is_percentage = log.percentages.contains(&name);
                let scale = if is_percentage { 100.0 } else { 1.0 };
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

    /// Gives the values of the validation in `epoch` other names, so that another one may follow.
    pub(crate) fn rename_validation(&self, epoch: usize, name: impl Fn(&str) -> String) {
        let mut log = self.lock();
        let values = std::mem::take(&mut log.epoch(epoch).valid);
        for (old, value) in values {
            let new = name(&old);
            if log.percentages.contains(&old) {
                log.percentages.insert(new.clone());
            }
            log.epoch(epoch).valid.insert(new, value);
        }
    }

    /// Adds a metric that is registered.
    pub(crate) fn define(&self, definition: MetricDefinition) {
        let definitions = &mut self.lock().definitions;
        definitions.insert(definition.metric_id.clone(), definition);
    }

    /// The names of all metrics that are registered, for whichever split, with those by which Burn
    /// knows each. Whether they are numbers, Burn does not tell of all.
    pub(crate) fn registered(&self) -> BTreeMap<String, BTreeSet<String>> {
        let log = self.lock();
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for definition in log.definitions.values() {
            let burns = names.entry(MetricKey::name_of(&definition.name));
            burns.or_default().insert(definition.name.to_string());
        }
        names
    }

    /// The name of a metric of which one split has two.
    pub(crate) fn twice(&self) -> Option<String> {
        self.lock().twice.clone()
    }

    /// What was logged of `epoch`.
    pub(super) fn logged(&self, epoch: usize) -> LoggedEpoch {
        self.lock().epoch(epoch).clone()
    }

    /// All epochs until `epoch`, to be saved.
    pub(crate) fn until(&self, epoch: usize) -> Vec<LoggedEpoch> {
        let log = self.lock();
        log.epochs[..epoch.min(log.epochs.len())].to_vec()
    }

    /// The training metrics of the running epoch, to be saved within it; none as long as it cannot be told whether
    /// they can be continued.
    ///
    /// # Errors
    /// The name of a metric that cannot be continued.
    pub(crate) fn means(&self) -> Result<Option<SavedMeans>, String> {
        let log = self.lock();
        match log.means.other() {
            Some(name) => Err(name.clone()),
            None if log.means.are_known() => Ok(Some(log.means.saved(log.batches))),
            None => Ok(None),
        }
    }

    /// Goes on within an epoch whose training metrics were these until then.
    pub(crate) fn go_on_within(&self, saved: SavedMeans) {
        let mut log = self.lock();
        log.batches = saved.batches;
        log.means = Means::after(saved);
    }

    /// The names of metrics whose values in an epoch that was continued are of its rest alone.
    pub(crate) fn take_partial(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().partial)
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

    /// Takes in what a metric is at the moment, or at the end of the split.
    fn take(&mut self, update: &NumericMetricUpdate, epoch: usize, split: &BurnsSplit) {
        let id = &update.entry.metric_id;
        let Some(definition) = self.definitions.get(id) else {
            return;
        };
        let name = definition.name.clone();
        let Some(entry) = &update.numeric_entry else {
            if *split == BurnsSplit::Train {
                self.means.add(&name, update);
            }
            return;
        };
        if is_percentage(&definition.attributes, &update.entry.serialized_entry)
            && !self.percentages.contains(&*name)
        {
            self.percentages.insert(name.to_string());
        }
        let is_final = matches!(entry, NumericEntry::Final(_));
        if !is_final && *split == BurnsSplit::Train && *name == LOSS {
            self.watch_loss(entry.current(), epoch);
        }
        let mut value = entry.current();
        if *split == BurnsSplit::Train {
            value = self.continued(&name, value, update);
        }
        if let Some(metrics) = self.epoch(epoch).split(split) {
            match metrics.get_mut(&*name) {
                Some(before) => *before = value,
                None => drop(metrics.insert(name.to_string(), value)),
            }
        }
    }

    /// The value of a training metric in the running epoch, also if that was continued.
    fn continued(&mut self, name: &str, value: f64, update: &NumericMetricUpdate) -> f64 {
        // After the last batch, there is none.
        if update.running_entry.is_some() {
            self.means.add(name, update);
            return value;
        }
        self.means.end(name, value).unwrap_or_else(|| {
            self.partial.push(name.to_owned());
            value
        })
    }

    /// The values of one batch.
    fn of_batch(&self, updates: &[NumericMetricUpdate]) -> Metrics {
        let values = updates.iter().filter_map(|update| {
            let name = &self.definitions.get(&update.entry.metric_id)?.name;
            let is_percentage = self.percentages.contains(&**name);
            let scale = if is_percentage { 100.0 } else { 1.0 };
            let value = update.numeric_entry.as_ref()?.current();
            Some((MetricKey::name_of(name), value / scale))
        });
        values.collect()
    }

    /// Notes a metric that is in `updates` twice.
    fn look_for_twins(&mut self, updates: &[NumericMetricUpdate]) {
        let id = |update: &NumericMetricUpdate| update.entry.metric_id.clone();
        let mut seen = HashSet::new();
        let twin = updates.iter().map(id).find(|id| !seen.insert(id.clone()));
        let definition = twin.and_then(|id| self.definitions.get(&id));
        self.twice = definition.map(|definition| definition.name.to_string());
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
        if log.batches == 1 && log.twice.is_none() {
            log.look_for_twins(&update.entries_numeric);
        }
        for metric in &update.entries_numeric {
            log.take(metric, epoch, split);
        }
        if *split == BurnsSplit::Train
            && let Some(mut on_batch) = log.on_batch.take()
        {
            on_batch(epoch, &mut || log.of_batch(&update.entries_numeric));
            log.on_batch = Some(on_batch);
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
        self.define(definition);
    }

    fn log_epoch_summary(&mut self, _summary: EpochSummary) {
        let mut log = self.lock();
        log.batches = 0;
        log.means.begin();
    }
}
