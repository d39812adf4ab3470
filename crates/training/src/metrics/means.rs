//! The means of an epoch's metrics so far, so that an epoch can be continued.
//!
//! Burn's metrics keep their state to themselves. Most are means of what they give for each batch, weighted
//! by a count: the same sums, in the same order, have the same bits. Whether a metric is such a mean is
//! seen after every batch, by what it says its mean is until then. After a first one, any looks like one.

use std::collections::{BTreeMap, BTreeSet};

use burn::train::metric::NumericEntry;
use burn::train::metric::store::NumericMetricUpdate;
use serde::{Deserialize, Serialize};

use super::any_float;

/// Burn's metrics of which it need not be seen.
const MEANS: [&str; 3] = ["Accuracy", "Learning Rate", "Loss"];

/// What a checkpoint within an epoch holds of the epoch's metrics, by Burn's names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedMeans {
    /// How many batches were logged.
    pub batches: usize,
    means: BTreeMap<String, Mean>,
}

/// A mean, as Burn's `NumericMetricState` has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Mean {
    #[serde(with = "any_float::single")]
    sum: f64,
    count: u64,
}

/// The means of the running epoch.
#[derive(Debug, Default)]
pub(super) struct Means {
    metrics: BTreeMap<String, Metric>,
    /// Those of the epoch until where it is continued.
    before: Option<SavedMeans>,
    /// The metrics that have been means over several batches, in whichever epoch.
    known: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Metric {
    /// Of the batches since the process has begun the epoch or gone on with it, as Burn's metric knows them.
    here: Mean,
    /// How many those are, without the ones that count nothing.
    batches: usize,
    /// Of all batches of the epoch.
    all: Mean,
    /// Whether it has shown to be something else than a mean, or was unknown before.
    is_other: bool,
    /// Whether it was told for good.
    has_ended: bool,
}

impl Mean {
    /// As `NumericMetricState::update`.
    fn add(&mut self, value: f64, count: usize) {
        if count > 0 {
            self.sum += value * count as f64;
            self.count += count as u64;
        }
    }

    fn value(self) -> f64 {
        self.sum / self.count as f64
    }

    fn is(self, value: f64) -> bool {
        let own = self.value();
        own.to_bits() == value.to_bits() || (own.is_nan() && value.is_nan())
    }
}

impl Means {
    /// Those of an epoch that goes on after `before`.
    pub(super) fn after(before: SavedMeans) -> Self {
        Self {
            metrics: BTreeMap::new(),
            known: before.means.keys().cloned().collect(),
            before: Some(before),
        }
    }

    /// Begins an epoch.
    pub(super) fn begin(&mut self) {
        let known = std::mem::take(&mut self.known);
        *self = Self {
            known,
            ..Self::default()
        };
    }

    fn metric(&mut self, name: &str) -> &mut Metric {
        let before = self.before.as_ref();
        self.metrics.entry(name.to_owned()).or_insert_with(|| {
            let saved = before.map(|before| before.means.get(name).copied());
            Metric {
                is_other: saved == Some(None),
                all: saved.flatten().unwrap_or_default(),
                ..Metric::default()
            }
        })
    }

    /// Takes in a batch's value of the metric `name`.
    pub(super) fn add(&mut self, name: &str, update: &NumericMetricUpdate) {
        let metric = self.metric(name);
        metric.is_other |= metric.has_ended;
        let (
            Some(NumericEntry::Aggregated {
                aggregated_value: value,
                count,
            }),
            Some(NumericEntry::Aggregated {
                aggregated_value: mean,
                count: all,
            }),
        ) = (&update.numeric_entry, &update.running_entry)
        else {
            metric.is_other = true;
            return;
        };
        metric.here.add(*value, *count);
        metric.all.add(*value, *count);
        metric.is_other |= !metric.here.is(*mean) || metric.here.count != *all as u64;
        metric.batches += usize::from(*count > 0);
        if metric.batches > 1 && !metric.is_other && !self.known.contains(name) {
            self.known.insert(name.to_owned());
        }
    }

    /// The value of the metric `name` in the whole epoch, of which Burn's metric has `value`; none if that
    /// cannot be known.
    pub(super) fn end(&mut self, name: &str, value: f64) -> Option<f64> {
        let is_continued = self.before.is_some();
        let metric = self.metric(name);
        // A metric that says so after every batch is seen by the second time.
        metric.is_other |= metric.has_ended || !metric.here.is(value);
        metric.has_ended = true;
        if !is_continued {
            return Some(value);
        }
        (!metric.is_other).then(|| metric.all.value())
    }

    /// The name of a metric that could not be continued.
    pub(super) fn other(&self) -> Option<&String> {
        let mut metrics = self.metrics.iter();
        metrics
            .find(|(_, metric)| metric.is_other || metric.has_ended)
            .map(|(name, _)| name)
    }

    /// Whether all metrics are known to be means.
    pub(super) fn are_known(&self) -> bool {
        let is_known = |name: &String| MEANS.contains(&&**name) || self.known.contains(name);
        self.metrics.keys().all(is_known)
    }

    /// What a checkpoint holds of the epoch after `batches`.
    pub(super) fn saved(&self, batches: usize) -> SavedMeans {
        let means = self.metrics.iter();
        let means = means.map(|(name, metric)| (name.clone(), metric.all));
        SavedMeans {
            batches,
            means: means.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::train::metric::{MetricEntry, MetricId, SerializedEntry};
    use std::sync::Arc;

    use super::*;

    fn update(value: NumericEntry, mean: Option<NumericEntry>) -> NumericMetricUpdate {
        let id = MetricId::new(Arc::new("MAE".to_owned()));
        let text = SerializedEntry::new(String::new(), String::new());
        NumericMetricUpdate {
            entry: MetricEntry::new(id, text),
            numeric_entry: Some(value),
            running_entry: mean,
        }
    }

    fn entry((value, count): (f64, usize)) -> NumericEntry {
        NumericEntry::Aggregated {
            aggregated_value: value,
            count,
        }
    }

    /// Burn's own state, which is what metrics have inside.
    fn feed(means: &mut Means, values: &[(f64, usize)]) -> f64 {
        let mut state = burn::train::metric::state::NumericMetricState::new();
        for &(value, count) in values {
            state.update(value, count);
            let mean = Some(state.running_value());
            means.add("MAE", &update(state.current_value(), mean));
        }
        state.final_value().current()
    }

    fn values() -> Vec<(f64, usize)> {
        let value = |i: usize| ((i as f64 * 12.9898).sin() / 3.0, [64, 64, 17, 0][i % 4]);
        (0..40).map(value).collect()
    }

    #[test]
    fn a_mean_that_is_continued_anywhere_has_the_same_bits() {
        let values = values();
        let whole = feed(&mut Means::default(), &values);
        for at in 0..=values.len() {
            let mut first = Means::default();
            feed(&mut first, &values[..at]);
            assert_eq!(first.other(), None);
            let saved = serde_json::to_vec(&first.saved(at)).unwrap();
            let saved: SavedMeans = serde_json::from_slice(&saved).unwrap();
            assert_eq!(saved, first.saved(at));
            let mut rest = Means::after(saved);
            let of_rest = feed(&mut rest, &values[at..]);
            let found = rest.end("MAE", of_rest);
            // Without a batch before there is nothing to go on from.
            let expected = (at > 0).then_some(whole.to_bits());
            assert_eq!(found.map(f64::to_bits), expected, "{at}");
        }
    }

    #[test]
    fn what_is_no_number_is_continued_too() {
        for strange in [f64::NAN, f64::INFINITY, -0.0] {
            let mut first = Means::default();
            feed(&mut first, &[(strange, 3)]);
            let saved = serde_json::to_vec(&first.saved(1)).unwrap();
            let mut rest = Means::after(serde_json::from_slice(&saved).unwrap());
            let value = feed(&mut rest, &[(strange, 3)]);
            let found = rest.end("MAE", value).unwrap();
            let whole = feed(&mut Means::default(), &[(strange, 3); 2]);
            assert!(found.to_bits() == whole.to_bits() || found.is_nan() && whole.is_nan());
        }
    }

    #[test]
    fn what_is_no_mean_is_told() {
        let of = |updates: &[NumericMetricUpdate]| {
            let mut means = Means::default();
            updates.iter().for_each(|update| means.add("MAE", update));
            means.other().is_some()
        };
        let mean = |value, mean| update(entry(value), Some(entry(mean)));
        assert!(!of(&[mean((1.0, 2), (1.0, 2)), mean((4.0, 1), (2.0, 3))]));
        // A ratio of sums, a mean of other counts, and values that are no means of anything.
        assert!(of(&[mean((1.0, 2), (1.0, 2)), mean((4.0, 1), (2.1, 3))]));
        assert!(of(&[mean((1.0, 2), (1.0, 3))]));
        assert!(of(&[update(
            NumericEntry::Value(1.0),
            Some(NumericEntry::Value(1.0))
        )]));
        assert!(of(&[update(entry((1.0, 2)), None)]));
    }

    #[test]
    fn a_metric_is_known_by_its_second_batch_and_in_all_epochs_after() {
        let mut means = Means::default();
        feed(&mut means, &[(1.0, 2), (5.0, 0)]);
        assert!(!means.are_known());
        means.begin();
        feed(&mut means, &[(1.0, 2), (4.0, 1)]);
        assert!(means.are_known());
        means.begin();
        feed(&mut means, &[(1.0, 2)]);
        assert!(means.are_known());
        let mut rest = Means::after(means.saved(1));
        feed(&mut rest, &[(1.0, 2)]);
        assert!(rest.are_known());
    }

    #[test]
    fn a_metric_that_was_unknown_before_has_no_value_of_the_whole_epoch() {
        let mut rest = Means::after(SavedMeans::default());
        let value = feed(&mut rest, &[(1.0, 2)]);
        assert_eq!(rest.end("MAE", value), None);
        assert!(rest.other().is_some());
    }
}
