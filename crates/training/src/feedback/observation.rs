//! One observation an epoch, whichever of Burn's hooks fire and however often.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::train::Interrupter;
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};

use super::scheduler::Feedback;
use crate::TrainingError;
use crate::metrics::{LOSS, MetricKey, MetricsLog};

/// Burn's metrics whose names are always the same.
const COMMON: [&str; 7] = [
    LOSS,
    "Accuracy",
    "CER",
    "Learning Rate",
    "Perplexity",
    "ROUGE-L",
    "WER",
];

/// What the hooks of a training observe for; clones are one and the same.
#[derive(Clone)]
pub(super) struct Observation(Arc<Mutex<State>>);

pub(super) struct State {
    pub feedbacks: Vec<Feedback>,
    pub metric: String,
    pub split: Split,
    pub log: MetricsLog,
    /// Whether any of Burn's hooks at the end of an epoch was called.
    hooked: bool,
    /// Of the training that the observer was attached to.
    pub interrupter: Option<Interrupter>,
    pub error: Option<TrainingError>,
}

impl Observation {
    /// Of the validation loss.
    pub(super) fn new(feedback: Feedback) -> Self {
        Self(Arc::new(Mutex::new(State {
            feedbacks: vec![feedback],
            metric: LOSS.to_owned(),
            split: Split::Valid,
            log: MetricsLog::default(),
            hooked: false,
            interrupter: None,
            error: None,
        })))
    }

    /// Observes the metric of `epoch`, unless its training has diverged, and gives whether the
    /// training may go on.
    pub(super) fn end(&self, epoch: usize, store: &EventStoreClient) -> bool {
        let not_finite = |split| {
            let mean = store.find_metric(LOSS, epoch, Aggregate::Mean, &split);
            mean.filter(|loss| !loss.is_finite())
        };
        let diverged = match (not_finite(Split::Train), not_finite(Split::Valid)) {
            (Some(loss), _) => TrainingError::Diverged {
                epoch,
                iteration: None,
                loss,
            },
            (None, Some(loss)) => TrainingError::ValidationDiverged { epoch, loss },
            (None, None) => {
                let mut state = self.lock();
                state.hooked = true;
                let observed = state.observe(epoch, store);
                return match observed {
                    Ok(()) => true,
                    Err(error) => {
                        state.error.get_or_insert(error);
                        false
                    }
                };
            }
        };
        self.lock().error.get_or_insert(diverged);
        false
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn observe(&mut self, epoch: usize, store: &EventStoreClient) -> Result<(), TrainingError> {
        if !self.feedbacks.iter().any(Feedback::has_plateau) {
            return Ok(());
        }
        let metric = store
            .find_metric(&self.metric, epoch, Aggregate::Mean, &self.split)
            .ok_or_else(|| TrainingError::MissingMetric {
                user: "plateau",
                metric: key(&self.split, &self.metric),
                epoch,
                known: self.known(epoch, store),
            })?;
        for feedback in &self.feedbacks {
            feedback.observe(epoch as u64, metric)?;
        }
        Ok(())
    }

    /// Whether updates of a plateau's schedule were made, and no hook was called.
    pub(super) fn never_observed(&self) -> bool {
        // A training that was not stopped has ended its epochs, however many updates they have. One
        // that was stopped before the end of the first had nothing to observe.
        let interrupter = self.interrupter.as_ref();
        let stopped = interrupter.is_some_and(Interrupter::should_stop);
        let waits = |feedback: &Feedback| {
            let ended = if stopped {
                feedback.second_epoch_was_begun()
            } else {
                feedback.updates_here() > 0
            };
            ended && feedback.has_plateau()
        };
        !self.hooked && self.feedbacks.iter().any(waits)
    }

    /// The metrics of the observed split or, if it has none, of the other one.
    fn known(&self, epoch: usize, store: &EventStoreClient) -> Vec<String> {
        let known = |split: &Split| -> Vec<String> {
            let mut names = self.log.names(split, epoch);
            if names.is_empty() {
                // The observer's logger is not registered, and the store cannot list what it has.
                let find = |name: &str| store.find_metric(name, epoch, Aggregate::Mean, split);
                let known = COMMON.iter().filter(|name| find(name).is_some());
                names = known.map(|&name| name.to_owned()).collect();
            }
            names.iter().map(|name| key(split, name)).collect()
        };
        let other = match self.split {
            Split::Train => Split::Valid,
            _ => Split::Train,
        };
        let keys = known(&self.split);
        if keys.is_empty() { known(&other) } else { keys }
    }
}

/// Burn's metric `name` of `split` under the name that it has everywhere else: `valid_loss`.
fn key(split: &Split, name: &str) -> String {
    format!("{split}_{}", MetricKey::name_of(name))
}
