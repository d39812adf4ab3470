//! What happens at the end of every epoch.
//!
//! The Learner has two hooks there: the checkpointing strategy, before the checkpoint is saved, and
//! early stopping, after. Everything that belongs into the checkpoint, the verdict of a plateau and
//! the epoch's line in the history, is done in the first.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use burn::train::EarlyStoppingStrategy;
use burn::train::checkpoint::{CheckpointingAction, CheckpointingStrategy};
use burn::train::metric::store::{Aggregate, EventStoreClient, Split as BurnsSplit};

use super::directory::RunDirectory;
use super::gradients::Gradients;
use super::hooks::OnEpoch;
use super::known::Known;
use super::period::Periods;
use super::registration::Registration;
use super::resume::SavedHistory;
use super::stop::Stops;
use super::tracking::Tracking;
use super::tracks::{InForce, Track};
use super::within::ByTime;
use crate::TrainingError;
use crate::checkpoint::{CONFIG, CheckpointStore, HISTORY, Handover, KeepPolicy, Moment};
use crate::metrics::{
    DataPosition, EarlyStopping, EpochRecord, History, LOSS, LrCut, MetricKey, MetricsLog, Split,
};
use crate::optim::Passes;

/// The hook into the end of every epoch; clones are one and the same.
#[derive(Clone)]
pub(super) struct EpochEnd(Arc<Mutex<State>>);

pub(super) struct State {
    pub directory: RunDirectory,
    pub store: CheckpointStore,
    pub handover: Handover,
    /// What was asked for; without that, a run may go without a best checkpoint.
    pub keep: Option<KeepPolicy>,
    pub log: MetricsLog,
    pub gradients: Gradients,
    pub passes: Passes,
    /// Of the schedulers of all parameters and of the groups.
    pub tracks: Vec<Track>,
    pub updates_per_epoch: Option<u64>,
    /// Of a run that is measured in updates, whose periods are the epochs here.
    pub periods: Option<Periods>,
    /// Where in the data the running period ends.
    pub position: Option<DataPosition>,
    pub early_stopping: Option<EarlyStopping>,
    pub on_epoch: OnEpoch,
    /// Whether the average is validated beside the model.
    pub averaged: bool,
    /// Metrics that must be registered.
    pub required: Vec<MetricKey>,
    pub history: History,
    /// The content of `burn-lr.json`.
    pub config: Vec<u8>,
    pub registration: Registration,
    pub stops: Stops,
    pub tracking: Tracking,
    /// Whether the metrics that are asked for were checked.
    pub begun: bool,
    /// Whether Burn's summary may be asked for.
    pub summarized: bool,
    pub summary_is_begun: bool,
    pub started: Instant,
    /// What the running epoch had taken until then.
    pub spent: Duration,
    pub by_time: ByTime,
    pub error: Option<TrainingError>,
    /// Further parts of the next checkpoint.
    pub parts: AddedParts,
}

pub(super) type AddedParts = Vec<(&'static str, Vec<u8>)>;

impl EpochEnd {
    pub(super) fn new(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    /// Before the first update: whether the metrics that will be asked for are registered. If not,
    /// the run is stopped.
    pub(super) fn begin(&self) -> bool {
        let registration = self.lock().registration.clone();
        registration.wait();
        let mut state = self.lock();
        if !std::mem::replace(&mut state.begun, true)
            && let Err(error) = state.check_metrics()
        {
            state.error = Some(error);
            state.stops.own().stop(None);
        }
        state.error.is_none()
    }

    /// The history, or the error that stopped the run.
    pub(super) fn finish(self) -> Result<History, TrainingError> {
        let mut state = self.lock();
        // A gradient that is not finite comes with a loss that is not, and says more.
        if state.gradients.must_stop() {
            let running = state.history.epochs.len() + 1;
            state.gradients.failure(running).map_or(Ok(()), Err)?;
        }
        if let Some(divergence) = state.log.divergence() {
            return Err(divergence.into());
        }
        if let Some(error) = state.error.take() {
            return Err(error);
        }
        Ok(std::mem::take(&mut state.history))
    }

    /// Ends the run with `error`, unless another one came before.
    pub(super) fn fail(&self, error: TrainingError) {
        let mut state = self.lock();
        state.error.get_or_insert(error);
        state.stops.own().stop(None);
    }

    /// Says where in the data the running period ends.
    pub(super) fn set_position(&self, position: DataPosition) {
        self.lock().position = Some(position);
    }

    /// What training waits for between the epochs.
    pub(super) fn handover(&self) -> Handover {
        self.lock().handover.clone()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check_metrics(&self) -> Result<(), TrainingError> {
        let known = Known {
            registered: self.log.registered(),
            gradients: [self.gradients.metrics(), self.passes.metrics()].concat(),
            averaged: self.averaged,
        };
        known.check_names()?;
        let plateaus = self.tracks.iter();
        let plateaus = plateaus.filter(|track| track.feedback.has_plateau());
        let stopping = self.early_stopping.as_ref();
        let best = self.keep.as_ref().and_then(|keep| keep.best.as_ref());
        known.check("plateau", plateaus.map(|track| &track.observed))?;
        known.check("early stopping", stopping.map(EarlyStopping::metric))?;
        known.check("best checkpoint", best.map(|best| &best.metric))?;
        known.check("required", &self.required)
    }

    /// Observes and records `epoch`, unless that was done, and gives whether it may be saved.
    fn end(&mut self, epoch: usize, store: &EventStoreClient) -> bool {
        if self.error.is_none() && self.history.epochs.last().map_or(0, |e| e.epoch) < epoch {
            self.error = self.record(epoch, store).err();
        }
        // Burn's strategies look at the run's own interrupter alone.
        self.stops.should_stop();
        self.error.is_none()
    }

    fn record(&mut self, epoch: usize, store: &EventStoreClient) -> Result<(), TrainingError> {
        // The store answers in order: when it has, all of the epoch's values are in the log.
        let valid_loss = store.find_metric(LOSS, epoch, Aggregate::Mean, &BurnsSplit::Valid);
        if let Some(divergence) = self.log.divergence() {
            return Err(divergence.into());
        }
        if let Some(loss) = valid_loss.filter(|loss| !loss.is_finite()) {
            return Err(TrainingError::ValidationDiverged { epoch, loss });
        }
        if let Some(metric) = self.log.twice() {
            let names = vec![metric.clone(), metric.clone()];
            let metric = MetricKey::name_of(&metric);
            return Err(TrainingError::MetricTwice { metric, names });
        }
        let mut record = EpochRecord::new(epoch);
        record.updates = self.check_updates(epoch)?;
        record.data = self.position;
        record.train = self.log.metrics(Split::Train, epoch);
        record.valid = self.log.metrics(Split::Valid, epoch);
        self.gradients.end(epoch, &mut record.train)?;
        self.passes.add_metrics(&mut record.train);
        record.cuts = self.observe(&record)?;
        let in_force = InForce::of(&self.tracks);
        (record.lr, record.next_lr) = (in_force.lr, in_force.next_lr);
        record.group_lrs = in_force.group_lrs;
        record.hyperparameters = in_force.hyperparameters;
        record.seconds = self.seconds();
        (self.started, self.spent) = (Instant::now(), Duration::ZERO);
        for metric in self.log.take_partial() {
            self.by_time.notices.say(&format!(
                "metric {metric:?} of epoch {epoch} is of what it was trained on since it was resumed"
            ));
        }
        let ranked = self.store.set_metrics(epoch, &record.train, &record.valid);
        if self.keep.is_some() {
            ranked?;
        }
        if let Some(stopping) = &self.early_stopping {
            value("early stopping", stopping.metric(), &record)?;
        }
        for on_epoch in &mut self.on_epoch {
            on_epoch(&record);
        }
        self.history.epochs.push(record);
        self.directory.write_history(&self.history)?;
        if let Some(record) = self.history.epochs.last() {
            self.tracking.epoch(record);
        }
        if self.summarized
            && let Err(error) = self.write_summary(epoch)
        {
            // It is not worth a run.
            log::warn!("no summary: {error}");
        }

        let saved = SavedHistory {
            history: self.history.clone(),
            log: self.log.until(epoch),
        };
        let json = serde_json::to_vec(&saved)
            .map_err(|error| TrainingError::file("write", self.store.directory(), error.into()))?;
        for (part, bytes) in std::mem::take(&mut self.parts) {
            self.store.save_part(epoch, part, &bytes)?;
        }
        self.store.save_part(epoch, CONFIG, &self.config)?;
        self.store.save_part(epoch, HISTORY, &json)
    }

    /// How long the running epoch has taken.
    pub(super) fn seconds(&self) -> f64 {
        (self.spent + self.started.elapsed()).as_secs_f64()
    }

    /// The updates made so far. Too many or too few in the epoch would bend every schedule, and without
    /// any nothing was learnt.
    fn check_updates(&self, epoch: usize) -> Result<u64, TrainingError> {
        let made = self
            .tracks
            .first()
            .map_or(0, |track| track.feedback.updates());
        let before = self.history.epochs.last().map_or(0, |last| last.updates);
        let found = made.saturating_sub(before);
        let per_period = self.periods.as_ref().map(|periods| {
            let (first, end) = periods.updates_of_period(epoch);
            end - first
        });
        match per_period.or(self.updates_per_epoch) {
            Some(expected) if expected != found => Err(TrainingError::UpdatesPerEpoch {
                epoch,
                expected,
                found,
            }),
            None if found == 0 => Err(TrainingError::NoBatch { epoch }),
            _ => Ok(made),
        }
    }

    /// Tells all plateaus what they observe, and gives the cuts that it led to.
    fn observe(&self, record: &EpochRecord) -> Result<Vec<LrCut>, TrainingError> {
        let mut all = Vec::new();
        for track in &self.tracks {
            if !track.feedback.has_plateau() {
                continue;
            }
            let value = value("plateau", &track.observed, record)?;
            for mut cut in track.feedback.observe(record.epoch as u64, value)? {
                cut.group.clone_from(&track.group);
                cut.hyperparameter = track.hyperparameter.map(|of| of.to_string());
                all.push(cut);
            }
        }
        Ok(all)
    }
}

/// The value of the metric that `user` asks for.
fn value(
    user: &'static str,
    metric: &MetricKey,
    record: &EpochRecord,
) -> Result<f64, TrainingError> {
    record
        .get(metric)
        .ok_or_else(|| TrainingError::MissingMetric {
            user,
            metric: metric.to_string(),
            epoch: record.epoch,
            known: record.keys().iter().map(MetricKey::to_string).collect(),
        })
}

impl CheckpointingStrategy for EpochEnd {
    fn checkpointing(
        &mut self,
        epoch: usize,
        store: &EventStoreClient,
    ) -> Vec<CheckpointingAction> {
        let mut state = self.lock();
        let may_be_saved = match Moment::of(epoch) {
            Moment::Epoch(epoch) => state.end(epoch, store),
            Moment::Update(update) => state.save_within(update, store),
        };
        if !may_be_saved {
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
