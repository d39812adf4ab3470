//! Shows how far an epoch is.

use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::MetricDefinition;
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use indicatif::{ProgressBar, ProgressStyle};

/// What is shown while an epoch runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Display {
    /// Nothing.
    #[default]
    Silent,
    /// A progress bar on standard error, if that is a terminal; it vanishes with the epoch.
    Bar,
    /// Burn's dashboard. Needs the `tui` feature.
    #[cfg(feature = "tui")]
    Dashboard,
}

/// A renderer for the Learner that draws one bar per pass over the data, or nothing.
pub(super) struct BarRenderer {
    visible: bool,
    /// Whether its epochs are periods, which are measured in updates.
    in_updates: bool,
    epochs: usize,
    epoch: usize,
    bar: ProgressBar,
}

impl BarRenderer {
    pub(super) fn new(visible: bool, in_updates: bool) -> Self {
        Self {
            visible,
            in_updates,
            epochs: 0,
            epoch: 1,
            bar: ProgressBar::hidden(),
        }
    }
}

impl TrainingProgressLogger for BarRenderer {
    fn start(&mut self, epochs: usize, first: usize, _items: Option<usize>, _label: Option<&str>) {
        self.epochs = epochs;
        self.epoch = first;
    }

    fn start_split(&mut self, split: &str, items: usize) {
        if !self.visible {
            return;
        }
        let trains = split.eq_ignore_ascii_case("train");
        let (epoch, unit) = match (self.in_updates, trains) {
            (true, true) => ("Period", "updates"),
            (true, false) => ("Period", "samples"),
            (false, _) => ("Epoch", "samples"),
        };
        let style = ProgressStyle::with_template(&format!(
            "{{msg}} {{wide_bar}} {{pos}}/{{len}} {unit}, {{per_sec:.0}}, {{eta}} left"
        ))
        .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(items as u64).with_style(style);
        bar.set_message(format!("{epoch} {}/{} {split}", self.epoch, self.epochs));
        self.bar = bar;
    }

    fn update_split(&mut self, items: usize) {
        self.bar.set_position(items as u64);
    }

    fn end_split(&mut self) {
        self.bar.finish_and_clear();
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.epoch = epoch + 1;
    }

    fn end(&mut self) {
        self.bar.finish_and_clear();
    }

    fn log_event_training(&mut self, _event: String) {}
}

impl MetricsRendererTraining for BarRenderer {
    fn update_train(&mut self, _state: MetricState) {}

    fn update_valid(&mut self, _state: MetricState) {}
}

impl MetricsRenderer for BarRenderer {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, _definition: MetricDefinition) {}
}

// The Learner's renderer must also be one for evaluations, which it does not run.
impl MetricsRendererEvaluation for BarRenderer {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl EvaluationProgressLogger for BarRenderer {
    fn start_global_progress(&mut self, _total_tests: usize) {}

    fn start_test(&mut self, _name: &str, _total_items: usize) {}

    fn update_test_progress(&mut self, _items_processed: usize) {}

    fn end_test(&mut self) {}

    fn end_global_progress(&mut self) {}

    fn log_event_evaluation(&mut self, _event: String) {}
}
