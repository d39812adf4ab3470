//! Which checkpoints are kept.

use burn_lr::scheduler::Mode;
use burn_lr::training::TrainingError;
use burn_lr::training::checkpoint::{
    CheckpointStore, HISTORY, KeepPolicy, MODEL, OPTIM, SCHEDULER,
};
use burn_lr::training::device::Backend;
use burn_lr::training::metrics::{Best, EarlyStopping, train, valid};
use tempfile::TempDir;

use super::{EPOCHS, run};
use crate::common::model;

#[test]
fn what_is_kept_and_when_to_stop_may_change_and_is_recorded() {
    let device = Backend::Flex.device().unwrap();
    let directory = TempDir::new().unwrap();
    let recorded = |field: &str| -> serde_json::Value {
        let json = std::fs::read(directory.path().join("burn-lr.json")).unwrap();
        let config: serde_json::Value = serde_json::from_slice(&json).unwrap();
        config["free"][field].clone()
    };
    run(directory.path()).epochs(1).fit(model(&device)).unwrap();
    assert_eq!(
        recorded("keep"),
        serde_json::json!({"last": 2, "best": {"metric": "valid_loss", "mode": "min"}})
    );
    assert!(recorded("early_stopping").is_null());

    let stopping = EarlyStopping::new(9).on(train("accuracy"), Mode::Max);
    let changed = run(directory.path())
        .epochs(2)
        .keep(KeepPolicy::last(1))
        .early_stopping(stopping);
    changed.fit(model(&device)).unwrap();
    assert_eq!(
        recorded("keep"),
        serde_json::json!({"last": 1, "best": null})
    );
    assert_eq!(
        recorded("early_stopping"),
        serde_json::json!({"best": {"metric": "train_accuracy", "mode": "max"}, "patience": 9})
    );
    let longer = run(directory.path())
        .epochs(3)
        .early_stopping(EarlyStopping::new(8));
    longer.fit(model(&device)).unwrap();
    assert_eq!(recorded("early_stopping")["patience"], 8);
}

#[test]
fn a_best_epoch_that_was_not_kept_is_told() {
    let device = Backend::Flex.device().unwrap();
    let directory = TempDir::new().unwrap();
    let last = || KeepPolicy::last(1);
    run(directory.path()).fit(model(&device)).unwrap();
    let said = |best: Best, epochs| {
        let (notices, said) = std::sync::mpsc::channel();
        let again = run(directory.path())
            .epochs(epochs)
            .keep(last().with_best(best));
        let again = again.on_notice(move |notice| notices.send(notice.to_owned()).unwrap());
        again.fit(model(&device)).unwrap();
        said.iter()
            .filter(|said| said.contains("best.bpk"))
            .collect::<Vec<_>>()
    };
    // The loss falls: its greatest value was in epoch 1.
    for epochs in [EPOCHS, EPOCHS + 1] {
        let said = said(Best::max(train("loss")), epochs);
        assert!(
            said.len() == 1 && said[0].contains("cannot be of epoch 1, the best by train_loss"),
            "{said:?}"
        );
    }
    assert_eq!(said(Best::min(train("loss")), EPOCHS + 1), [""; 0]);
}

#[test]
fn checkpoints_and_the_best_model_are_kept_by_any_metric() {
    let device = Backend::Flex.device().unwrap();
    let directory = TempDir::new().unwrap();
    let best = Best::max(valid("accuracy"));
    let trained = run(directory.path())
        .keep(KeepPolicy::last(1).with_best(best))
        .fit(model(&device))
        .unwrap();
    let accuracy = |epoch: usize| trained.history.epochs[epoch - 1].valid("accuracy");
    // The first of equals.
    let best = (1..=EPOCHS)
        .rev()
        .max_by(|&a, &b| accuracy(a).total_cmp(&accuracy(b)))
        .unwrap();
    let store = CheckpointStore::open(
        directory.path().join("checkpoint"),
        &[MODEL, OPTIM, SCHEDULER, HISTORY],
    )
    .unwrap();
    let mut kept = vec![best, EPOCHS];
    kept.dedup();
    assert_eq!(store.epochs(), kept);
    let copy = std::fs::read(directory.path().join("best.bpk")).unwrap();
    assert_eq!(store.load(best).unwrap().parts[MODEL], copy);

    let missing = TempDir::new().unwrap();
    let policy = KeepPolicy::last(1).with_best(Best::max(valid("recall")));
    let missing = run(missing.path()).keep(policy).fit(model(&device));
    assert!(
        matches!(missing, Err(TrainingError::UnknownMetric { metric, known, .. })
        if metric == "valid_recall" && known == ["train_accuracy", "train_loss", "valid_accuracy", "valid_loss"])
    );
}
