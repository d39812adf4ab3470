//! Before a run's first update, it is known which metrics are registered.
//!
//! Burn tells the metric loggers on a thread of their own, while its strategies for several devices
//! begin to train. The renderer hears of each metric, and then of the start: whoever waits for that
//! knows them all.

use std::error::Error;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use burn::train::LearnerSummary;
use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::MetricDefinition;
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};

use crate::metrics::MetricsLog;

/// Whether all metrics are registered; clones are one and the same.
#[derive(Clone, Default)]
pub(super) struct Registration(Arc<(Mutex<bool>, Condvar)>);

impl Registration {
    /// Waits until all metrics are registered.
    pub(super) fn wait(&self) {
        let (complete, changed) = &*self.0;
        let complete = complete.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_while(complete, |complete| !*complete);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn end(&self) {
        let (complete, changed) = &*self.0;
        *complete.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }
}

/// A renderer that tells which metrics are registered, and when these are all.
pub(super) struct Registering {
    pub inner: Box<dyn MetricsRenderer>,
    pub log: MetricsLog,
    pub registration: Registration,
}

/// Nobody may wait for a thread that has panicked.
impl Drop for Registering {
    fn drop(&mut self) {
        self.registration.end();
    }
}

impl MetricsRenderer for Registering {
    fn manual_close(&mut self) {
        self.inner.manual_close();
    }

    fn register_metric(&mut self, definition: MetricDefinition) {
        self.log.define(definition.clone());
        self.inner.register_metric(definition);
    }
}

impl TrainingProgressLogger for Registering {
    fn start(&mut self, epochs: usize, first: usize, items: Option<usize>, label: Option<&str>) {
        self.registration.end();
        self.inner.start(epochs, first, items, label);
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.inner.update_epoch(epoch);
    }

    fn start_split(&mut self, split: &str, items: usize) {
        self.inner.start_split(split, items);
    }

    fn update_split(&mut self, items: usize) {
        self.inner.update_split(items);
    }

    fn end_split(&mut self) {
        self.inner.end_split();
    }

    fn end(&mut self) {
        self.inner.end();
    }

    fn log_event_training(&mut self, event: String) {
        self.inner.log_event_training(event);
    }
}

impl MetricsRendererTraining for Registering {
    fn update_train(&mut self, state: MetricState) {
        self.inner.update_train(state);
    }

    fn update_valid(&mut self, state: MetricState) {
        self.inner.update_valid(state);
    }

    fn on_train_end(&mut self, summary: Option<LearnerSummary>) -> Result<(), Box<dyn Error>> {
        self.inner.on_train_end(summary)
    }
}

// The Learner's renderer must also be one for evaluations, which it does not run.
impl MetricsRendererEvaluation for Registering {
    fn update_test(&mut self, name: EvaluationName, state: MetricState) {
        self.inner.update_test(name, state);
    }

    fn on_test_end(&mut self, summary: Option<LearnerSummary>) -> Result<(), Box<dyn Error>> {
        self.inner.on_test_end(summary)
    }
}

impl EvaluationProgressLogger for Registering {
    fn start_global_progress(&mut self, tests: usize) {
        self.inner.start_global_progress(tests);
    }

    fn start_test(&mut self, name: &str, items: usize) {
        self.inner.start_test(name, items);
    }

    fn update_test_progress(&mut self, items: usize) {
        self.inner.update_test_progress(items);
    }

    fn end_test(&mut self) {
        self.inner.end_test();
    }

    fn end_global_progress(&mut self) {
        self.inner.end_global_progress();
    }

    fn log_event_evaluation(&mut self, event: String) {
        self.inner.log_event_evaluation(event);
    }
}
