//! Renderers and observers of the user's own.

use std::sync::{Arc, Mutex};

use burn::tensor::Device;
use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::MetricDefinition;
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use burn::train::{LearnerSummary, MetricSummary};
use tempfile::TempDir;

use super::net::{BATCHES, EPOCHS, Net, run, stopped};

#[derive(Default)]
struct Seen {
    metrics: Vec<String>,
    train: u64,
    valid: u64,
    ends: usize,
    summary: Option<LearnerSummary>,
}

#[derive(Clone, Default)]
struct Renderer(Arc<Mutex<Seen>>);

impl MetricsRendererTraining for Renderer {
    fn update_train(&mut self, _state: MetricState) {
        self.0.lock().unwrap().train += 1;
    }

    fn update_valid(&mut self, _state: MetricState) {
        self.0.lock().unwrap().valid += 1;
    }

    fn on_train_end(
        &mut self,
        summary: Option<LearnerSummary>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let mut seen = self.0.lock().unwrap();
        seen.ends += 1;
        seen.summary = summary;
        Ok(())
    }
}

impl MetricsRenderer for Renderer {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, definition: MetricDefinition) {
        self.0
            .lock()
            .unwrap()
            .metrics
            .push(definition.name.to_string());
    }
}

impl MetricsRendererEvaluation for Renderer {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl TrainingProgressLogger for Renderer {
    fn start(
        &mut self,
        _epochs: usize,
        _first: usize,
        _items: Option<usize>,
        _label: Option<&str>,
    ) {
    }
    fn update_epoch(&mut self, _epoch: usize) {}
    fn start_split(&mut self, _split: &str, _items: usize) {}
    fn update_split(&mut self, _items: usize) {}
    fn end_split(&mut self) {}
    fn end(&mut self) {}
    fn log_event_training(&mut self, _event: String) {}
}

impl EvaluationProgressLogger for Renderer {
    fn start_global_progress(&mut self, _tests: usize) {}
    fn start_test(&mut self, _name: &str, _items: usize) {}
    fn update_test_progress(&mut self, _items: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _event: String) {}
}

#[test]
fn a_renderer_of_the_users_own_is_shown_the_run() {
    let directory = TempDir::new().unwrap();
    let renderer = Renderer::default();
    run(directory.path())
        .renderer(renderer.clone())
        .fit(Net::new(1))
        .unwrap();
    let seen = renderer.0.lock().unwrap();
    assert!(seen.metrics.iter().all(|name| name == "Loss") && !seen.metrics.is_empty());
    // 40 points in batches of 8 and of 20, and the means of each epoch.
    let epochs = EPOCHS as u64;
    assert_eq!(
        (seen.train, seen.valid),
        ((BATCHES + 1) * epochs, (2 + 1) * epochs)
    );
    assert!(seen.ends == 1 && seen.summary.is_none());
    assert!(!directory.path().join("summary").exists());
}

fn entries(metrics: &[MetricSummary]) -> Vec<(usize, f64)> {
    let [loss] = metrics else {
        panic!("{metrics:?}")
    };
    assert_eq!(loss.name, "Loss");
    loss.entries
        .iter()
        .map(|entry| (entry.step, entry.value))
        .collect()
}

#[test]
fn the_summary_has_all_epochs_also_after_a_resume() {
    for devices in [1, 2] {
        summary_of(devices);
    }
}

fn summary_of(devices: usize) {
    let directory = TempDir::new().unwrap();
    let run = || run(directory.path()).devices(vec![Device::flex(); devices]);
    // Of the user's own, which is nobody else's business.
    let own = directory.path().join("train/epoch-3");
    std::fs::create_dir_all(&own).unwrap();
    let summarized = |epochs| {
        let renderer = Renderer::default();
        let history = run()
            .epochs(epochs)
            .configure(|training| training.summary())
            .renderer(renderer.clone())
            .fit(Net::new(1))
            .unwrap()
            .history;
        let summary = renderer.0.lock().unwrap().summary.take().unwrap();
        assert_eq!(summary.epochs, epochs);
        let losses = |of: fn(&burn_lr::training::metrics::EpochRecord) -> f64| {
            history
                .epochs
                .iter()
                .map(|epoch| (epoch.epoch, of(epoch)))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            entries(&summary.metrics.train),
            losses(|epoch| epoch.train("loss"))
        );
        assert_eq!(
            entries(&summary.metrics.valid),
            losses(|epoch| epoch.valid("loss"))
        );
    };
    stopped(run(), 1, Net::new(1));
    summarized(2);
    summarized(EPOCHS);
    // A run that has to start again, and is shorter.
    std::fs::remove_dir_all(directory.path().join("checkpoint")).unwrap();
    summarized(3);
    assert!(own.exists());
}
