//! Regression on a table: how heavy is a penguin, by its species, sex and measures?
//!
//! ```sh
//! cargo run --release --example regression
//! ```
//!
//! The best model is the one with the least mean absolute error, a metric of the example's own. Killed
//! at any moment and run again with `--resume`, it ends with the same bits as undisturbed. In PyTorch
//! it would be
//!
//! ```python
//! mean, deviation = train.features.mean(0), train.features.std(0, correction=0)
//! optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, nesterov=True)
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

#[path = "../command_line/mod.rs"]
mod command_line;
mod data;
#[path = "../command_line/extent.rs"]
mod extent;
#[path = "../command_line/following.rs"]
mod following;
mod metrics;
mod model;

use std::process::ExitCode;

use burn::optim::SgdConfig;
use burn::optim::momentum::MomentumConfig;
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn_lr::scheduler::CosineAnnealingLr;
use burn_lr::training::Training;
use burn_lr::training::checkpoint::KeepPolicy;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::{Best, EpochRecord, valid};
use burn_lr::training::run::Display;
use clap::Parser;
use command_line::{Error, exit, say, stop_on_ctrl_c};
use data::{Standardizer, Table};
use extent::{Extent, place};
use following::Following;
use metrics::MaeMetric;
use model::Mlp;

/// Predict the mass of penguins
///
/// Prints a line for each epoch, with errors in kilogrammes. Exits with 0 after a completed run; with
/// 1 if the run failed; with 2 if an option is wrong; with 130 if it was stopped by Ctrl-C, after which
/// --resume continues it.
#[derive(Parser, Debug)]
#[command(version)]
struct Options {
    #[command(flatten)]
    run: command_line::Options,

    #[command(flatten)]
    extent: Extent,

    #[command(flatten)]
    following: Following,
}

fn main() -> ExitCode {
    exit(train(&Options::parse()))
}

fn train(options: &Options) -> Result<(), Error> {
    let Options {
        run: options,
        extent,
        following,
    } = options;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/penguins/penguins.csv");
    let (train, held_out) = Table::read(path, options.seed)?.split();
    let train = train.first(options.samples());
    let scale = Standardizer::of(&train);
    let train = EpochLoader::new(train.standardized(&scale), 16).shuffled(options.seed);
    let held_out = EpochLoader::new(held_out.standardized(&scale), 66);

    let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
    let sgd = SgdConfig::new().with_momentum(Some(momentum.with_nesterov(true)));
    let epochs = options.epochs.unwrap_or(100);
    let least_error = Best::min(valid("mae"));
    let device = Device::flex();
    device.seed(options.seed);
    let training = Training::new(options.directory("regression"), train, held_out)
        .optimizer(sgd)
        .schedule(CosineAnnealingLr::new(0.02, epochs).per_epoch())
        .epochs(epochs as usize)
        .metrics((LossMetric::new(), MaeMetric::default()))
        .keep(KeepPolicy::default().with_best(least_error.clone()))
        .strict(true)
        .resume(options.resume)
        .interrupter(stop_on_ctrl_c()?)
        .display(Display::Bar)
        .on_epoch(|epoch| say(&line(epoch)));
    let training = following.of(extent.of(training));
    let trained = training.fit(Mlp::new(&device))?;
    if let Some(best) = least_error.of(&trained.history) {
        let grammes = 1000.0 * best.valid("mae");
        say(&format!("Best: {}, {grammes:.0} g off", place(best)));
    }
    Ok(())
}

fn line(epoch: &EpochRecord) -> String {
    format!(
        "{}: Train loss={:.4}, Val loss={:.4}, Val MAE={:.3} kg, next LR={:.5}",
        place(epoch),
        epoch.train("loss"),
        epoch.valid("loss"),
        epoch.valid("mae"),
        epoch.next_lr,
    )
}
