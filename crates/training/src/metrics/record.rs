//! What an epoch led to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::any_float;
use crate::key::{MetricKey, Split};
use crate::loader::Past;

/// The metrics of one split by their [names](MetricKey).
pub type Metrics = BTreeMap<String, f64>;

/// A cut of the learning rate, or a rise, and why it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LrCut {
    /// The parameter group whose rate was cut; none for that of all other parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What was cut, or raised, if it was no learning rate: the name of a
    /// [hyperparameter](crate::optim::Hyperparameter).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hyperparameter: Option<String>,
    /// The rate before.
    pub from: f64,
    /// The rate after, at the same point of the base schedule.
    pub to: f64,
    /// The metric that was observed.
    #[serde(with = "any_float::single")]
    pub metric: f64,
    /// The best metric until then; infinite if there was none.
    #[serde(with = "any_float::single")]
    pub best: f64,
    /// How many epochs in a row were bad, the last one included; 0 for a rise because the metric improved.
    pub bad_epochs: u64,
}

impl LrCut {
    /// A cut from one rate to another because of `metric`, after `bad_epochs` that were not better
    /// than `best`.
    pub fn new(from: f64, to: f64, metric: f64, best: f64, bad_epochs: u64) -> Self {
        Self {
            group: None,
            hyperparameter: None,
            from,
            to,
            metric,
            best,
            bad_epochs,
        }
    }

    /// Whether it went up.
    pub fn is_rise(&self) -> bool {
        self.to > self.from
    }
}

/// Where in the training data a period of a run ends that is
/// [measured in updates](crate::Training::every).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DataPosition {
    /// Epochs of the data that are over.
    pub epochs: u64,
    /// Batches of the one after those.
    pub batches: u64,
    /// Samples of all epochs, as the loader's progress counts them.
    pub samples: u64,
    /// Epochs of the data, the running one by the share of its batches; none if it is not known how
    /// many those are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<f64>,
}

impl DataPosition {
    pub(crate) fn new(past: Past, samples: u64, batches_per_epoch: Option<u64>) -> Self {
        let Past {
            mut epochs,
            mut batches,
        } = past;
        if batches_per_epoch == Some(batches) {
            (epochs, batches) = (epochs + 1, 0);
        }
        let share = batches_per_epoch.map(|all| batches as f64 / all.max(1) as f64);
        Self {
            epochs,
            batches,
            samples,
            epoch: share.map(|share| epochs as f64 + share),
        }
    }

    pub(crate) fn past(&self) -> Past {
        Past {
            epochs: self.epochs,
            batches: self.batches,
        }
    }
}

/// One epoch of a run, or one period of a run that is [measured in updates](crate::Training::every).
///
/// A metric is a mean over the epoch's batches as Burn's metric weighs them, most of them by their samples.
/// Burn's `LossMetric` goes by how many losses the model's output has: a scalar, the mean over the
/// batch as most losses are, weighs 1, so that a shorter last batch counts as much as a whole one, and the
/// loss differs from what [`evaluate`](crate::evaluate::evaluate) gives. A loss per sample in the
/// output, as `loss.detach().expand([samples])`, weighs samples alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EpochRecord {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The optimizer updates that were made until its end, in all epochs.
    #[serde(default)]
    pub updates: u64,
    /// Where in the data it ends, of a run that is measured in updates, or that has branched off one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataPosition>,
    /// Metrics on the training data, each batch's taken when it was trained on.
    #[serde(with = "any_float")]
    pub train: Metrics,
    /// Metrics on the validation data, taken after the epoch's last update.
    #[serde(with = "any_float")]
    pub valid: Metrics,
    /// The learning rate of the epoch's last update.
    pub lr: f64,
    /// The learning rate of the next epoch's first update.
    pub next_lr: f64,
    /// The learning rates of the epoch's last update by parameter group, of the groups that have
    /// one of their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub group_lrs: BTreeMap<String, f64>,
    /// What schedules set beside the rate in the epoch's last update: `momentum`, `beta_2` and `weight_decay`, those
    /// of parameter groups with `_` and the group's name behind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hyperparameters: BTreeMap<String, f64>,
    /// Cuts of the learning rates that the epoch's metrics led to, and of what else plateaus set.
    pub cuts: Vec<LrCut>,
    /// Seconds that the epoch took, validation included.
    pub seconds: f64,
}

impl EpochRecord {
    /// A record of `epoch` without metrics.
    pub fn new(epoch: usize) -> Self {
        Self {
            epoch,
            updates: 0,
            data: None,
            train: Metrics::new(),
            valid: Metrics::new(),
            lr: 0.0,
            next_lr: 0.0,
            group_lrs: BTreeMap::new(),
            hyperparameters: BTreeMap::new(),
            cuts: Vec::new(),
            seconds: 0.0,
        }
    }

    /// The value of a metric, if the epoch has one.
    pub fn get(&self, key: &MetricKey) -> Option<f64> {
        self.split(key.split()).get(key.name()).copied()
    }

    /// A metric of the training split; NaN if there is none of that name.
    pub fn train(&self, name: &str) -> f64 {
        self.train.get(name).copied().unwrap_or(f64::NAN)
    }

    /// A metric of the validation split; NaN if there is none of that name.
    pub fn valid(&self, name: &str) -> f64 {
        self.valid.get(name).copied().unwrap_or(f64::NAN)
    }

    /// The metrics of a split.
    pub fn split(&self, split: Split) -> &Metrics {
        match split {
            Split::Train => &self.train,
            Split::Valid => &self.valid,
        }
    }

    /// The metrics that the epoch has.
    pub fn keys(&self) -> Vec<MetricKey> {
        let of = |split| {
            let names = self.split(split).keys();
            names.map(move |name| MetricKey::new(split, name))
        };
        of(Split::Train).chain(of(Split::Valid)).collect()
    }
}
