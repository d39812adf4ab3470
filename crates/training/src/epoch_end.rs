//! What happens at the end of every epoch.
//!
//! The Learner has two hooks there: the checkpointing strategy, before the checkpoint is saved, and
//! early stopping, after. Everything that belongs into the checkpoint, the verdict of a plateau and
//! the epoch's line in the history, is done in the first.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use burn::train::EarlyStoppingStrategy;
use burn::train::checkpoint::{CheckpointingAction, CheckpointingStrategy};
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};
use serde::{Deserialize, Serialize};

use crate::TrainingError;
use crate::checkpoint::{CONFIG, CheckpointStore, HISTORY, Handover};
use crate::early_stopping::EarlyStopping;
use crate::feedback::Feedback;
use crate::history::{EpochRecord, History};
use crate::metrics_log::{LOSS, LoggedEpoch, MetricsLog};
use crate::observer::PlateauObserver;
use crate::training::OnEpoch;

/// The hook into the end of every epoch; clones are one and the same.
#[derive(Clone)]
pub(crate) struct EpochEnd(Arc<Mutex<State>>);

pub(crate) struct State {
    pub directory: PathBuf,
    pub store: CheckpointStore,
    pub handover: Handover,
    /// Whether it is an error if there is no metric to tell the best checkpoint by.
    pub needs_best: bool,
    pub log: MetricsLog,
    pub feedback: Feedback,
    pub observer: PlateauObserver,
    pub early_stopping: Option<EarlyStopping>,
    pub on_epoch: OnEpoch,
    pub history: History,
    /// The content of `config.json`.
    pub config: Vec<u8>,
    pub started: Instant,
    pub error: Option<TrainingError>,
}

/// What a checkpoint holds beside Burn's own records.
#[derive(Serialize, Deserialize)]
pub(crate) struct SavedHistory {
    pub history: History,
    pub log: Vec<LoggedEpoch>,
}

impl EpochEnd {
    pub(crate) fn new(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    /// The history, or the error that stopped the run.
    pub(crate) fn finish(self) -> Result<History, TrainingError> {
        let mut state = self.lock();
        match state.error.take() {
            Some(error) => Err(error),
            None => Ok(std::mem::take(&mut state.history)),
        }
    }

    /// What training waits for between the epochs.
    pub(crate) fn handover(&self) -> Handover {
        self.lock().handover.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Observes and records `epoch`, unless that was done, and gives whether it may be saved.
    fn end(&mut self, epoch: usize, store: &EventStoreClient) -> bool {
        if self.error.is_none() && self.history.epochs.last().map_or(0, |e| e.epoch) < epoch {
            self.error = self.record(epoch, store).err();
        }
        self.error.is_none()
    }

    fn record(&mut self, epoch: usize, store: &EventStoreClient) -> Result<(), TrainingError> {
        // The store answers in order: when it has, all of the epoch's values are in the log.
        let valid_loss = store.find_metric(LOSS, epoch, Aggregate::Mean, &Split::Valid);
        if let Some(divergence) = self.log.divergence() {
            return Err(divergence.into());
        }
        if let Some(loss) = valid_loss.filter(|loss| !loss.is_finite()) {
            return Err(TrainingError::ValidationDiverged { epoch, loss });
        }
        let cuts = self.observer.observe(epoch, store)?;
        let lr = self.feedback.lr();
        let record = EpochRecord {
            epoch,
            train: self.log.metrics(Split::Train, epoch),
            valid: self.log.metrics(Split::Valid, epoch),
            lr: lr.lr,
            next_lr: lr.next_lr,
            cuts,
            seconds: self.started.elapsed().as_secs_f64(),
        };
        self.started = Instant::now();
        let ranked = self.store.set_metrics(epoch, &record.train, &record.valid);
        if self.needs_best {
            ranked?;
        }
        if let Some(stopping) = &self.early_stopping {
            stopping.check(&record)?;
        }
        (self.on_epoch)(&record);
        self.history.epochs.push(record);
        self.history.write(&self.directory)?;

        let saved = SavedHistory {
            history: self.history.clone(),
            log: self.log.until(epoch),
        };
        let json = serde_json::to_vec(&saved)
            .map_err(|error| TrainingError::file("write", self.store.directory(), error.into()))?;
        self.store.save_part(epoch, CONFIG, &self.config)?;
        self.store.save_part(epoch, HISTORY, &json)
    }
}

impl CheckpointingStrategy for EpochEnd {
    fn checkpointing(
        &mut self,
        epoch: usize,
        store: &EventStoreClient,
    ) -> Vec<CheckpointingAction> {
        let mut state = self.lock();
        if !state.end(epoch, store) {
            return Vec::new();
        }
        // Model, optimizer and scheduler.
        state.handover.expect(3);
        // What is no longer needed, the store deletes once the checkpoint is complete.
        vec![CheckpointingAction::Save]
    }
}

impl EarlyStoppingStrategy for EpochEnd {
    fn should_stop(&mut self, epoch: usize, store: &EventStoreClient) -> bool {
        let mut state = self.lock();
        if !state.end(epoch, store) {
            return true;
        }
        let stopping = state.early_stopping.as_ref();
        let stops = stopping.is_some_and(|stopping| stopping.stops(&state.history));
        drop(state);
        // Until then, no update may be made.
        self.handover().wait();
        stops
    }
}
