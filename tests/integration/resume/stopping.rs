//! Runs that are stopped, extended, or started twice.

use burn::train::Interrupter;
use burn_lr::scheduler::Constant;
use burn_lr::training::TrainingError;
use burn_lr::training::device::Backend;
use burn_lr::training::metrics::valid;
use tempfile::TempDir;

use super::{EPOCHS, other_model, outcome, run, saved_history, undisturbed};
use crate::common::{self, model};

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
        Err(TrainingError::TooShort { unit: "epochs", .. })
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

#[test]
fn a_run_whose_interrupter_was_stopped_before_is_refused() {
    let device = Backend::Flex.device().unwrap();
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("run");
    let interrupter = Interrupter::new();
    interrupter.stop(Some("a test"));
    let again = || run(&directory).epochs(1).interrupter(interrupter.clone());
    let fit = || again().fit(model(&device));
    for refused in [
        again().check(&model(&device)),
        again().can_resume(&model(&device)),
        fit().map(drop),
    ] {
        assert!(
            matches!(&refused, Err(TrainingError::AlreadyStopped { reason }) if reason == "a test"),
            "{refused:?}"
        );
    }
    assert!(!directory.exists());
    interrupter.reset();
    fit().unwrap();
}

#[test]
fn a_run_that_ends_by_itself_leaves_the_interrupter_to_the_next_one() {
    let device = Backend::Flex.device().unwrap();
    let interrupter = Interrupter::new();
    for devices in 1..=2 {
        let directory = TempDir::new().unwrap();
        let fit = |name: &str, lr: f64, required: &str| {
            common::training(&directory.path().join(name), Constant::new(lr).per_epoch())
                .devices(vec![device.clone(); devices])
                .interrupter(interrupter.clone())
                .require_metrics([valid(required)])
                .on_notice(|_| {})
                .fit(model(&device))
        };
        let diverged = fit("diverged", 1e30, "loss");
        assert!(
            matches!(diverged, Err(TrainingError::Diverged { .. })),
            "{diverged:?}"
        );
        let refused = fit("refused", 0.01, "perplexity");
        assert!(matches!(refused, Err(TrainingError::UnknownMetric { .. })));
        assert!(!interrupter.should_stop());
        fit("sound", 0.01, "loss").unwrap();
    }
}

#[test]
fn a_run_on_several_devices_is_stopped_at_the_next_update() {
    let device = Backend::Flex.device().unwrap();
    let directory = TempDir::new().unwrap();
    let interrupter = Interrupter::new();
    let handle = interrupter.clone();
    let stopped = run(directory.path())
        .devices(vec![device.clone(); 2])
        .interrupter(interrupter)
        .on_epoch(move |epoch| {
            if epoch.epoch == 2 {
                handle.stop(Some("a test"));
            }
        })
        .fit(model(&device));
    assert!(
        matches!(&stopped, Err(TrainingError::Interrupted { epoch: 2, reason }) if reason == "a test"),
        "{stopped:?}"
    );
}
