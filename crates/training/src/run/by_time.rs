//! Checkpoints within an epoch, or a period, made by time.

use std::time::Duration;

use burn::train::metric::store::{Aggregate, EventStoreClient, Split as BurnsSplit};

use super::epoch_end::{EpochEnd, State};
use super::resume::SavedHistory;
use super::within::{Pending, Within};
use crate::TrainingError;
use crate::checkpoint::{CONFIG, HISTORY, WITHIN};
use crate::metrics::SavedMeans;

impl EpochEnd {
    /// Goes on within an epoch.
    pub(super) fn go_on_within(&self, within: Within) {
        let mut state = self.lock();
        state.log.go_on_within(within.metrics);
        state.gradients.go_on_within(within.gradients);
        state.spent = Duration::try_from_secs_f64(within.seconds).unwrap_or_default();
        for (track, lr) in state.tracks.iter().zip(within.lrs) {
            track.feedback.set_last_lr(lr);
        }
    }

    /// Announces a checkpoint after an update within an epoch.
    pub(super) fn expect_within(&self, pending: Pending) {
        self.lock().by_time.pending = Some(pending);
    }

    /// Whether checkpoints within epochs can be made, for all that is known.
    pub(super) fn can_be_within(&self) -> bool {
        !self.lock().by_time.given_up
    }
}

impl State {
    /// Saves what the Learner does not of the checkpoint after `update`, and gives whether that may be.
    pub(super) fn save_within(&mut self, update: usize, store: &EventStoreClient) -> bool {
        let Some(pending) = self.by_time.pending.take() else {
            return false;
        };
        // The store answers in order: when it has, all values are in the log. Of a metric that there is it
        // would remember the value.
        store.find_metric(
            "",
            pending.reached.epoch,
            Aggregate::Mean,
            &BurnsSplit::Train,
        );
        if self.log.divergence().is_some() || self.error.is_some() {
            return false;
        }
        let metrics = match self.log.means() {
            Ok(Some(metrics)) => metrics,
            Ok(None) => return false,
            Err(metric) => {
                self.by_time.given_up = true;
                self.by_time.notices.say(&format!(
                    "no checkpoints within epochs: metric {metric:?} is no mean over batches that a \
                     resumed run could go on with"
                ));
                return false;
            }
        };
        let saved = self.parts_within(update, pending, metrics);
        if let Err(error) = saved {
            self.error.get_or_insert(error);
            self.stops.own().stop(None);
        }
        self.error.is_none()
    }

    fn parts_within(
        &self,
        update: usize,
        pending: Pending,
        metrics: SavedMeans,
    ) -> Result<(), TrainingError> {
        let Some(within) = self.store.within() else {
            return Ok(());
        };
        let Pending { reached, parts } = pending;
        let json = |value: Result<Vec<u8>, serde_json::Error>| {
            value.map_err(|error| TrainingError::file("write", within.directory(), error.into()))
        };
        let history = json(serde_json::to_vec(&SavedHistory {
            history: self.history.clone(),
            log: self.log.until(reached.epoch - 1),
        }))?;
        let lrs = self.tracks.iter().map(|track| track.feedback.lr().lr);
        let state = json(serde_json::to_vec(&Within {
            reached,
            lrs: lrs.collect(),
            gradients: self.gradients.counted(),
            metrics,
            seconds: self.seconds(),
        }))?;
        for (part, bytes) in parts {
            within.save_part(update, part, &bytes)?;
        }
        within.save_part(update, CONFIG, &self.config)?;
        within.save_part(update, WITHIN, &state)?;
        within.save_part(update, HISTORY, &history)
    }
}
