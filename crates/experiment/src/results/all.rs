//! What an experiment led to.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use burn_lr_training::metrics::{Best, MetricKey, Metrics};
use serde::Serialize;

use super::comparison::{Comparison, holm};
use super::ranking::ranked;
use super::stat::Stat;
use super::summary::Summary;
use super::trial::{At, Trial};
use crate::candidate::Candidate;
use crate::error::ExperimentError;
use crate::objective::Objective;

/// All trials of an experiment, and the figures of each candidate.
#[derive(Debug, Clone)]
pub struct Results {
    directory: PathBuf,
    trials: Vec<Trial>,
    summaries: Vec<Summary>,
    objective: Objective,
    best: Best,
    pub(crate) tested: Option<Tested>,
}

/// What came of evaluating a choice on data that it was not made by.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Tested {
    /// The candidate that was chosen.
    pub candidate: String,
    /// The epoch of each trial that its model is of.
    pub at: At,
    /// The metrics of each seed's model.
    pub per_seed: Vec<(u64, Metrics)>,
}

impl Tested {
    /// The mean and spread of a metric over the seeds.
    pub fn stat(&self, metric: &str) -> Stat {
        let value = |(_, metrics): &(u64, Metrics)| metrics.get(metric).copied();
        Stat::of(self.per_seed.iter().filter_map(value))
    }
}

/// A candidate that was chosen, by its figures or by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// Its place among the candidates.
    pub candidate: usize,
    /// The epoch of each trial that it was chosen by.
    pub at: At,
}

impl Choice {
    /// The candidate at that place, by the figures of those epochs.
    pub fn new(candidate: usize, at: At) -> Self {
        Self { candidate, at }
    }
}

impl Results {
    /// # Errors
    /// [`ExperimentError::AllFailed`] if no trial was completed, [`ExperimentError::MissingMetric`]
    /// if one that was has no metric that the objective or `best` asks for.
    pub(crate) fn new(
        directory: &Path,
        candidates: &[Candidate],
        mut trials: Vec<Trial>,
        objective: &Objective,
        best: &Best,
    ) -> Result<Self, ExperimentError> {
        if trials.iter().all(|trial| trial.history().is_none()) {
            let first = trials.iter().find_map(Trial::error);
            let first = first.unwrap_or("there was none").to_owned();
            return Err(ExperimentError::AllFailed { first });
        }
        for trial in &trials {
            let Some(history) = trial.history() else {
                continue;
            };
            let known = history.keys();
            let mut asked = objective.metrics().chain([&best.metric]);
            if let Some(metric) = asked.find(|metric| !known.contains(metric)) {
                let name = candidates.get(trial.candidate).map(|c| c.name.clone());
                return Err(ExperimentError::MissingMetric {
                    candidate: name.unwrap_or_default(),
                    metric: metric.to_string(),
                    known: known.iter().map(MetricKey::to_string).collect(),
                });
            }
        }
        trials.sort_by_key(|trial| trial.candidate);
        let summaries = candidates.iter().enumerate().map(|(number, candidate)| {
            let of = |trial: &&Trial| trial.candidate == number;
            let trials: Vec<&Trial> = trials.iter().filter(of).collect();
            Summary::new(candidate, &trials, objective, best)
        });
        Ok(Self {
            directory: directory.to_owned(),
            summaries: summaries.collect(),
            trials,
            objective: objective.clone(),
            best: best.clone(),
            tested: None,
        })
    }

    /// What the candidates are judged by.
    pub fn objective(&self) -> &Objective {
        &self.objective
    }

    /// What makes an epoch the best one.
    pub fn best(&self) -> &Best {
        &self.best
    }

    /// The experiment's directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// All trials, candidate by candidate.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// The figures of each candidate, in the candidates' order.
    pub fn summaries(&self) -> &[Summary] {
        &self.summaries
    }

    /// What came of [`Experiment::test`](crate::Experiment::test), if that was called.
    pub fn tested(&self) -> Option<&Tested> {
        self.tested.as_ref()
    }

    /// The metrics that any candidate has after the last epoch, those of one name together.
    pub fn metrics(&self) -> Vec<MetricKey> {
        let keys = self
            .summaries
            .iter()
            .flat_map(|summary| summary.last.metrics.keys());
        let mut keys: Vec<MetricKey> = keys.cloned().collect();
        keys.sort_by(|a, b| {
            a.name()
                .cmp(b.name())
                .then_with(|| a.split().cmp(&b.split()))
        });
        keys.dedup();
        keys
    }

    /// The parameter groups that have learning rates of their own under any candidate.
    pub fn groups(&self) -> Vec<String> {
        let all = self.summaries.iter();
        let groups: BTreeSet<&String> = all.flat_map(|s| s.final_group_lrs.keys()).collect();
        groups.into_iter().cloned().collect()
    }

    /// Every candidate but the first, compared with the first; p-values are adjusted for the number
    /// of candidates.
    pub fn comparisons(&self, metric: &MetricKey, at: At) -> Vec<Comparison> {
        let trials = |number: usize| {
            let of = |trial: &&Trial| trial.candidate == number;
            self.trials.iter().filter(of).collect::<Vec<_>>()
        };
        let name = |number: usize| self.summaries[number].candidate.name.as_str();
        let mut comparisons: Vec<Comparison> = (1..self.summaries.len())
            .map(|number| {
                let baseline = (name(0), &*trials(0));
                let candidate = (name(number), &*trials(number));
                Comparison::new(candidate, baseline, metric, at, &self.best)
            })
            .collect();
        holm(&mut comparisons);
        comparisons
    }

    /// The candidate that is the best by the objective: the first one of [`ranked`](Self::ranked).
    ///
    /// Its figures are flattered by having been chosen by: validate on data held out from training,
    /// and [test](crate::Experiment::test) the choice.
    pub fn choose(&self, at: At) -> Choice {
        let candidate = self.ranked(at).first().copied().unwrap_or(0);
        Choice::new(candidate, at)
    }

    /// The places of the candidates, the best one by the objective first; of equals, the earlier one.
    ///
    /// Candidates with failed trials come after all others, and before them those that miss a bound under
    /// some seed. Then counts by how much the bounds are [missed](Objective::distance) in the mean over
    /// the seeds, then the mean of the objective's metric; what is NaN or infinite comes after everything
    /// else.
    pub fn ranked(&self, at: At) -> Vec<usize> {
        ranked(&self.summaries, &self.objective, at)
    }
}
