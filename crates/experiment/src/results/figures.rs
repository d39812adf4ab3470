//! The metrics of a candidate over its seeds.

use std::collections::{BTreeMap, BTreeSet};

use burn_lr_training::metrics::{EpochRecord, MetricKey, train, valid};
use serde::Serialize;

use super::stat::Stat;
use crate::objective::Objective;

/// The figures of a candidate at one epoch of each trial, over the seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Figures {
    /// Every metric that a trial has. Training metrics are means over the epoch while it was trained.
    pub metrics: BTreeMap<MetricKey, Stat>,
    /// The validation metric minus the training metric, by the name without the split, of those that
    /// both have.
    pub gaps: BTreeMap<String, Stat>,
    /// How far each seed is from keeping the objective's bounds: 0 if it does, or is at the very value of
    /// a strict one.
    pub distance: Stat,
    /// Whether the objective's bounds are kept; none if it has no bounds.
    pub verdict: Option<Verdict>,
}

/// Whether a candidate keeps the objective's bounds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Verdict {
    /// Whether it does under each seed whose trial was completed.
    pub per_seed: Vec<(u64, bool)>,
    /// Whether it does under all of them, none having failed.
    pub every_seed: bool,
    /// Whether the means over the seeds do.
    pub mean: bool,
}

impl Figures {
    /// The figures of an epoch under each seed; `failed` if a seed has none because its trial failed.
    pub(crate) fn new(epochs: &[(u64, &EpochRecord)], failed: bool, objective: &Objective) -> Self {
        let keys: BTreeSet<MetricKey> = epochs.iter().flat_map(|(_, epoch)| epoch.keys()).collect();
        let over = |value: &dyn Fn(&EpochRecord) -> Option<f64>| {
            Stat::of(epochs.iter().filter_map(|(_, epoch)| value(epoch)))
        };
        let metrics: BTreeMap<MetricKey, Stat> = keys
            .iter()
            .map(|key| (key.clone(), over(&|epoch| epoch.get(key))))
            .collect();
        let names: BTreeSet<&str> = keys.iter().map(MetricKey::name).collect();
        let gap = |name: &str| {
            let (train, valid) = (train(name), valid(name));
            let gap = over(&|epoch| Some(epoch.get(&valid)? - epoch.get(&train)?));
            (gap.n > 0).then(|| (name.to_owned(), gap))
        };
        let verdict = || {
            let met = |&(seed, epoch): &(u64, &EpochRecord)| (seed, objective.is_met_by(epoch));
            let per_seed: Vec<(u64, bool)> = epochs.iter().map(met).collect();
            let every = !per_seed.is_empty() && per_seed.iter().all(|&(_, met)| met);
            Verdict {
                every_seed: every && !failed,
                mean: objective.is_met(|key| Some(metrics.get(key)?.mean)),
                per_seed,
            }
        };
        Self {
            gaps: names.into_iter().filter_map(gap).collect(),
            distance: over(&|epoch| Some(objective.distance(epoch))),
            verdict: objective.is_bounded().then(verdict),
            metrics,
        }
    }

    /// A metric over the seeds; without a mean if no trial has it.
    pub fn stat(&self, metric: &MetricKey) -> Stat {
        let stat = self.metrics.get(metric).copied();
        stat.unwrap_or_else(|| Stat::of([]))
    }

    /// The gap of a metric's splits over the seeds; without a mean if they do not both have it.
    pub fn gap(&self, name: &str) -> Stat {
        let stat = self.gaps.get(name).copied();
        stat.unwrap_or_else(|| Stat::of([]))
    }

    /// Whether the bounds are kept under every seed; so they are without bounds.
    pub fn is_met(&self) -> bool {
        self.verdict
            .as_ref()
            .is_none_or(|verdict| verdict.every_seed)
    }
}
