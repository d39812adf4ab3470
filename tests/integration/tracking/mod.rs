//! Runs that are followed.

mod events;
#[path = "../../../examples/mlflow/file_store.rs"]
mod file_store;
mod mlflow;
mod page;
mod tensorboard;

use std::path::Path;

use burn::tensor::Device;
use burn::train::Interrupter;
use burn::train::metric::LossMetric;
use burn_lr::scheduler::{ReduceLrOnPlateau, ThresholdMode};
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::{Training, TrainingError};

use crate::common::line::{Line, Slope};

const EPOCHS: usize = 6;
/// 40 points in batches of 8.
const UPDATES: u64 = 5;

/// A regression whose plateau cuts the rate after every epoch but the first.
fn run(directory: &Path) -> Training<Line> {
    let plateau = ReduceLrOnPlateau::new(0.05)
        .with_patience(0)
        .with_factor(0.5)
        .with_threshold(0.9, ThresholdMode::Rel);
    let train = EpochLoader::new(Slope, 8).shuffled(1);
    Training::new(directory, train, EpochLoader::new(Slope, 20))
        .schedule(plateau.per_epoch())
        .metrics((LossMetric::new(),))
        .epochs(EPOCHS)
        .resume(true)
        .on_notice(|_| {})
}

fn line() -> Line {
    Line::new(&Device::flex())
}

/// Stops `training` in the epoch after `stop`, of which some updates are made.
fn stopped(training: Training<Line>, stop: usize) {
    let interrupter = Interrupter::new();
    let handle = interrupter.clone();
    let result = training
        .interrupter(interrupter)
        .on_epoch(move |epoch| {
            if epoch.epoch == stop {
                handle.stop(Some("a test"));
            }
        })
        .fit(line());
    assert!(matches!(result, Err(TrainingError::Interrupted { .. })));
}
