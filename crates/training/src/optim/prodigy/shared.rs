//! What the rules of all parameters share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::optim::LearningRate;
use burn::tensor::Tensor;

use super::config::ProdigyConfig;
use super::estimate::Estimate;

/// What a pass over the parameters is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::optim) enum Phase {
    /// Looking for the newest estimate in the states of parameters, as a record had them.
    Recall,
    /// Moments and sums, with gradients.
    Measure,
    /// The update of the weights.
    Apply,
}

/// The phase and the estimate; clones are one and the same.
#[derive(Debug, Clone)]
pub(in crate::optim) struct Shared(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    phase: Phase,
    estimate: Option<Estimate>,
    sums: Vec<Tensor<1>>,
    made: Option<Made>,
}

/// An update that is made: the estimates before and after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made {
    pub before: Estimate,
    pub after: Estimate,
}

impl Default for Shared {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State {
            phase: Phase::Recall,
            estimate: None,
            sums: Vec::new(),
            made: None,
        })))
    }
}

impl Shared {
    pub(super) fn phase(&self) -> Phase {
        self.lock().phase
    }

    /// Whether a pass must look for the estimate first.
    pub(in crate::optim) fn has_estimate(&self) -> bool {
        self.lock().estimate.is_some()
    }

    /// The step size after the last update, if there was one.
    pub(in crate::optim) fn d(&self) -> Option<f64> {
        self.lock().estimate.map(|estimate| estimate.d)
    }

    /// Has the next update look for the estimate in the states of parameters.
    pub(in crate::optim) fn forget(&self) {
        self.lock().estimate = None;
    }

    pub(in crate::optim) fn begin(&self, phase: Phase) {
        let mut state = self.lock();
        state.phase = phase;
        if phase == Phase::Measure {
            (state.sums, state.made) = (Vec::new(), None);
        }
    }

    /// Hears what the state of a parameter holds.
    pub(super) fn recall(&self, found: Estimate) {
        let mut state = self.lock();
        if state.estimate.is_none_or(|of| of.updates < found.updates) {
            state.estimate = Some(found);
        }
    }

    /// The estimate that an update begins with.
    pub(super) fn estimate(&self, config: &ProdigyConfig) -> Estimate {
        let first = || Estimate::first(config);
        *self.lock().estimate.get_or_insert_with(first)
    }

    /// Hears a parameter's part of the numerator and of the denominator.
    pub(super) fn add(&self, parts: Tensor<1>) {
        self.lock().sums.push(parts);
    }

    /// Adds up what was measured. The sums are read from the device at once.
    pub(in crate::optim) fn conclude(&self, config: &ProdigyConfig) {
        let before = self.estimate(config);
        let sums = std::mem::take(&mut self.lock().sums);
        if sums.is_empty() {
            return;
        }
        let (mut added, mut denominator) = (0.0, 0.0);
        let sums: Vec<f64> = Tensor::cat(sums, 0).into_data().iter().collect();
        for parts in sums.chunks(2) {
            added += parts[0];
            denominator += parts[1];
        }
        // Without any gradient there is nothing to go by.
        if denominator == 0.0 {
            return;
        }
        let after = before.next(config, added, denominator);
        let mut state = self.lock();
        state.estimate = Some(after);
        state.made = Some(Made { before, after });
    }

    /// The update that is to be applied, if there is one.
    pub(super) fn made(&self) -> Option<Made> {
        self.lock().made
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an update at this rate changes anything.
pub(super) fn is_update(lr: LearningRate) -> bool {
    lr > 0.0
}
