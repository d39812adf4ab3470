//! What a tracker is told.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::metrics::{History, Metrics, any_float};

/// A run that begins, or goes on after what `history` holds.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct RunStart<'a> {
    /// The run's directory.
    pub directory: &'a Path,
    /// What the run is configured with: what `burn-lr.json` in the directory holds.
    pub config: &'a Value,
    /// The epochs until here, of which none is told again. Whatever a tracker has of later ones is of a
    /// run that was given up.
    pub history: &'a History,
    /// The updates that were made until here: more than those epochs had, of a run that goes on within the next
    /// one.
    pub updates_before: u64,
    /// The last epoch, or period of a run that is [measured in updates](crate::Training::every), unless
    /// the run ends earlier.
    pub epochs: usize,
    /// The updates of the whole run, where it is known how many an epoch has.
    pub updates: Option<u64>,
}

impl<'a> RunStart<'a> {
    /// A run without an epoch yet, of which so many are planned.
    pub fn new(
        directory: &'a Path,
        config: &'a Value,
        history: &'a History,
        epochs: usize,
    ) -> Self {
        Self {
            directory,
            config,
            history,
            updates_before: history.epochs.last().map_or(0, |last| last.updates),
            epochs,
            updates: None,
        }
    }
}

/// One optimizer update, and what the batch led to that came last in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UpdateRecord {
    /// The update, from 1, counted over all epochs.
    pub update: u64,
    /// The running epoch or period, from 1.
    pub epoch: usize,
    /// Metrics on that batch by their [names](crate::metrics::MetricKey): of those that Burn takes batch
    /// by batch the batch's own, of others what they have come to in the epoch.
    #[serde(with = "any_float")]
    pub metrics: Metrics,
    /// The learning rate.
    pub lr: f64,
    /// The learning rates of the parameter groups that have one of their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub group_lrs: BTreeMap<String, f64>,
    /// What schedules set beside the rate, by the names that
    /// [`EpochRecord::hyperparameters`](crate::metrics::EpochRecord::hyperparameters) has.
    pub hyperparameters: BTreeMap<String, f64>,
    /// The L2 norm of all gradients, before anything is clipped.
    #[serde(with = "any_float::single")]
    pub gradient_norm: f64,
    /// Training samples per second since the record before; none for the first of an epoch, since
    /// which there was a validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples_per_second: Option<f64>,
}

impl UpdateRecord {
    /// A record of that update, without metrics.
    pub fn new(update: u64, epoch: usize) -> Self {
        Self {
            update,
            epoch,
            metrics: Metrics::new(),
            lr: 0.0,
            group_lrs: BTreeMap::new(),
            hyperparameters: BTreeMap::new(),
            gradient_norm: f64::NAN,
            samples_per_second: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_whatever_the_numbers_are() {
        let mut record = UpdateRecord::new(50, 1);
        record.gradient_norm = f64::INFINITY;
        record.metrics.insert("loss".to_owned(), f64::NEG_INFINITY);
        record.samples_per_second = Some(1e3);
        let json = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<UpdateRecord>(&json).unwrap(), record);
    }
}
