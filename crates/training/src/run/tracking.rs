//! Tells the trackers of a run how it goes.
//!
//! The loop knows of an update everything but its metrics, which Burn takes on a thread of its own and
//! tells the log batch by batch. So the loop leaves its record here, before Burn is told of the batch, and
//! the log fetches it when it comes to that batch.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::tracks::{InForce, Track};
use crate::TrainingError;
use crate::metrics::{EpochRecord, Metrics};
use crate::notices::Notices;
use crate::track::{RunStart, Tracker, TrackerError, UpdateRecord};

/// The trackers of a run; clones are one and the same.
#[derive(Clone)]
pub(super) struct Tracking(Arc<Mutex<State>>);

struct State {
    trackers: Vec<Box<dyn Tracker>>,
    every: u64,
    notices: Notices,
    /// What schedulers set; that of all parameters first.
    tracks: Vec<Track>,
    /// Updates whose metrics are still to come.
    made: VecDeque<Made>,
    /// The epoch that the log is in, and its batches so far.
    logged: (usize, usize),
    /// When the update before was made, and where in its epoch.
    before: Option<(usize, u64, Instant)>,
}

/// An update that the loop has made.
struct Made {
    /// Its last batch in the epoch, from 1.
    batch: usize,
    record: UpdateRecord,
}

/// Where in an epoch an update is.
pub(super) struct UpdatePlace {
    pub epoch: usize,
    /// The last of its batches, from 1.
    pub batch: usize,
    /// The samples of the epoch or of the run until then.
    pub samples: u64,
}

impl Tracking {
    pub(super) fn new(trackers: Vec<Box<dyn Tracker>>, every: u64, notices: Notices) -> Self {
        Self(Arc::new(Mutex::new(State {
            trackers,
            every,
            notices,
            tracks: Vec::new(),
            made: VecDeque::new(),
            logged: (0, 0),
            before: None,
        })))
    }

    /// Whether anybody listens.
    pub(super) fn is_heard(&self) -> bool {
        !self.lock().trackers.is_empty()
    }

    pub(super) fn begin(&self, run: &RunStart<'_>, tracks: Vec<Track>) {
        let mut state = self.lock();
        state.tracks = tracks;
        state.tell(|tracker| tracker.begin(run));
    }

    /// Whether the update that is being made will be told.
    pub(super) fn is_due(&self) -> bool {
        let state = self.lock();
        let first = state.tracks.first();
        first.is_some_and(|of| of.feedback.updates().is_multiple_of(state.every))
    }

    /// Takes in an update that is due.
    pub(super) fn update(&self, place: &UpdatePlace, gradient_norm: f64) {
        let mut state = self.lock();
        let now = Instant::now();
        let last = state.before.replace((place.epoch, place.samples, now));
        let updates = state.tracks.first().map_or(0, |of| of.feedback.updates());
        let mut record = UpdateRecord::new(updates, place.epoch);
        record.gradient_norm = gradient_norm;
        record.samples_per_second = last
            .filter(|last| last.0 == place.epoch)
            .map(|last| place.samples.saturating_sub(last.1) as f64 / (now - last.2).as_secs_f64());
        let in_force = InForce::of(&state.tracks);
        record.lr = in_force.lr;
        record.group_lrs = in_force.group_lrs;
        record.hyperparameters = in_force.hyperparameters;
        let batch = place.batch;
        state.made.push_back(Made { batch, record });
    }

    /// Takes in that Burn has logged a training batch of `epoch`, which `metrics` gives the values of.
    pub(super) fn batch(&self, epoch: usize, metrics: &mut dyn FnMut() -> Metrics) {
        let mut state = self.lock();
        if state.logged.0 != epoch {
            state.logged = (epoch, 0);
        }
        state.logged.1 += 1;
        let batch = state.logged.1;
        let is_of_it = |made: &mut Made| made.record.epoch == epoch && made.batch == batch;
        if let Some(mut made) = state.made.pop_front_if(is_of_it) {
            made.record.metrics = metrics();
            state.tell(|tracker| tracker.update(&made.record));
        }
    }

    /// Goes on within an epoch of which so many batches were logged by then.
    pub(super) fn go_on_within(&self, epoch: usize, batches: usize) {
        self.lock().logged = (epoch, batches);
    }

    pub(super) fn epoch(&self, record: &EpochRecord) {
        self.lock().tell(|tracker| tracker.epoch(record));
    }

    /// The end of the run, by an error if there is one.
    pub(super) fn end(&self, error: Option<&TrainingError>) {
        let mut state = self.lock();
        // A run that was refused has not begun.
        if !state.tracks.is_empty() {
            state.tell(|tracker| tracker.end(error));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Tells all trackers, and those no more that fail.
    fn tell(&mut self, mut tell: impl FnMut(&mut dyn Tracker) -> Result<(), TrackerError>) {
        let notices = &self.notices;
        self.trackers.retain_mut(|tracker| {
            let told = tell(&mut **tracker);
            if let Err(error) = &told {
                notices.say(&format!(
                    "the run is no longer followed by a tracker: {error}"
                ));
            }
            told.is_ok()
        });
    }
}
