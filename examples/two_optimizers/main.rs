//! Two networks, two optimizers, two schedules, in a loop of one's own with checkpoints and exact
//! resume: a generator learns to make digits, and a discriminator to tell them from MNIST's.
//!
//! ```sh
//! cargo run --release --example two_optimizers
//! ```
//!
//! After each epoch there is a picture of digits made from always the same noise. Killed at any
//! moment and run again with `--resume`, it ends with the same bits as undisturbed. In PyTorch it
//! would be
//!
//! ```python
//! optim_d = torch.optim.Adam(discriminator.parameters(), betas=(0.5, 0.999))
//! optim_g = torch.optim.Adam(generator.parameters(), betas=(0.5, 0.999))
//! for epoch in range(first, epochs):
//!     for digits, _ in train:
//!         made = generator(torch.randn(len(digits), 32))
//!         optim_d.zero_grad()
//!         loss = F.softplus(-discriminator(digits)) + F.softplus(discriminator(made.detach()))
//!         loss.mean().backward()
//!         optim_d.step(); schedule_d.step()
//!         optim_g.zero_grad()
//!         F.softplus(-discriminator(generator(torch.randn(len(digits), 32)))).mean().backward()
//!         optim_g.step(); schedule_g.step()
//!     torch.save({...}, "checkpoint.pt")  # six state dicts, and the generators' states
//! ```

#[path = "../command_line/mod.rs"]
mod command_line;
mod model;
mod picture;
mod players;
#[path = "../command_line/started.rs"]
mod started;

use std::process::ExitCode;
use std::time::Instant;

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use burn::train::Interrupter;
use burn_lr::mnist::Mnist;
use burn_lr::model::ClassificationBatch;
use burn_lr::scheduler::{CosineAnnealingLr, Length, LinearLr, Run};
use burn_lr::training::TrainingError;
use burn_lr::training::checkpoint::HISTORY;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::{EpochRecord, History};
use burn_lr::training::run::RunDirectory;
use burn_lr::training::storage::save_model;
use clap::Parser;
use command_line::{Error, exit, say, stop_on_ctrl_c};
use model::NOISE;
use players::Players;
use serde::Serialize;
use started::{SETTINGS, started};

const BATCH_SIZE: usize = 64;

/// Train a generator of digits against a discriminator
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
    images: usize,
    seed: u64,
}

fn main() -> ExitCode {
    exit(train(&Options::parse().run))
}

fn train(options: &command_line::Options) -> Result<(), Error> {
    let images = Mnist::bundled()?.train.first(options.samples());
    let loader = EpochLoader::new(images, BATCH_SIZE).shuffled(options.seed);
    let settings = Settings {
        epochs: options.epochs.unwrap_or(20) as usize,
        images: loader.num_items(),
        seed: options.seed,
    };
    let device = Device::flex().autodiff();
    device.seed(settings.seed);
    let shape = [picture::GRID * picture::GRID, NOISE];
    let noise = Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Device::flex());
    let mut players = players(&loader, settings.epochs, &device)?;
    let mut history = History::default();

    let directory = RunDirectory::new(options.directory("two_optimizers"));
    let parts = [&Players::parts()[..], &[HISTORY, SETTINGS]].concat();
    let run = started(&directory, &parts, options.resume, &settings)?;
    if let Some(saved) = &run.checkpoint {
        players = players.restore(saved)?;
        history = saved.json(HISTORY)?;
    }

    let interrupter = stop_on_ctrl_c()?;
    let done = history.epochs.len();
    let train = loader.starting_at(done as u64 + 1).to_device(&device);
    for epoch in done + 1..=settings.epochs {
        // So what noise and dropout draw depends on the seed and the epoch alone. Weights are drawn
        // when they are first looked at: in the first epoch, too.
        device.seed(settings.seed ^ ((epoch as u64) << 32));
        let mut record = EpochRecord::new(epoch);
        players = play(players, &*train, &interrupter, &mut record)?;
        history.epochs.push(record);
        let digits = players.generator.network.valid().forward(noise.clone());
        let picture = format!("digits-{epoch:03}.png");
        picture::write(&directory.path().join(picture), digits)?;
        let snapshot = players.snapshot()?.json(HISTORY, &history)?;
        run.store.save(epoch, snapshot.json(SETTINGS, &settings)?)?;
    }
    directory.write_history(&history)?;
    let generator = players.generator.network;
    Ok(save_model(&directory.final_model(), &generator)?)
}

/// The two before their first move.
fn players(
    loader: &EpochLoader<ClassificationBatch>,
    epochs: usize,
    device: &Device,
) -> Result<Players, TrainingError> {
    let run = Run::per_update()
        .with_updates_per_epoch(loader.num_batches() as u64)
        .with_epochs(epochs as u64);
    let whole = Length::Percent(100.0);
    let falling = CosineAnnealingLr::new(1e-3, whole);
    let fading = LinearLr::new(4e-4)
        .with_total_iters(whole)
        .with_start_factor(1.0)
        .with_end_factor(0.1);
    Ok(Players::new(falling, fading, run, device)?)
}

/// An epoch of moves, which is printed and noted in `record`.
fn play(
    mut players: Players,
    train: &dyn DataLoader<ClassificationBatch>,
    interrupter: &Interrupter,
    record: &mut EpochRecord,
) -> Result<Players, Error> {
    let start = Instant::now();
    let (mut sums, mut moves) = ([0.0; 2], 0.0);
    for batch in train.iter() {
        let losses;
        (players, losses) = players.play(batch?.inputs)?;
        sums = [sums[0] + losses[0], sums[1] + losses[1]];
        moves += 1.0;
        if interrupter.should_stop() {
            let error = TrainingError::Interrupted {
                epoch: record.epoch - 1,
                reason: "Ctrl-C".to_owned(),
            };
            return Err(error.into());
        }
    }
    let [discriminators, generators] = sums.map(|sum| sum / moves);
    let epoch = record.epoch;
    say(&format!(
        "Epoch {epoch}: losses {discriminators:.3} and {generators:.3}"
    ));
    record.seconds = start.elapsed().as_secs_f64();
    record.updates = players.generator.scheduler.updates();
    record.lr = players.generator.lr;
    record.next_lr = players.generator.scheduler.lr();
    let lrs = [("discriminator".to_owned(), players.discriminator.lr)];
    record.group_lrs = lrs.into();
    record.train = [("discriminator_loss", discriminators), ("loss", generators)]
        .map(|(name, loss)| (name.to_owned(), loss))
        .into();
    Ok(players)
}
