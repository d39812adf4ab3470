//! The workers of an experiment: each runs one trial after another.

use std::any::Any;
use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use burn::train::{Interrupter, LearnerModel};
use burn_lr_training::metrics::{Best, History, MetricKey};
use burn_lr_training::run::Display;
use burn_lr_training::{Training, TrainingError};

use super::check::stops_all;
use super::prepare::prepared;
use super::pruner::{Pruner, Watcher};
use super::trial_file;
use crate::candidate::Candidate;
use crate::candidate::Setup;
use crate::error::BaseError;
use crate::results::{Outcome, Trial};

/// What the workers share.
pub(crate) struct Pool<'a, F> {
    pub base: &'a F,
    pub best: &'a Best,
    /// The metrics that every trial must have.
    pub asked: Vec<MetricKey>,
    pub candidates: &'a [Candidate],
    pub trials: &'a [Trial],
    /// What ends trials that are behind, if that is asked for.
    pub pruner: Option<Pruner>,
    pub waiting: Mutex<VecDeque<usize>>,
    /// Those that are not over.
    pub left: Mutex<BTreeSet<usize>>,
    /// All threads share a generator: a trial that draws from it while it trains runs alone.
    pub generator: RwLock<()>,
}

/// What a worker does next.
enum Next {
    Trial(usize),
    /// Wait, for those that are waiting branch off one that is running.
    Trunk,
    Nothing,
}

/// How often it is looked whether a trial is over that others branch off.
const WAIT: Duration = Duration::from_millis(20);

/// What a worker reports about a trial.
pub(crate) enum Event {
    Start(Interrupter),
    Epoch(usize),
    /// What the user should know, and whether something that the base has set has heard of it.
    Notice(String, bool),
    /// There is no such metric, but those.
    Missing {
        metric: String,
        known: Vec<String>,
    },
    /// Its directory is not for it.
    Refused(TrainingError),
    /// The trial's end, and the seconds that it took. Nothing became of it if it was stopped from
    /// outside.
    End(Option<Outcome>, f64),
}

impl<F> Pool<'_, F> {
    pub(crate) fn waiting(&self) -> MutexGuard<'_, VecDeque<usize>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs trials until none is waiting.
    pub(crate) fn work<M>(&self, events: &Sender<(usize, Event)>)
    where
        M: LearnerModel,
        F: Fn(&Setup) -> Result<(Training<M>, M), BaseError>,
    {
        loop {
            let number = match self.next() {
                Next::Trial(number) => number,
                Next::Trunk => {
                    std::thread::sleep(WAIT);
                    continue;
                }
                Next::Nothing => return,
            };
            let interrupter = Interrupter::new();
            // Whoever listens does so until the last worker is done.
            let _ = events.send((number, Event::Start(interrupter.clone())));
            let start = Instant::now();
            // A model whose tensors do not fit panics, as everything in Burn does.
            let trained = catch_unwind(AssertUnwindSafe(|| {
                self.train(number, interrupter, events.clone())
            }));
            let outcome = match trained {
                Ok(Ok(history)) => Some(Outcome::Finished(history)),
                Ok(Err(error)) => match error.downcast_ref() {
                    Some(
                        TrainingError::Interrupted { .. } | TrainingError::AlreadyStopped { .. },
                    ) => None,
                    Some(
                        TrainingError::UnknownMetric { metric, known, .. }
                        | TrainingError::MissingMetric { metric, known, .. },
                    ) if self.asked.iter().any(|asked| asked.to_string() == *metric) => {
                        let (metric, known) = (metric.clone(), known.clone());
                        let _ = events.send((number, Event::Missing { metric, known }));
                        None
                    }
                    Some(refused) if stops_all(refused) => {
                        let _ = events.send((number, Event::Refused(refused.clone())));
                        None
                    }
                    _ => Some(Outcome::Failed(error.to_string())),
                },
                Err(panic) => Some(Outcome::Failed(format!("panicked: {}", message(&*panic)))),
            };
            let directory = &self.trials[number].directory;
            let seconds = trial_file::add(directory, start.elapsed(), outcome.is_some());
            // There is no record of a process that was killed, nor of a trial that was trained without
            // one.
            let seconds = seconds.max(outcome.as_ref().map_or(0.0, Outcome::seconds));
            self.left().remove(&number);
            let _ = events.send((number, Event::End(outcome, seconds)));
        }
    }

    /// The first trial that is waiting, of those that need not wait for one that they branch off.
    fn next(&self) -> Next {
        let mut waiting = self.waiting();
        if waiting.is_empty() {
            return Next::Nothing;
        }
        let left = self.left();
        let waits = |number: &usize| {
            let trial = &self.trials[*number];
            let Some(trunk) = &self.candidates[trial.candidate].branch else {
                return false;
            };
            left.iter().any(|&other| {
                let other = &self.trials[other];
                other.seed == trial.seed && self.candidates[other.candidate].name == trunk.of
            })
        };
        match waiting.iter().position(|number| !waits(number)) {
            Some(place) => waiting.remove(place).map_or(Next::Nothing, Next::Trial),
            None => Next::Trunk,
        }
    }

    fn left(&self) -> MutexGuard<'_, BTreeSet<usize>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn train<M>(
        &self,
        number: usize,
        interrupter: Interrupter,
        events: Sender<(usize, Event)>,
    ) -> Result<History, BaseError>
    where
        M: LearnerModel,
        F: Fn(&Setup) -> Result<(Training<M>, M), BaseError>,
    {
        let trial = &self.trials[number];
        let candidate = &self.candidates[trial.candidate];
        let shared = self.generator.read();
        let (training, model) = prepared(
            self.base,
            &trial.directory,
            trial.seed,
            candidate,
            self.best,
            candidate.is_trunk_of(self.candidates),
        )?;
        let mut training = training.resume(true).interrupter(interrupter.clone());
        let pruner = self.pruner.clone();
        let watcher = pruner.map(|pruner| Watcher::new(pruner, interrupter));
        if let Some(watcher) = &watcher {
            training = training.track(watcher.clone());
        }
        if let Some(branch) = candidate.branch_of(&trial.directory) {
            training = training.branch(branch);
        }
        training.check(&model)?;
        let _running = if training.is_random(&model) {
            drop(shared);
            (None, Some(self.generator.write()))
        } else {
            (Some(shared), None)
        };
        let asked = self.asked.clone();
        let heard = training.hears_notices();
        let notices = events.clone();
        let trained = training
            .display(Display::Silent)
            .require_metrics(self.asked.iter().cloned())
            .on_epoch(move |epoch| {
                let _ = events.send((number, Event::Epoch(epoch.epoch)));
                if let Some(metric) = asked.iter().find(|key| epoch.get(key).is_none()) {
                    let metric = metric.to_string();
                    let known = epoch.keys().iter().map(MetricKey::to_string).collect();
                    let _ = events.send((number, Event::Missing { metric, known }));
                }
            })
            .on_notice(move |notice| {
                let _ = notices.send((number, Event::Notice(notice.to_owned(), heard)));
            })
            .fit(model);
        match (trained, watcher) {
            (Ok(trained), _) => Ok(trained.history),
            (Err(error), Some(watcher)) => Err(watcher.cause(error)),
            (Err(error), None) => Err(error.into()),
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}
