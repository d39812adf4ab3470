//! A small network, and what the tests do with it.

use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::{Initializer, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use burn::train::metric::LossMetric;
use burn::train::{
    InferenceStep, Interrupter, LearnerModel, RegressionOutput, TrainOutput, TrainStep,
};
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::History;
use burn_lr::training::{Trained, Training, TrainingError};
use tempfile::TempDir;

use crate::common::line::{Points, Slope};

pub const EPOCHS: usize = 4;
/// 40 points in batches of 8.
pub const BATCHES: u64 = 5;

/// `second(norm(tanh(first(x))))`.
#[derive(Module, Debug)]
pub struct Net {
    pub first: Linear,
    pub norm: LayerNorm,
    pub second: Linear,
}

impl Net {
    /// The same weights for the same `number`, without drawing any.
    pub fn new(number: usize) -> Self {
        let device = Device::flex();
        let linear = |inputs, outputs| {
            let config = LinearConfig::new(inputs, outputs).with_initializer(Initializer::Zeros);
            let value = |i: usize| ((i + 1 + 10 * number) as f32 * 12.9898).sin() / 2.0;
            let values: Vec<f32> = (0..inputs * outputs).map(value).collect();
            let weight = Tensor::<1>::from_floats(&values[..], &device);
            let mut linear = config.init(&device);
            linear.weight = Param::from_tensor(weight.reshape([inputs, outputs]));
            linear
        };
        Self {
            first: linear(1, 4),
            norm: LayerNormConfig::new(4).init(&device),
            second: linear(4, 1),
        }
    }

    fn regress(&self, points: Points) -> RegressionOutput {
        let hidden = self.norm.forward(self.first.forward(points.x).tanh());
        let output = self.second.forward(hidden);
        let loss = (output.clone() - points.y.clone()).square().mean();
        RegressionOutput::new(loss, output, points.y)
    }
}

impl TrainStep for Net {
    type Input = Points;
    type Output = RegressionOutput;

    fn step(&self, points: Points) -> TrainOutput<RegressionOutput> {
        let output = self.regress(points);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for Net {
    type Input = Points;
    type Output = RegressionOutput;

    fn step(&self, points: Points) -> RegressionOutput {
        self.regress(points)
    }
}

/// A run of any model on the points.
pub fn on_points<M>(directory: &Path) -> Training<M>
where
    M: LearnerModel
        + TrainStep<Input = Points, Output = RegressionOutput>
        + InferenceStep<Input = Points, Output = RegressionOutput>,
{
    let train = EpochLoader::new(Slope, 8).shuffled(1);
    Training::new(directory, train, EpochLoader::new(Slope, 20))
        .metrics((LossMetric::new(),))
        .epochs(EPOCHS)
        .resume(true)
        .on_notice(|_| {})
}

pub fn run(directory: &Path) -> Training<Net> {
    on_points(directory)
}

/// What is said, once the run is over.
pub fn noted<M: LearnerModel>(training: Training<M>) -> (Training<M>, Receiver<String>) {
    let (notices, said) = channel();
    let training = training.on_notice(move |notice| notices.send(notice.to_owned()).unwrap());
    (training, said)
}

/// The values of each parameter, in the model's order.
pub fn values<M: Module>(model: &M) -> Vec<Vec<f32>> {
    struct Values(Vec<Vec<f32>>);
    impl ModuleVisitor for Values {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.val().into_data().iter().collect());
        }
    }
    let mut values = Values(Vec::new());
    model.visit(&mut values);
    values.0
}

/// What two equal runs must have in common: weights and history, but not the seconds.
pub fn outcome<M: Module>(trained: Trained<M>) -> (Vec<Vec<f32>>, History) {
    let mut history = trained.history;
    for epoch in &mut history.epochs {
        epoch.seconds = 0.0;
    }
    (values(&trained.model), history)
}

/// Stops `training` after epoch `stop`.
pub fn stopped(training: Training<Net>, stop: usize, net: Net) {
    let interrupter = Interrupter::new();
    let handle = interrupter.clone();
    let result = training
        .interrupter(interrupter)
        // Seen after the first update of the next epoch, which is thrown away.
        .on_epoch(move |epoch| {
            if epoch.epoch == stop {
                handle.stop(Some("a test"));
            }
        })
        .fit(net);
    assert!(
        matches!(result, Err(TrainingError::Interrupted { epoch, .. }) if epoch == stop),
        "{result:?}"
    );
}

/// That a run ends with the same bits when it is stopped after one epoch, and when after each; gives
/// what it ends with.
pub fn assert_resumes(
    title: &str,
    configured: impl Fn(&Path) -> Training<Net>,
) -> (Vec<Vec<f32>>, History) {
    let whole = TempDir::new().unwrap();
    let expected = outcome(configured(whole.path()).fit(Net::new(1)).unwrap());
    assert_eq!(expected.1.epochs.len(), EPOCHS, "{title}");
    assert!(
        expected.0.iter().flatten().all(|value| value.is_finite()),
        "{title}"
    );
    let each = TempDir::new().unwrap();
    for stop in 1..EPOCHS {
        let parts = TempDir::new().unwrap();
        stopped(configured(parts.path()), stop, Net::new(1));
        stopped(configured(each.path()), stop, Net::new(stop));
        // Another model, of which nothing may survive.
        let resumed = outcome(configured(parts.path()).fit(Net::new(2)).unwrap());
        assert!(
            resumed.0 == expected.0,
            "{title}: other weights after {stop}"
        );
        assert_eq!(text(&resumed.1), text(&expected.1), "{title}: after {stop}");
    }
    let resumed = outcome(configured(each.path()).fit(Net::new(2)).unwrap());
    assert!(
        resumed.0 == expected.0,
        "{title}: other weights after every epoch"
    );
    assert_eq!(
        text(&resumed.1),
        text(&expected.1),
        "{title}: after every epoch"
    );
    expected
}

/// NaN is not even equal to itself.
fn text(history: &History) -> String {
    serde_json::to_string(history).unwrap()
}
