//! A convolutional network on MNIST: batch norm, dropout, images that are moved a little, AdamW with
//! cautious weight decay, warmup and cosine, early stopping.
//!
//! ```sh
//! cargo run --release --example cnn
//! ```
//!
//! Killed at any moment and run again with `--resume`, it ends with the same bits as undisturbed:
//! what an image is moved by depends on the seed, the epoch and the image alone, whichever of the two
//! workers moves it. In PyTorch it would be
//!
//! ```python
//! transform = transforms.RandomAffine(0, translate=(2 / 28, 2 / 28))
//! optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)  # not cautious
//! updates = epochs * len(train)
//! warmup = LinearLR(optimizer, 0.01, total_iters=updates // 10)
//! cosine = CosineAnnealingLR(optimizer, updates - updates // 10)
//! scheduler = SequentialLR(optimizer, [warmup, cosine], [updates // 10])
//! for epoch in range(epochs):
//!     for inputs, targets in train:
//!         optimizer.zero_grad()
//!         F.cross_entropy(model(inputs), targets).backward()
//!         optimizer.step()
//!         scheduler.step()
//!     # and by hand: validation, the best model, patience, checkpoints, the generators' states
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

#[path = "../command_line/mod.rs"]
mod command_line;
mod data;
#[path = "../command_line/extent.rs"]
mod extent;
#[path = "../command_line/following.rs"]
mod following;
mod model;

use std::process::ExitCode;

use burn::optim::AdamWConfig;
use burn::tensor::Device;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::mnist::Mnist;
use burn_lr::scheduler::{CosineAnnealingLr, Length, Warmup};
use burn_lr::training::Training;
use burn_lr::training::average::{Average, Ema};
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::{Best, EarlyStopping, EpochRecord, valid};
use burn_lr::training::run::Display;
use clap::Parser;
use command_line::{Error, exit, say, stop_on_ctrl_c};
use data::Shifted;
use extent::{Extent, place};
use following::Following;
use model::Cnn;

const BATCH_SIZE: usize = 64;

/// Train a convolutional network on MNIST
///
/// Prints a line for each epoch. Exits with 0 after a completed run; with 1 if the run failed; with 2
/// if an option is wrong; with 130 if it was stopped by Ctrl-C, after which --resume continues it.
#[derive(Parser, Debug)]
#[command(version)]
struct Options {
    #[command(flatten)]
    run: command_line::Options,

    #[command(flatten)]
    extent: Extent,

    #[command(flatten)]
    following: Following,

    /// Stop when the validation loss has not improved for N epochs
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    early_stop: u32,

    /// Average the weights of all updates, in the end with this decay, such as 0.999, and validate
    /// the average
    #[arg(long, value_name = "DECAY", allow_negative_numbers = true)]
    ema: Option<f64>,
}

fn main() -> ExitCode {
    exit(train(&Options::parse()))
}

fn train(options: &Options) -> Result<(), Error> {
    let Options {
        run,
        extent,
        following,
        early_stop,
        ema,
    } = options;
    let mnist = Mnist::bundled()?;
    let images = mnist.train.first(run.samples());
    let held_out = mnist.test.first(run.samples());
    let train = EpochLoader::new(Shifted(images), BATCH_SIZE)
        .shuffled(run.seed)
        .workers(2);
    let valid_data = EpochLoader::new(held_out, 500);

    let cosine = CosineAnnealingLr::new(3e-3, Length::Percent(90.0));
    let schedule = Warmup::new(cosine, Length::Percent(10.0)).with_start_factor(0.01);
    let optimizer = AdamWConfig::new()
        .with_epsilon(1e-8)
        .with_weight_decay(0.01)
        .with_cautious_weight_decay(true);
    let device = Device::flex();
    device.seed(run.seed);
    let mut training = Training::new(run.directory("cnn"), train, valid_data)
        .optimizer(optimizer)
        .schedule(schedule.per_update())
        .epochs(run.epochs.unwrap_or(10) as usize)
        .metrics((LossMetric::new(), AccuracyMetric::new()))
        .early_stopping(EarlyStopping::new(*early_stop as usize))
        .seed(run.seed)
        .strict(true)
        .resume(run.resume)
        .interrupter(stop_on_ctrl_c()?)
        .display(Display::Bar)
        .on_epoch(|epoch| say(&line(epoch)));
    if let Some(decay) = *ema {
        // The batch norms' statistics are averaged too.
        training = training.average(Average::ema(Ema::new(decay).with_warmup(1.0, 0.75)));
    }
    let training = following.of(extent.of(training));
    let trained = training.fit(Cnn::new(&device))?;
    if let Some(best) = Best::min(valid("loss")).of(&trained.history) {
        let accuracy = 100.0 * best.valid("accuracy");
        say(&format!("Best: {}, {accuracy:.2} % right", place(best)));
    }
    Ok(())
}

fn line(epoch: &EpochRecord) -> String {
    format!(
        "{}: Train loss={:.4}, Val loss={:.4}, Val acc={:.4}, next LR={:.5}, {:.1} s",
        place(epoch),
        epoch.train("loss"),
        epoch.valid("loss"),
        epoch.valid("accuracy"),
        epoch.next_lr,
        epoch.seconds,
    )
}
