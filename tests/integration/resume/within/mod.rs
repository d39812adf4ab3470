//! Checkpoints within an epoch.

use std::fs;
use std::path::Path;
use std::time::Duration;

use burn::module::Module;
use burn::train::metric::{LearningRateMetric, LossMetric};
use burn::train::{InferenceStep, LearnerModel, RegressionOutput, TrainStep};
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::{Trained, Training, TrainingError};

use crate::common::line::{Points, Slope};
use crate::common::stopping::stopping_after;
use crate::engine::net::{outcome, values};

mod bits;
mod branches;
mod kept;
mod metrics;
mod refused;

pub const EPOCHS: usize = 3;
/// 40 points in batches of 8.
pub const BATCHES: usize = 5;
pub const ALL: usize = EPOCHS * BATCHES;
pub const NEVER: usize = usize::MAX;

/// A run with a checkpoint after every update that stops after so many batches.
pub fn run<M>(directory: &Path, batches: usize) -> Training<M>
where
    M: LearnerModel
        + TrainStep<Input = Points, Output = RegressionOutput>
        + InferenceStep<Input = Points, Output = RegressionOutput>,
{
    let (train, interrupter) = stopping_after(batches);
    Training::new(directory, train, EpochLoader::new(Slope, 20))
        .metrics((LossMetric::new(), LearningRateMetric::new()))
        .schedule(0.05)
        .epochs(EPOCHS)
        .resume(true)
        .checkpoint_every(Duration::ZERO)
        .interrupter(interrupter)
        .on_notice(|_| {})
}

pub type Weights = Vec<Vec<f32>>;

/// The weights, those of the average if there is one, and the history as text.
pub fn ended<M: Module>(trained: Trained<M>) -> (Weights, Option<Weights>, String) {
    let average = trained.average.as_ref().map(values);
    let (weights, history) = outcome(trained);
    (weights, average, serde_json::to_string(&history).unwrap())
}

pub fn assert_stopped<T: std::fmt::Debug>(result: Result<T, TrainingError>) {
    assert!(
        matches!(result, Err(TrainingError::Interrupted { .. })),
        "{result:?}"
    );
}

/// The checkpoints within epochs.
pub fn found(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory.join("within-epoch")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}
