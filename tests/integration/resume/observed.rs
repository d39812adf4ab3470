//! The metrics that plateaus observe.

use burn::optim::lr_scheduler::LrScheduler;
use burn_lr::scheduler::{Mode, ReduceLrOnPlateau, Run, Scheduler, ThresholdMode};
use burn_lr::training::TrainingError;
use burn_lr::training::device::Backend;
use burn_lr::training::metrics::{History, train, valid};
use tempfile::TempDir;

use super::run;
use crate::common::{model, training};

#[test]
fn a_metric_that_is_not_registered_is_named_with_those_that_are() {
    let device = Backend::Flex.device().unwrap();
    let directory = TempDir::new().unwrap();
    let missing = run(directory.path())
        .observe(valid("recall"))
        .fit(model(&device));
    assert!(
        matches!(&missing, Err(TrainingError::UnknownMetric { user: "plateau", metric, known })
        if metric == "valid_recall" && known == &["train_accuracy", "train_loss", "valid_accuracy", "valid_loss"]),
        "{missing:?}"
    );
    // Before the first update.
    assert!(!directory.path().join("history.csv").exists());
}

/// The rates of a real run are those of the state machine fed with that run's metrics.
fn replayed(
    history: &History,
    schedule: ReduceLrOnPlateau,
    metric: impl Fn(usize) -> f64,
) -> Vec<f64> {
    let mut scheduler = Scheduler::new(schedule, Run::per_epoch(1)).unwrap();
    (0..history.epochs.len())
        .map(|epoch| {
            scheduler.step();
            scheduler.observe(metric(epoch)).unwrap();
            scheduler.lr()
        })
        .collect()
}

#[test]
fn any_metric_of_either_split_can_be_observed() {
    let device = Backend::Flex.device().unwrap();
    for (key, mode) in [
        (valid("loss"), Mode::Min),
        (train("loss"), Mode::Min),
        (valid("accuracy"), Mode::Max),
        (train("accuracy"), Mode::Max),
    ] {
        let directory = TempDir::new().unwrap();
        let schedule = ReduceLrOnPlateau::new(0.01)
            .with_mode(mode)
            .with_patience(0)
            .with_factor(0.3)
            .with_threshold(0.9, ThresholdMode::Rel);
        let history = training(directory.path(), schedule.clone().per_epoch())
            .observe(key.clone())
            .epochs(6)
            .fit(model(&device))
            .unwrap()
            .history;
        let metric = |epoch: usize| history.epochs[epoch].get(&key).unwrap();
        let next: Vec<f64> = history.epochs.iter().map(|epoch| epoch.next_lr).collect();
        assert_eq!(next, replayed(&history, schedule, metric), "{key}");
        assert!(next[5] < 0.01, "{key} was never cut: {next:?}");
    }
}
