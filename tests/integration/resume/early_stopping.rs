//! Early stopping over a resume.

use burn_lr::scheduler::Mode;
use burn_lr::training::TrainingError;
use burn_lr::training::device::Backend;
use burn_lr::training::metrics::{EarlyStopping, train, valid};
use tempfile::TempDir;

use super::{outcome, run};
use crate::common::model;

#[test]
fn early_stopping_stops_a_resumed_run_where_it_would_have_stopped() {
    let device = Backend::Flex.device().unwrap();
    // No accuracy is ever larger than infinity, so epoch 1 stays the best.
    let stopping = || EarlyStopping::new(2).on(valid("loss"), Mode::Max);
    let (whole, parts) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let fit = |directory: &TempDir, epochs| {
        let run = run(directory.path())
            .early_stopping(stopping())
            .epochs(epochs);
        outcome(run.fit(model(&device)).unwrap())
    };
    let expected = fit(&whole, 10);
    let last = expected.1.epochs.len();
    assert!((3..10).contains(&last), "{last}");
    for stop in [1, last - 1, last] {
        let _ = std::fs::remove_dir_all(parts.path());
        fit(&parts, stop);
        let resumed = fit(&parts, 10);
        assert!(resumed.0 == expected.0);
        assert_eq!(resumed.1, expected.1);
    }
}

#[test]
fn a_run_that_is_stopped_early_says_so() {
    let device = Backend::Flex.device().unwrap();
    let directory = TempDir::new().unwrap();
    let said = |epochs| {
        let (notices, said) = std::sync::mpsc::channel();
        run(directory.path())
            .early_stopping(EarlyStopping::new(1).on(train("loss"), Mode::Max))
            .epochs(epochs)
            .on_notice(move |notice| notices.send(notice.to_owned()).unwrap())
            .fit(model(&device))
            .unwrap();
        said.iter().collect::<Vec<String>>()
    };
    let expected = "stopped early: train_loss has not improved since epoch 1";
    assert_eq!(said(4), [expected]);
    // Also if there is nothing left to do, but not of a run that is complete.
    assert_eq!(said(4), ["resuming after epoch 2", expected]);
    assert_eq!(said(2), ["resuming after epoch 2"]);
}

#[test]
fn early_stopping_by_a_metric_that_is_not_there_is_an_error() {
    let device = Backend::Flex.device().unwrap();
    let directory = TempDir::new().unwrap();
    let misspelt = EarlyStopping::new(2).on(valid("acuracy"), Mode::Max);
    // Also if the run has gone on for longer than its patience.
    for completed in [0, 3] {
        if completed > 0 {
            let run = run(directory.path()).epochs(completed);
            run.fit(model(&device)).unwrap();
        }
        let missing = run(directory.path())
            .epochs(5)
            .early_stopping(misspelt.clone())
            .fit(model(&device));
        assert!(
            matches!(missing, Err(TrainingError::UnknownMetric { user: "early stopping", metric, .. })
            if metric == "valid_acuracy")
        );
    }
}
