//! The workers of an experiment: each runs one trial after another.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use burn::train::{Interrupter, LearnerModel};
use burn_lr_training::metrics::{Best, History, MetricKey};
use burn_lr_training::run::Display;
use burn_lr_training::{Training, TrainingError};

use super::check::stops_all;
use super::prepare::prepared;
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
    pub waiting: Mutex<VecDeque<usize>>,
    /// All threads share a generator: a trial that draws from it while it trains runs alone.
    pub generator: RwLock<()>,
}

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
            let Some(number) = self.waiting().pop_front() else {
                return;
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
            let _ = events.send((number, Event::End(outcome, seconds)));
        }
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
        )?;
        let training = training.resume(true).interrupter(interrupter);
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
            .fit(model)?;
        Ok(trained.history)
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}
