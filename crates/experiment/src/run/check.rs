//! What is refused before anything is trained.

use std::collections::BTreeMap;
use std::num::NonZero;

use burn::train::LearnerModel;
use burn_lr_training::Training;
use burn_lr_training::device::is_cpu;
use burn_lr_training::storage::create_directory;

use super::experiment::Experiment;
use super::prepare::prepared;
use super::settings_file;
use crate::candidate::Candidate;
use crate::candidate::Setup;
use crate::error::{BaseError, ExperimentError};
use crate::objective::Objective;

impl<F, M> Experiment<F>
where
    M: LearnerModel,
    F: Fn(&Setup) -> Result<(Training<M>, M), BaseError> + Sync,
{
    /// Refuses what cannot be trained, and gives how many trials may run at a time.
    ///
    /// The base is made for one trial of each candidate, or of the first one alone: it may take long,
    /// and every trial is looked at again when its turn comes.
    pub(crate) fn check(
        &self,
        candidates: &[Candidate],
        plan: &[(usize, u64)],
        checked: Checked,
    ) -> Result<usize, ExperimentError> {
        if plan.is_empty() {
            return Err(ExperimentError::Invalid {
                name: "candidates and seeds",
                expected: "at least one of each",
                found: format!("{} and {}", candidates.len(), self.seeds.len()),
            });
        }
        if self.jobs == Some(0) {
            return Err(ExperimentError::Invalid {
                name: "jobs",
                expected: "at least 1",
                found: "0".to_owned(),
            });
        }
        check_names(candidates)?;
        check_bounds(&self.objective)?;
        for candidate in candidates {
            settings_file::check(candidate, &self.candidate_directory(candidate))?;
        }
        let (mut on_cpu, mut random) = (true, false);
        // Of each, a trial that was begun, if any was: it may have been another candidate's.
        let mut trials: BTreeMap<usize, (u64, bool)> = BTreeMap::new();
        for &(number, seed) in plan {
            let begun = self.trial_directory(&candidates[number], seed).exists();
            let trial = trials.entry(number).or_insert((seed, begun));
            if begun && !trial.1 {
                *trial = (seed, begun);
            }
        }
        let most = match checked {
            Checked::All => trials.len(),
            Checked::First => 1,
        };
        for (number, (seed, _)) in trials.into_iter().take(most) {
            let candidate = &candidates[number];
            let directory = self.trial_directory(candidate, seed);
            let (training, model) =
                prepared(&self.base, &directory, seed, candidate, self.best_epoch())?;
            let refused = |source| ExperimentError::Candidate {
                name: candidate.name.clone(),
                source,
            };
            training.can_resume(&model).map_err(refused)?;
            on_cpu &= model
                .devices()
                .into_iter()
                .all(|device| is_cpu(&device.inner()));
            random |= training.is_random(&model);
        }
        create_directory(&self.directory)?;
        Ok(match self.jobs {
            _ if random => 1,
            Some(jobs) => jobs,
            None if on_cpu => cores(),
            None => 1,
        })
    }
}

/// Of which candidates the base is made before anything is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    /// Of all.
    All,
    /// Of the first one alone: the others may be many.
    First,
}

/// How many threads the machine runs at a time.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Names become directories, and stand in tables.
fn check_names(candidates: &[Candidate]) -> Result<(), ExperimentError> {
    let mut directories: Vec<(String, &str)> = candidates
        .iter()
        .map(|candidate| (candidate.directory(), candidate.name.as_str()))
        .collect();
    directories.sort();
    let unfit = |(directory, name): &&(String, &str)| {
        !(1..=100).contains(&directory.len()) || name.contains(char::is_control)
    };
    if let Some((_, name)) = directories.iter().find(unfit) {
        return Err(ExperimentError::Invalid {
            name: "candidate's name",
            expected: "a line with a letter or digit, of up to 100 bytes",
            found: format!("{name:?}"),
        });
    }
    if let Some(twins) = directories.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(ExperimentError::Invalid {
            name: "candidates' names",
            expected: "names that differ in letters or digits",
            found: format!("{:?} and {:?}", twins[0].1, twins[1].1),
        });
    }
    Ok(())
}

fn check_bounds(objective: &Objective) -> Result<(), ExperimentError> {
    let infinite = objective
        .bounds()
        .iter()
        .find(|bound| !bound.value.is_finite());
    match infinite {
        None => Ok(()),
        Some(bound) => Err(ExperimentError::Invalid {
            name: "objective's bound",
            expected: "a finite number",
            found: format!("{} for {}", bound.value, bound.metric),
        }),
    }
}
