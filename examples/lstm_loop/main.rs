//! A training loop of one's own, with checkpoints and exact resume: an LSTM learns from three years of
//! Seattle's weather how warm the next day will be.
//!
//! ```sh
//! cargo run --release --example lstm_loop
//! ```
//!
//! Killed at any moment and run again with `--resume`, it ends with the same bits as undisturbed:
//! each epoch's order and dropout depend on the seed and the epoch alone, and all else is in the
//! checkpoint. In PyTorch it would be
//!
//! ```python
//! for epoch in range(first, epochs):
//!     for days, following in train:
//!         optimizer.zero_grad()
//!         F.huber_loss(model(days), following).backward()
//!         nn.utils.clip_grad_norm_(model.parameters(), 1.0)
//!         optimizer.step()
//!         scheduler.step()
//!     torch.save({
//!         "epoch": epoch, "model": model.state_dict(), "optimizer": optimizer.state_dict(),
//!         "scheduler": scheduler.state_dict(), "history": history,
//!         "generators": [torch.get_rng_state(), loader.generator.get_state()],
//!     }, "checkpoint.pt")  # a kill while it is written leaves neither the old nor the new one
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod data;
mod model;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use burn::data::dataloader::DataLoader;
use burn::grad_clipping::GradientClippingConfig;
use burn::lr_scheduler::LrScheduler;
use burn::module::Module;
use burn::nn::loss::{HuberLossConfig, Reduction};
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::Device;
use burn_lr::scheduler::{OneCycleLr, Run, Scheduler};
use burn_lr::training::{CheckpointStore, EpochLoader, Snapshot, save_model};
use clap::Parser;
use data::{Days, Windows, degrees};
use model::Forecaster;
use serde::{Deserialize, Serialize};

const BATCH_SIZE: usize = 32;
const MODEL: &str = "model.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const SCHEDULER: &str = "scheduler.bpk";
const PROGRESS: &str = "progress.json";

/// Train an LSTM on the weather of Seattle in a loop of its own
#[derive(Parser, Debug)]
#[command(version)]
struct Options {
    #[command(flatten)]
    settings: Settings,

    /// Directory of the checkpoints and the model
    #[arg(long, value_name = "DIR", default_value = "artifacts/lstm_loop")]
    run_dir: PathBuf,

    /// Continue from the newest complete checkpoint, or start if there is none
    #[arg(long)]
    resume: bool,
}

/// What decides the bits of the result.
#[derive(clap::Args, Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Settings {
    /// Epochs to train
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,

    /// Train on the first N days only
    #[arg(long, value_name = "N", default_value_t = 1096, value_parser = clap::value_parser!(u32).range(100..))]
    samples: u32,

    /// Seed of the initial weights, the order and the dropout
    #[arg(long, default_value_t = 42)]
    seed: u64,
}

/// What the loop remembers beside the network, its optimizer and its scheduler.
#[derive(Serialize, Deserialize, Debug)]
struct Progress {
    settings: Settings,
    /// The validation error after each epoch, in degrees.
    errors: Vec<f64>,
}

fn main() -> ExitCode {
    match train(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn train(options: Options) -> Result<(), Box<dyn Error>> {
    let Settings {
        epochs,
        samples,
        seed,
    } = options.settings;
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/data/weather/seattle-weather.csv"
    );
    let (days, last_year) = Days::read(path)?;
    println!("as today: {:.2} degrees off", last_year.persistence());
    let loader = EpochLoader::new(days.first(samples as usize), BATCH_SIZE).shuffled(seed);
    let run = Run::per_update()
        .with_updates_per_epoch(loader.num_batches() as u64)
        .with_epochs(epochs.into());

    let device = Device::flex().autodiff();
    let mut model = Forecaster::new(&device);
    let mut optimizer = AdamWConfig::new()
        .with_epsilon(1e-8)
        .with_grad_clipping(Some(GradientClippingConfig::Norm(1.0)))
        .init();
    let mut scheduler = Scheduler::new(OneCycleLr::new(5e-3), run)?;
    let mut progress = Progress {
        settings: options.settings,
        errors: vec![],
    };

    let parts = [MODEL, OPTIMIZER, SCHEDULER, PROGRESS];
    let store = CheckpointStore::open(options.run_dir.join("checkpoint"), &parts)?;
    let (checkpoint, skipped) = store.newest_complete();
    skipped.iter().for_each(|skipped| eprintln!("{skipped}"));
    if let Some(checkpoint) = checkpoint {
        if !options.resume {
            return Err(
                "the directory holds a run already: use --resume, or another --run-dir".into(),
            );
        }
        let saved: Progress = checkpoint.json(PROGRESS)?;
        if saved.settings != progress.settings {
            return Err(format!("the run was started with {:?}", saved.settings).into());
        }
        progress = saved;
        model = checkpoint.module(MODEL, model)?;
        optimizer = checkpoint.optimizer(OPTIMIZER, optimizer)?;
        checkpoint.scheduler(SCHEDULER, &mut scheduler)?;
        println!("resumed after epoch {}", checkpoint.epoch);
    }

    let first = progress.errors.len() + 1;
    let train = loader.starting_at(first as u64).to_device(&device);
    let valid = EpochLoader::new(last_year, 365).to_device(&Device::flex());
    for epoch in first..=epochs as usize {
        // So what dropout draws depends on the seed and the epoch alone. Weights are drawn when they
        // are first looked at: in the first epoch, too.
        device.seed(seed ^ ((epoch as u64) << 32));
        (model, optimizer) = learn(model, optimizer, &mut scheduler, &*train)?;
        let error = error(&model.valid(), &*valid)?;
        progress.errors.push(error);
        println!(
            "epoch {epoch}: {error:.2} degrees off, next rate {:.5}",
            scheduler.lr()
        );

        let snapshot = Snapshot::new()
            .module(MODEL, &model)?
            .optimizer(OPTIMIZER, &optimizer)?
            .scheduler(SCHEDULER, &scheduler)?
            .json(PROGRESS, &progress)?;
        store.save(epoch, snapshot)?;
    }
    save_model(&options.run_dir.join("final.bpk"), &model)?;
    Ok(())
}

/// An epoch of training.
fn learn(
    mut model: Forecaster,
    mut optimizer: ModuleOptimizer,
    scheduler: &mut Scheduler,
    train: &dyn DataLoader<Windows>,
) -> Result<(Forecaster, ModuleOptimizer), Box<dyn Error>> {
    let huber = HuberLossConfig::new(0.5).init();
    for windows in train.iter() {
        let Windows { days, next } = windows?;
        let loss = huber.forward(model.forward(days), next, Reduction::Mean);
        let grads = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(scheduler.step(), model, grads);
    }
    Ok((model, optimizer))
}

/// How far the forecasts are off on average, in degrees.
fn error(model: &Forecaster, valid: &dyn DataLoader<Windows>) -> Result<f64, Box<dyn Error>> {
    let (mut sum, mut days) = (0.0, 0);
    for windows in valid.iter() {
        let windows = windows?;
        let errors = (model.forward(windows.days) - windows.next).abs();
        days += errors.dims()[0];
        sum += errors.sum().try_into_scalar::<f64>()?;
    }
    Ok(degrees(sum / days as f64))
}
