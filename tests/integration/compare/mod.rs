//! Experiments: candidates under several seeds, side by side.

mod branches;
mod budgets;
mod choice;
mod failures;
mod files;
mod jobs;
mod refusals;
mod regressions;
mod searches;
mod trials;
mod unfit;

use std::sync::OnceLock;

use crate::common::{drawn, parameters};
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::experiment::results::{Results, Trial};
use burn_lr::experiment::{BaseError, Candidate, Objective, Setup};
use burn_lr::mnist::Mnist;
use burn_lr::model::{Mlp, MlpConfig};
use burn_lr::scheduler::{Constant, ReduceLrOnPlateau, StepLr};
use burn_lr::training::Training;
use burn_lr::training::device::Backend;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::{History, train, valid};

type Base = Result<(Training<Mlp>, Mlp), BaseError>;

fn mnist() -> &'static Mnist {
    static MNIST: OnceLock<Mnist> = OnceLock::new();
    MNIST.get_or_init(|| Mnist::bundled().unwrap())
}

fn model(seed: u64, hidden: usize) -> Mlp {
    let device = Backend::Flex.device().unwrap();
    drawn(&MlpConfig::new().with_hidden(hidden), seed, &device)
}

/// 300 images in batches of 50.
fn base(setup: &Setup) -> Base {
    let mnist = mnist();
    let train = EpochLoader::new(mnist.train.first(300), 50).shuffled(setup.seed());
    let valid = EpochLoader::new(mnist.test.first(200), 100);
    let training = Training::new(setup.directory(), train, valid)
        .metrics((LossMetric::new(), AccuracyMetric::new()));
    Ok((
        training,
        model(setup.seed(), setup.setting_or("hidden", 16)?),
    ))
}

fn candidates() -> Vec<Candidate> {
    let plateau = ReduceLrOnPlateau::new(0.05).with_patience(0).per_update();
    vec![
        constant("constant", 0.01, 3),
        Candidate::new("step")
            .schedule(StepLr::new(0.01, 1).per_epoch())
            .epochs(3),
        Candidate::new("plateau").schedule(plateau).epochs(4),
    ]
}

fn constant(name: &str, lr: f64, epochs: usize) -> Candidate {
    Candidate::new(name)
        .schedule(Constant::new(lr).per_epoch())
        .epochs(epochs)
}

/// The greatest validation accuracy of at least `least`, with a training accuracy below `most`.
fn fitting(least: f64, most: f64) -> Objective {
    Objective::max(valid("accuracy"))
        .at_least(valid("accuracy"), least)
        .below(train("accuracy"), most)
}

fn timeless(history: &History) -> History {
    let mut history = history.clone();
    for epoch in &mut history.epochs {
        epoch.seconds = 0.0;
    }
    history
}

fn histories(results: &Results) -> Vec<(usize, u64, History)> {
    let history = |trial: &Trial| timeless(trial.history().unwrap());
    let trials = results.trials().iter();
    trials
        .map(|trial| (trial.candidate, trial.seed, history(trial)))
        .collect()
}
