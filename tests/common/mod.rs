//! What tests that train on MNIST share.

#![allow(dead_code, clippy::unwrap_used)]

pub mod line;

use std::path::Path;
use std::sync::Mutex;

use burn::nn::Linear;
use burn::tensor::Device;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::mnist::Mnist;
use burn_lr::model::{Mlp, MlpConfig};
use burn_lr::scheduler::{Clocked, StepLr};
use burn_lr::training::Training;
use burn_lr::training::loader::EpochLoader;

pub const SAMPLES: usize = 500;

pub fn training(directory: &Path, schedule: impl Into<Clocked>) -> Training<Mlp> {
    let mnist = Mnist::bundled().unwrap();
    let train = EpochLoader::new(mnist.train.first(SAMPLES), 64).shuffled(42);
    let valid = EpochLoader::new(mnist.test.first(SAMPLES), 64);
    Training::new(directory, train, valid)
        .schedule(schedule)
        .metrics((LossMetric::new(), AccuracyMetric::new()))
}

/// A backend has one random number generator for all threads, and so for all tests.
static GENERATOR: Mutex<()> = Mutex::new(());

pub fn model(device: &Device) -> Mlp {
    let _alone = GENERATOR.lock().unwrap();
    device.seed(42);
    let model = MlpConfig::new().init(device);
    // Weights are drawn when they are first looked at.
    parameters(&model);
    model
}

pub fn parameters(model: &Mlp) -> Vec<f32> {
    let values = |layer: &Linear| {
        let weight = layer
            .weight
            .val()
            .into_data()
            .try_into_vec::<f32>()
            .unwrap();
        let bias = layer.bias.as_ref().unwrap().val().into_data();
        [weight, bias.try_into_vec::<f32>().unwrap()].concat()
    };
    [values(&model.fc1), values(&model.fc2)].concat()
}

pub fn halving() -> StepLr {
    StepLr::new(0.01, 3).with_gamma(0.5)
}
