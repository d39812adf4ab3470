//! The Learner's training on one device, update by update.
//!
//! It is what Burn's own strategy for one device does, which offers no place between the gradients
//! and the optimizer, nor one between the start of the run and its first update.

use burn::data::dataloader::Progress;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Device;
use burn::train::metric::store::EventStoreClient;
use burn::train::{
    EventProcessorTraining, Learner, LearnerEvent, LearnerModel, SupervisedLearningStrategy,
    SupervisedTrainingEventProcessor, TrainLoader, TrainOutput, TrainStep, TrainingComponents,
    TrainingItem, ValidLoader,
};

use super::averages::Averages;
use super::epoch_end::EpochEnd;
use super::gradients::Gradients;
use super::period::Periods;
use super::running_epoch::Epoch;
use super::second_pass::SecondPass;
use super::stop::Stops;
use super::stream::{Next, Stream};
use super::tracking::{Tracking, UpdatePlace};
use crate::average::Validate;
use crate::loader::seed_of;
use crate::metrics::DataPosition;
use crate::optim::GradientNorm;

/// Burn's strategy of training on one device.
pub(super) struct UpdateLoop<M: LearnerModel> {
    pub device: Device,
    pub gradients: Gradients,
    pub averages: Option<Averages<M>>,
    pub second_pass: SecondPass<<M as TrainStep>::Input>,
    pub epoch_end: EpochEnd,
    pub stops: Stops,
    /// If anybody follows the run.
    pub tracking: Option<Tracking>,
    /// How a run is divided that is measured in updates.
    pub periods: Option<PeriodLoop>,
}

/// What a run that is measured in updates knows beside the Learner's epochs, which are its periods.
pub(super) struct PeriodLoop {
    pub periods: Periods,
    /// What the device is seeded with before every update.
    pub seed: Option<u64>,
    /// Where in the data the run goes on.
    pub position: Option<DataPosition>,
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
        let mut stream = self.periods.as_ref().map(|of| {
            let batches = of.periods.batches_per_epoch();
            Stream::new(&*train, of.position.as_ref(), batches)
        });
        for epoch in starting_epoch..=components.num_epochs {
            if stops.should_stop() {
                break;
            }
            let mut epoch = Epoch::<M> {
                number: epoch,
                processor: &mut processor,
                stops,
            };
            let accumulation = components.grad_accumulation.unwrap_or(1);
            match (&self.periods, &mut stream) {
                (Some(of), Some(stream)) => {
                    self.train_period(&mut epoch, &mut learner, of, stream, accumulation);
                    self.epoch_end.set_position(stream.position());
                }
                _ => self.train(&mut epoch, &mut learner, &train, accumulation),
            }
            if stops.should_stop() {
                break;
            }
            let number = epoch.number;
            let store = &components.event_store;
            match &self.averages {
                None => epoch.validate(&learner.model().valid(), &valid),
                Some(averages) => {
                    self.end_epoch(averages, &learner.model(), number);
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
    fn train(
        &self,
        epoch: &mut Epoch<'_, M>,
        learner: &mut Learner<M>,
        loader: &TrainLoader<M>,
        accumulation: usize,
    ) {
        epoch.tell_train(LearnerEvent::StartSplit {
            epoch_number: epoch.number,
            total_items: loader.num_items(),
        });
        let mut batches = loader.iter();
        let mut accumulator = GradientsAccumulator::new();
        let mut accumulated = 0;
        let mut iteration = 0;
        let mut next = batches.next();
        while let Some(batch) = next {
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => {
                    epoch.stops.own().fail(error);
                    break;
                }
            };
            iteration += 1;
            let progress = batches.progress();
            let place = UpdatePlace {
                epoch: epoch.number,
                batch: iteration,
                samples: progress.items_processed as u64,
            };
            let output = learner.train_step(batch);
            if accumulation > 1 {
                accumulator.accumulate(&learner.model(), output.grads);
                accumulated += 1;
                // Not by the progress, which a loader may well count otherwise.
                next = batches.next();
                if accumulated == accumulation || next.is_none() {
                    self.update(&place, learner, accumulator.grads());
                    accumulated = 0;
                }
            } else {
                self.update(&place, learner, output.grads);
                next = batches.next();
            }
            let lr = Some(learner.lr_current());
            let item = TrainingItem::new(output.item, progress, Some(iteration), lr);
            epoch.tell_train(LearnerEvent::ProcessedItem(item));
            if self.gradients.must_stop() {
                epoch.stops.own().stop(Some("a gradient is not finite"));
            }
            if epoch.stops.should_stop() {
                break;
            }
        }
        epoch.tell_train(LearnerEvent::EndSplit(epoch.number));
    }

    /// The updates of one period, which may begin and end within an epoch of the data.
    fn train_period(
        &self,
        epoch: &mut Epoch<'_, M>,
        learner: &mut Learner<M>,
        of: &PeriodLoop,
        stream: &mut Stream<'_, <M as TrainStep>::Input>,
        accumulation: usize,
    ) {
        let (first, end) = of.periods.updates_of_period(epoch.number);
        let all = usize::try_from(end - first).unwrap_or(usize::MAX);
        epoch.tell_train(LearnerEvent::StartSplit {
            epoch_number: epoch.number,
            total_items: all,
        });
        let mut iteration = 0;
        for update in first..end {
            if let Some(seed) = of.seed {
                self.device.seed(seed_of(seed, update + 1));
            }
            let done = usize::try_from(update + 1 - first).unwrap_or(usize::MAX);
            let progress = Progress::new(done, all, Some("updates".to_owned()));
            let mut accumulator = GradientsAccumulator::new();
            // The last batch's output is told after the update, with the rate of that.
            let mut last: Option<TrainOutput<_>> = None;
            for taken in 0..accumulation {
                let batch = match stream.next(taken == 0) {
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
                if let Some(output) = last.take() {
                    iteration += 1;
                    epoch.tell_output(output.item, &progress, iteration, learner.lr_current());
                    accumulator.accumulate(&learner.model(), output.grads);
                }
                last = Some(learner.train_step(batch));
                if epoch.stops.should_stop() {
                    break;
                }
            }
            // An update of which batches are missing is none.
            let Some(output) = last.filter(|_| !epoch.stops.should_stop()) else {
                break;
            };
            iteration += 1;
            let place = UpdatePlace {
                epoch: epoch.number,
                batch: iteration,
                samples: stream.position().samples,
            };
            if accumulation > 1 {
                accumulator.accumulate(&learner.model(), output.grads);
                self.update(&place, learner, accumulator.grads());
            } else {
                self.update(&place, learner, output.grads);
            }
            epoch.tell_output(output.item, &progress, iteration, learner.lr_current());
            if self.gradients.must_stop() {
                epoch.stops.own().stop(Some("a gradient is not finite"));
            }
            if epoch.stops.should_stop() {
                break;
            }
        }
        epoch.tell_train(LearnerEvent::EndSplit(epoch.number));
    }

    fn update(&self, place: &UpdatePlace, learner: &mut Learner<M>, mut grads: GradientsParams) {
        learner.lr_step();
        let tracking = self.tracking.as_ref().filter(|tracking| tracking.is_due());
        let tracked = tracking.map(|of| (of, GradientNorm::of(&grads, &learner.model())));
        let admitted =
            !self.gradients.are_watched() || self.gradients.admit(&mut grads, &learner.model());
        if admitted {
            learner.optimizer_step(grads);
            if let Some(averages) = &self.averages {
                let updated = averages.update(&learner.model(), place.epoch);
                self.epoch_end.fail_on_error(updated);
            }
        }
        if let Some((tracking, norm)) = tracked {
            tracking.update(place, norm.value());
        }
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
