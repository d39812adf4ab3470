//! Regression on a table: how heavy is a penguin, by its species, sex and measures?
//!
//! ```sh
//! cargo run --release --example regression
//! ```
//!
//! In PyTorch it would be
//!
//! ```python
//! mean, deviation = train.features.mean(0), train.features.std(0, correction=0)
//! optimizer = torch.optim.Adam(model.parameters())
//! scheduler = CosineAnnealingLR(optimizer, epochs)
//! for epoch in range(epochs):
//!     for features, targets in train:
//!         optimizer.zero_grad()
//!         F.mse_loss(model((features - mean) / deviation), targets).backward()
//!         optimizer.step()
//!     scheduler.step()
//!     # and by hand: metrics, the best model, checkpoints
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod data;
mod metrics;
mod model;

use std::error::Error;
use std::process::ExitCode;

use burn::data::dataloader::DataLoader;
use burn::data::dataloader::Progress;
use burn::lr_scheduler::LrScheduler;
use burn::module::Module;
use burn::optim::AdamConfig;
use burn::tensor::Device;
use burn::train::metric::{Adaptor, LossMetric, Metric, MetricMetadata, Numeric};
use burn::train::{InferenceStep, TrainStep};
use burn_lr::scheduler::{CosineAnnealingLr, Run, Scheduler};
use burn_lr::training::EpochLoader;
use clap::Parser;
use data::{Standardizer, Table};
use metrics::MaeMetric;
use model::Mlp;

const SEED: u64 = 42;

/// Predict the mass of penguins
#[derive(Parser, Debug)]
#[command(version)]
struct Options {
    /// Epochs to train
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,

    /// Train on the first N rows only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    samples: Option<u32>,
}

fn main() -> ExitCode {
    match train(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn train(options: &Options) -> Result<(), Box<dyn Error>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/penguins/penguins.csv");
    let (train, valid) = Table::read(path, SEED)?.split();
    let train = train.first(options.samples.map_or(usize::MAX, |n| n as usize));
    let scale = Standardizer::of(&train);
    let train = EpochLoader::new(train.standardized(&scale), 32).shuffled(SEED);
    let valid = EpochLoader::new(valid.standardized(&scale), 32);

    let run = Run::per_epoch(train.num_batches() as u64);
    let schedule = CosineAnnealingLr::new(0.01, u64::from(options.epochs));
    let mut scheduler = Scheduler::new(schedule, run)?;
    let mut optimizer = AdamConfig::new().with_epsilon(1e-8).init();

    let device = Device::flex().autodiff();
    device.seed(SEED);
    let (train, valid) = (train.to_device(&device), valid.to_device(&Device::flex()));
    let mut model = Mlp::new(&device);
    for epoch in 1..=options.epochs {
        for batch in train.iter() {
            let output = TrainStep::step(&model, batch?);
            model = optimizer.step(scheduler.step(), model, output.grads);
        }
        let frozen = model.valid();
        let (mut loss, mut mae) = (LossMetric::new(), MaeMetric::default());
        for batch in valid.iter() {
            let output = InferenceStep::step(&frozen, batch?);
            let metadata = MetricMetadata {
                progress: Progress::new(0, 0, None),
                iteration: None,
                lr: None,
            };
            loss.update(&output.adapt(), &metadata)?;
            mae.update(&output.adapt(), &metadata)?;
        }
        println!(
            "epoch {epoch}: {:?} {:?}",
            loss.final_value(),
            mae.final_value()
        );
    }
    Ok(())
}
