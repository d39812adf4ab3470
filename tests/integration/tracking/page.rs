//! The page that follows a run.

use std::sync::mpsc::channel;

use burn_lr::tracking::{Follow, RunPage};
use burn_lr::training::TrainingError;
use burn_lr::training::run::RunDirectory;
use tempfile::TempDir;

use super::{EPOCHS, line, run, stopped};

#[test]
fn the_page_follows_the_run_and_is_its_report_in_the_end() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run/run.html");
    let training = run(&directory.path().join("run")).watch(&path);
    let (seen, pages) = channel();
    let watched = path.clone();
    let training = training.on_epoch(move |_| {
        seen.send(std::fs::read_to_string(&watched).unwrap())
            .unwrap();
    });
    let history = training.fit(line()).unwrap().history;
    // It was written before the first update, and, at most once a second, since.
    let running = pages.recv().unwrap();
    assert!(running.contains("location.reload") && running.contains("<progress"));
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(!page.contains("location.reload") && !page.contains("<progress"));
    assert!(page.contains(&format!(
        "complete; epoch {EPOCHS} is over, after 30 updates"
    )));
    assert!(history.epochs.iter().any(|epoch| !epoch.cuts.is_empty()));
    for part in [
        "Cuts of the learning rate",
        "best by valid_loss",
        "loss: validation minus training",
        "ReduceLrOnPlateau",
        "burn-lr 0.1.0 on",
    ] {
        assert!(page.contains(part), "{part}");
    }
    // It needs no other file, and no network.
    assert!(!page.contains("src=") && !page.contains("href=") && !page.contains("url("));

    let read = RunPage::read(directory.path().join("run")).unwrap();
    assert!(read.to_html().contains("complete; epoch 6"));
}

#[test]
fn a_run_that_was_stopped_says_by_what() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("pages/run.html");
    let run_directory = directory.path().join("run");
    stopped(run(&run_directory).watch(&path), 2);
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.contains("a test") && !page.contains("location.reload"));
    let read = RunPage::read(&run_directory).unwrap().to_html();
    assert!(read.contains("not at its end; epoch 2 is over"));
}

#[test]
fn a_directory_without_a_run_is_refused_by_name() {
    let directory = TempDir::new().unwrap();
    let config = RunDirectory::new(directory.path()).config();
    assert!(matches!(
        RunPage::read(directory.path()),
        Err(TrainingError::File { path, .. }) if path == config
    ));
    std::fs::write(&config, r#"{"fixed": {}}"#).unwrap();
    let page = RunPage::read(directory.path()).unwrap().to_html();
    assert!(page.contains("no epoch is over yet"));
    std::fs::write(RunDirectory::new(directory.path()).history_json(), "{").unwrap();
    assert!(matches!(
        RunPage::read(directory.path()),
        Err(TrainingError::Damaged(_))
    ));
}
