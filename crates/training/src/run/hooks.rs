//! What a run calls on its way, and what may be different whenever it is started.

use std::time::Duration;

use burn::train::renderer::MetricsRenderer;
use burn::train::{Interrupter, LearnerModel, SupervisedTraining};

use super::display::Display;
use crate::metrics::{EpochRecord, MetricKey};
use crate::notices::Notices;
use crate::track::Tracker;

pub(super) type Configure<M> = Box<dyn FnOnce(SupervisedTraining<M>) -> SupervisedTraining<M>>;
pub(super) type OnEpoch = Vec<Box<dyn FnMut(&EpochRecord) + Send>>;

/// The hooks of a run. None of them changes a bit of it.
pub(super) struct Hooks<M: LearnerModel> {
    pub interrupter: Interrupter,
    pub display: Display,
    pub renderer: Option<Box<dyn MetricsRenderer>>,
    pub configure: Vec<Configure<M>>,
    pub on_epoch: OnEpoch,
    /// Standard error if it is none.
    pub on_notice: Option<Notices>,
    pub trackers: Vec<Box<dyn Tracker>>,
    /// The updates from one that trackers are told to the next.
    pub track_every: u64,
    /// Metrics that must be registered.
    pub required: Vec<MetricKey>,
    /// How often there is a checkpoint within an epoch.
    pub checkpoint_every: Option<Duration>,
    /// Whether the newest checkpoint alone is verified when the run is resumed.
    pub trusts_older: bool,
}

impl<M: LearnerModel> Hooks<M> {
    /// Where notices go.
    pub fn notices(&self) -> Notices {
        let to_standard_error = || Notices::new(|notice| eprintln!("{notice}"));
        self.on_notice.clone().unwrap_or_else(to_standard_error)
    }
}

impl<M: LearnerModel> Default for Hooks<M> {
    fn default() -> Self {
        Self {
            interrupter: Interrupter::new(),
            display: Display::Silent,
            renderer: None,
            configure: Vec::new(),
            on_epoch: Vec::new(),
            on_notice: None,
            trackers: Vec::new(),
            track_every: 50,
            required: Vec::new(),
            checkpoint_every: None,
            trusts_older: false,
        }
    }
}
