//! What a run calls on its way, and what may be different whenever it is started.

use burn::train::renderer::MetricsRenderer;
use burn::train::{Interrupter, LearnerModel, SupervisedTraining};

use super::display::Display;
use crate::metrics::EpochRecord;
use crate::notices::Notices;

pub(super) type Configure<M> = Box<dyn FnOnce(SupervisedTraining<M>) -> SupervisedTraining<M>>;
pub(super) type OnEpoch = Box<dyn FnMut(&EpochRecord) + Send>;

/// The hooks of a run. None of them changes a bit of it.
pub(super) struct Hooks<M: LearnerModel> {
    pub interrupter: Interrupter,
    pub display: Display,
    pub renderer: Option<Box<dyn MetricsRenderer>>,
    pub configure: Vec<Configure<M>>,
    pub on_epoch: OnEpoch,
    pub on_notice: Notices,
}

impl<M: LearnerModel> Default for Hooks<M> {
    fn default() -> Self {
        Self {
            interrupter: Interrupter::new(),
            display: Display::Silent,
            renderer: None,
            configure: Vec::new(),
            on_epoch: Box::new(|_| {}),
            on_notice: Notices::new(|notice| eprintln!("{notice}")),
        }
    }
}
