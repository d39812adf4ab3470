//! The example's tracker for MLflow.

use std::path::{Path, PathBuf};

use burn_lr::training::metrics::History;
use tempfile::TempDir;

use super::file_store::FileStore;
use super::{EPOCHS, UPDATES, line, run, stopped};

/// The run's directory in the store.
fn stored(store: &Path) -> PathBuf {
    let entries = std::fs::read_dir(store.join("0")).unwrap();
    let mut runs = entries.map(|entry| entry.unwrap().path());
    runs.find(|path| path.is_dir()).unwrap()
}

/// Steps and values as MLflow reads them.
fn metric(run: &Path, name: &str) -> Vec<(u64, f64)> {
    let text = std::fs::read_to_string(run.join("metrics").join(name)).unwrap();
    let line = |line: &str| {
        let [_, value, step] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        (step.parse().unwrap(), value.parse().unwrap())
    };
    text.lines().map(line).collect()
}

fn losses(history: &History) -> Vec<(u64, f64)> {
    let epochs = history.epochs.iter();
    epochs
        .map(|epoch| (epoch.updates, epoch.valid("loss")))
        .collect()
}

#[test]
fn a_run_is_in_the_store_once_also_if_it_was_stopped() {
    let directory = TempDir::new().unwrap();
    let store = directory.path().join("it's a store");
    let training = || {
        let training = run(&directory.path().join("run"));
        training.track(FileStore::new(&store)).track_every(1)
    };
    stopped(training(), 2);
    let in_store = stored(&store);
    let meta = || std::fs::read_to_string(in_store.join("meta.yaml")).unwrap();
    assert!(meta().contains("status: 4") && meta().contains("it''s a store"));
    // As if an epoch had been told that is given up.
    let path = in_store.join("metrics/valid/loss");
    let told = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, told + "1 0.5 15\n").unwrap();
    let history = training().fit(line()).unwrap().history;
    assert_eq!(metric(&in_store, "valid/loss"), losses(&history));
    let updates = metric(&in_store, "update/loss").into_iter();
    let steps: Vec<u64> = updates.map(|(step, _)| step).collect();
    assert_eq!(steps, Vec::from_iter(1..=UPDATES * EPOCHS as u64));
    assert!(meta().contains("status: 3") && meta().contains("run_name: 'run'"));
    let param = |name: &str| std::fs::read_to_string(in_store.join("params").join(name)).unwrap();
    assert_eq!(param("train.batch_size"), "8");
    assert_eq!(param("schedule.schedule.ReduceLrOnPlateau.factor"), "0.5");
}
