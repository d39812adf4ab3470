//! The page that follows a run.

use std::sync::mpsc::channel;

use burn_lr::scheduler::GreedyLr;
use burn_lr::tracking::{Follow, RunPage};
use burn_lr::training::TrainingError;
use burn_lr::training::run::{Lock, RunDirectory};
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
    assert!(running.contains("Written at 20"));
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
fn rises_are_not_called_cuts() {
    let directory = TempDir::new().unwrap();
    let greedy = GreedyLr::new(0.01).with_patience(0).per_update();
    let training = run(directory.path()).schedule(greedy);
    let history = training.fit(line()).unwrap().history;
    let mut changes = history.epochs.iter().flat_map(|epoch| &epoch.cuts);
    assert!(changes.any(|change| change.is_rise()));
    let page = RunPage::read(directory.path()).unwrap().to_html();
    assert!(page.contains("Rises and cuts") && page.contains("\nrise\n"));
    assert!(!page.contains("Cuts of the learning rate"));
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
    let _lock = Lock::take(&RunDirectory::new(&run_directory)).unwrap();
    let read = RunPage::read(&run_directory).unwrap().to_html();
    assert!(read.contains("at work; epoch 2 is over"));
}

#[test]
fn a_run_that_is_resumed_goes_on_with_the_curves_of_its_page() {
    let directory = TempDir::new().unwrap();
    let run_directory = directory.path().join("run");
    let page = RunDirectory::new(&run_directory).page();
    let training = || run(&run_directory).watch(&page).track_every(1);
    // The page's own record of updates: the curves are drawn from it.
    let told = || -> Vec<u64> {
        let page = std::fs::read_to_string(&page).unwrap();
        let (_, told) = page.split_once(r#"id="followed">"#).unwrap();
        let (told, _) = told.split_once("</script>").unwrap();
        let told: serde_json::Value = serde_json::from_str(told).unwrap();
        let updates = told["updates"].as_array().unwrap().iter();
        updates
            .map(|told| told["update"].as_u64().unwrap())
            .collect()
    };
    stopped(training(), 2);
    assert_eq!(told(), Vec::from_iter(1..=10));
    let report = RunPage::read(&run_directory).unwrap().to_html();
    assert!(report.contains("ended: ") && report.contains("norm of the gradients"));
    assert!(report.contains("Checkpoints after epoch 1, 2"), "{report}");
    // As if the last one were of an epoch that is given up.
    let html = std::fs::read_to_string(&page).unwrap();
    std::fs::write(&page, html.replace(r#""update":10,"#, r#""update":12,"#)).unwrap();
    training().fit(line()).unwrap();
    let expected: Vec<u64> = (1..=30).filter(|&update| update != 10).collect();
    assert_eq!(told(), expected);
    // A complete run that is given once more has nothing to tell.
    training().fit(line()).unwrap();
    assert_eq!(told(), expected);
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
    assert!(page.contains("no epoch is over yet") && !page.contains("<svg"));
    std::fs::write(RunDirectory::new(directory.path()).history_json(), "{").unwrap();
    assert!(matches!(
        RunPage::read(directory.path()),
        Err(TrainingError::Damaged(_))
    ));
}
