//! Damaged checkpoints and models.

use std::path::Path;

use burn::tensor::Device;
use burn_lr::model::Mlp;
use burn_lr::training::Training;
use burn_lr::training::checkpoint::{
    CheckpointStore, HISTORY, KeepPolicy, MODEL, OPTIM, SCHEDULER,
};
use burn_lr::training::device::Backend;
use burn_lr::training::metrics::{Best, valid};
use burn_lr::training::storage::load_model;
use tempfile::TempDir;

use super::{EPOCHS, other_model, outcome, run, undisturbed};
use crate::common::{model, parameters};

#[test]
fn a_damaged_checkpoint_is_passed_over_and_said_to_be() {
    let device = Backend::Flex.device().unwrap();
    let (weights, history) = undisturbed(&device);
    for part in [MODEL, OPTIM, SCHEDULER, HISTORY] {
        let directory = TempDir::new().unwrap();
        run(directory.path()).epochs(3).fit(model(&device)).unwrap();
        let file = directory.path().join("checkpoint/epoch-0003").join(part);
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&file, bytes).unwrap();

        let (notices, said) = std::sync::mpsc::channel();
        let resumed = run(directory.path())
            .on_notice(move |notice| notices.send(notice.to_owned()).unwrap())
            .fit(other_model(&device))
            .unwrap();
        let said: Vec<String> = said.iter().collect();
        assert!(
            said[0].contains("epoch 3") && said[0].contains(part),
            "{said:?}"
        );
        assert!(said[1].contains("after epoch 2"), "{said:?}");
        assert!(said[2].contains("epoch-0003.aside-1"), "{said:?}");
        let resumed = outcome(resumed);
        assert!(resumed.0 == weights, "{part}");
        assert_eq!(resumed.1, history, "{part}");
    }
}

fn store_epochs(directory: &Path) -> Vec<usize> {
    let store = CheckpointStore::open(directory.join("checkpoint"), &[MODEL]);
    store.unwrap().epochs()
}

/// Flips a bit in the middle of a file.
fn damage(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

/// A run whose best epoch is not one of the last.
fn worst_is_best(directory: &Path) -> Training<Mlp> {
    let worst = Best::max(valid("loss"));
    run(directory).keep(KeepPolicy::last(2).with_best(worst))
}

/// What a run says that is resumed with `directory` as it is.
fn said(directory: &Path, device: &Device) -> Vec<String> {
    let (notices, said) = std::sync::mpsc::channel();
    worst_is_best(directory)
        .on_notice(move |notice| notices.send(notice.to_owned()).unwrap())
        .fit(model(device))
        .unwrap();
    said.iter().collect()
}

#[test]
fn damage_to_what_a_resumed_run_does_not_need_is_said_and_mended() {
    let device = Backend::Flex.device().unwrap();
    let directory = TempDir::new().unwrap();
    let untold = worst_is_best(directory.path());
    untold.fit(model(&device)).unwrap();
    let resuming = format!("resuming after epoch {EPOCHS}");
    assert_eq!(said(directory.path(), &device), [resuming.as_str()]);
    let best = directory.path().join("best.bpk");
    let sum = directory.path().join("best.bpk.sha256");
    let intact = [&best, &sum].map(|file| std::fs::read(file).unwrap());

    // An older checkpoint.
    let older = directory.path().join("checkpoint/epoch-0004");
    damage(&older.join(OPTIM));
    let notices = said(directory.path(), &device);
    assert_eq!(notices[0], resuming);
    assert!(notices[1].contains("checkpoint of epoch 4 is damaged"));
    assert_eq!(notices.len(), 2, "{notices:?}");
    // Unless older ones are not looked at.
    let (notices, heard) = std::sync::mpsc::channel();
    worst_is_best(directory.path())
        .trust_older_checkpoints()
        .on_notice(move |notice| notices.send(notice.to_owned()).unwrap())
        .fit(model(&device))
        .unwrap();
    assert_eq!(heard.iter().collect::<Vec<_>>(), [resuming.as_str()]);
    damage(&older.join(OPTIM));

    // The best model, or nothing but its checksum.
    for (file, told) in [(&best, true), (&sum, true)] {
        damage(file);
        let notices = said(directory.path(), &device);
        let mended = |notice: &String| notice.contains("best.bpk was damaged: restored");
        assert_eq!(
            notices.iter().any(mended),
            told && file == &best,
            "{notices:?}"
        );
        assert_eq!(
            [&best, &sum].map(|file| std::fs::read(file).unwrap()),
            intact
        );
    }

    // The best model and its checkpoint.
    let kept = store_epochs(directory.path());
    assert!(kept.len() == 3 && kept[0] < 4, "{kept:?}");
    let best_epoch = kept[0];
    let checkpoint = format!("checkpoint/epoch-{best_epoch:04}");
    damage(&directory.path().join(checkpoint).join(MODEL));
    damage(&best);
    let notices = said(directory.path(), &device);
    let told = |text: &str| notices.iter().any(|notice| notice.contains(text));
    assert!(
        told(&format!("checkpoint of epoch {best_epoch} is damaged")),
        "{notices:?}"
    );
    assert!(
        told("best.bpk is damaged and cannot be restored"),
        "{notices:?}"
    );
    assert!(told("best.bpk.aside-1"), "{notices:?}");
    assert!(!best.exists() && !sum.exists());
    let notices = said(directory.path(), &device);
    assert!(
        notices
            .iter()
            .any(|notice| notice.starts_with("there is no "))
    );
}

/// Everything that an earlier run left is there under another name, and the user is told.
#[test]
fn a_run_that_has_to_start_again_overwrites_nothing() {
    let device = Backend::Flex.device().unwrap();
    let (weights, history) = undisturbed(&device);
    let directory = TempDir::new().unwrap();
    run(directory.path()).epochs(3).fit(model(&device)).unwrap();
    let files = ["history.csv", "history.json", "best.bpk", "final.bpk"];
    let contents = files.map(|file| std::fs::read(directory.path().join(file)).unwrap());
    for epoch in ["epoch-0002", "epoch-0003"] {
        let manifest = format!("checkpoint/{epoch}/manifest.json");
        std::fs::remove_file(directory.path().join(manifest)).unwrap();
    }

    let (notices, said) = std::sync::mpsc::channel();
    let again = run(directory.path())
        .on_notice(move |notice| notices.send(notice.to_owned()).unwrap())
        .fit(model(&device))
        .unwrap();
    let again = outcome(again);
    assert!(again.0 == weights);
    assert_eq!(again.1, history);
    let said: Vec<String> = said.iter().collect();
    for (file, content) in files.iter().zip(contents) {
        let aside = directory.path().join(format!("{file}.aside-1"));
        assert_eq!(std::fs::read(&aside).unwrap(), content, "{file}");
        if file.ends_with(".bpk") {
            let sum = directory.path().join(format!("{file}.aside-1.sha256"));
            assert!(sum.exists(), "{}", sum.display());
        }
        let told = |notice: &String| notice.ends_with(&aside.display().to_string());
        assert!(said.iter().any(told), "{said:?}");
    }
    let best = load_model(&directory.path().join("best.bpk"), other_model(&device)).unwrap();
    let whole = load_model(&directory.path().join("final.bpk"), other_model(&device)).unwrap();
    assert!(parameters(&whole) == weights);
    assert!(parameters(&best).len() == weights.len());
}
