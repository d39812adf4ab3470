//! Models that draw random numbers while they train.

use std::path::Path;
use std::time::Duration;

use crate::common::line::{Points, Slope};
use crate::common::stopping::stopping_after;
use crate::generator;
use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use burn::train::metric::LossMetric;
use burn::train::{InferenceStep, Interrupter, RegressionOutput, TrainOutput, TrainStep};
use burn_lr::layers::dropout;
use burn_lr::training::average::{Average, Statistics};
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::History;
use burn_lr::training::{Trained, Training, TrainingError};
use tempfile::TempDir;

pub const EPOCHS: usize = 3;

#[derive(Module, Debug)]
pub struct Forgetful {
    linear: Linear,
    forgetting: Dropout,
}

impl Forgetful {
    pub fn new(weight: f32) -> Self {
        let device = Device::flex();
        let config = LinearConfig::new(1, 1).with_initializer(Initializer::Zeros);
        let mut linear = config.init(&device);
        linear.weight = Param::from_tensor(Tensor::from_floats([[weight]], &device));
        let forgetting = DropoutConfig::new(0.5).init();
        Self { linear, forgetting }
    }

    fn regress(&self, points: Points) -> RegressionOutput {
        let output = self.forgetting.forward(self.linear.forward(points.x));
        let output = dropout(&self.forgetting, output);
        let loss = (output.clone() - points.y.clone()).square().mean();
        RegressionOutput::new(loss, output, points.y)
    }
}

impl TrainStep for Forgetful {
    type Input = Points;
    type Output = RegressionOutput;

    fn step(&self, points: Points) -> TrainOutput<RegressionOutput> {
        let output = self.regress(points);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for Forgetful {
    type Input = Points;
    type Output = RegressionOutput;

    fn step(&self, points: Points) -> RegressionOutput {
        self.regress(points)
    }
}

pub fn run(directory: &Path) -> Training<Forgetful> {
    let train = EpochLoader::new(Slope, 8).shuffled(1).workers(2);
    Training::new(directory, train, EpochLoader::new(Slope, 20))
        .metrics((LossMetric::new(),))
        .schedule(0.1)
        .epochs(EPOCHS)
        .resume(true)
        .on_notice(|_| {})
}

pub fn outcome(trained: Trained<Forgetful>) -> (f32, History) {
    let mut history = trained.history;
    for epoch in &mut history.epochs {
        epoch.seconds = 0.0;
    }
    (trained.model.linear.weight.val().into_scalar(), history)
}

/// What a run ends with that is stopped after every epoch, while others draw random numbers too.
fn resumed(configured: impl Fn(&Path) -> Training<Forgetful>) -> (f32, History) {
    let directory = TempDir::new().unwrap();
    for stop in 1..EPOCHS {
        let interrupter = Interrupter::new();
        let handle = interrupter.clone();
        let stopped = configured(directory.path())
            .interrupter(interrupter)
            .on_epoch(move |epoch| {
                if epoch.epoch == stop {
                    handle.stop(Some("a test"));
                }
            })
            .fit(Forgetful::new(0.5));
        assert!(matches!(stopped, Err(TrainingError::Interrupted { epoch, .. }) if epoch == stop));
        Device::flex().seed(stop as u64);
    }
    outcome(
        configured(directory.path())
            .fit(Forgetful::new(9.0))
            .unwrap(),
    )
}

fn whole(configured: impl Fn(&Path) -> Training<Forgetful>) -> (f32, History) {
    let directory = TempDir::new().unwrap();
    outcome(
        configured(directory.path())
            .fit(Forgetful::new(0.5))
            .unwrap(),
    )
}

#[test]
fn dropout_is_seeded_unless_the_user_does_not_want_it() {
    let _alone = generator();
    let directory = TempDir::new().unwrap();
    let model = Forgetful::new(0.5);
    assert!(run(directory.path()).is_random(&model));

    // By default with 0, which says that a run is exact.
    let expected = whole(|path| run(path).strict(true));
    assert!(resumed(|path| run(path).strict(true)) == expected);
    assert!(whole(|path| run(path).seed(0)) == expected);
    // Computed again, with the same random numbers or kept.
    assert!(resumed(|path| run(path).gradient_checkpointing()) == expected);
    let accumulated = |path: &Path| run(path).grads_accumulation(3);
    assert!(resumed(accumulated) == whole(accumulated));

    let seven = |path: &Path| run(path).seed(7);
    let other = whole(seven);
    assert!(other.0 != expected.0);
    assert!(resumed(seven) == other);

    // Nothing but the dropout makes a difference here: not seeded, no two runs are the same.
    let unseeded = |path: &Path| run(path).unseeded();
    assert!(resumed(unseeded).0 != whole(unseeded).0);
    let path = directory.path().join("run");
    let refused = unseeded(&path).strict(true).fit(model.clone());
    let Err(TrainingError::Inexact { reasons }) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        reasons.len() == 1 && reasons[0].contains("Training::seed"),
        "{reasons:?}"
    );
    assert!(!path.exists());
    for epochs in [1, 2] {
        let (notices, said) = std::sync::mpsc::channel();
        let training = unseeded(&path).epochs(epochs);
        let training = training.on_notice(move |notice| notices.send(notice.to_owned()).unwrap());
        training.fit(model.clone()).unwrap();
        let first = said
            .iter()
            .find(|notice| notice.contains("Training::seed"))
            .unwrap();
        assert!(
            first.starts_with("a resumed run may not be exact: "),
            "{first}"
        );
    }

    // Unless the user knows better.
    let deterministic = run(&path).deterministic().strict(true).epochs(3);
    assert!(!deterministic.is_random(&model));
    deterministic.check(&model).unwrap();
    // By default a run goes on as it was begun, whichever modules are known to draw by now.
    let training = run(&path).epochs(3);
    let (notices, said) = std::sync::mpsc::channel();
    let training = training.on_notice(move |notice| notices.send(notice.to_owned()).unwrap());
    training.fit(model.clone()).unwrap();
    assert!(said.iter().any(|notice| notice.contains("Training::seed")));

    // Which of several devices draws first is up to their threads.
    let several = run(&directory.path().join("several"))
        .devices(vec![Device::flex(); 2])
        .strict(true);
    let refused = several.check(&model);
    let Err(TrainingError::Inexact { reasons }) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        reasons.len() == 1 && reasons[0].starts_with("random numbers on 2 devices"),
        "{reasons:?}"
    );

    // A seed is part of what a run is.
    let path = directory.path().join("seeded");
    run(&path).epochs(1).fit(model.clone()).unwrap();
    run(&path).seed(0).epochs(2).fit(model.clone()).unwrap();
    for changed in [run(&path).seed(1), run(&path).unseeded()] {
        let refused = changed.fit(model.clone());
        assert!(
            matches!(&refused, Err(TrainingError::ConfigChanged { field, .. }) if field == "seed"),
            "{refused:?}"
        );
    }
}

#[test]
fn dropout_of_a_run_in_updates_goes_by_the_updates() {
    let _alone = generator();
    let every = |path: &Path, updates: u64| run(path).max_updates(13).every(updates);
    // Stopped after 1 and 2 of 3 periods.
    let expected = whole(|path| every(path, 5));
    assert!(resumed(|path| every(path, 5)) == expected);
    for updates in [1, 4, 13] {
        assert!(whole(|path| every(path, updates)).0 == expected.0);
    }
    let seven = |path: &Path| every(path, 5).seed(7);
    assert!(whole(seven).0 != expected.0);
}

#[test]
fn dropout_goes_on_within_an_epoch() {
    let _alone = generator();
    type Configure = fn(Training<Forgetful>) -> Training<Forgetful>;
    let configurations: [Configure; 3] = [
        |training| training,
        |training| training.grads_accumulation(2),
        |training| training.every(4),
    ];
    for configure in configurations {
        let directory = TempDir::new().unwrap();
        let at = |name: usize, batches| {
            let (train, interrupter) = stopping_after(batches);
            let path = directory.path().join(name.to_string());
            let training = Training::new(path, train, EpochLoader::new(Slope, 20))
                .metrics((LossMetric::new(),))
                .schedule(0.1)
                .epochs(EPOCHS)
                .resume(true)
                .checkpoint_every(Duration::ZERO)
                .interrupter(interrupter)
                .on_notice(|_| {});
            configure(training)
        };
        let expected = outcome(at(0, usize::MAX).fit(Forgetful::new(0.5)).unwrap());
        for stop in 1..15 {
            let stopped = at(stop, stop).fit(Forgetful::new(0.5));
            assert!(matches!(stopped, Err(TrainingError::Interrupted { .. })));
            Device::flex().seed(stop as u64);
            let resumed = at(stop, usize::MAX).fit(Forgetful::new(9.0)).unwrap();
            // After one batch of two there is no update to go on from.
            if stop > 1 {
                assert!(outcome(resumed) == expected, "stopped after {stop}");
            }
        }
    }
}

#[test]
fn an_epoch_has_the_bits_of_a_period_as_long() {
    let _alone = generator();
    let epochs = whole(run);
    let mut periods = whole(|path| run(path).max_updates(15).every(5));
    for epoch in &mut periods.1.epochs {
        epoch.data = None;
    }
    assert!(periods == epochs);
}

#[test]
fn a_second_pass_for_statistics_draws_nothing_of_the_runs() {
    let _alone = generator();
    let average = Average::swa().statistics(Statistics::Recomputed);
    let averaged = |path: &Path| run(path).average(average.clone());
    let expected = whole(averaged);
    assert!(expected.0 == whole(run).0);
    assert!(resumed(averaged) == expected);
}
