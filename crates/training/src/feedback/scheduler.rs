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

const EPOCH: &str = "epoch";
const SCHEDULER: &str = "scheduler";

/// The learning rates around the end of an epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct LrState {
    /// The learning rate of the last update.
    pub lr: f64,
    /// The learning rate of the next update.
    pub next_lr: f64,
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
}

impl FeedbackScheduler {
    /// Wraps `scheduler`, and gives the end for the hooks.
    pub fn new(scheduler: Scheduler) -> (Self, Feedback) {
        let feedback = Feedback(Arc::new(Mutex::new(Shared {
            observations: BTreeMap::new(),
            epoch: 0,
            last_lr: scheduler.lr(),
            mirror: scheduler.clone(),
            resumed_at: 0,
        })));
        let scheduler = Self {
            scheduler,
            epoch: 0,
            feedback: feedback.clone(),
        };
        (scheduler, feedback)
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
        self.scheduler.try_load_record(&record.record(SCHEDULER))?;
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
        let cut = before.iter().zip(&after).filter(|(b, a)| a.cuts > b.cuts);
        let rates = verdicts.iter().filter_map(|verdict| match *verdict {
            Verdict::Cut { from, to } => Some((from, to)),
            _ => None,
        });
        let cuts = cut.zip(rates).map(|((before, _), (from, to))| {
            LrCut::new(from, to, metric, before.best, before.bad_epochs + 1)
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
        self.lock().last_lr = lr;
    }

    /// The learning rates of the last and of the next update.
    pub fn lr(&self) -> LrState {
        let shared = self.lock();
        LrState {
            lr: shared.last_lr,
            next_lr: shared.mirror.lr(),
        }
    }
}

impl LrScheduler for FeedbackScheduler {
    fn step(&mut self) -> LearningRate {
        let feedback = self.feedback.clone();
        let mut shared = feedback.lock();
        self.catch_up(&shared);
        let lr = self.scheduler.step();
        shared.last_lr = lr;
        shared.mirror.seek(self.scheduler.updates());
        lr
    }

    fn to_record(&self) -> LrSchedulerRecord {
        let mut current = self.clone();
        current.catch_up(&self.feedback.lock());
        LrSchedulerRecord::new()
            .with_scalar(EPOCH, current.epoch)
            .with_record(SCHEDULER, current.scheduler.to_record())
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
mod tests {
    use burn_lr_scheduler::{ReduceLrOnPlateau, Run};

    use super::*;

    fn scheduler() -> Scheduler {
        let plateau = ReduceLrOnPlateau::new(1.0)
            .with_patience(0)
            .with_factor(0.5);
        Scheduler::new(plateau, Run::per_update()).unwrap()
    }

    #[test]
    fn an_observation_counts_once_however_often_it_is_made() {
        let (mut inside, feedback) = FeedbackScheduler::new(scheduler());
        assert_eq!(inside.step(), 1.0);
        feedback.observe(1, 0.1).unwrap();
        assert_eq!(inside.step(), 1.0);
        let cut = LrCut::new(1.0, 0.5, 0.2, 0.1, 1);
        assert_eq!(feedback.observe(2, 0.2).unwrap(), [cut]);
        assert!(feedback.observe(2, 0.3).unwrap().is_empty());
        assert_eq!(
            feedback.lr(),
            LrState {
                lr: 1.0,
                next_lr: 0.5
            }
        );
        assert_eq!((inside.step(), inside.step()), (0.5, 0.5));
    }

    #[test]
    fn every_clone_hears_every_observation() {
        let (inside, feedback) = FeedbackScheduler::new(scheduler());
        let mut workers = [inside.clone(), inside];
        for epoch in 1..=3 {
            for worker in &mut workers {
                worker.step();
            }
            feedback.observe(epoch, 1.0).unwrap();
        }
        assert_eq!(workers.each_mut().map(|worker| worker.step()), [0.25, 0.25]);
    }

    #[test]
    fn the_record_of_an_epoch_holds_its_verdict() {
        let (mut inside, feedback) = FeedbackScheduler::new(scheduler());
        for epoch in 1..=2 {
            inside.step();
            feedback.observe(epoch, 1.0).unwrap();
        }
        let (mut resumed, other_end) = FeedbackScheduler::new(scheduler());
        resumed.load_record(inside.to_record());
        assert_eq!(other_end.lr().next_lr, 0.5);
        assert_eq!(resumed.step(), 0.5);
        // The epoch is part of the record: its observation is not taken in twice.
        other_end.observe(3, 0.5).unwrap();
        assert_eq!((resumed.step(), inside.step()), (0.5, 0.5));
    }
}
