//! What the trials of a candidate have in common.

use std::collections::BTreeMap;

use burn_lr_training::metrics::{Best, EpochRecord};
use serde::Serialize;

use super::figures::Figures;
use super::stat::Stat;
use super::trial::{At, Trial};
use crate::candidate::Candidate;
use crate::objective::Objective;

/// What the trials of a candidate led to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// The candidate.
    pub candidate: Candidate,
    /// The seeds whose trials were completed.
    pub seeds: Vec<u64>,
    /// The seeds whose trials failed, with the errors.
    pub failed: Vec<(u64, String)>,
    /// The figures of the last epoch.
    pub last: Figures,
    /// The figures of the best epoch.
    pub best: Figures,
    /// The best epoch.
    pub best_epoch: Stat,
    /// How many epochs a trial had.
    pub epochs: Stat,
    /// The epochs in which every seed's trial kept the objective's bounds; none without bounds.
    pub epochs_met: Vec<usize>,
    /// The learning rate of the last update.
    pub final_lr: Stat,
    /// The learning rates of the last update by parameter group, of the groups that have one of their
    /// own.
    pub final_group_lrs: BTreeMap<String, Stat>,
    /// How often a plateau cut a learning rate.
    pub cuts: Stat,
    /// Seconds that the epochs of a trial took, beside whatever else was running.
    pub seconds: Stat,
}

impl Summary {
    /// The figures of the last or the best epoch.
    pub fn at(&self, at: At) -> &Figures {
        match at {
            At::Last => &self.last,
            At::Best => &self.best,
        }
    }

    /// The learning rate of the last update of a parameter group; without a mean if it has none of its
    /// own.
    pub fn group_lr(&self, group: &str) -> Stat {
        let stat = self.final_group_lrs.get(group).copied();
        stat.unwrap_or_else(|| Stat::of([]))
    }

    pub(crate) fn new(
        candidate: &Candidate,
        trials: &[&Trial],
        objective: &Objective,
        best: &Best,
    ) -> Self {
        let finished: Vec<&Trial> = trials
            .iter()
            .copied()
            .filter(|t| t.last().is_some())
            .collect();
        let all_finished = finished.len() == trials.len();
        let epochs = |at| -> Vec<(u64, &EpochRecord)> {
            let mut epochs = Vec::new();
            for &trial in &finished {
                epochs.extend(trial.epoch(at, best).map(|epoch| (trial.seed, epoch)));
            }
            epochs
        };
        let over = |value: fn(&Trial) -> f64| Stat::of(finished.iter().map(|trial| value(trial)));
        let best_epochs = epochs(At::Best);
        // A seed whose trial failed, or has no best epoch, did not keep the bounds.
        let has_all = |epochs: &[_]| epochs.len() == trials.len();
        Self {
            candidate: candidate.clone(),
            seeds: finished.iter().map(|trial| trial.seed).collect(),
            failed: trials
                .iter()
                .filter_map(|trial| Some((trial.seed, trial.error()?.to_owned())))
                .collect(),
            last: Figures::new(&epochs(At::Last), !all_finished, objective),
            best: Figures::new(&best_epochs, !has_all(&best_epochs), objective),
            best_epoch: Stat::of(best_epochs.iter().map(|(_, epoch)| epoch.epoch as f64)),
            epochs: over(|trial| trial.history().map_or(0.0, |h| h.epochs.len() as f64)),
            epochs_met: if all_finished && objective.is_bounded() {
                epochs_met(&finished, objective)
            } else {
                Vec::new()
            },
            final_lr: over(|trial| trial.last().map_or(f64::NAN, |epoch| epoch.lr)),
            final_group_lrs: group_lrs(&epochs(At::Last)),
            cuts: over(|trial| {
                let epochs = trial.history().map_or(&[][..], |history| &history.epochs);
                epochs.iter().map(|epoch| epoch.cuts.len() as f64).sum()
            }),
            seconds: over(Trial::seconds),
        }
    }
}

/// The learning rates by parameter group over the seeds.
fn group_lrs(epochs: &[(u64, &EpochRecord)]) -> BTreeMap<String, Stat> {
    let rates = epochs.iter().flat_map(|(_, epoch)| &epoch.group_lrs);
    let mut groups: BTreeMap<&String, Vec<f64>> = BTreeMap::new();
    for (group, &lr) in rates {
        groups.entry(group).or_default().push(lr);
    }
    let stat = |(group, lrs): (&String, Vec<f64>)| (group.clone(), Stat::of(lrs));
    groups.into_iter().map(stat).collect()
}

/// The epochs that all trials have and in which all keep the bounds.
fn epochs_met(trials: &[&Trial], objective: &Objective) -> Vec<usize> {
    let histories: Vec<&[EpochRecord]> = trials
        .iter()
        .filter_map(|trial| Some(&*trial.history()?.epochs))
        .collect();
    let shortest = histories.iter().map(|epochs| epochs.len()).min();
    (0..shortest.unwrap_or(0))
        .filter(|&index| {
            histories
                .iter()
                .all(|epochs| objective.is_met_by(&epochs[index]))
        })
        .map(|index| index + 1)
        .collect()
}
