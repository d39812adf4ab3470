//! What happens at the end of every epoch.
//!
//! The Learner has two hooks there: the checkpointing strategy, before the checkpoint is saved, and
//! early stopping, after. The observation of a plateau belongs into the first, so that the
//! checkpoint holds the verdict; the epoch's record belongs into the second, when all is done.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use burn::train::EarlyStoppingStrategy;
use burn::train::checkpoint::{CheckpointingAction, CheckpointingStrategy};
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};

use crate::TrainingError;
use crate::feedback::Feedback;
use crate::history::{EpochRecord, History};
use crate::metrics_log::MetricsLog;
use crate::training::OnEpoch;

/// The metric that plateaus observe.
const LOSS: &str = "Loss";

/// The hook into the end of every epoch; clones are one and the same.
#[derive(Clone)]
pub(crate) struct EpochEnd(Arc<Mutex<State>>);

struct State {
    directory: PathBuf,
    log: MetricsLog,
    feedback: Feedback,
    on_epoch: OnEpoch,
    history: History,
    started: Instant,
    error: Option<TrainingError>,
}

impl EpochEnd {
    pub(crate) fn new(
        directory: &Path,
        log: MetricsLog,
        feedback: Feedback,
        on_epoch: OnEpoch,
    ) -> Self {
        Self(Arc::new(Mutex::new(State {
            directory: directory.to_owned(),
            log,
            feedback,
            on_epoch,
            history: History::default(),
            started: Instant::now(),
            error: None,
        })))
    }

    /// A checkpointing strategy that feeds the plateaus, then asks `strategy`.
    pub(crate) fn checkpointing<S: CheckpointingStrategy>(
        &self,
        strategy: S,
    ) -> impl CheckpointingStrategy + use<S> {
        Checkpointing {
            epoch_end: self.clone(),
            strategy,
        }
    }

    /// The history, or the error that stopped the run.
    pub(crate) fn finish(self) -> Result<History, TrainingError> {
        let mut state = self.lock();
        match state.error.take() {
            Some(error) => Err(error),
            None => Ok(std::mem::take(&mut state.history)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn observe(&mut self, epoch: usize, store: &EventStoreClient) {
        if !self.feedback.has_plateau() {
            return;
        }
        let metric = store.find_metric(LOSS, epoch, Aggregate::Mean, &Split::Valid);
        let observed = match metric {
            Some(metric) => self
                .feedback
                .observe(epoch as u64, metric)
                .map(drop)
                .map_err(TrainingError::from),
            None => Err(TrainingError::MissingMetric {
                metric: LOSS.to_owned(),
                split: Split::Valid.to_string(),
                epoch,
                known: self.log.metrics(Split::Valid, epoch).into_keys().collect(),
            }),
        };
        if let Err(error) = observed {
            self.error.get_or_insert(error);
        }
    }

    fn record(&mut self, epoch: usize, store: &EventStoreClient) {
        // The store answers in order: when it has, all of the epoch's values are in the log.
        store.find_metric(LOSS, epoch, Aggregate::Mean, &Split::Valid);
        let lr = self.feedback.lr();
        let record = EpochRecord {
            epoch,
            train: self.log.metrics(Split::Train, epoch),
            valid: self.log.metrics(Split::Valid, epoch),
            lr: lr.lr,
            next_lr: lr.next_lr,
            seconds: self.started.elapsed().as_secs_f64(),
        };
        self.started = Instant::now();
        (self.on_epoch)(&record);
        self.history.epochs.push(record);
        if let Err(error) = self.history.write(&self.directory) {
            self.error.get_or_insert(error);
        }
    }
}

impl EarlyStoppingStrategy for EpochEnd {
    fn should_stop(&mut self, epoch: usize, store: &EventStoreClient) -> bool {
        let mut state = self.lock();
        state.observe(epoch, store);
        state.record(epoch, store);
        state.error.is_some()
    }
}

struct Checkpointing<S> {
    epoch_end: EpochEnd,
    strategy: S,
}

impl<S: CheckpointingStrategy> CheckpointingStrategy for Checkpointing<S> {
    fn checkpointing(
        &mut self,
        epoch: usize,
        store: &EventStoreClient,
    ) -> Vec<CheckpointingAction> {
        self.epoch_end.lock().observe(epoch, store);
        self.strategy.checkpointing(epoch, store)
    }
}
