//! The Learner's training on one device, update by update.
//!
//! It is what Burn's own strategy for one device does, which offers no place between the gradients
//! and the optimizer, nor one between the start of the run and its first update.

use burn::data::dataloader::Progress;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Device;
use burn::train::{
    EventProcessorTraining, InferenceStep, Learner, LearnerEvent, LearnerModel,
    SupervisedLearningStrategy, SupervisedTrainingEventProcessor, TrainLoader, TrainOutput,
    TrainStep, TrainingComponents, TrainingItem, ValidLoader,
};

use super::epoch_end::EpochEnd;
use super::gradients::Gradients;
use super::period::Periods;
use super::stop::Stops;
use super::stream::{Next, Stream};
use crate::loader::seed_of;
use crate::metrics::DataPosition;

/// Burn's strategy of training on one device.
pub(super) struct UpdateLoop {
    pub device: Device,
    pub gradients: Gradients,
    pub epoch_end: EpochEnd,
    pub stops: Stops,
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

impl<M: LearnerModel> SupervisedLearningStrategy<M> for UpdateLoop {
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
            epoch.validate(&learner, &valid);
            let number = epoch.number;
            stops
                .own()
                .fail_on_error(processor.process_train(LearnerEvent::EndEpoch(number)));
            stops.own().fail_on_error(processor.flush());
            if stops.should_stop() {
                break;
            }
            let store = &components.event_store;
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

impl UpdateLoop {
    fn train<M: LearnerModel>(
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
            let output = learner.train_step(batch);
            if accumulation > 1 {
                accumulator.accumulate(&learner.model(), output.grads);
                accumulated += 1;
                // Not by the progress, which a loader may well count otherwise.
                next = batches.next();
                if accumulated == accumulation || next.is_none() {
                    self.update(learner, accumulator.grads());
                    accumulated = 0;
                }
            } else {
                self.update(learner, output.grads);
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
    fn train_period<M: LearnerModel>(
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
            if accumulation > 1 {
                accumulator.accumulate(&learner.model(), output.grads);
                self.update(learner, accumulator.grads());
            } else {
                self.update(learner, output.grads);
            }
            iteration += 1;
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

    fn update<M: LearnerModel>(&self, learner: &mut Learner<M>, mut grads: GradientsParams) {
        learner.lr_step();
        let admitted =
            !self.gradients.are_watched() || self.gradients.admit(&mut grads, &learner.model());
        if admitted {
            learner.optimizer_step(grads);
        }
    }
}

/// A running epoch.
struct Epoch<'a, M: LearnerModel> {
    number: usize,
    processor: &'a mut SupervisedTrainingEventProcessor<M>,
    stops: &'a Stops,
}

impl<M: LearnerModel> Epoch<'_, M> {
    fn tell_train(&mut self, event: LearnerEvent<<M as TrainStep>::Output>) {
        let told = self.processor.process_train(event);
        self.stops.own().fail_on_error(told);
    }

    fn tell_output(
        &mut self,
        output: <M as TrainStep>::Output,
        progress: &Progress,
        iteration: usize,
        lr: ModuleLearningRate,
    ) {
        let item = TrainingItem::new(output, progress.clone(), Some(iteration), Some(lr));
        self.tell_train(LearnerEvent::ProcessedItem(item));
    }

    fn tell_valid(&mut self, event: LearnerEvent<<M as InferenceStep>::Output>) {
        let told = self.processor.process_valid(event);
        self.stops.own().fail_on_error(told);
    }

    fn validate(&mut self, learner: &Learner<M>, loader: &ValidLoader<M>) {
        self.tell_valid(LearnerEvent::StartSplit {
            epoch_number: self.number,
            total_items: loader.num_items(),
        });
        let model = learner.model().valid();
        let mut batches = loader.iter();
        let mut iteration = 0;
        while let Some(batch) = batches.next() {
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => {
                    self.stops.own().fail(error);
                    break;
                }
            };
            iteration += 1;
            let progress: Progress = batches.progress();
            let output = InferenceStep::step(&model, batch);
            let item = TrainingItem::new(output, progress, Some(iteration), None);
            self.tell_valid(LearnerEvent::ProcessedItem(item));
            if self.stops.should_stop() {
                break;
            }
        }
        self.tell_valid(LearnerEvent::EndSplit(self.number));
    }
}
