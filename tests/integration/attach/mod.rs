//! Plateaus on Burn's own `SupervisedTraining`, beside strategies and parameter groups of the user.

mod failures;
mod heard;
mod strategies;

use std::path::Path;

use crate::common::line::{Line, script, slope};
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn::train::{Learner, LearningResult, SupervisedTraining};
use burn_lr::scheduler::{ReduceLrOnPlateau, Run, Scheduler};
use burn_lr::training::feedback::{Feedback, FeedbackScheduler};
use burn_lr::training::optim::adam;

/// Too small to move the line from where the scripted losses are.
const LR: f64 = 1e-4;
/// 40 points in batches of 8.
const UPDATES: u64 = 5;

/// Halves the rate after every epoch that is not the best so far.
fn plateau(lr: f64) -> (FeedbackScheduler, Feedback) {
    let schedule = ReduceLrOnPlateau::new(lr).with_patience(0).with_factor(0.5);
    FeedbackScheduler::new(Scheduler::new(schedule, Run::per_epoch(UPDATES)).unwrap())
}

fn line() -> Line {
    Line::new(&Device::flex().autodiff())
}

/// Burn's training with checkpoints, over validation losses of `y` squared.
fn training(directory: &Path, ys: &[f32]) -> SupervisedTraining<Line> {
    SupervisedTraining::new(directory, slope(), script(ys))
        .with_application_logger(None)
        .with_default_checkpointers()
        .metrics((LossMetric::new(),))
        .num_epochs(ys.len())
}

fn launch(
    training: SupervisedTraining<Line>,
    scheduler: impl Into<ModuleLrScheduler>,
) -> LearningResult<Line> {
    let result = training.launch(Learner::new(line(), adam().init(), scheduler));
    assert!(result.error.is_none());
    result
}

/// The epochs that have a checkpoint.
fn checkpoints(directory: &Path) -> Vec<usize> {
    let epoch = |name: &str| {
        let number = name.strip_prefix("model-")?.strip_suffix(".bpk")?;
        number.parse().ok()
    };
    let files = std::fs::read_dir(directory.join("checkpoint")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut epochs: Vec<usize> = names.filter_map(|name| epoch(&name)).collect();
    epochs.sort_unstable();
    epochs
}
