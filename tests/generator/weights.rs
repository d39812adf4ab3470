//! Initial weights, which Burn draws when they are first looked at: whatever looks at them before a
//! run, it begins with those that it would have drawn itself.

use std::sync::Arc;

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use burn::train::metric::LossMetric;
use burn::train::{InferenceStep, RegressionOutput, TrainOutput, TrainStep};
use burn_lr::training::Training;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::range_test::{LrFinder, LrFinderError};
use tempfile::TempDir;

use crate::common::line::{Points, Slope};
use crate::generator;

#[derive(Module, Debug)]
struct Net {
    first: Linear,
    norm: BatchNorm,
    dropout: Dropout,
    second: Linear,
    third: Linear,
}

impl Net {
    /// With its weights still to be drawn.
    fn new() -> Self {
        let device = Device::flex();
        device.seed(3);
        Self {
            first: LinearConfig::new(1, 16).init(&device),
            norm: BatchNormConfig::new(16).init(&device),
            dropout: DropoutConfig::new(0.2).init(),
            second: LinearConfig::new(16, 8).init(&device),
            third: LinearConfig::new(8, 1).init(&device),
        }
    }

    fn regress(&self, points: Points) -> RegressionOutput {
        let hidden = self.norm.forward(self.first.forward(points.x).tanh());
        let hidden = self.second.forward(self.dropout.forward(hidden)).tanh();
        let output = self.third.forward(hidden);
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

fn values(model: &Net) -> Vec<f32> {
    struct Values(Vec<f32>);
    impl ModuleVisitor for Values {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(param.val().into_data().iter::<f32>());
        }
    }
    let mut values = Values(Vec::new());
    model.visit(&mut values);
    values.0
}

/// What a run of the model ends with.
fn fitted(model: Net) -> Vec<f32> {
    let directory = TempDir::new().unwrap();
    values(&training(&directory).fit(model).unwrap().model)
}

fn training(directory: &TempDir) -> Training<Net> {
    let train = EpochLoader::new(Slope, 8).shuffled(1);
    Training::new(directory.path(), train, EpochLoader::new(Slope, 20))
        .metrics((LossMetric::new(),))
        .on_notice(|_| {})
}

type Look<'a> = &'a dyn Fn(&Net);

#[test]
fn a_run_begins_with_the_weights_that_it_would_have_drawn_itself() {
    let _alone = generator();
    let expected = fitted(Net::new());
    let directory = TempDir::new().unwrap();
    let sweep = |net: &Net| {
        let finder = LrFinder::new().with_num_updates(10).with_end_lr(1e-2);
        let loader = Arc::new(EpochLoader::new(Slope, 8));
        finder.sweep(net, loader).unwrap();
    };
    let looks: [(&str, Look<'_>); 4] = [
        ("sweep", &sweep),
        ("check", &|net| training(&directory).check(net).unwrap()),
        ("can_resume", &|net| {
            training(&directory).can_resume(net).unwrap();
        }),
        ("is_random", &|net| {
            assert!(training(&directory).is_random(net));
        }),
    ];
    for (look, looked) in looks {
        let net = Net::new();
        looked(&net);
        assert!(fitted(net) == expected, "{look}");
    }
    // Checked, it has all of them, whatever is drawn before it is trained.
    let net = Net::new();
    training(&directory).check(&net).unwrap();
    Device::flex().seed(4);
    assert!(fitted(net) == expected);
}

#[test]
fn a_sweep_of_a_model_without_anything_to_train_is_refused() {
    let _alone = generator();
    let frozen = Net::new().no_grad();
    let refused = LrFinder::new().sweep(&frozen, Arc::new(EpochLoader::new(Slope, 8)));
    assert!(
        matches!(refused, Err(LrFinderError::AllFrozen { parameters: 10 })),
        "{refused:?}"
    );
}
