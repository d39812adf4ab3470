//! TensorBoard's files.

use std::io::Write;
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::optim::AdamConfig;
use burn::train::metric::LossMetric;
use burn::train::{Learner, SupervisedTraining};
use burn_lr::tracking::{Follow, TensorBoardLogger};
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::{History, Split};
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
