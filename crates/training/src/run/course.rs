//! How a run goes through its updates.

use std::time::Duration;

use burn::data::dataloader::{DataLoader, Progress};
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::train::{LearnerModel, TrainStep};
use burn_lr_scheduler::Run;

use super::batch_growth::BatchGrowth;
use super::period::Periods;
use super::running_epoch::Epoch;
use super::start::Start;
use super::stream::Stream;
use super::training::Training;
use super::within::{Reached, Timer, Within};
use crate::loader::Past;
use crate::metrics::DataPosition;

/// How a run goes through its updates, and where it begins.
pub(super) struct Course {
    /// Of a run that is measured in updates; the others go by the epochs of their data.
    pub periods: Option<Periods>,
    /// How many batches updates have, if that changes.
    pub growth: Option<BatchGrowth>,
    /// The updates of an epoch of the data, if that is known.
    pub updates_per_epoch: Option<u64>,
    /// What the device is seeded with before every update.
    pub seed: Option<u64>,
    /// Where it begins.
    pub reached: Reached,
    /// The updates until the end of the epoch before.
    pub before: u64,
    /// The rate of the last update.
    pub lr: Option<f64>,
    /// How often there is a checkpoint within an epoch.
    pub checkpoint_every: Option<Duration>,
}

/// A run on its way.
pub(super) struct Walk<'a, B> {
    course: &'a Course,
    loader: &'a dyn DataLoader<B>,
    pub stream: Stream<'a, B>,
    accumulation: usize,
    pub timer: Timer,
    pub reached: Reached,
    /// The rate of the last update.
    pub lr: Option<ModuleLearningRate>,
    /// The updates at the beginning of the running epoch.
    first: u64,
}

impl Course {
    pub(super) fn begin<'a, B: 'static>(
        &'a self,
        loader: &'a dyn DataLoader<B>,
        accumulation: usize,
    ) -> Walk<'a, B> {
        let batches = self.periods.as_ref().and_then(Periods::batches_per_epoch);
        let stream = Stream::new(loader, &self.reached.data, batches);
        Walk {
            course: self,
            loader,
            stream: if self.periods.is_some() {
                stream
            } else {
                stream.pausing()
            },
            accumulation,
            timer: Timer::new(self.checkpoint_every),
            reached: self.reached,
            lr: self.lr.map(ModuleLearningRate::from),
            first: self.before,
        }
    }

    /// The updates of the running epoch, from the first, from 0, to the one after the last; none if only
    /// the data know.
    fn updates_of(&self, epoch: usize) -> Option<(u64, u64)> {
        let periods = self.periods.as_ref();
        periods.map(|periods| periods.updates_of_period(epoch))
    }
}

impl<B: 'static> Walk<'_, B> {
    /// Begins `epoch`, unless the run begins within it.
    pub(super) fn enter(&mut self, epoch: usize) {
        if self.reached.epoch < epoch {
            self.reached.epoch = epoch;
            self.reached.iterations = 0;
            self.first = self.reached.updates;
        }
    }

    /// How many items the epoch has for who shows it: updates, or samples.
    pub(super) fn items(&self) -> usize {
        match self.course.updates_of(self.reached.epoch) {
            Some((first, end)) => usize::try_from(end - first).unwrap_or(usize::MAX),
            None => self.loader.num_items(),
        }
    }

    /// The number of the next update, from 1, unless it is of the next period.
    pub(super) fn next_update(&self) -> Option<u64> {
        let end = self.course.updates_of(self.reached.epoch);
        let is_over = end.is_some_and(|(_, end)| self.reached.updates >= end);
        (!is_over).then_some(self.reached.updates + 1)
    }

    /// How many batches the next update has, unless the epoch ends before.
    pub(super) fn batches(&self) -> usize {
        let growth = self.course.growth.as_ref();
        let samples = || self.stream.position().samples;
        growth.map_or(self.accumulation, |of| {
            of.batches(self.reached.updates, samples())
        })
    }

    /// Whether an update has the mean of its gradients, and not their sum.
    pub(super) fn takes_the_mean(&self) -> bool {
        self.course.growth.is_some()
    }

    /// Whether it is known that the epoch has no other update.
    pub(super) fn is_at_the_end(&self) -> bool {
        let end = self.course.updates_of(self.reached.epoch);
        let end = match (end, self.course.updates_per_epoch) {
            (Some((_, end)), _) => Some(end),
            (None, Some(updates)) => Some(self.first.saturating_add(updates)),
            (None, None) => None,
        };
        self.stream.is_over() || end == Some(self.reached.updates)
    }

    /// How far the epoch has come with the batch that was taken last.
    pub(super) fn progress(&self) -> Progress {
        let of_data = || self.stream.progress();
        let of_period = self
            .course
            .updates_of(self.reached.epoch)
            .map(|(first, _)| {
                let update =
                    usize::try_from(self.reached.updates + 1 - first).unwrap_or(usize::MAX);
                Progress::new(update, self.items(), Some("updates".to_owned()))
            });
        let progress = of_period.or_else(of_data);
        progress.unwrap_or_else(|| Progress::new(0, self.items(), None))
    }

    /// Tells the output of a batch.
    pub(super) fn tell<M: LearnerModel>(
        &mut self,
        epoch: &mut Epoch<'_, M>,
        output: <M as TrainStep>::Output,
        progress: &Progress,
    ) {
        self.reached.iterations += 1;
        // Before the first update there is no rate.
        let lr = self.lr.clone().unwrap_or_else(|| 0.0.into());
        epoch.tell_output(output, progress, self.reached.iterations, lr);
    }
}

impl<M: LearnerModel> Training<M> {
    /// How the run goes on after `start`, and `within` the next epoch.
    pub(super) fn course(
        &self,
        start: &Start<M>,
        within: Option<&Within>,
        run: &Run,
        periods: Option<Periods>,
        seed: Option<u64>,
    ) -> Course {
        let last = start.history.epochs.last();
        let before = last.map_or(0, |last| last.updates);
        let epochs = Past {
            epochs: start.done() as u64,
            batches: 0,
        };
        let data = last.and_then(|last| last.data);
        // Of a run in epochs, whose history does not tell them.
        let samples = epochs.epochs.saturating_mul(self.train.samples() as u64);
        let next = Reached {
            epoch: start.done() + 1,
            updates: before,
            iterations: 0,
            data: data.unwrap_or_else(|| DataPosition::new(epochs, samples, None)),
        };
        let by_update = self.place.workers() == 1 && self.seeds_updates();
        let mut checkpoint_every = self.hooks.checkpoint_every;
        if checkpoint_every.is_some() && seed.is_some() && !by_update {
            checkpoint_every = None;
            self.hooks.notices().say(
                "no checkpoints within epochs: the run was begun by an earlier version, which seeds random \
                 numbers once an epoch",
            );
        }
        let lr = within.and_then(|within| within.lrs.first().copied());
        Course {
            periods,
            growth: self.plan.batch_growth.clone(),
            updates_per_epoch: run.updates_per_epoch(),
            seed: seed.filter(|_| by_update),
            reached: within.map_or(next, |within| within.reached),
            before,
            lr: lr.or(last.map(|last| last.lr)),
            checkpoint_every,
        }
    }
}
