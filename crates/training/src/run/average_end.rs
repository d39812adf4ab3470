//! What the end of an epoch hears of the average.

use burn::train::metric::store::{Aggregate, EventStoreClient, Split as BurnsSplit};

use super::epoch_end::{AddedParts, EpochEnd};
use crate::TrainingError;

impl EpochEnd {
    /// Adds `parts` to the checkpoint of the running epoch.
    pub(super) fn add_parts(&self, parts: Result<AddedParts, TrainingError>) {
        match parts {
            Ok(parts) => self.lock().parts = parts,
            Err(error) => self.fail_on_error(Err(error)),
        }
    }

    /// Gives the metrics of the validation that is over, of the average, names of their own.
    pub(super) fn name_as_averages(&self, epoch: usize, store: &EventStoreClient) {
        // The store answers in order. Of a metric that there is it would remember the value.
        store.find_metric("", epoch, Aggregate::Mean, &BurnsSplit::Valid);
        let of_average = |name: &str| format!("Average {name}");
        self.lock().log.rename_validation(epoch, of_average);
    }

    /// Ends the run if `result` is an error.
    pub(super) fn fail_on_error(&self, result: Result<(), impl Into<TrainingError>>) {
        if let Err(error) = result {
            let mut state = self.lock();
            state.error.get_or_insert(error.into());
            state.stops.own().stop(None);
        }
    }
}
