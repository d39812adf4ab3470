//! The way from the Learner's metrics back to its scheduler.
//!
//! Burn's schedulers are stepped before every update and are told nothing. The Learner's hooks at
//! the end of an epoch hear the metrics, but cannot reach the scheduler, which the Learner owns and,
//! with several workers, clones. So both share a log of observations keyed by epoch: a hook adds
//! one, and every scheduler takes in what it has not yet seen before its next step, and, so that
//! the checkpoint of an epoch holds the verdict on that epoch, when it is saved. A hook that fires
//! twice changes nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::optim::LearningRate;
use burn::optim::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use burn_lr_scheduler::{ScheduleError, Scheduler, Verdict};

use crate::metrics::LrCut;
use crate::optim::Knob;

const EPOCH: &str = "epoch";
const SCHEDULER: &str = "scheduler";
const HYPERPARAMETERS: &str = "hyperparameters";

/// The learning rates around the end of an epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct LrState {
    /// The learning rate of the last update.
    pub lr: f64,
    /// The learning rate of the next update.
    pub next_lr: f64,
    /// The momentum of the last update, if the schedule has one, and an optimizer takes it.
    pub momentum: Option<f64>,
}

/// The end of a [`FeedbackScheduler`] that hooks hold.
#[derive(Debug, Clone)]
pub struct Feedback(Arc<Mutex<Shared>>);

#[derive(Debug)]
struct Shared {
    observations: BTreeMap<u64, f64>,
    /// The last epoch that was observed.
    epoch: u64,
    /// Follows the scheduler inside the Learner, to tell what it will do.
    mirror: Scheduler,
    last_lr: f64,
    last_momentum: Option<f64>,
    /// Whether an optimizer takes the momentum.
    sets_momentum: bool,
    /// The updates that had been made when a record was loaded.
    resumed_at: u64,
}

/// A [`Scheduler`] inside the Learner whose plateaus can be fed from outside.
#[derive(Debug, Clone)]
pub struct FeedbackScheduler {
    scheduler: Scheduler,
    /// The last epoch whose observation was taken in.
    epoch: u64,
    feedback: Feedback,
    /// Where its momentum goes.
    momentum_to: Vec<Knob>,
    /// Where its value goes, if it is no rate.
    value_to: Vec<Knob>,
    /// The schedulers of hyperparameters, by their names in records.
    others: Vec<(String, FeedbackScheduler)>,
}

impl FeedbackScheduler {
    /// Wraps `scheduler`, and gives the end for the hooks.
    pub fn new(scheduler: Scheduler) -> (Self, Feedback) {
        let feedback = Feedback(Arc::new(Mutex::new(Shared {
            observations: BTreeMap::new(),
            epoch: 0,
            last_lr: scheduler.lr(),
            last_momentum: None,
            sets_momentum: false,
            mirror: scheduler.clone(),
            resumed_at: 0,
        })));
        let scheduler = Self {
            scheduler,
            epoch: 0,
            feedback: feedback.clone(),
            momentum_to: Vec::new(),
            value_to: Vec::new(),
            others: Vec::new(),
        };
        (scheduler, feedback)
    }

    /// The same, with the momentum of its schedule handed to `knobs` in every update.
    pub(crate) fn with_momentum_to(mut self, knobs: Vec<Knob>) -> Self {
        self.feedback.lock().sets_momentum = !knobs.is_empty();
        self.momentum_to = knobs;
        self
    }

    /// Has the schedule of a hyperparameter, which `knobs` set, advance with this one, and in its record.
    pub(crate) fn lead(
        &mut self,
        name: String,
        scheduler: Scheduler,
        knobs: Vec<Knob>,
    ) -> Feedback {
        let (mut other, feedback) = Self::new(scheduler);
        other.value_to = knobs;
        self.others.push((name, other));
        feedback
    }

    /// Continues where the scheduler that made `record` stopped.
    ///
    /// # Errors
    /// As [`Scheduler::try_load_record`]; nothing has changed then.
    pub fn try_load_record(&mut self, record: &LrSchedulerRecord) -> Result<(), ScheduleError> {
        let epoch = record
            .scalar(EPOCH)
            .ok_or_else(|| ScheduleError::MissingValue {
                key: EPOCH.to_owned(),
            })?;
        let mut scheduler = self.scheduler.clone();
        scheduler.try_load_record(&record.record(SCHEDULER))?;
        let records = record.record(HYPERPARAMETERS);
        for (name, other) in &self.others {
            let mut tried = other.scheduler.clone();
            tried.try_load_record(&records.record(name).record(SCHEDULER))?;
        }
        for (name, other) in &mut self.others {
            other.try_load_record(&records.record(name))?;
        }
        self.scheduler = scheduler;
        self.epoch = epoch;
        let mut shared = self.feedback.lock();
        shared.epoch = epoch;
        // What was observed is in the record, or of a run that was given up.
        shared.observations.clear();
        shared.mirror = self.scheduler.clone();
        shared.resumed_at = shared.mirror.updates();
        Ok(())
    }

    /// Goes on where the scheduler of another schedule stopped, of which `record` is, as
    /// [`Scheduler::branch_from`]; with its updates alone unless its `plateaus` are to be taken over. Gives
    /// whether no plateau begins anew.
    pub(crate) fn branch_from(
        &mut self,
        record: &LrSchedulerRecord,
        plateaus: bool,
    ) -> Result<bool, ScheduleError> {
        let epoch = record
            .scalar(EPOCH)
            .ok_or_else(|| ScheduleError::MissingValue {
                key: EPOCH.to_owned(),
            })?;
        let mut taken_over = self.scheduler.clone();
        let mut kept = taken_over.branch_from(&record.record(SCHEDULER))?;
        if plateaus {
            self.scheduler = taken_over;
        } else {
            self.scheduler.seek(taken_over.updates());
            kept = self.scheduler.plateaus().is_empty();
        }
        self.epoch = epoch;
        let records = record.record(HYPERPARAMETERS);
        for (name, other) in &mut self.others {
            let record = records.record(name);
            if record.scalar::<u64>(EPOCH).is_some() {
                kept &= other.branch_from(&record, plateaus)?;
            } else {
                other.scheduler.seek(self.scheduler.updates());
                kept &= other.scheduler.plateaus().is_empty();
                other.epoch = epoch;
                let mut shared = other.feedback.lock();
                shared.epoch = epoch;
                shared.mirror = other.scheduler.clone();
            }
        }
        let mut shared = self.feedback.lock();
        shared.epoch = epoch;
        shared.mirror = self.scheduler.clone();
        Ok(kept)
    }

    /// Takes in the observations that this clone has not yet seen.
    fn catch_up(&mut self, shared: &Shared) {
        for (&epoch, &metric) in shared.observations.range(self.epoch + 1..) {
            // The mirror has accepted the same metric before.
            if let Err(error) = self.scheduler.observe(metric) {
                log::error!("observation of epoch {epoch}: {error}");
            }
            self.epoch = epoch;
        }
    }
}

impl Feedback {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        // Nothing is left half-changed in there: a poisoned lock is as good as a sound one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the schedule listens to a metric.
    pub fn has_plateau(&self) -> bool {
        !self.lock().mirror.plateaus().is_empty()
    }

    /// Adds the metric of `epoch`, and gives the cuts that it led to.
    ///
    /// A second call for the same epoch, or for an earlier one, changes nothing and gives nothing.
    ///
    /// # Errors
    /// [`ScheduleError::NanMetric`] if a plateau treats NaN as an error.
    pub fn observe(&self, epoch: u64, metric: f64) -> Result<Vec<LrCut>, ScheduleError> {
        let mut shared = self.lock();
        if epoch <= shared.epoch {
            return Ok(Vec::new());
        }
        let before = shared.mirror.plateaus();
        let verdicts = shared.mirror.observe(metric)?;
        shared.observations.insert(epoch, metric);
        shared.epoch = epoch;

        let after = shared.mirror.plateaus();
        let cut = before.iter().zip(&after);
        let cut = cut.filter(|(before, after)| after.cuts > before.cuts);
        let rates = verdicts.iter().filter_map(|verdict| match *verdict {
            Verdict::Cut { from, to } | Verdict::Raised { from, to } => Some((from, to)),
            _ => None,
        });
        let cuts = cut.zip(rates).map(|((before, after), (from, to))| {
            let improved = after.best == metric && after.best != before.best;
            let bad_epochs = if improved { 0 } else { before.bad_epochs + 1 };
            LrCut::new(from, to, metric, before.best, bad_epochs)
        });
        Ok(cuts.collect())
    }

    /// The optimizer updates that were made.
    pub fn updates(&self) -> u64 {
        self.lock().mirror.updates()
    }

    /// The updates that were made here, those before a record was loaded not counted.
    pub(super) fn updates_here(&self) -> u64 {
        let shared = self.lock();
        let updates = shared.mirror.updates();
        updates.saturating_sub(shared.resumed_at)
    }

    /// Whether more updates were made here than an epoch has, as far as that is known.
    pub(super) fn second_epoch_was_begun(&self) -> bool {
        let epoch = self.lock().mirror.run().updates_per_epoch();
        epoch.is_some_and(|epoch| self.updates_here() > epoch)
    }

    /// Says what the rate of the last update was, which no record holds.
    pub(crate) fn set_last_lr(&self, lr: f64) {
        let mut shared = self.lock();
        shared.last_lr = lr;
        // Which no plateau changes.
        let before = shared.mirror.updates().checked_sub(1);
        shared.last_momentum = before.filter(|_| shared.sets_momentum).and_then(|update| {
            let mut scheduler = shared.mirror.clone();
            scheduler.seek(update);
            scheduler.momentum()
        });
    }

    /// The learning rates of the last and of the next update.
    pub fn lr(&self) -> LrState {
        let shared = self.lock();
        LrState {
            lr: shared.last_lr,
            next_lr: shared.mirror.lr(),
            momentum: shared.last_momentum,
        }
    }
}

impl LrScheduler for FeedbackScheduler {
    fn step(&mut self) -> LearningRate {
        let feedback = self.feedback.clone();
        let mut shared = feedback.lock();
        self.catch_up(&shared);
        let momentum = self.scheduler.momentum();
        let momentum = momentum.filter(|_| !self.momentum_to.is_empty());
        let lr = self.scheduler.step();
        shared.last_lr = lr;
        shared.last_momentum = momentum;
        shared.mirror.seek(self.scheduler.updates());
        drop(shared);
        for knob in &self.momentum_to {
            knob.set_or_release(momentum);
        }
        self.value_to.iter().for_each(|knob| knob.set(lr));
        for (_, other) in &mut self.others {
            other.step();
        }
        lr
    }

    fn to_record(&self) -> LrSchedulerRecord {
        let mut current = self.clone();
        current.catch_up(&self.feedback.lock());
        let record = LrSchedulerRecord::new()
            .with_scalar(EPOCH, current.epoch)
            .with_record(SCHEDULER, current.scheduler.to_record());
        if self.others.is_empty() {
            return record;
        }
        let others = self.others.iter();
        let others = others.fold(LrSchedulerRecord::new(), |all, (name, other)| {
            all.with_record(name, other.to_record())
        });
        record.with_record(HYPERPARAMETERS, others)
    }

    /// As [`Scheduler::load_record`]: what does not fit is refused, and the learning rate held at 0.
    fn load_record(&mut self, record: LrSchedulerRecord) {
        if self.try_load_record(&record).is_err() {
            self.scheduler.load_record(record.record(SCHEDULER));
            self.feedback.lock().mirror = self.scheduler.clone();
        }
    }
}

#[cfg(test)]
mod tests;
