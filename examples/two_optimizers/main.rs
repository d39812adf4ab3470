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

mod model;
mod picture;
mod players;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use burn_lr::mnist::Mnist;
use burn_lr::scheduler::{CosineAnnealingLr, Length, LinearLr, Run};
use burn_lr::training::{CheckpointStore, EpochLoader, Snapshot, save_model};
use clap::Parser;
use model::{Discriminator, Generator, NOISE};
use players::{Player, Players};
use serde::{Deserialize, Serialize};

const BATCH_SIZE: usize = 64;
const GENERATOR: [&str; 3] = ["generator.bpk", "generator_optim.bpk", "generator_lr.bpk"];
const DISCRIMINATOR: [&str; 3] = [
    "discriminator.bpk",
    "discriminator_optim.bpk",
    "discriminator_lr.bpk",
];
const PROGRESS: &str = "progress.json";

/// Train a generator of digits against a discriminator
#[derive(Parser, Debug)]
#[command(version)]
struct Options {
    #[command(flatten)]
    settings: Settings,

    /// Directory of the checkpoints, the pictures and the generator
    #[arg(long, value_name = "DIR", default_value = "artifacts/two_optimizers")]
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

    /// Train on the first N images only
    #[arg(long, value_name = "N", default_value_t = 60_000, value_parser = clap::value_parser!(u32).range(1..))]
    samples: u32,

    /// Seed of the initial weights, the order, the noise and the dropout
    #[arg(long, default_value_t = 42)]
    seed: u64,
}

/// What the loop remembers beside its players.
#[derive(Serialize, Deserialize, Debug)]
struct Progress {
    settings: Settings,
    /// The mean losses of discriminator and generator in each epoch.
    losses: Vec<[f64; 2]>,
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
    let images = Mnist::bundled()?.train.first(samples as usize);
    let loader = EpochLoader::new(images, BATCH_SIZE).shuffled(seed);
    let run = Run::per_update()
        .with_updates_per_epoch(loader.num_batches() as u64)
        .with_epochs(epochs.into());

    let device = Device::flex().autodiff();
    device.seed(seed);
    let shape = [picture::GRID * picture::GRID, NOISE];
    let noise = Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Device::flex());
    let whole = Length::Epochs(f64::from(epochs));
    let falling = CosineAnnealingLr::new(1e-3, whole);
    let fading = LinearLr::new(4e-4)
        .with_total_iters(whole)
        .with_start_factor(1.0)
        .with_end_factor(0.1);
    let mut players = Players {
        generator: Player::new(Generator::new(&device), falling, run, GENERATOR)?,
        discriminator: Player::new(Discriminator::new(&device), fading, run, DISCRIMINATOR)?,
    };
    let mut progress = Progress {
        settings: options.settings,
        losses: vec![],
    };

    let parts = [&GENERATOR[..], &DISCRIMINATOR[..], &[PROGRESS]].concat();
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
        players.generator = players.generator.restore(&checkpoint)?;
        players.discriminator = players.discriminator.restore(&checkpoint)?;
        println!("resumed after epoch {}", checkpoint.epoch);
    }

    let first = progress.losses.len() + 1;
    let train = loader.starting_at(first as u64).to_device(&device);
    for epoch in first..=epochs as usize {
        // So what noise and dropout draw depends on the seed and the epoch alone. Weights are drawn
        // when they are first looked at: in the first epoch, too.
        device.seed(seed ^ ((epoch as u64) << 32));
        let (mut sums, mut batches) = ([0.0; 2], 0.0);
        for batch in train.iter() {
            let losses;
            (players, losses) = players.play(batch?.inputs)?;
            sums = [sums[0] + losses[0], sums[1] + losses[1]];
            batches += 1.0;
        }
        let [discriminators, generators] = sums.map(|sum| sum / batches);
        progress.losses.push([discriminators, generators]);
        println!("epoch {epoch}: losses {discriminators:.3} and {generators:.3}");
        let digits = players.generator.network.valid().forward(noise.clone());
        picture::write(
            &options.run_dir.join(format!("digits-{epoch:03}.png")),
            digits,
        )?;

        let snapshot = players.generator.save(Snapshot::new())?;
        let snapshot = players.discriminator.save(snapshot)?;
        store.save(epoch, snapshot.json(PROGRESS, &progress)?)?;
    }
    save_model(
        &options.run_dir.join("final.bpk"),
        &players.generator.network,
    )?;
    Ok(())
}
