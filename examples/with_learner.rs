//! A schedule in Burn's Learner.
//!
//! ```text
//! cargo run --example with_learner
//! ```
//!
//! A `Scheduler` goes where Burn's own schedulers go, into `Learner::new`. The Learner steps it
//! once per optimizer update, so a schedule that advances per epoch has to know how many updates
//! that is.

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use burn::data::dataloader::DataLoaderBuilder;
use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::SgdConfig;
use burn::tensor::{Device, Tensor};
use burn::train::metric::{LearningRateMetric, LossMetric};
use burn::train::{
    InferenceStep, Learner, RegressionOutput, SupervisedTraining, TrainOutput, TrainStep,
};
use burn_lr_scheduler::{Run, Scheduler, StepLr};

const SAMPLES: usize = 500;
const BATCH_SIZE: usize = 64;
const EPOCHS: usize = 6;

/// A sample of the line y = 3x - 2.
type Sample = (f32, f32);

#[derive(Debug, Clone)]
struct Batch {
    x: Tensor<2>,
    y: Tensor<2>,
}

#[derive(Clone)]
struct LineBatcher;

impl Batcher<Sample, Batch> for LineBatcher {
    fn batch(&self, samples: Vec<Sample>, device: &Device) -> Batch {
        let (x, y): (Vec<f32>, Vec<f32>) = samples.into_iter().unzip();
        let column =
            |values: Vec<f32>| Tensor::<1>::from_floats(&values[..], device).unsqueeze_dim(1);
        Batch {
            x: column(x),
            y: column(y),
        }
    }
}

#[derive(Module, Debug)]
struct Line {
    linear: Linear,
}

impl Line {
    fn regress(&self, batch: Batch) -> RegressionOutput {
        let output = self.linear.forward(batch.x);
        let loss = (output.clone() - batch.y.clone()).square().mean();
        RegressionOutput::new(loss, output, batch.y)
    }
}

impl TrainStep for Line {
    type Input = Batch;
    type Output = RegressionOutput;

    fn step(&self, batch: Batch) -> TrainOutput<RegressionOutput> {
        let output = self.regress(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for Line {
    type Input = Batch;
    type Output = RegressionOutput;

    fn step(&self, batch: Batch) -> RegressionOutput {
        self.regress(batch)
    }
}

fn main() -> ExitCode {
    if let Err(error) = run() {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run() -> Result<(), Box<dyn Error>> {
    let device = Device::flex();
    device.seed(42);
    let model = Line {
        linear: LinearConfig::new(1, 1).init(&device.clone().autodiff()),
    };

    let samples: Vec<Sample> = (0..SAMPLES)
        .map(|i| i as f32 / SAMPLES as f32 * 2.0 - 1.0)
        .map(|x| (x, 3.0 * x - 2.0))
        .collect();
    let loader = |shuffle| {
        DataLoaderBuilder::new(LineBatcher)
            .batch_size(BATCH_SIZE)
            .shuffle(shuffle)
            .set_device(device.clone())
            .build(InMemDataset::new(samples.clone()))
    };

    // A fifth of the rate every second epoch. The last, smaller batch is an update too.
    let updates_per_epoch = SAMPLES.div_ceil(BATCH_SIZE) as u64;
    let schedule = StepLr::new(0.5, 2).with_gamma(0.2);
    let scheduler = Scheduler::new(schedule, Run::per_epoch(updates_per_epoch))?;

    // Burn's summary would count the logs of an earlier run in.
    let directory = std::env::temp_dir().join("burn-lr-with-learner");
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    let result = SupervisedTraining::new(&directory, loader(1), loader(2))
        .metrics((LossMetric::new(),))
        .metric_train_numeric(LearningRateMetric::new())
        .num_epochs(EPOCHS)
        .summary()
        .launch(Learner::new(model, SgdConfig::new().init(), scheduler));
    // Burn reports a training that failed here, and does not panic.
    if let Some(error) = result.error {
        return Err(error.to_string().into());
    }

    println!("\nThe learning rate, as Burn logged it:");
    for epoch in 1..=EPOCHS {
        let log = directory.join(format!("train/epoch-{epoch}/Learning_Rate.log"));
        let text = fs::read_to_string(&log)?;
        println!(
            "epoch {epoch}: {}",
            text.lines().last().unwrap_or("nothing")
        );
    }
    let weight: f32 = result.model.linear.weight.val().into_scalar();
    println!("found a slope of {weight:.3}");
    Ok(())
}
