//! How a run ends.

use burn::train::{LearnerModel, LearningResult};

use super::averages::Averages;
use super::epoch_end::EpochEnd;
use super::stop::Stops;
use super::training::{Trained, Training};
use crate::TrainingError;
use crate::checkpoint::CheckpointStore;
use crate::metrics::History;
use crate::storage::save_model;

impl<M: LearnerModel> Training<M> {
    /// The model, or the first cause of the run's end.
    pub(super) fn judge(
        self,
        result: LearningResult<M>,
        averages: Option<Averages<M>>,
        store: &CheckpointStore,
        epoch_end: EpochEnd,
        stops: &Stops,
        last: usize,
    ) -> Result<Trained<M>, TrainingError> {
        let history = epoch_end.finish()?;
        if let Some(error) = store.failure() {
            return Err(error);
        }
        let epoch = history.epochs.last().map_or(0, |last| last.epoch);
        if let Some(source) = stops.error() {
            return Err(TrainingError::Learner { epoch, source });
        }
        if let Some(interruption) = stops.interruption() {
            return Err(TrainingError::Interrupted {
                epoch,
                reason: interruption
                    .reason
                    .unwrap_or_else(|| "no reason given".to_owned()),
            });
        }
        self.complete(result.model, averages, history, last)
    }

    pub(super) fn complete(
        self,
        model: M,
        averages: Option<Averages<M>>,
        history: History,
        last: usize,
    ) -> Result<Trained<M>, TrainingError> {
        // What an optimizer has evaluated in place of the model is the model that it was trained for.
        let (model, averages) = match averages {
            Some(averages) if averages.is_of_optimizer() => (averages.model(), None),
            averages => (model, averages),
        };
        save_model(&self.directory.final_model(), &model)?;
        let average = averages.map(|averages| averages.model());
        if let Some(average) = &average {
            save_model(&self.directory.average_model(), average)?;
        }
        let stopping = self.plan.early_stopping.as_ref();
        if history.epochs.len() < last
            && let Some(reason) = stopping.and_then(|stopping| stopping.reason(&history))
        {
            self.hooks.notices().say(&reason);
        }
        Ok(Trained {
            model,
            average,
            history,
        })
    }
}
