//! Strategies of the user with the observation in front of them.

use burn::train::EarlyStoppingStrategy;
use burn::train::checkpoint::{CheckpointingAction, CheckpointingStrategy};
use burn::train::metric::store::EventStoreClient;

use super::observation::Observation;

/// Never stops.
#[derive(Clone)]
pub(super) struct Never;

impl EarlyStoppingStrategy for Never {
    fn should_stop(&mut self, _epoch: usize, _store: &EventStoreClient) -> bool {
        false
    }
}

/// A strategy of the user, with the observation made before it is asked.
#[derive(Clone)]
pub(super) struct Observed<S> {
    pub observation: Observation,
    pub strategy: S,
}

impl<S: CheckpointingStrategy> CheckpointingStrategy for Observed<S> {
    fn checkpointing(
        &mut self,
        epoch: usize,
        store: &EventStoreClient,
    ) -> Vec<CheckpointingAction> {
        // A checkpoint without the verdict on its epoch would be resumed wrongly. The error is kept,
        // and stops the run at the next hook.
        if self.observation.end(epoch, store) {
            self.strategy.checkpointing(epoch, store)
        } else {
            Vec::new()
        }
    }
}

impl<S: EarlyStoppingStrategy> EarlyStoppingStrategy for Observed<S> {
    fn should_stop(&mut self, epoch: usize, store: &EventStoreClient) -> bool {
        !self.observation.end(epoch, store) || self.strategy.should_stop(epoch, store)
    }
}
