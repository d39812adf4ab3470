//! The metrics that a run will have, as far as that is known before its first update.

use std::collections::{BTreeMap, BTreeSet};

use super::averages::PREFIX;
use crate::TrainingError;
use crate::metrics::{MetricKey, Split};

/// The names that metrics will have.
pub(super) struct Known {
    /// Of the metrics that are registered, for whichever split, with those by which Burn knows them.
    pub registered: BTreeMap<String, BTreeSet<String>>,
    /// Of the metrics of the gradients and the optimizer, which are of the training split.
    pub gradients: Vec<String>,
    /// Whether the validation split has all of them of the average too.
    pub averaged: bool,
}

impl Known {
    /// # Errors
    /// [`TrainingError::MetricTwice`] if two metrics would have the same name.
    pub(super) fn check_names(&self) -> Result<(), TrainingError> {
        for (metric, burns) in &self.registered {
            let mut names: Vec<String> = burns.iter().cloned().collect();
            if self.gradients.contains(metric) {
                names.push(format!("{metric} of this run"));
            }
            if self.averages().any(|average| average == *metric) {
                names.push(format!("{metric} of the average"));
            }
            if names.len() > 1 {
                let metric = metric.clone();
                return Err(TrainingError::MetricTwice { metric, names });
            }
        }
        Ok(())
    }

    /// # Errors
    /// [`TrainingError::UnknownMetric`] for the first of `metrics`, which `user` asks for, that there
    /// will not be.
    pub(super) fn check<'a>(
        &self,
        user: &'static str,
        metrics: impl IntoIterator<Item = &'a MetricKey>,
    ) -> Result<(), TrainingError> {
        let is_known = |key: &MetricKey| {
            let of_gradients =
                key.split() == Split::Train && self.gradients.iter().any(|name| name == key.name());
            let of_average =
                key.split() == Split::Valid && self.averages().any(|n| n == key.name());
            of_gradients || of_average || self.registered.contains_key(key.name())
        };
        let Some(unknown) = metrics.into_iter().find(|key| !is_known(key)) else {
            return Ok(());
        };
        let registered = self.registered.keys();
        let mut train: Vec<&String> = registered.clone().chain(&self.gradients).collect();
        train.sort();
        let key = |split| move |name: &String| MetricKey::new(split, name).to_string();
        let known = train.into_iter().map(key(Split::Train));
        let averages: Vec<String> = self.averages().collect();
        let valid = registered.chain(&averages).map(key(Split::Valid));
        Err(TrainingError::UnknownMetric {
            user,
            metric: unknown.to_string(),
            known: known.chain(valid).collect(),
        })
    }

    /// The names of the average's metrics.
    fn averages(&self) -> impl Iterator<Item = String> {
        let names = self.registered.keys().filter(|_| self.averaged);
        names.map(|name| format!("{PREFIX}{name}"))
    }
}
