//! Trains all candidates under all seeds, several at a time.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Mutex, RwLock};
use std::time::Duration;

use burn::train::{Interrupter, LearnerModel};
use burn_lr_training::Training;
use burn_lr_training::run::{Display, Lock, RunDirectory};

use super::check::{Checked, planned};
use super::experiment::Experiment;
use super::pool::{Event, Pool};
use super::progress::Progress;
use super::pruner::Pruner;
use super::settings_file;
use crate::candidate::Candidate;
use crate::candidate::Setup;
use crate::error::{BaseError, ExperimentError};
use crate::results::Results;
use crate::results::{Outcome, Trial};

/// How often a request to stop is looked for.
const POLL: Duration = Duration::from_millis(50);

impl<F, M> Experiment<F>
where
    M: LearnerModel,
    F: Fn(&Setup) -> Result<(Training<M>, M), BaseError> + Sync,
{
    /// Trains all candidates under all seeds, or what is left of that.
    ///
    /// # Errors
    /// [`ExperimentError`] naming the setting or candidate that is wrong, before anything is
    /// trained; [`MissingMetric`](ExperimentError::MissingMetric) before the first update or, if the
    /// other split has a metric of that name, after the first epoch; [`Interrupted`](ExperimentError::Interrupted); or
    /// [`AllFailed`](ExperimentError::AllFailed).
    pub fn run(&self) -> Result<Results, ExperimentError> {
        // All candidates under the first seed come first, and so on: what there is can be compared.
        let plan: Vec<(usize, u64)> = self
            .seeds
            .iter()
            .flat_map(|&seed| (0..self.candidates.len()).map(move |candidate| (candidate, seed)))
            .collect();
        let mut seeds = self.seeds.clone();
        seeds.sort_unstable();
        if let Some(twice) = seeds.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(ExperimentError::Invalid {
                name: "seeds",
                expected: "each one once",
                found: format!("{} twice", twice[0]),
            });
        }
        let (trials, _) = self.train(&self.candidates, &plan, Checked::All, None)?;
        self.results(&self.candidates, trials)
    }

    pub(crate) fn results(
        &self,
        candidates: &[Candidate],
        trials: Vec<Trial>,
    ) -> Result<Results, ExperimentError> {
        let best = self.best_epoch();
        Results::new(&self.directory, candidates, trials, &self.objective, best)
    }

    /// Trains the candidates under the seeds that the plan names, in its order, and tells how many
    /// trials ran at a time. Those are ended that `pruner` finds behind, if there is one.
    pub(crate) fn train(
        &self,
        candidates: &[Candidate],
        plan: &[(usize, u64)],
        checked: Checked,
        pruner: Option<Pruner>,
    ) -> Result<(Vec<Trial>, usize), ExperimentError> {
        if self.interrupter.should_stop() {
            return Err(self.interrupted(0, plan.len()));
        }
        let jobs = self.check(candidates, plan, checked)?;
        let _lock = Lock::take(&RunDirectory::new(&self.directory))?;
        for candidate in planned(candidates, plan) {
            settings_file::write(candidate, &self.candidate_directory(candidate))?;
        }
        let trials: Vec<Trial> = plan
            .iter()
            .map(|&(candidate, seed)| Trial {
                candidate,
                seed,
                directory: self.trial_directory(&candidates[candidate], seed),
                whole_seconds: 0.0,
                outcome: Outcome::Failed("not run".to_owned()),
            })
            .collect();
        let asked = self.objective.metrics().chain([&self.best_epoch().metric]);
        let pool = Pool {
            base: &self.base,
            best: self.best_epoch(),
            asked: asked.cloned().collect(),
            candidates,
            trials: &trials,
            pruner,
            waiting: Mutex::new((0..trials.len()).collect()),
            left: Mutex::new((0..trials.len()).collect()),
            generator: RwLock::new(()),
        };
        let outcomes = std::thread::scope(|scope| {
            let (sender, events) = mpsc::channel();
            for _ in 0..jobs.min(trials.len()) {
                let (sender, pool) = (sender.clone(), &pool);
                scope.spawn(move || pool.work(&sender));
            }
            drop(sender);
            self.watch(&pool, &events)
        })?;

        let finished = outcomes.iter().flatten().count();
        if finished < trials.len() {
            return Err(self.interrupted(finished, trials.len()));
        }
        let ended = outcomes.into_iter().flatten();
        let trials = trials
            .into_iter()
            .zip(ended)
            .map(|(trial, (outcome, seconds))| Trial {
                outcome,
                whole_seconds: seconds,
                ..trial
            });
        Ok((trials.collect(), jobs))
    }

    fn interrupted(&self, finished: usize, trials: usize) -> ExperimentError {
        let interruption = self.interrupter.interruption();
        let reason = interruption.and_then(|interruption| interruption.reason);
        ExperimentError::Interrupted {
            finished,
            trials,
            reason: reason.unwrap_or_else(|| "no reason given".to_owned()),
        }
    }

    /// Follows the workers until the last one is done.
    fn watch(
        &self,
        pool: &Pool<'_, F>,
        events: &Receiver<(usize, Event)>,
    ) -> Result<Vec<Option<(Outcome, f64)>>, ExperimentError> {
        let Pool {
            candidates, trials, ..
        } = *pool;
        let epochs = trials
            .iter()
            .map(|trial| candidates[trial.candidate].epochs);
        let mut progress = Progress::new(self.display == Display::Bar, epochs);
        let mut outcomes: Vec<Option<(Outcome, f64)>> = vec![None; trials.len()];
        let mut running: Vec<(usize, Interrupter)> = Vec::new();
        let mut refused = None;
        loop {
            if self.interrupter.should_stop() || refused.is_some() {
                pool.waiting().clear();
                for (_, interrupter) in &running {
                    interrupter.stop(Some("the experiment was stopped"));
                }
            }
            let (number, event) = match events.recv_timeout(POLL) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let mut trial = trials[number].clone();
            let candidate = &candidates[trial.candidate];
            match event {
                Event::Start(interrupter) => {
                    running.push((number, interrupter));
                    progress.start(number, format!("{}, seed {}", candidate.name, trial.seed));
                }
                Event::Epoch(epoch) => progress.epoch(number, epoch),
                Event::Notice(notice, heard) => {
                    progress.aside(|| self.notices.tell(candidate, &notice, heard));
                }
                Event::Missing { metric, known } => {
                    refused.get_or_insert(ExperimentError::MissingMetric {
                        candidate: candidate.name.clone(),
                        metric,
                        known,
                    });
                }
                Event::Refused(source) => {
                    refused.get_or_insert(ExperimentError::Candidate {
                        name: candidate.name.clone(),
                        source,
                    });
                }
                Event::End(outcome, seconds) => {
                    running.retain(|(running, _)| *running != number);
                    progress.end(number);
                    if let Some(outcome) = &outcome {
                        trial.outcome = outcome.clone();
                        trial.whole_seconds = seconds;
                        progress.aside(|| (self.on_trial)(candidate, &trial));
                    }
                    outcomes[number] = outcome.map(|outcome| (outcome, seconds));
                }
            }
        }
        refused.map_or(Ok(outcomes), Err)
    }
}
