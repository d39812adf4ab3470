//! A regression whose losses a test can write down: `y = weight * x + bias`, from 0.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataset::DatasetError;
use burn::module::Module;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use burn::train::{InferenceStep, RegressionOutput, TrainOutput, TrainStep};
use burn_lr::training::loader::{BatchSource, EpochLoader, Sample};

#[derive(Debug, Clone)]
pub struct Points {
    pub x: Tensor<2>,
    pub y: Tensor<2>,
}

#[derive(Module, Debug)]
pub struct Line {
    pub linear: Linear,
}

impl Line {
    pub fn new(device: &Device) -> Self {
        let linear = LinearConfig::new(1, 1).with_initializer(Initializer::Zeros);
        Self {
            linear: linear.init(device),
        }
    }

    fn regress(&self, points: Points) -> RegressionOutput {
        let output = self.linear.forward(points.x);
        let loss = (output.clone() - points.y.clone()).square().mean();
        RegressionOutput::new(loss, output, points.y)
    }
}

impl TrainStep for Line {
    type Input = Points;
    type Output = RegressionOutput;

    fn step(&self, points: Points) -> TrainOutput<RegressionOutput> {
        let output = self.regress(points);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for Line {
    type Input = Points;
    type Output = RegressionOutput;

    fn step(&self, points: Points) -> RegressionOutput {
        self.regress(points)
    }
}

/// Points of `y = 3 x - 2`.
pub struct Slope;

impl BatchSource<Points> for Slope {
    fn len(&self) -> usize {
        40
    }

    fn batch(&self, samples: &[Sample], device: &Device) -> Result<Points, DatasetError> {
        let place = |sample: &Sample| sample.index as f32 / 20.0 - 1.0;
        let x: Vec<f32> = samples.iter().map(place).collect();
        let x = Tensor::<1>::from_floats(&x[..], device).unsqueeze_dim(1);
        let y = x.clone() * 3.0 - 2.0;
        Ok(Points { x, y })
    }
}

pub fn slope() -> Arc<EpochLoader<Points>> {
    Arc::new(EpochLoader::new(Slope, 8).shuffled(1))
}

/// A point with another y in every epoch: as long as the line is at 0, the loss is its square.
pub struct Script(Vec<f32>, AtomicUsize);

impl BatchSource<Points> for Script {
    fn len(&self) -> usize {
        1
    }

    fn batch(&self, _: &[Sample], device: &Device) -> Result<Points, DatasetError> {
        let epoch = self.1.fetch_add(1, Ordering::Relaxed);
        Ok(Points {
            x: Tensor::zeros([1, 1], device),
            y: Tensor::full([1, 1], self.0[epoch], device),
        })
    }
}

/// A validation loader with these losses, but for what little is learnt.
pub fn script(ys: &[f32]) -> Arc<EpochLoader<Points>> {
    let script = Script(ys.to_vec(), AtomicUsize::new(0));
    Arc::new(EpochLoader::new(script, 1))
}
