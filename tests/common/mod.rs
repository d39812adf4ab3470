//! What tests that train on MNIST share.

#![allow(dead_code, clippy::unwrap_used)]

pub mod line;
pub mod stopping;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData};
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::mnist::Mnist;
use burn_lr::model::{Mlp, MlpConfig};
use burn_lr::scheduler::{Clocked, StepLr};
use burn_lr::training::Training;
use burn_lr::training::loader::EpochLoader;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

pub const SAMPLES: usize = 500;

pub fn training(directory: &Path, schedule: impl Into<Clocked>) -> Training<Mlp> {
    let mnist = Mnist::bundled().unwrap();
    let train = EpochLoader::new(mnist.train.first(SAMPLES), 64).shuffled(42);
    let valid = EpochLoader::new(mnist.test.first(SAMPLES), 64);
    Training::new(directory, train, valid)
        .schedule(schedule)
        .metrics((LossMetric::new(), AccuracyMetric::new()))
}

/// The same weights every time.
pub fn model(device: &Device) -> Mlp {
    drawn(&MlpConfig::new(), 42, device)
}

/// A model with weights that no other has.
pub fn other_model(config: &MlpConfig, device: &Device) -> Mlp {
    static SEED: AtomicU64 = AtomicU64::new(1 << 32);
    drawn(config, SEED.fetch_add(1, Ordering::Relaxed), device)
}

/// A model with weights from a generator of its own: a backend has one for all threads, and so for all
/// tests.
pub fn drawn(config: &MlpConfig, seed: u64, device: &Device) -> Mlp {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = |shape: &[usize], bound: f32| {
        let length = shape.iter().product();
        let values: Vec<f32> = (0..length)
            .map(|_| rng.random_range(-bound..bound))
            .collect();
        TensorData::new(values, shape.to_vec())
    };
    let mut model = config.init(device);
    for layer in [&mut model.fc1, &mut model.fc2] {
        let [inputs, outputs] = layer.weight.lazy_shape().dims();
        // PyTorch's bound.
        let bound = (inputs as f32).sqrt().recip();
        let weight = uniform(&[inputs, outputs], bound);
        let bias = uniform(&[outputs], bound);
        layer.weight = Param::from_tensor(Tensor::from_data(weight, device));
        layer.bias = Some(Param::from_tensor(Tensor::from_data(bias, device)));
    }
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
