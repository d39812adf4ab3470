//! Runs a [`Training`] through Burn's Learner.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use burn::train::{Learner, LearnerModel, SupervisedTraining, TrainingStrategy};

use super::averages::Averages;
use super::check::Checked;
use super::course::Course;
use super::epoch_end::{EpochEnd, State};
use super::gate::Gate;
use super::gradients::Gradients;
use super::lock::Lock;
use super::recompute::recomputing;
use super::registration::{Registering, Registration};
use super::second_pass::SecondPass;
use super::start::Start;
use super::stop::{self, Stops};
use super::tracking::Tracking;
use super::training::{Trained, Training};
use super::update_loop::UpdateLoop;
use super::within::ByTime;
use crate::TrainingError;
use crate::checkpoint::{CheckpointStore, Handover, MODEL, OPTIM, PartCheckpointer, SCHEDULER};
use crate::loader::{Past, Replay};
use crate::metrics::{History, MetricsLog};
use crate::optim::{NonFinite, Passes};
use crate::storage::create_directory;

impl<M: LearnerModel> Training<M> {
    /// Trains `model`, whose device decides where that happens.
    ///
    /// # Errors
    /// [`TrainingError`] naming the setting, hyperparameter or file that is wrong, or what stopped
    /// the run: [`Diverged`](TrainingError::Diverged), [`Interrupted`](TrainingError::Interrupted)
    /// or an error of the Learner. What completed epochs led to is in the directory then, and can be
    /// resumed. [`AlreadyStopped`](TrainingError::AlreadyStopped), before anything is written, if the
    /// [interrupter](Self::interrupter) was.
    pub fn fit(mut self, model: M) -> Result<Trained<M>, TrainingError> {
        let trackers = std::mem::take(&mut self.hooks.trackers);
        let tracking = Tracking::new(trackers, self.hooks.track_every, self.hooks.notices());
        let trained = self.trained(model, &tracking);
        tracking.end(trained.as_ref().err());
        trained
    }

    fn trained(mut self, model: M, tracking: &Tracking) -> Result<Trained<M>, TrainingError> {
        stop::check(&self.hooks.interrupter)?;
        let checked = self.checked(&model)?;
        let notices = self.hooks.notices();
        if !self.has_checkpoint()? {
            self.check_beginning(&checked)?;
        }
        create_directory(self.directory.path())?;
        let _lock = Lock::take(&self.directory)?;
        self.resume |= self.begin_branch(&checked, &model)?;
        let Checked {
            run,
            groups,
            schedulers,
            inexact,
            spec,
            periods,
            notices: said,
        } = checked;
        let (store, checkpoint) = self.opened(&spec)?;
        for reason in &inexact {
            let notice = format!("a resumed run may not be exact: {reason}");
            notices.say(&notice);
        }
        for notice in &said {
            notices.say(notice);
        }

        // A model from a plain device has no gradients yet.
        let seed = self.seed_for(&model);
        let mut model = model.train();
        if self.place.gradient_checkpointing {
            model = recomputing(model);
        }
        let start = Start::new(model, schedulers);
        let optimizer = |model: &M| {
            let assembled = self.plan.optimizer.assembled_for(&groups, model);
            assembled.map(|(optimizer, _)| optimizer)
        };
        let averages = self.averages(&start.model)?;
        let averaged = averages.as_ref();
        let may_go_on = |history: &History| self.check_going_on(history, run, periods.as_ref());
        let mut start =
            start.restored(optimizer, averaged, checkpoint, &store, &notices, may_go_on)?;
        let done = start.done();
        let periods = self.periods_after(periods.as_ref(), &start.history)?;
        let last = self.last_epoch(periods.as_ref());
        let config = spec
            .clone()
            .after(&start.history, last)
            .write(&self.directory)?;
        let is_complete = self.is_complete(&start.history, last);
        let within = start.within.take();
        let update = within.as_ref().map(|within| within.reached.updates);
        // Of a complete run nothing is written.
        if !is_complete {
            self.directory.write_launch(done, update)?;
        }
        self.clear(&store, &start.history, update)?;
        if done > 0 {
            self.directory.write_history(&start.history)?;
        }
        self.tell_lost_best(&store, spec.keep(), &start.history);
        self.begin_tracking(tracking, &run, &config, &start, (last, update));
        let best = self.best_part(spec.keep());
        let store = store.with_best_copy(best, self.directory.best_model())?;
        if is_complete {
            // A process that was killed after the last epoch may have had no time for it.
            if !self.directory.final_model().exists()
                && let Err(error) = store.prune()
            {
                notices.say(&error.to_string());
            }
            return self.complete(start.model.valid(), averages, start.history, last);
        }

        let (optimizer, passes) = self.plan.optimizer.assembled_for(&groups, &start.model)?;
        let scheduler = start.scheduler(&groups);
        let in_updates = periods.is_some();
        let course = self.course(&start, within.as_ref(), &run, periods.clone(), seed);
        let past = course.reached.data.past();
        let Start {
            model,
            history,
            log,
            tracks,
            ..
        } = start;
        let gradients = Gradients::new(self.plan.clip, self.plan.non_finite);
        let registration = Registration::default();
        let stops = Stops::new(self.hooks.interrupter.clone());
        let epoch_end = EpochEnd::new(State {
            directory: self.directory.clone(),
            store: store.clone(),
            handover: Handover::default(),
            keep: self.plan.keep.clone(),
            log: log.clone(),
            gradients: gradients.clone(),
            passes: passes.clone(),
            tracks,
            updates_per_epoch: run.updates_per_epoch(),
            periods,
            position: None,
            early_stopping: self.plan.early_stopping.clone(),
            on_epoch: std::mem::take(&mut self.hooks.on_epoch),
            averaged: self.validates_both(),
            required: std::mem::take(&mut self.hooks.required),
            history,
            config,
            registration: registration.clone(),
            stops: stops.clone(),
            tracking: tracking.clone(),
            begun: false,
            summarized: self.place.workers() > 1,
            summary_is_begun: false,
            started: Instant::now(),
            spent: Duration::ZERO,
            by_time: ByTime {
                notices: notices.clone(),
                pending: None,
                given_up: false,
            },
            error: None,
            parts: Vec::new(),
        });
        self.watch(&log, &stops);
        if let Some(within) = within {
            tracking.go_on_within(within.reached.epoch, within.reached.iterations);
            epoch_end.go_on_within(within);
        }
        if tracking.is_heard() {
            let tracking = tracking.clone();
            log.on_batch(move |epoch, metrics| tracking.batch(epoch, metrics));
        }
        let devices = self.place.devices(&model);
        let seed = seed.filter(|_| course.seed.is_none());
        let training = self.supervised(&log, &epoch_end, &stops, (done, past), seed);
        let training = self.attached(training, &store, &epoch_end, &stops, (done, update, last));
        let tracking = Some(tracking.clone()).filter(Tracking::is_heard);
        let update_loop = (averages.clone(), passes, course, tracking);
        let strategy = self.strategy_on(devices, gradients, update_loop, &epoch_end, &stops);
        let training = training.with_training_strategy(strategy);
        let renderer = self.shown_by((done > 0).then_some(done), in_updates, &stops);
        let training = training.renderer(Box::new(Registering {
            inner: renderer,
            log,
            registration,
        }));
        let learner = Learner::new(model, optimizer, scheduler);
        match catch_unwind(AssertUnwindSafe(|| training.launch(learner))) {
            Ok(result) => self.judge(result, averages, &store, epoch_end, &stops, last),
            // By the gate in front of a run that is refused, or by a panic.
            Err(unwound) => match epoch_end.finish() {
                Err(error) => Err(error),
                Ok(_) => resume_unwind(unwound),
            },
        }
    }

    /// Whether no epoch is left to be made after `history`.
    fn is_complete(&self, history: &History, last: usize) -> bool {
        let stopping = self.plan.early_stopping.as_ref();
        history.epochs.len() >= last || stopping.is_some_and(|stopping| stopping.stops(history))
    }

    /// Has `log` do what was asked for losses that are not finite.
    fn watch(&self, log: &MetricsLog, stops: &Stops) {
        match self.plan.non_finite {
            NonFinite::Propagate => log.stop_on_divergence(stops.own().clone()),
            NonFinite::Skip => log.tolerate_divergence(),
            // The update that it spoils is named, and a loss that spoils none is seen at the end of
            // the epoch.
            NonFinite::Stop => {}
        }
    }

    /// Burn's training on the data, as the caller has configured it, starting after epoch `done`, and after
    /// what that has had of the training data.
    fn supervised(
        &mut self,
        log: &MetricsLog,
        epoch_end: &EpochEnd,
        stops: &Stops,
        (done, past): (usize, Past),
        seed: Option<u64>,
    ) -> SupervisedTraining<M> {
        let train = Arc::new(Replay::new(&self.train, past, seed));
        // The model and its average are each validated over an epoch of theirs.
        let each = if self.validates_both() { 2 } else { 1 };
        let validated = Past {
            epochs: each * done as u64,
            batches: 0,
        };
        let valid = Replay::new(&self.valid, validated, None);
        let train: Arc<dyn DataLoader<_>> = if self.place.workers() > 1 {
            Arc::new(Gate {
                inner: train,
                epoch_end: epoch_end.clone(),
                stops: stops.clone(),
            })
        } else {
            train
        };
        // All that Burn itself looks for there is the summary.
        let directory = self.directory.summary();
        let mut training = SupervisedTraining::new(directory, train, Arc::new(valid))
            .with_application_logger(None)
            .with_metric_logger(log.clone());
        for configure in std::mem::take(&mut self.hooks.configure) {
            training = configure(training);
        }
        training
    }

    /// `training` with everything of ours attached, also what is the default, in case the caller has
    /// set something else.
    fn attached(
        &self,
        training: SupervisedTraining<M>,
        store: &CheckpointStore,
        epoch_end: &EpochEnd,
        stops: &Stops,
        (done, update, last): (usize, Option<u64>, usize),
    ) -> SupervisedTraining<M> {
        let handover = epoch_end.handover();
        let part = |part| {
            PartCheckpointer::new(store.clone(), part)
                .with_handover(&handover)
                .beginning_after(update)
        };
        let mut training = training
            .num_epochs(last)
            .with_interrupter(stops.own().clone())
            .with_custom_checkpointers(part(MODEL), part(OPTIM), part(SCHEDULER))
            .with_checkpointing_strategy(epoch_end.clone())
            .early_stopping(epoch_end.clone());
        // Set also when it is 1, which the caller may have changed, but not for Burn's data-parallel
        // workers: they accumulate single batches too, with a copy of the model in every update.
        if self.plan.grads_accumulation > 1 || !self.place.data_parallel {
            training = training.grads_accumulation(self.plan.grads_accumulation);
        }
        if self.place.gradient_checkpointing {
            training = training.gradient_checkpointing();
        }
        if done > 0 || update.is_some() {
            training = training.checkpoint(done);
        }
        training
    }

    /// Our own loop on one device, Burn's strategies on several.
    fn strategy_on(
        &self,
        mut devices: Vec<Device>,
        gradients: Gradients,
        (averages, passes, course, tracking): (
            Option<Averages<M>>,
            Passes,
            Course,
            Option<Tracking>,
        ),
        epoch_end: &EpochEnd,
        stops: &Stops,
    ) -> TrainingStrategy<M> {
        if self.place.devices.is_empty() {
            devices.truncate(1);
        }
        if devices.len() > 1 {
            return self.place.several(devices).into();
        }
        let mut device = devices.pop().unwrap_or_default();
        if !device.is_autodiff() {
            device = device.autodiff();
        }
        if self.place.gradient_checkpointing {
            device = device.gradient_checkpointing();
        }
        TrainingStrategy::Custom(Arc::new(UpdateLoop {
            device,
            gradients,
            averages,
            passes,
            second_pass: SecondPass::new(&self.train),
            epoch_end: epoch_end.clone(),
            stops: stops.clone(),
            tracking,
            course,
        }))
    }
}
