//! The Learner's training on one device, update by update.
//!
//! It is what Burn's own strategy for one device does, which offers no place between the gradients
//! and the optimizer, nor one between the start of the run and its first update.

use burn::data::dataloader::Progress;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Device;
use burn::train::metric::store::EventStoreClient;
use burn::train::{
    EventProcessorTraining, Learner, LearnerEvent, LearnerModel, LearningCheckpointer,
    SupervisedLearningStrategy, SupervisedTrainingEventProcessor, TrainLoader, TrainStep,
    TrainingComponents, ValidLoader,
};

use super::averages::Averages;
use super::course::{Course, Walk};
use super::epoch_end::EpochEnd;
use super::gradients::Gradients;
use super::running_epoch::Epoch;
use super::second_pass::SecondPass;
use super::stop::Stops;
use super::stream::Next;
use super::tracking::{Tracking, UpdatePlace};
use super::within::Pending;
use crate::average::Validate;
use crate::checkpoint::Moment;
use crate::loader::seed_of;
use crate::optim::{GradientNorm, Passes, divide};

/// Burn's strategy of training on one device.
pub(super) struct UpdateLoop<M: LearnerModel> {
    pub device: Device,
    pub gradients: Gradients,
    pub averages: Option<Averages<M>>,
    pub passes: Passes,
    pub second_pass: SecondPass<<M as TrainStep>::Input>,
    pub epoch_end: EpochEnd,
    pub stops: Stops,
    /// If anybody follows the run.
    pub tracking: Option<Tracking>,
    pub course: Course,
}

/// The batches of an update, which is yet to be made.
struct Forward<M: LearnerModel> {
    /// Of the last batch, which is told after the update, with the rate of that.
    output: <M as TrainStep>::Output,
    progress: Progress,
    grads: GradientsParams,
}

impl<M: LearnerModel> SupervisedLearningStrategy<M> for UpdateLoop<M> {
    fn fit(
        &self,
        mut components: TrainingComponents<M>,
        mut learner: Learner<M>,
        train: TrainLoader<M>,
        valid: ValidLoader<M>,
        starting_epoch: usize,
    ) -> (M, SupervisedTrainingEventProcessor<M>) {
        let train = train.to_device(&self.device);
        let valid = valid.to_device(&self.device.clone().inner());
        learner.fork(&self.device);
        if let Some(averages) = &self.averages {
            averages.to_device(&self.device);
        }
        // The components' interrupter is the run's own.
        let stops = &self.stops;
        let mut processor = components.event_processor;
        if components.summary.is_some() {
            self.epoch_end.summarize();
        }
        self.epoch_end.begin();
        let mut walk = self
            .course
            .begin(&*train, components.grad_accumulation.unwrap_or(1));
        for epoch in starting_epoch..=components.num_epochs {
            if stops.should_stop() {
                break;
            }
            let mut epoch = Epoch::<M> {
                number: epoch,
                processor: &mut processor,
                stops,
            };
            let store = &components.event_store;
            walk.enter(epoch.number);
            let checkpointer = components.checkpointer.as_mut();
            self.train(&mut epoch, &mut learner, &mut walk, checkpointer, store);
            if self.course.periods.is_some() {
                self.epoch_end.set_position(walk.stream.position());
            }
            if stops.should_stop() {
                break;
            }
            let number = epoch.number;
            match &self.averages {
                None => epoch.validate(&learner.model().valid(), &valid),
                Some(averages) => {
                    // Brings running statistics up to date, also of a model that is not validated itself.
                    drop(learner.model().valid());
                    self.end_epoch(averages, &self.averaged(&learner), number);
                    self.validate_average(averages, &mut epoch, &learner, &valid, store);
                }
            }
            stops
                .own()
                .fail_on_error(processor.process_train(LearnerEvent::EndEpoch(number)));
            stops.own().fail_on_error(processor.flush());
            if stops.should_stop() {
                break;
            }
            if let Some(checkpointer) = &mut components.checkpointer {
                checkpointer.checkpoint(&learner, number, store);
                walk.timer.restart();
            }
            if let Some(stopping) = &mut components.early_stopping
                && stopping.should_stop(number, store)
            {
                break;
            }
        }
        (learner.model(), processor)
    }
}

impl<M: LearnerModel> UpdateLoop<M> {
    /// The updates of one epoch of the data, or of one period, which may begin and end within one.
    fn train(
        &self,
        epoch: &mut Epoch<'_, M>,
        learner: &mut Learner<M>,
        walk: &mut Walk<'_, <M as TrainStep>::Input>,
        mut checkpointer: Option<&mut LearningCheckpointer<M>>,
        store: &EventStoreClient,
    ) {
        epoch.tell_train(LearnerEvent::StartSplit {
            epoch_number: epoch.number,
            total_items: walk.items(),
        });
        while let Some(update) = walk.next_update() {
            if let Some(seed) = self.course.seed {
                self.device.seed(seed_of(seed, update));
            }
            let Some(forward) = self.forward(epoch, learner, walk) else {
                break;
            };
            let place = UpdatePlace {
                epoch: epoch.number,
                batch: walk.reached.iterations + 1,
                samples: walk.stream.position().samples,
            };
            self.update(&place, learner, forward.grads);
            walk.lr = Some(learner.lr_current());
            walk.reached.updates = update;
            walk.tell(epoch, forward.output, &forward.progress);
            if self.gradients.must_stop() {
                epoch.stops.own().stop(Some("a gradient is not finite"));
            }
            if epoch.stops.should_stop() {
                break;
            }
            if walk.timer.is_due()
                && !walk.is_at_the_end()
                && let Some(checkpointer) = &mut checkpointer
            {
                self.checkpoint(epoch, learner, walk, checkpointer, store);
                walk.timer.restart();
            }
        }
        epoch.tell_train(LearnerEvent::EndSplit(epoch.number));
    }

    /// What the batches of the next update give; nothing at the end of the epoch, or of the run.
    fn forward(
        &self,
        epoch: &mut Epoch<'_, M>,
        learner: &Learner<M>,
        walk: &mut Walk<'_, <M as TrainStep>::Input>,
    ) -> Option<Forward<M>> {
        let mut accumulator = GradientsAccumulator::new();
        let mut last = None;
        let mut summed = 0;
        let batches = walk.batches();
        for taken in 0..batches {
            let batch = match walk.stream.next(taken == 0) {
                Next::Batch(batch) => batch,
                Next::EpochEnded => break,
                Next::Source(error) => {
                    epoch.stops.own().fail(error);
                    break;
                }
                Next::Wrong(error) => {
                    self.epoch_end.fail(error);
                    break;
                }
            };
            let progress = walk.progress();
            if let Some(Forward {
                output,
                progress,
                grads,
            }) = last.take()
            {
                walk.tell(epoch, output, &progress);
                accumulator.accumulate(&learner.model(), grads);
                summed += 1;
            }
            let output = learner.train_step(batch);
            last = Some(Forward::<M> {
                output: output.item,
                progress,
                grads: output.grads,
            });
            if epoch.stops.should_stop() {
                break;
            }
        }
        // An update of which batches are missing is none.
        let mut last = last.filter(|_| !epoch.stops.should_stop())?;
        if batches > 1 {
            accumulator.accumulate(&learner.model(), last.grads);
            last.grads = accumulator.grads();
        }
        if walk.takes_the_mean() && summed > 0 {
            divide(&mut last.grads, &learner.model(), summed + 1);
        }
        Some(last)
    }

    /// Makes a checkpoint within the epoch, if all of its state can be had.
    fn checkpoint(
        &self,
        epoch: &mut Epoch<'_, M>,
        learner: &Learner<M>,
        walk: &mut Walk<'_, <M as TrainStep>::Input>,
        checkpointer: &mut LearningCheckpointer<M>,
        store: &EventStoreClient,
    ) {
        if !self.epoch_end.can_be_within() {
            return;
        }
        // Brings running statistics up to date, which lag behind by an update.
        drop(learner.model().valid());
        self.stops.own().fail_on_error(epoch.processor.flush());
        if self.stops.should_stop() {
            return;
        }
        let parts = self.averages.as_ref().map(Averages::running_parts);
        let parts = match parts.transpose() {
            Ok(parts) => parts.unwrap_or_default(),
            Err(error) => return self.epoch_end.fail(error),
        };
        walk.reached.data = walk.stream.position();
        let reached = walk.reached;
        self.epoch_end.expect_within(Pending { reached, parts });
        let number = Moment::after(reached.updates).number();
        checkpointer.checkpoint(learner, number, store);
        // Until it was read from the device, no update may be made.
        self.epoch_end.handover().wait();
    }

    fn update(&self, place: &UpdatePlace, learner: &mut Learner<M>, mut grads: GradientsParams) {
        learner.lr_step();
        let tracking = self.tracking.as_ref().filter(|tracking| tracking.is_due());
        let tracked = tracking.map(|of| (of, GradientNorm::of(&grads, &learner.model())));
        let admitted =
            !self.gradients.are_watched() || self.gradients.admit(&mut grads, &learner.model());
        if admitted {
            if self.passes.are_several() {
                let model = learner.model();
                let step = |grads| learner.optimizer_step(grads);
                self.passes.update(&model, grads, step);
            } else {
                learner.optimizer_step(grads);
            }
            if let Some(averages) = &self.averages {
                let updated = averages.update(&learner.model(), place.epoch);
                self.epoch_end.fail_on_error(updated);
            }
        }
        if let Some((tracking, norm)) = tracked {
            tracking.update(place, norm.value());
        }
    }

    /// What goes into an average: the model, or what its optimizer would have evaluated in its place.
    fn averaged(&self, learner: &Learner<M>) -> M {
        if !self.passes.has_average() {
            return learner.model();
        }
        self.passes.evaluated(&learner.model(), |asked| {
            let mut copy = learner.clone();
            copy.optimizer_step(asked);
            copy.model()
        })
    }

    /// Brings the average up to the end of the epoch, and hands it over for the checkpoint.
    fn end_epoch(&self, averages: &Averages<M>, model: &M, epoch: usize) {
        let ended = averages.end_epoch(model, epoch);
        self.epoch_end.fail_on_error(ended);
        if averages.is_to_be_recomputed() && !self.stops.should_stop() {
            let forward = |model: &M, batch| drop(TrainStep::step(model, batch));
            let pass = &self.second_pass;
            match pass.recomputed(&averages.model(), epoch, &self.device, &self.stops, forward) {
                Ok(model) => averages.set_recomputed(model),
                // Of a run that was stopped meanwhile the batches end, which is no error of theirs.
                Err(_) if self.stops.should_stop() => {}
                Err(error) => self.epoch_end.fail_on_error(Err(error)),
            }
        }
        if !self.stops.should_stop() {
            self.epoch_end.add_parts(averages.parts());
        }
    }

    /// Validates what was asked for: the average's metrics go by names of their own beside the model's.
    fn validate_average(
        &self,
        averages: &Averages<M>,
        epoch: &mut Epoch<'_, M>,
        learner: &Learner<M>,
        valid: &ValidLoader<M>,
        store: &EventStoreClient,
    ) {
        if averages.plan.validate != Validate::Model {
            epoch.validate(&averages.model(), valid);
        }
        if averages.plan.validate == Validate::Both {
            let flushed = epoch.processor.flush();
            self.stops.own().fail_on_error(flushed);
            self.epoch_end.name_as_averages(epoch.number, store);
        }
        if averages.plan.validate != Validate::Average {
            epoch.validate(&learner.model().valid(), valid);
        }
    }
}
