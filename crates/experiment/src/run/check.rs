//! What is refused before anything is trained.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;

use burn::train::{Interrupter, LearnerModel};
use burn_lr_training::device::is_cpu;
use burn_lr_training::storage::create_directory;
use burn_lr_training::{Training, TrainingError};

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
    /// The base is made for one trial of each candidate, or until one can be made: it may take long, and
    /// every trial is looked at again when its turn comes.
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
        check_candidates(candidates)?;
        check_bounds(&self.objective)?;
        for candidate in planned(candidates, plan) {
            settings_file::check(candidate, &self.candidate_directory(candidate))?;
        }
        if let Checked::Before(jobs) = checked {
            return Ok(jobs);
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
        let (mut sound, mut refusal) = (false, None);
        for (number, (seed, _)) in trials {
            let (training, model) = match self.sound(&candidates[number], seed) {
                Ok(made) => made,
                Err(error) if checked == Checked::First && is_of_one_trial(&error) => {
                    refusal = refusal.or(Some(error));
                    continue;
                }
                Err(error) => return Err(error),
            };
            sound = true;
            on_cpu &= model
                .devices()
                .into_iter()
                .all(|device| is_cpu(&device.inner()));
            random |= training.is_random(&model);
            if checked == Checked::First {
                break;
            }
        }
        if let Some(error) = refusal.filter(|_| !sound) {
            return Err(error);
        }
        create_directory(&self.directory)?;
        Ok(match self.jobs {
            _ if random => 1,
            Some(jobs) => jobs,
            None if on_cpu => cores(),
            None => 1,
        })
    }

    /// What the base makes for a trial, if that can be trained, or go on.
    fn sound(&self, candidate: &Candidate, seed: u64) -> Result<(Training<M>, M), ExperimentError> {
        let directory = self.trial_directory(candidate, seed);
        let (training, model) = prepared(
            &self.base,
            &directory,
            seed,
            candidate,
            self.best_epoch(),
            false,
        )?;
        // Every trial has one of its own, whatever the base's was stopped by.
        let training = training.interrupter(Interrupter::new());
        training
            .can_resume(&model)
            .map_err(|source| ExperimentError::Candidate {
                name: candidate.name.clone(),
                source,
            })?;
        Ok((training, model))
    }
}

/// Of which candidates the base is made before anything is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    /// Of all.
    All,
    /// Of the first one alone that can be made: the others may be many. Those that cannot are trials that
    /// fail.
    First,
    /// Of none: of others of theirs that was done before, and so many of them ran at a time.
    Before(usize),
}

/// The candidates that the plan has trials of.
pub(super) fn planned<'a>(
    candidates: &'a [Candidate],
    plan: &[(usize, u64)],
) -> impl Iterator<Item = &'a Candidate> {
    let numbers: BTreeSet<usize> = plan.iter().map(|&(number, _)| number).collect();
    numbers.into_iter().map(|number| &candidates[number])
}

/// Whether other trials may be sound all the same. A directory that holds something else, or is damaged,
/// stops them all: it is not for a new result to tell.
fn is_of_one_trial(error: &ExperimentError) -> bool {
    match error {
        ExperimentError::Base { .. } | ExperimentError::UnreadSetting { .. } => true,
        ExperimentError::Candidate { source, .. } => !stops_all(source),
        _ => false,
    }
}

/// Whether a trial that fails so stops all others too.
pub(super) fn stops_all(error: &TrainingError) -> bool {
    matches!(
        error,
        TrainingError::ConfigChanged { .. } | TrainingError::Damaged(_)
    )
}

/// How many threads the machine runs at a time.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Refuses what is wrong with the candidates whatever their base is.
pub(crate) fn check_candidates(candidates: &[Candidate]) -> Result<(), ExperimentError> {
    check_names(candidates)?;
    check_branches(candidates)?;
    for candidate in candidates {
        candidate
            .check()
            .map_err(|source| ExperimentError::Candidate {
                name: candidate.name.clone(),
                source,
            })?;
    }
    Ok(())
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

/// What branches off comes after what it branches off, so that there is no circle.
fn check_branches(candidates: &[Candidate]) -> Result<(), ExperimentError> {
    for (number, candidate) in candidates.iter().enumerate() {
        let Some(trunk) = &candidate.branch else {
            continue;
        };
        let earlier = &candidates[..number];
        if !earlier.iter().any(|earlier| earlier.name == trunk.of) {
            let names: Vec<&str> = earlier.iter().map(|earlier| &*earlier.name).collect();
            return Err(ExperimentError::Invalid {
                name: "candidate's branch",
                expected: "the name of a candidate before it",
                found: format!("{:?} of {:?}, after {names:?}", trunk.of, candidate.name),
            });
        }
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
