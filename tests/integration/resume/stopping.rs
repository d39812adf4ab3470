//! Runs that are stopped, extended, or started twice.

use burn::train::Interrupter;
use burn_lr::training::TrainingError;
use burn_lr::training::device::Backend;
use tempfile::TempDir;

use super::{EPOCHS, other_model, outcome, run, saved_history, undisturbed};
use crate::common::model;

#[test]
fn a_run_stopped_after_any_epoch_ends_with_the_same_bits() {
    for backend in Backend::compiled() {
        let device = backend.device().unwrap();
        let (weights, history) = undisturbed(&device);
        assert!(history.epochs.iter().any(|epoch| !epoch.cuts.is_empty()));
        for stop in 1..EPOCHS {
            let directory = TempDir::new().unwrap();
            let interrupter = Interrupter::new();
            let handle = interrupter.clone();
            let stopped = run(directory.path())
                .interrupter(interrupter)
                // Seen after the first update of the next epoch, which is thrown away.
                .on_epoch(move |epoch| {
                    if epoch.epoch == stop {
                        handle.stop(Some("a test"));
                    }
                })
                .fit(model(&device));
            let Err(TrainingError::Interrupted { epoch, reason }) = stopped else {
                panic!("{stopped:?}");
            };
            assert_eq!((epoch, reason.as_str()), (stop, "a test"));
            assert!(!directory.path().join("final.bpk").exists());

            let resumed = run(directory.path()).fit(other_model(&device)).unwrap();
            let resumed = outcome(resumed);
            assert!(
                resumed.0 == weights,
                "other weights on {backend} after {stop}"
            );
            assert_eq!(resumed.1, history, "{backend}, stopped after {stop}");
            assert_eq!(saved_history(directory.path()), history);
        }
    }
}

#[test]
fn a_run_may_be_extended() {
    let device = Backend::Flex.device().unwrap();
    let (weights, history) = undisturbed(&device);
    let directory = TempDir::new().unwrap();
    run(directory.path()).epochs(2).fit(model(&device)).unwrap();
    let extended = outcome(run(directory.path()).fit(other_model(&device)).unwrap());
    assert!(extended.0 == weights);
    assert_eq!(extended.1, history);
    let fewer = run(directory.path()).epochs(2).fit(model(&device));
    assert!(matches!(
        fewer,
        Err(TrainingError::Invalid { name: "epochs", .. })
    ));
    // A run that is complete is not trained any further.
    let again = outcome(run(directory.path()).fit(other_model(&device)).unwrap());
    assert!(again.0 == weights);
}

#[test]
fn the_final_model_stays_until_an_extended_run_is_complete() {
    let device = Backend::Flex.device().unwrap();
    let directory = TempDir::new().unwrap();
    let last = || std::fs::read(directory.path().join("final.bpk")).unwrap();
    run(directory.path()).epochs(2).fit(model(&device)).unwrap();
    let before = last();
    let interrupter = Interrupter::new();
    let handle = interrupter.clone();
    let stopped = run(directory.path())
        .interrupter(interrupter)
        .on_epoch(move |_| handle.stop(Some("a test")))
        .fit(other_model(&device));
    assert!(matches!(
        stopped,
        Err(TrainingError::Interrupted { epoch: 3, .. })
    ));
    assert!(last() == before);
    run(directory.path()).fit(other_model(&device)).unwrap();
    assert!(last() != before);
}

#[test]
fn a_second_run_in_a_directory_is_refused_while_the_first_is_at_work() {
    let device = Backend::Flex.device().unwrap();
    let (weights, history) = undisturbed(&device);
    let directory = TempDir::new().unwrap();
    let (path, other) = (directory.path().to_owned(), model(&device));
    let (results, refused) = std::sync::mpsc::channel();
    let first = run(directory.path())
        .on_epoch(move |_| {
            let second = run(&path).fit(other.clone());
            results.send(second.map(drop)).unwrap();
        })
        .fit(model(&device));
    let first = outcome(first.unwrap());
    assert!(first.0 == weights);
    assert_eq!(first.1, history);
    let refused: Vec<_> = refused.iter().collect();
    assert_eq!(refused.len(), EPOCHS);
    for refused in refused {
        assert!(matches!(refused, Err(TrainingError::InUse { path }) if path == directory.path()));
    }
    run(directory.path()).fit(model(&device)).unwrap();
}
