//! TensorBoard's files.

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::channel;

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::optim::AdamConfig;
use burn::train::metric::LossMetric;
use burn::train::{Learner, SupervisedTraining};
use burn_lr::tracking::{Follow, TensorBoard, TensorBoardLogger};
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::{History, Split};
use burn_lr::training::track::{RunStart, Tracker, UpdateRecord};
use serde_json::json;
use tempfile::TempDir;

use super::events::{Curves, curves, files, hyperparameters};
use super::{EPOCHS, UPDATES, line, run, stopped};
use crate::common::line::Slope;

/// That the curves of both splits are those of the history.
fn assert_history(history: &History, train: &Curves, valid: &Curves) {
    for (split, curves) in [(Split::Train, train), (Split::Valid, valid)] {
        let expected: Vec<(u64, f32)> = history
            .epochs
            .iter()
            .map(|epoch| (epoch.updates, epoch.split(split)["loss"] as f32))
            .collect();
        assert_eq!(curves["loss"], expected);
    }
    let rates: Vec<(u64, f32)> = history
        .epochs
        .iter()
        .map(|epoch| (epoch.updates, epoch.lr as f32))
        .collect();
    assert_eq!(train["lr"], rates);
}

#[test]
fn curves_are_those_of_the_history() {
    let directory = TempDir::new().unwrap();
    let board = directory.path().join("board");
    let training = run(&directory.path().join("run")).tensorboard(&board);
    let history = training.track_every(2).fit(line()).unwrap().history;
    let [train, valid] = ["train", "valid"].map(|split| curves(&board.join(split)));
    assert_history(&history, &train, &valid);
    let steps = |tag: &str| train[tag].iter().map(|&(step, _)| step).collect::<Vec<_>>();
    let every_other: Vec<u64> = (2..=UPDATES * EPOCHS as u64).step_by(2).collect();
    for tag in ["update/loss", "update/lr", "update/gradient_norm"] {
        assert_eq!(steps(tag), every_other, "{tag}");
    }
    let told = hyperparameters(&board);
    for name in [
        "schedule.schedule.ReduceLrOnPlateau.patience",
        "optimizer.Adam.beta_1",
        "batch_size",
        "_hparams_/session_end_info",
    ] {
        assert!(told.contains(name), "{name}");
    }
}

#[test]
fn a_resumed_run_goes_on_without_overlap_also_behind_a_record_that_was_cut_off() {
    let directory = TempDir::new().unwrap();
    let board = directory.path().join("board");
    let training = || {
        let training = run(&directory.path().join("run")).tensorboard(&board);
        training.track_every(1)
    };
    for stop in [2, 4] {
        stopped(training(), stop);
        // As a kill in the middle of a write leaves it.
        for split in ["train", "valid"] {
            let last = files(&board.join(split)).pop().unwrap();
            let mut file = std::fs::File::options().append(true).open(last).unwrap();
            file.write_all(&[24, 0, 0, 0, 0, 0, 0]).unwrap();
        }
    }
    let history = training().fit(line()).unwrap().history;
    let [train, valid] = ["train", "valid"].map(|split| curves(&board.join(split)));
    assert_history(&history, &train, &valid);
    let steps: Vec<u64> = train["update/loss"].iter().map(|&(step, _)| step).collect();
    assert_eq!(steps, Vec::from_iter(1..=UPDATES * EPOCHS as u64));
    assert_eq!(files(&board.join("train")).len(), 3);
}

#[test]
fn a_run_does_not_make_anothers_curves_void() {
    let directory = TempDir::new().unwrap();
    let board = directory.path().join("board");
    let first = run(&directory.path().join("first")).tensorboard(&board);
    let history = first.fit(line()).unwrap().history;
    let (notices, said) = channel();
    let second = run(&directory.path().join("second")).tensorboard(&board);
    let second = second.on_notice(move |notice| notices.send(notice.to_owned()).unwrap());
    second.epochs(2).fit(line()).unwrap();
    let said = said.recv().unwrap();
    assert!(said.contains("the curves of another run"), "{said}");
    let read = || ["train", "valid"].map(|split| curves(&board.join(split)));
    let [train, valid] = read();
    assert_history(&history, &train, &valid);
    // The same run once more, from its beginning, has its own curves anew.
    std::fs::remove_dir_all(directory.path().join("first")).unwrap();
    let again = run(&directory.path().join("first")).tensorboard(&board);
    let history = again.epochs(3).fit(line()).unwrap().history;
    let [train, valid] = read();
    assert_history(&history, &train, &valid);
}

#[test]
fn what_a_run_has_told_is_written_when_it_is_killed() {
    let directory = TempDir::new().unwrap();
    let (config, history) = (json!({}), History::default());
    let start = RunStart::new(directory.path(), &config, &history, 1);
    let board = directory.path().join("board");
    let mut tracker = TensorBoard::new(&board);
    tracker.begin(&start).unwrap();
    for update in [50, 100] {
        let record = UpdateRecord::new(update, 1);
        tracker.update(&record).unwrap();
        let told = &curves(&board.join("train"))["update/lr"];
        assert_eq!(told.last(), Some(&(update, 0.0)));
    }
}

#[test]
fn burns_own_learner_has_it_by_a_logger() {
    let directory = TempDir::new().unwrap();
    let board = directory.path().join("board");
    let train: Arc<dyn DataLoader<_>> = Arc::new(EpochLoader::new(Slope, 8));
    let valid: Arc<dyn DataLoader<_>> = Arc::new(EpochLoader::new(Slope, 20));
    let logger = TensorBoardLogger::new(&board).unwrap().every(3);
    let training = SupervisedTraining::new(directory.path().join("burn"), train, valid)
        .with_metric_logger(logger)
        .with_application_logger(None)
        .metrics((LossMetric::new(),))
        .num_epochs(2);
    let learner = Learner::new(line().train(), AdamConfig::new().init(), 0.01);
    assert!(training.launch(learner).error.is_none());
    let [train, valid] = ["train", "valid"].map(|split| curves(&board.join(split)));
    let steps = |curve: &[(u64, f32)]| curve.iter().map(|&(step, _)| step).collect::<Vec<_>>();
    assert_eq!(steps(&train["Loss"]), [5, 10]);
    assert_eq!(steps(&valid["Loss"]), [5, 10]);
    assert_eq!(steps(&train["batch/Loss"]), [3, 6, 9]);
    assert!(train["Loss"][1].1 < train["Loss"][0].1);
}
