//! A convolutional network on MNIST: batch norm, dropout, images that are moved a little, AdamW with
//! cautious weight decay, warmup and cosine, early stopping.
//!
//! ```sh
//! cargo run --release --example cnn
//! ```
//!
//! In PyTorch it would be
//!
//! ```python
//! transform = transforms.RandomAffine(0, translate=(2 / 28, 2 / 28))
//! optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01)  # without cautious decay
//! warmup = LinearLR(optimizer, 0.01, total_iters=len(train))
//! cosine = CosineAnnealingLR(optimizer, epochs * len(train) - len(train))
//! scheduler = SequentialLR(optimizer, [warmup, cosine], [len(train)])
//! for epoch in range(epochs):
//!     for inputs, targets in train:
//!         optimizer.zero_grad()
//!         F.cross_entropy(model(inputs), targets).backward()
//!         optimizer.step()
//!         scheduler.step()
//!     # and by hand: validation, the best model, patience, checkpoints, the generators' states
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod data;
mod model;

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use burn::data::dataloader::DataLoader;
use burn::lr_scheduler::LrScheduler;
use burn::module::Module;
use burn::optim::AdamWConfig;
use burn::tensor::Device;
use burn::train::{InferenceStep, TrainStep};
use burn_lr::mnist::Mnist;
use burn_lr::scheduler::{CosineAnnealingLr, Length, Run, Scheduler, Warmup};
use burn_lr::training::EpochLoader;
use clap::Parser;
use data::Shifted;
use model::Cnn;

const BATCH_SIZE: usize = 64;
const SEED: u64 = 42;

/// Train a convolutional network on MNIST
#[derive(Parser, Debug)]
#[command(version)]
struct Options {
    /// Epochs to train
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,

    /// Train and validate on the first N images only
    #[arg(long, value_name = "N")]
    samples: Option<usize>,
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
    let mnist = Mnist::bundled()?;
    let samples = options.samples.unwrap_or(usize::MAX);
    let train = EpochLoader::new(Shifted(mnist.train.first(samples)), BATCH_SIZE).shuffled(SEED);
    let valid = EpochLoader::new(mnist.test.first(samples), 500);

    let cosine = CosineAnnealingLr::new(3e-3, Length::Epochs(f64::from(options.epochs - 1)));
    let schedule = Warmup::new(cosine, Length::Epochs(1.0));
    let run = Run::per_update()
        .with_updates_per_epoch(train.num_batches() as u64)
        .with_epochs(options.epochs.into());
    let mut scheduler = Scheduler::new(schedule, run)?;
    let optimizer = AdamWConfig::new().with_epsilon(1e-8);
    let optimizer = optimizer.with_weight_decay(0.01);
    let mut optimizer = optimizer.with_cautious_weight_decay(true).init();

    let device = Device::flex().autodiff();
    device.seed(SEED);
    let (train, valid) = (train.to_device(&device), valid.to_device(&Device::flex()));
    let mut model = Cnn::new(&device);
    for epoch in 1..=options.epochs {
        let start = Instant::now();
        for batch in train.iter() {
            let output = TrainStep::step(&model, batch?);
            model = optimizer.step(scheduler.step(), model, output.grads);
        }
        let (mut right, mut seen) = (0, 0);
        let frozen = model.valid();
        for batch in valid.iter() {
            let output = InferenceStep::step(&frozen, batch?);
            let hits = output.output.argmax(1).flatten(0, 1).equal(output.targets);
            seen += hits.dims()[0];
            right += hits.int().sum().into_scalar::<i64>();
        }
        let accuracy = right as f64 / seen as f64;
        println!(
            "epoch {epoch}: accuracy {accuracy:.4}, {:.1?}",
            start.elapsed()
        );
    }
    Ok(())
}
