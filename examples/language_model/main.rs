//! A language model: a small transformer learns to continue four plays of Shakespeare, character by
//! character, with gradients accumulated over batches, clipped by their global norm, and weight
//! decay for the matrices alone.
//!
//! ```sh
//! cargo run --release --example language_model
//! ```
//!
//! In PyTorch it would be
//!
//! ```python
//! matrices = [p for n, p in model.named_parameters() if p.ndim > 1 and "embedding" not in n]
//! others = [p for n, p in model.named_parameters() if p.ndim < 2 or "embedding" in n]
//! optimizer = torch.optim.AdamW([
//!     {"params": matrices, "weight_decay": 0.1},
//!     {"params": others, "weight_decay": 0.0},
//! ])
//! for epoch in range(epochs):
//!     for number, (inputs, targets) in enumerate(train, 1):
//!         loss = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
//!         (loss / 2).backward()
//!         if number % 2 == 0 or number == len(train):
//!             nn.utils.clip_grad_norm_(model.parameters(), 1.0)
//!             optimizer.step()
//!             optimizer.zero_grad()
//!             scheduler.step()
//!     # and by hand: perplexity, the best model, checkpoints, the generators' states
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod data;
mod model;

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use burn::data::dataloader::DataLoader;
use burn::lr_scheduler::LrScheduler;
use burn::module::{Module, ParamGroup};
use burn::optim::{AdamWConfig, GradientsAccumulator, GradientsParams};
use burn::tensor::Device;
use burn::train::{InferenceStep, TrainStep};
use burn_lr::scheduler::{CosineAnnealingLr, Length, Run, Scheduler, Warmup};
use burn_lr::training::EpochLoader;
use clap::Parser;
use data::{Alphabet, Stretches};
use model::TransformerConfig;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

const BATCH_SIZE: usize = 16;
/// Batches whose gradients make an update.
const ACCUMULATION: usize = 2;
const SEED: u64 = 42;
/// What weight decay leaves alone, by a part of its path: biases, norms and embeddings.
const UNDECAYED: [&str; 5] = ["bias", "gamma", "beta", "characters", "positions"];

/// Train a language model on four plays of Shakespeare
#[derive(Parser, Debug)]
#[command(version)]
struct Options {
    /// Epochs to train
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,

    /// Use the first N characters only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(5000..))]
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
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/shakespeare/plays.txt.gz");
    let text = data::read(path)?;
    let alphabet = Alphabet::of(&text);
    let mut train = alphabet.encode(&text);
    train.truncate(options.samples.map_or(usize::MAX, |n| n as usize));
    let valid = train.split_off(train.len() / 10 * 9);

    let config = TransformerConfig::new(alphabet.len());
    let train = EpochLoader::new(Stretches::new(train, config.context), BATCH_SIZE).shuffled(SEED);
    let valid = EpochLoader::new(Stretches::new(valid, config.context), BATCH_SIZE);

    let updates = train.num_batches().div_ceil(ACCUMULATION);
    let cosine = CosineAnnealingLr::new(3e-3, Length::Epochs(f64::from(options.epochs) - 0.5));
    let run = Run::per_update()
        .with_updates_per_epoch(updates as u64)
        .with_epochs(options.epochs.into());
    let mut scheduler = Scheduler::new(Warmup::new(cosine, Length::Epochs(0.5)), run)?;
    let adamw = AdamWConfig::new().with_epsilon(1e-8).with_beta_2(0.99);
    let undecayed = adamw.clone().with_weight_decay(0.0);
    let optimizer = adamw.with_weight_decay(0.1).init();
    let mut optimizer = UNDECAYED.iter().fold(optimizer, |optimizer, &name| {
        let group = ParamGroup::from_predicate(name);
        optimizer.with_group(group, undecayed.build(), None)
    });

    let device = Device::flex().autodiff();
    device.seed(SEED);
    let (train, valid) = (train.to_device(&device), valid.to_device(&Device::flex()));
    let mut model = config.init(&device);
    println!("{} parameters", model.num_params());
    for epoch in 1..=options.epochs {
        let start = Instant::now();
        let mut accumulator = GradientsAccumulator::new();
        let mut pending = 0;
        let mut batches = train.iter().peekable();
        while let Some(batch) = batches.next() {
            let output = TrainStep::step(&model, batch?);
            accumulator.accumulate(&model, output.grads);
            pending += 1;
            if pending == ACCUMULATION || batches.peek().is_none() {
                let grads: GradientsParams = accumulator.grads();
                model = optimizer.step(scheduler.step(), model, grads);
                pending = 0;
            }
        }
        let frozen = model.valid();
        let (mut loss, mut stretches) = (0.0, 0);
        for batch in valid.iter() {
            let output = InferenceStep::step(&frozen, batch?);
            stretches += output.loss.dims()[0];
            loss += output.loss.sum().into_scalar::<f64>();
        }
        let perplexity = (loss / stretches as f64).exp();
        println!(
            "epoch {epoch}: perplexity {perplexity:.3}, {:.1?}",
            start.elapsed()
        );
    }
    let begin = alphabet.encode("MACBETH.\n");
    let text = model
        .valid()
        .write(begin, 300, &mut ChaCha8Rng::seed_from_u64(SEED));
    println!("{}", alphabet.decode(&text));
    Ok(())
}
