//! A running epoch, as the Learner's events tell of it.

use burn::data::dataloader::Progress;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::train::{
    EventProcessorTraining, InferenceStep, LearnerEvent, LearnerModel,
    SupervisedTrainingEventProcessor, TrainStep, TrainingItem, ValidLoader,
};

use super::stop::Stops;

/// A running epoch.
pub(super) struct Epoch<'a, M: LearnerModel> {
    pub number: usize,
    pub processor: &'a mut SupervisedTrainingEventProcessor<M>,
    pub stops: &'a Stops,
}

impl<M: LearnerModel> Epoch<'_, M> {
    pub(super) fn tell_train(&mut self, event: LearnerEvent<<M as TrainStep>::Output>) {
        let told = self.processor.process_train(event);
        self.stops.own().fail_on_error(told);
    }

    pub(super) fn tell_output(
        &mut self,
        output: <M as TrainStep>::Output,
        progress: &Progress,
        iteration: usize,
        lr: ModuleLearningRate,
    ) {
        let item = TrainingItem::new(output, progress.clone(), Some(iteration), Some(lr));
        self.tell_train(LearnerEvent::ProcessedItem(item));
    }

    pub(super) fn tell_valid(&mut self, event: LearnerEvent<<M as InferenceStep>::Output>) {
        let told = self.processor.process_valid(event);
        self.stops.own().fail_on_error(told);
    }

    pub(super) fn validate(&mut self, model: &M, loader: &ValidLoader<M>) {
        self.tell_valid(LearnerEvent::StartSplit {
            epoch_number: self.number,
            total_items: loader.num_items(),
        });
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
            let output = InferenceStep::step(model, batch);
            let item = TrainingItem::new(output, progress, Some(iteration), None);
            self.tell_valid(LearnerEvent::ProcessedItem(item));
            if self.stops.should_stop() {
                break;
            }
        }
        self.tell_valid(LearnerEvent::EndSplit(self.number));
    }
}
