//! Metrics that something asks for, and that are not there.

use std::path::Path;

use burn::train::metric::LossMetric;
use burn_lr::scheduler::{Mode, ReduceLrOnPlateau};
use burn_lr::training::checkpoint::KeepPolicy;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::{Best, EarlyStopping, train, valid};
use burn_lr::training::optim::{GradientClip, Group, NonFinite, Select};
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use super::net::{Net, run};
use crate::common::line::Slope;

fn plateau(training: Training<Net>) -> Training<Net> {
    training.schedule(ReduceLrOnPlateau::new(0.01).per_epoch())
}

/// Refused before the first update: no history, no checkpoint.
fn unknown(directory: &Path, training: Training<Net>) -> (&'static str, String, Vec<String>) {
    let refused = training.fit(Net::new(1));
    let Err(TrainingError::UnknownMetric {
        user,
        metric,
        known,
    }) = refused
    else {
        panic!("{refused:?}");
    };
    assert!(!directory.join("history.csv").exists() && !directory.join("history.json").exists());
    assert_eq!(
        std::fs::read_dir(directory.join("checkpoint"))
            .unwrap()
            .count(),
        0
    );
    (user, metric, known)
}

#[test]
fn a_metric_that_is_not_registered_is_named_with_those_that_are() {
    type Change = fn(Training<Net>) -> Training<Net>;
    let changes: [(Change, &str, &str); 7] = [
        (
            |run| plateau(run).observe(valid("recall")),
            "plateau",
            "valid_recall",
        ),
        (
            |run| plateau(run).observe(valid("Loss")),
            "plateau",
            "valid_Loss",
        ),
        (
            |run| {
                let group = Group::new("second", Select::prefix("second"));
                plateau(run).group(group.observe(train("lost")))
            },
            "plateau",
            "train_lost",
        ),
        (
            |run| run.early_stopping(EarlyStopping::new(1).on(train("accuracy"), Mode::Max)),
            "early stopping",
            "train_accuracy",
        ),
        (
            |run| run.keep(KeepPolicy::last(1).with_best(Best::max(valid("f1")))),
            "best checkpoint",
            "valid_f1",
        ),
        (
            |run| plateau(run).observe(train("gradient_norm")),
            "plateau",
            "train_gradient_norm",
        ),
        (|run| plateau(run).observe(train("")), "plateau", "train_"),
    ];
    for (change, user, metric) in changes {
        let directory = TempDir::new().unwrap();
        let found = unknown(directory.path(), change(run(directory.path())));
        assert_eq!(found, (user, metric.to_owned(), vec!["loss".to_owned()]));
        // Set right, the run begins.
        plateau(run(directory.path())).fit(Net::new(1)).unwrap();
    }
}

#[test]
fn metrics_of_gradients_are_there_when_gradients_are_watched_and_only_in_training() {
    let clipped = |directory: &Path| {
        plateau(run(directory))
            .clip_gradients(GradientClip::norm(1.0))
            .non_finite(NonFinite::Skip)
    };
    let directory = TempDir::new().unwrap();
    let wrong = clipped(directory.path()).observe(valid("gradient_norm"));
    let (_, metric, known) = unknown(directory.path(), wrong);
    assert_eq!(metric, "valid_gradient_norm");
    assert_eq!(known, ["loss", "gradient_norm", "skipped_updates"]);
    let right = clipped(directory.path()).observe(train("skipped_updates"));
    right.fit(Net::new(1)).unwrap();
}

fn unregistered(directory: &Path) -> Training<Net> {
    let (train, valid) = (EpochLoader::new(Slope, 8), EpochLoader::new(Slope, 20));
    Training::new(directory, train, valid)
        .epochs(3)
        .resume(true)
        .on_notice(|_| {})
}

#[test]
fn a_run_needs_no_metric_unless_something_asks_for_one() {
    let directory = TempDir::new().unwrap();
    let history = unregistered(directory.path())
        .observe(valid("nothing"))
        .fit(Net::new(1))
        .unwrap()
        .history;
    assert!(history.keys().is_empty());
    assert!(!directory.path().join("best.bpk").exists());
    let directory = TempDir::new().unwrap();
    let (user, _, known) = unknown(directory.path(), plateau(unregistered(directory.path())));
    assert_eq!((user, known.len()), ("plateau", 0));
}

#[test]
fn a_metric_of_the_other_split_is_missed_after_the_first_epoch() {
    let of_training = |directory: &Path| {
        let training = unregistered(directory);
        training.configure(|training| training.metric_train_numeric(LossMetric::new()))
    };
    type Change = fn(Training<Net>) -> Training<Net>;
    let changes: [(Change, &str); 3] = [
        (plateau, "plateau"),
        (
            |run| run.early_stopping(EarlyStopping::new(1)),
            "early stopping",
        ),
        (
            |run| run.keep(KeepPolicy::last(1).with_best(Best::min(valid("loss")))),
            "best checkpoint",
        ),
    ];
    for (change, asking) in changes {
        let directory = TempDir::new().unwrap();
        let missed = change(of_training(directory.path())).fit(Net::new(1));
        let Err(TrainingError::MissingMetric {
            user,
            metric,
            epoch,
            known,
        }) = missed
        else {
            panic!("{missed:?}");
        };
        assert_eq!((user, metric.as_str(), epoch), (asking, "valid_loss", 1));
        assert_eq!(known, ["train_loss"]);
        let checkpoints = directory.path().join("checkpoint");
        assert_eq!(
            std::fs::read_dir(checkpoints).unwrap().count(),
            0,
            "{asking}"
        );
    }
    let directory = TempDir::new().unwrap();
    plateau(of_training(directory.path()))
        .observe(train("loss"))
        .fit(Net::new(1))
        .unwrap();
}
