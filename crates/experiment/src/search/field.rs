//! The candidates of a search and their trials.

use std::collections::{BTreeMap, HashMap};

use burn::train::LearnerModel;
use burn_lr_training::Training;
use burn_lr_training::metrics::History;

use super::budget::{ETA, Spent, side_by_side};
use super::draw::Draw;
use super::guide::{Choices, Guide};
use crate::candidate::Candidate;
use crate::candidate::Setup;
use crate::error::{BaseError, ExperimentError};
use crate::results::Results;
use crate::results::{At, Trial};
use crate::run::{Checked, Experiment, Pruner, check_candidates};

/// After so many draws that were there already, the space is taken to be exhausted.
const REPETITIONS: usize = 1000;

/// What has been drawn and trained so far.
pub(super) struct Field<'a, F, S> {
    experiment: &'a Experiment<F>,
    space: &'a S,
    seed: u64,
    draw: Draw,
    candidates: Vec<Candidate>,
    /// What was drawn for each.
    choices: Vec<Choices>,
    /// What they are but for their names, and their places.
    contents: HashMap<String, usize>,
    trials: BTreeMap<(usize, u64), Trial>,
    /// How many trials run at a time, once that is known.
    jobs: Option<usize>,
    /// How long they have run, as their own times tell.
    seconds: f64,
}

impl<'a, F, S, M> Field<'a, F, S>
where
    M: LearnerModel,
    F: Fn(&Setup) -> Result<(Training<M>, M), BaseError> + Sync,
    S: Fn(&mut Draw) -> Candidate,
{
    pub(super) fn new(experiment: &'a Experiment<F>, space: &'a S, seed: u64) -> Self {
        Self {
            experiment,
            space,
            seed,
            draw: Draw::new(seed),
            candidates: Vec::new(),
            choices: Vec::new(),
            contents: HashMap::new(),
            trials: BTreeMap::new(),
            jobs: None,
            seconds: 0.0,
        }
    }

    pub(super) fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Refuses what can be seen to be wrong before anything is trained: all that were drawn, whatever
    /// their base is, and the candidates of the experiment, which are trained last.
    pub(super) fn check(&self, seed: u64) -> Result<(), ExperimentError> {
        let others = &self.experiment.candidates;
        check_candidates(&[&self.candidates, &others[..]].concat())?;
        if others.is_empty() {
            return Ok(());
        }
        let plan: Vec<(usize, u64)> = (0..others.len()).map(|number| (number, seed)).collect();
        self.experiment.check(others, &plan, Checked::All).map(drop)
    }

    /// Every trial with its candidate.
    pub(super) fn into_trials(self) -> Vec<(Candidate, Trial)> {
        let candidates = self.candidates;
        let trials = self.trials.into_values();
        trials
            .map(|trial| (candidates[trial.candidate].clone(), trial))
            .collect()
    }

    /// Draws candidates until there are `count`, or until the space has no more to offer.
    ///
    /// # Errors
    /// [`ExperimentError::Invalid`] for candidates that differ in what no document tells, such as the
    /// closures of their schedules: a trial of one could not be told from one of the other.
    pub(super) fn draw(&mut self, count: usize) -> Result<(), ExperimentError> {
        self.draw_by(count, None)
    }

    /// The same, where those that were trained have come to good results.
    pub(super) fn draw_guided(&mut self, count: usize) -> Result<(), ExperimentError> {
        let mut trained: Vec<usize> = self.trials.keys().map(|&(number, _)| number).collect();
        trained.dedup();
        let ranked = self.ranked(&trained)?;
        let choices = ranked
            .into_iter()
            .map(|number| self.choices[number].clone());
        let guide = Guide(choices.collect());
        let before = self.candidates.len();
        self.draw_by(count, Some(guide))?;
        check_candidates(&self.candidates[before..])
    }

    fn draw_by(&mut self, count: usize, mut guide: Option<Guide>) -> Result<(), ExperimentError> {
        let mut repeated = 0;
        while self.candidates.len() < count && repeated < REPETITIONS {
            self.draw.begin(guide.take());
            let mut candidate = (self.space)(&mut self.draw);
            let content = candidate.content().to_string();
            if let Some(&twin) = self.contents.get(&content) {
                if self.candidates[twin].schedule != candidate.schedule {
                    return Err(ExperimentError::Invalid {
                        name: "space of the search",
                        expected: "schedules that documents tell apart, or clones of the same closure",
                        found: format!("another closure in {:?}", candidate.name),
                    });
                }
                repeated += 1;
                continue;
            }
            self.contents.insert(content, self.candidates.len());
            candidate.name = format!("{:03} {}", self.candidates.len() + 1, candidate.name);
            self.candidates.push(candidate);
            self.choices.push(self.draw.choices());
        }
        Ok(())
    }

    /// The trials of `rung` under the first `seeds` seeds that there are not yet.
    fn missing(&self, rung: &[usize], seeds: usize) -> Vec<(usize, u64)> {
        (self.seed..self.seed + seeds as u64)
            .flat_map(|seed| rung.iter().map(move |&candidate| (candidate, seed)))
            .filter(|pair| !self.trials.contains_key(pair))
            .collect()
    }

    /// Trains what of `rung` was not yet trained under the first `seeds` seeds.
    pub(super) fn train(&mut self, rung: &[usize], seeds: usize) -> Result<(), ExperimentError> {
        self.train_by(rung, seeds, None)
    }

    /// Trains `rung` under the first seed, so many `together`, but for trials that are behind the best, which are such
    /// a share, of those that were complete before: they are ended.
    pub(super) fn train_pruned(
        &mut self,
        rung: &[usize],
        together: usize,
        kept: f64,
    ) -> Result<(), ExperimentError> {
        let missing = self.missing(rung, 1);
        let missing: Vec<usize> = missing.into_iter().map(|(number, _)| number).collect();
        for some in missing.chunks(together) {
            let histories = self.trials.values().filter_map(Trial::history);
            let pruner = Pruner::new(&self.experiment.objective, kept, histories);
            self.train_by(some, 1, Some(pruner))?;
        }
        Ok(())
    }

    /// Trains `rung`, whose best is the first, under the seeds `from` to `to`: the third that would be kept as it is, and
    /// then the others, a seed at a time, until they are behind the best of these. Leaves those that are not.
    pub(super) fn race(
        &mut self,
        rung: &mut Vec<usize>,
        from: usize,
        to: usize,
        kept: f64,
    ) -> Result<(), ExperimentError> {
        let mut others = rung.split_off(rung.len().div_ceil(ETA));
        self.train(rung, to)?;
        let trials = self.trials.values();
        let leading = trials.filter(|trial| rung.contains(&trial.candidate));
        let pruner = Pruner::new(
            &self.experiment.objective,
            kept,
            leading.filter_map(Trial::history),
        );
        // Those that were ended in an earlier rung are out.
        others.retain(|&number| self.history(number, from - 1).is_some());
        for place in from..to {
            self.train_by(&others, place + 1, Some(pruner.clone()))?;
            others.retain(|&number| {
                let history = self.history(number, place);
                history.is_some_and(|history| !pruner.is_behind(history))
            });
        }
        rung.append(&mut others);
        Ok(())
    }

    /// What came of a candidate under the seed at that place, if it was trained to the end.
    fn history(&self, candidate: usize, place: usize) -> Option<&History> {
        let trial = self.trials.get(&(candidate, self.seed + place as u64))?;
        trial.history()
    }

    fn train_by(
        &mut self,
        rung: &[usize],
        seeds: usize,
        pruner: Option<Pruner>,
    ) -> Result<(), ExperimentError> {
        let plan = self.missing(rung, seeds);
        if plan.is_empty() {
            return Ok(());
        }
        let checked = self.jobs.map_or(Checked::First, Checked::Before);
        let (trained, jobs) = self
            .experiment
            .train(&self.candidates, &plan, checked, pruner)?;
        self.jobs = Some(jobs);
        self.seconds += side_by_side(jobs, trained.iter().map(|trial| trial.whole_seconds));
        let trained = trained.into_iter();
        self.trials
            .extend(trained.map(|trial| ((trial.candidate, trial.seed), trial)));
        Ok(())
    }

    /// What the trials have taken.
    pub(super) fn spent(&self) -> Spent {
        Spent::new(self.jobs.unwrap_or(1), self.seconds, self.trials.values())
    }

    /// How many trials are to be made to train `rung` under the first `seeds` seeds.
    pub(super) fn count_missing(&self, rung: &[usize], seeds: usize) -> usize {
        self.missing(rung, seeds).len()
    }

    /// The candidates of the rung, the best one first.
    pub(super) fn ranked(&self, rung: &[usize]) -> Result<Vec<usize>, ExperimentError> {
        let order = self.results(rung)?.ranked(At::Last);
        Ok(order.into_iter().map(|place| rung[place]).collect())
    }

    /// The results of the candidates of the rung alone, in its order.
    pub(super) fn results(&self, rung: &[usize]) -> Result<Results, ExperimentError> {
        let candidates: Vec<Candidate> = rung
            .iter()
            .map(|&number| self.candidates[number].clone())
            .collect();
        let of = |(place, &number): (usize, &usize)| {
            let trials = self.trials.range((number, 0)..=(number, u64::MAX));
            trials
                .map(|(_, trial)| Trial {
                    candidate: place,
                    ..trial.clone()
                })
                .collect::<Vec<_>>()
        };
        let trials = rung.iter().enumerate().flat_map(of).collect();
        self.experiment.results(&candidates, trials)
    }
}
