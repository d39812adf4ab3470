//! A training loop of one's own, with checkpoints and exact resume: an LSTM learns from three years of
//! Seattle's weather how warm the next day will be.
//!
//! ```sh
//! cargo run --release --example lstm_loop
//! ```
//!
//! Killed at any moment and run again with `--resume`, it ends with the same bits as undisturbed:
//! each epoch's order and dropout depend on the seed and the epoch alone, and all else is in the
//! checkpoint. Beside those it leaves what a `Training` would: history and final model. In PyTorch
//! it would be
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

#[path = "../command_line/mod.rs"]
mod command_line;
mod data;
mod learner;
mod model;
#[path = "../command_line/started.rs"]
mod started;

use std::process::ExitCode;
use std::time::Instant;

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::tensor::Device;
use burn_lr::scheduler::{OneCycleLr, Run};
use burn_lr::training::TrainingError;
use burn_lr::training::checkpoint::HISTORY;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::{EpochRecord, History};
use burn_lr::training::optim::Hyperparameter;
use burn_lr::training::run::RunDirectory;
use burn_lr::training::storage::save_model;
use clap::Parser;
use command_line::{Error, exit, say, stop_on_ctrl_c};
use data::{Days, WINDOW, Windows, degrees};
use learner::Learner;
use model::Forecaster;
use serde::Serialize;
use started::{SETTINGS, started};

const BATCH_SIZE: usize = 32;

/// Train an LSTM on the weather of Seattle in a loop of its own
///
/// Prints a line for each epoch. Exits with 0 after a completed run; with 1 if the run failed; with 2
/// if an option is wrong; with 130 if it was stopped by Ctrl-C, after which --resume continues it.
#[derive(Parser, Debug)]
#[command(version)]
struct Options {
    #[command(flatten)]
    run: command_line::Options,
}

/// What decides the bits of the result: it must not change when the run is resumed.
#[derive(Serialize)]
struct Settings {
    epochs: usize,
    days: usize,
    seed: u64,
}

fn main() -> ExitCode {
    exit(train(&Options::parse().run))
}

fn train(options: &command_line::Options) -> Result<(), Error> {
    let (loader, valid) = data(options)?;
    let settings = Settings {
        epochs: options.epochs.unwrap_or(20) as usize,
        days: loader.num_items(),
        seed: options.seed,
    };
    let run = Run::per_update()
        .with_updates_per_epoch(loader.num_batches() as u64)
        .with_epochs(settings.epochs as u64);
    let device = Device::flex().autodiff();
    let mut learner = Learner::new(OneCycleLr::new(5e-3), run, &device)?;
    let mut history = History::default();

    let directory = RunDirectory::new(options.directory("lstm_loop"));
    let parts = [&learner::PARTS[..], &[HISTORY, SETTINGS]].concat();
    let run = started(&directory, &parts, options.resume, &settings)?;
    if let Some(saved) = &run.checkpoint {
        learner = learner.restore(saved)?;
        history = saved.json(HISTORY)?;
    }

    let interrupter = stop_on_ctrl_c()?;
    let done = history.epochs.len();
    let train = loader.starting_at(done as u64 + 1).to_device(&device);
    for epoch in done + 1..=settings.epochs {
        // So what dropout draws depends on the seed and the epoch alone. Weights are drawn when they
        // are first looked at: in the first epoch, too.
        device.seed(settings.seed ^ ((epoch as u64) << 32));
        let start = Instant::now();
        for windows in train.iter() {
            learner = learner.learn(windows?);
            if interrupter.should_stop() {
                return Err(stopped(epoch - 1).into());
            }
        }
        let mut record = epoch_end(epoch, &learner, &valid)?;
        record.seconds = start.elapsed().as_secs_f64();
        history.epochs.push(record);
        let snapshot = learner.snapshot()?.json(HISTORY, &history)?;
        run.store.save(epoch, snapshot.json(SETTINGS, &settings)?)?;
    }
    directory.write_history(&history)?;
    Ok(save_model(&directory.final_model(), &learner.network)?)
}

/// The days to train on, and the last year to validate on.
fn data(
    options: &command_line::Options,
) -> Result<(EpochLoader<Windows>, EpochLoader<Windows>), Error> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/data/weather/seattle-weather.csv"
    );
    let (days, last_year) = Days::read(path)?;
    let off = last_year.persistence();
    say(&format!(
        "A forecast of the same as today is {off:.2} degrees off"
    ));
    let train = EpochLoader::new(days.first(options.samples()), BATCH_SIZE).shuffled(options.seed);
    if train.num_batches() == 0 {
        let error = TrainingError::Invalid {
            name: "--samples",
            expected: "more days than the network sees at once",
            found: format!("{} of {WINDOW}", options.samples()),
        };
        return Err(error.into());
    }
    Ok((train, EpochLoader::new(last_year, 365)))
}

/// What the epoch led to, which is printed as well.
fn epoch_end(
    epoch: usize,
    learner: &Learner,
    valid: &EpochLoader<Windows>,
) -> Result<EpochRecord, Error> {
    let off = degrees_off(&learner.network.valid(), valid)?;
    let mut record = EpochRecord::new(epoch);
    record.updates = learner.scheduler.rate().updates();
    record.lr = learner.lr;
    record.next_lr = learner.scheduler.rate().lr();
    let momentum = learner.scheduler.value(Hyperparameter::Momentum);
    let momentum = momentum.map(|momentum| ("momentum".to_owned(), momentum));
    record.hyperparameters.extend(momentum);
    record.valid.insert("degrees_off".to_owned(), off);
    say(&format!(
        "Epoch {epoch}: {off:.2} degrees off, next LR={:.5}",
        record.next_lr
    ));
    Ok(record)
}

/// How far the forecasts are off on average.
fn degrees_off(model: &Forecaster, valid: &EpochLoader<Windows>) -> Result<f64, Error> {
    let (mut sum, mut days) = (0.0, 0);
    for windows in valid.to_device(&Device::flex()).iter() {
        let windows = windows?;
        let errors = (model.forward(windows.days) - windows.next).abs();
        days += errors.dims()[0];
        sum += errors.sum().try_into_scalar::<f64>()?;
    }
    Ok(degrees(sum / days as f64))
}

fn stopped(epoch: usize) -> TrainingError {
    TrainingError::Interrupted {
        epoch,
        reason: "Ctrl-C".to_owned(),
    }
}
