//! The workers of an experiment: each runs one trial after another.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::train::{Interrupter, LearnerModel};

use super::candidate::Candidate;
use super::error::BaseError;
use super::trial::{Outcome, Trial, draw_weights};
use crate::TrainingError;
use crate::checkpoint::{Best, KeepPolicy};
use crate::history::History;
use crate::progress::Display;
use crate::training::Training;

/// A backend has one generator of random numbers for all threads: initial weights are drawn by one
/// trial at a time.
static GENERATOR: Mutex<()> = Mutex::new(());

/// What the workers share.
pub(super) struct Pool<'a, F> {
    pub(super) base: &'a F,
    pub(super) best: &'a Best,
    pub(super) candidates: &'a [Candidate],
    pub(super) trials: &'a [Trial],
    pub(super) waiting: Mutex<VecDeque<usize>>,
}

/// What a worker reports about a trial.
pub(super) enum Event {
    Start(Interrupter),
    Epoch(usize),
    /// Nothing if the trial was stopped from outside.
    End(Option<Outcome>),
}

impl<F> Pool<'_, F> {
    pub(super) fn waiting(&self) -> MutexGuard<'_, VecDeque<usize>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs trials until none is waiting.
    pub(super) fn work<M>(&self, events: &Sender<(usize, Event)>)
    where
        M: LearnerModel,
        F: Fn(&Path, u64) -> Result<(Training<M>, M), BaseError>,
    {
        loop {
            let Some(number) = self.waiting().pop_front() else {
                return;
            };
            let interrupter = Interrupter::new();
            // Whoever listens does so until the last worker is done.
            let _ = events.send((number, Event::Start(interrupter.clone())));
            // A model whose tensors do not fit panics, as everything in Burn does.
            let trained = catch_unwind(AssertUnwindSafe(|| {
                self.train(number, interrupter, events.clone())
            }));
            let outcome = match trained {
                Ok(Ok(history)) => Some(Outcome::Finished(history)),
                Ok(Err(error)) => match error.downcast_ref() {
                    Some(TrainingError::Interrupted { .. }) => None,
                    _ => Some(Outcome::Failed(error.to_string())),
                },
                Err(panic) => Some(Outcome::Failed(format!("panicked: {}", message(&*panic)))),
            };
            let _ = events.send((number, Event::End(outcome)));
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
        F: Fn(&Path, u64) -> Result<(Training<M>, M), BaseError>,
    {
        let trial = &self.trials[number];
        let candidate = &self.candidates[trial.candidate];
        let (mut training, model) = made(self.base, &trial.directory, trial.seed)?;
        training.directory.clone_from(&trial.directory);
        let trained = prepared(training, candidate, self.best)
            .resume(true)
            .interrupter(interrupter)
            .display(Display::Silent)
            .on_epoch(move |epoch| {
                let _ = events.send((number, Event::Epoch(epoch.epoch)));
            })
            .on_notice(|notice| log::info!("{notice}"))
            .fit(model)?;
        Ok(trained.history)
    }
}

/// What the base makes for a seed, its initial weights drawn.
pub(super) fn made<F, M>(
    base: &F,
    directory: &Path,
    seed: u64,
) -> Result<(Training<M>, M), BaseError>
where
    M: LearnerModel,
    F: Fn(&Path, u64) -> Result<(Training<M>, M), BaseError>,
{
    let _alone = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    let (training, model) = base(directory, seed)?;
    draw_weights(&model);
    Ok((training, model))
}

/// The training of the base with what the candidate sets.
pub(super) fn prepared<M: LearnerModel>(
    mut training: Training<M>,
    candidate: &Candidate,
    best: &Best,
) -> Training<M> {
    let keep = training.keep.take().unwrap_or(KeepPolicy::last(1));
    training
        .schedule(candidate.schedule.clone(), candidate.clock)
        .epochs(candidate.epochs)
        .keep(keep.with_best(best.clone()))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}
