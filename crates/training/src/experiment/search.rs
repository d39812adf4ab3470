//! Looks for a candidate that meets the target.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use burn::train::LearnerModel;
use serde::Serialize;

use super::candidate::Candidate;
use super::error::{BaseError, ExperimentError};
use super::results::Results;
use super::runner::Experiment;
use super::space::Draw;
use super::summary::At;
use super::trial::Trial;
use crate::TrainingError;
use crate::files::write_atomically;
use crate::history::EpochRecord;
use crate::training::Training;

/// A rung keeps one candidate in so many, and trains it under so many times the seeds.
const ETA: usize = 3;
/// How many rungs there are: candidates end with up to 9 seeds.
const RUNGS: u32 = 3;
/// The seeds of the search; those of the confirmation come after them.
const SEARCH_SEEDS: u64 = (ETA as u64).pow(RUNGS - 1);
/// After so many draws that were there already, the space is taken to be exhausted.
const REPETITIONS: usize = 1000;

/// How much a search may cost, the confirmation not counted.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Budget {
    /// So many trials. What is found depends on the seed alone.
    Trials(usize),
    /// About so long: the first trials tell how many will fit. What is found depends on the machine
    /// too.
    Time(Duration),
}

/// A search for a schedule and a number of epochs that meet an experiment's target.
///
/// It is successive halving (Jamieson and Talwalkar 2016, arXiv:1502.07943) whose resource is the
/// number of seeds: many candidates are trained under one seed, the best third under three, the best
/// ninth under nine. Epochs are no resource here, because a schedule over fewer epochs is another
/// schedule. The winner is then trained under fresh seeds, whose results played no part in choosing
/// it; report those.
///
/// Candidates are ranked by their distance from the target after the last epoch, in the mean over
/// seeds, and those that meet it under every seed by validation accuracy.
pub struct Search<F, S> {
    experiment: Experiment<F>,
    space: S,
    seed: u64,
    budget: Budget,
    confirmations: usize,
}

/// What a search has found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The best candidate.
    pub candidate: Candidate,
    /// The candidates of the last rung under the seeds of the search, the best one first.
    pub finalists: Results,
    /// The best candidate under fresh seeds, and after it those of the experiment.
    pub confirmation: Results,
    /// Every trial of the search with its candidate, without the confirmation.
    pub trials: Vec<(Candidate, Trial)>,
}

/// What `search.json` holds of a trial.
#[derive(Serialize)]
struct Record<'a> {
    candidate: &'a Candidate,
    seed: u64,
    last: Option<&'a EpochRecord>,
    error: Option<&'a str>,
}

impl Found {
    /// Writes the confirmation's `results.csv` and `results.json`, and `search.json`: what was found,
    /// and the last epoch of every trial of the search.
    ///
    /// # Errors
    /// [`TrainingError::File`] naming the file.
    pub fn write(&self) -> Result<(), TrainingError> {
        self.confirmation.write()?;
        let trials = self.trials.iter().map(|(candidate, trial)| Record {
            candidate,
            seed: trial.seed,
            last: trial.last(),
            error: trial.error(),
        });
        let document = serde_json::json!({
            "found": self.candidate,
            "trials": trials.collect::<Vec<_>>(),
        });
        let path = self.confirmation.directory().join("search.json");
        write_atomically(&path, format!("{document:#}\n").as_bytes())
    }
}

impl<F, S, M> Search<F, S>
where
    M: LearnerModel,
    F: Fn(&Path, u64) -> Result<(Training<M>, M), BaseError> + Sync,
    S: Fn(&mut Draw) -> Candidate,
{
    /// A search over what `space` draws, on the base and for the target of `experiment`. Its own
    /// candidates are trained beside the winner under the fresh seeds, for comparison; its own seeds
    /// play no part. 60 trials by default.
    ///
    /// The names of the candidates that are drawn are numbered.
    pub fn new(experiment: Experiment<F>, space: S) -> Self {
        Self {
            experiment,
            space,
            seed: 1,
            budget: Budget::Trials(60),
            confirmations: 5,
        }
    }

    /// Sets the seed of the candidates that are drawn, and the first seed they are trained under.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets what the search may cost.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Sets under how many fresh seeds the winner is trained; 5 by default, at least 1.
    pub fn confirmations(mut self, seeds: usize) -> Self {
        self.confirmations = seeds.max(1);
        self
    }

    /// The experiment that is searched on, to test what was found.
    pub fn experiment(&self) -> &Experiment<F> {
        &self.experiment
    }

    /// Searches, and confirms the best candidate.
    ///
    /// # Errors
    /// As [`Experiment::run`], and [`ExperimentError::Invalid`] for a budget of no trials. A search
    /// by trials that was interrupted goes on where it stopped when it is run again.
    pub fn run(&self) -> Result<Found, ExperimentError> {
        if self
            .seed
            .checked_add(SEARCH_SEEDS + self.confirmations as u64)
            .is_none()
        {
            return Err(ExperimentError::Invalid {
                name: "seed of the search",
                expected: "room for the seeds after it",
                found: self.seed.to_string(),
            });
        }
        let started = Instant::now();
        let mut draw = Draw::new(self.seed);
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut trials: BTreeMap<(usize, u64), Trial> = BTreeMap::new();
        let width = match self.budget {
            Budget::Trials(0) => {
                return Err(ExperimentError::Invalid {
                    name: "budget",
                    expected: "at least 1 trial",
                    found: "0".to_owned(),
                });
            }
            Budget::Trials(trials) => width(trials),
            Budget::Time(time) => {
                // Two trials a job tell how long one takes.
                let probes = 2 * self.experiment.jobs.max(1);
                self.draw(&mut candidates, probes, &mut draw);
                let probes = candidates.len();
                self.train(&candidates, (0..probes).collect(), 1, &mut trials)?;
                let each = started.elapsed().as_secs_f64() / probes as f64;
                width((time.as_secs_f64() / each) as usize).max(probes)
            }
        };
        self.draw(&mut candidates, width, &mut draw);

        let mut rung: Vec<usize> = (0..candidates.len()).collect();
        let mut seeds = 1;
        self.train(&candidates, rung.clone(), seeds, &mut trials)?;
        rung = self.ranked(&candidates, rung, &trials)?;
        for _ in 1..RUNGS {
            let out_of_time = match self.budget {
                Budget::Time(time) => started.elapsed() >= time,
                Budget::Trials(_) => false,
            };
            if out_of_time || rung.len() == 1 {
                break;
            }
            rung.truncate(rung.len().div_ceil(ETA));
            seeds *= ETA;
            self.train(&candidates, rung.clone(), seeds, &mut trials)?;
            rung = self.ranked(&candidates, rung, &trials)?;
        }

        let winner = candidates[rung[0]].clone();
        let finalists = self.results(&candidates, &rung, &trials)?;
        let mut confirmed = vec![winner.clone()];
        confirmed.extend_from_slice(&self.experiment.candidates);
        let fresh = self.seed + SEARCH_SEEDS;
        let fresh = fresh..fresh + self.confirmations as u64;
        let plan: Vec<(usize, u64)> = fresh
            .flat_map(|seed| (0..confirmed.len()).map(move |number| (number, seed)))
            .collect();
        let confirmation = self.experiment.train(&confirmed, &plan)?;
        Ok(Found {
            confirmation: self.experiment.results(confirmed, confirmation)?,
            candidate: winner,
            finalists,
            trials: trials
                .into_values()
                .map(|trial| (candidates[trial.candidate].clone(), trial))
                .collect(),
        })
    }

    /// Draws candidates until there are `count`, or until the space has no more to offer.
    fn draw(&self, candidates: &mut Vec<Candidate>, count: usize, draw: &mut Draw) {
        let mut repeated = 0;
        while candidates.len() < count && repeated < REPETITIONS {
            let mut candidate = (self.space)(draw);
            let same = |other: &Candidate| {
                (&other.schedule, other.clock, other.epochs)
                    == (&candidate.schedule, candidate.clock, candidate.epochs)
            };
            if candidates.iter().any(same) {
                repeated += 1;
                continue;
            }
            candidate.name = format!("{:03} {}", candidates.len() + 1, candidate.name);
            candidates.push(candidate);
        }
    }

    /// Trains what of `rung` was not yet trained under the first `seeds` seeds.
    fn train(
        &self,
        candidates: &[Candidate],
        rung: Vec<usize>,
        seeds: usize,
        trials: &mut BTreeMap<(usize, u64), Trial>,
    ) -> Result<(), ExperimentError> {
        let pairs = (self.seed..self.seed + seeds as u64)
            .flat_map(|seed| rung.iter().map(move |&candidate| (candidate, seed)));
        let plan: Vec<(usize, u64)> = pairs.filter(|pair| !trials.contains_key(pair)).collect();
        if plan.is_empty() {
            return Ok(());
        }
        let trained = self.experiment.train(candidates, &plan)?;
        trials.extend(
            trained
                .into_iter()
                .map(|trial| ((trial.candidate, trial.seed), trial)),
        );
        Ok(())
    }

    /// The candidates of the rung, the best one first.
    fn ranked(
        &self,
        candidates: &[Candidate],
        mut rung: Vec<usize>,
        trials: &BTreeMap<(usize, u64), Trial>,
    ) -> Result<Vec<usize>, ExperimentError> {
        let mut ranked = Vec::new();
        while !rung.is_empty() {
            let results = self.results(candidates, &rung, trials);
            let best = match results {
                Ok(results) => results.choose(At::Last).candidate,
                // Of those that all failed, one is as good as another.
                Err(ExperimentError::AllFailed { .. }) if !ranked.is_empty() => 0,
                Err(error) => return Err(error),
            };
            ranked.push(rung.remove(best));
        }
        Ok(ranked)
    }

    /// The results of the candidates of the rung alone, in its order.
    fn results(
        &self,
        candidates: &[Candidate],
        rung: &[usize],
        trials: &BTreeMap<(usize, u64), Trial>,
    ) -> Result<Results, ExperimentError> {
        let of = |(place, &number): (usize, &usize)| {
            let trials = trials.range((number, 0)..=(number, u64::MAX));
            trials
                .map(|(_, trial)| Trial {
                    candidate: place,
                    ..trial.clone()
                })
                .collect::<Vec<_>>()
        };
        let chosen = rung
            .iter()
            .map(|&number| candidates[number].clone())
            .collect();
        self.experiment
            .results(chosen, rung.iter().enumerate().flat_map(of).collect())
    }
}

/// How many candidates can start so that all rungs together take at most `trials`; at least one.
fn width(trials: usize) -> usize {
    let cost = |width: usize| {
        let (mut cost, mut rung, mut seeds) = (width, width, 1);
        for _ in 1..RUNGS {
            if rung == 1 {
                break;
            }
            rung = rung.div_ceil(ETA);
            cost += rung * seeds * (ETA - 1);
            seeds *= ETA;
        }
        cost
    };
    (1..=trials)
        .take_while(|&width| cost(width) <= trials)
        .last()
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rungs_fit_the_budget() {
        // 27 under one seed, 9 under two more, 3 under six more.
        assert_eq!(width(27 + 18 + 18), 27);
        assert_eq!(width(27 + 18 + 17), 26);
        assert_eq!(width(1), 1);
        assert_eq!(width(0), 1);
    }
}
