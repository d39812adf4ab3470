//! A language model: a small transformer learns to continue four plays of Shakespeare, character by
//! character, with gradients accumulated over batches, clipped by their global norm, and weight
//! decay for the matrices alone.
//!
//! ```sh
//! cargo run --release --example language_model
//! ```
//!
//! Killed at any moment and run again with `--resume`, it ends with the same bits as undisturbed. In
//! PyTorch it would be
//!
//! ```python
//! decayed = [p for n, p in model.named_parameters() if p.ndim > 1 and "embedding" not in n]
//! others = [p for n, p in model.named_parameters() if p.ndim < 2 or "embedding" in n]
//! optimizer = torch.optim.AdamW([
//!     {"params": decayed, "weight_decay": 0.1},
//!     {"params": others, "weight_decay": 0.0},
//! ], lr=3e-3, betas=(0.9, 0.99))
//! for epoch in range(epochs):
//!     for number, (inputs, targets) in enumerate(train, 1):
//!         F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten()).backward()
//!         if number % 2 == 0 or number == len(train):
//!             nn.utils.clip_grad_norm_(model.parameters(), 1.0)
//!             optimizer.step()
//!             optimizer.zero_grad()
//!             scheduler.step()  # warmup and cosine, as in the example cnn
//!     # and by hand: perplexity, the best model, checkpoints, the generators' states
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
use burn::train::metric::{LossMetric, PerplexityMetric};
use burn_lr::scheduler::{CosineAnnealingLr, Length, Warmup};
use burn_lr::training::Training;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::EpochRecord;
use burn_lr::training::optim::{GradientClip, Group, Select, without_decay};
use burn_lr::training::run::Display;
use clap::Parser;
use command_line::{Error, exit, say, stop_on_ctrl_c};
use data::{Alphabet, Stretches};
use extent::{Extent, place};
use following::Following;
use model::{Transformer, TransformerConfig};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

const BATCH_SIZE: usize = 16;
/// Batches whose gradients make an update.
const ACCUMULATION: usize = 2;
/// Characters that the trained model writes.
const WRITTEN: usize = 300;

/// Train a language model on four plays of Shakespeare
///
/// Prints a line for each epoch, and at the end what the model writes. Exits with 0 after a completed
/// run; with 1 if the run failed; with 2 if an option is wrong; with 130 if it was stopped by Ctrl-C,
/// after which --resume continues it.
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
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/shakespeare/plays.txt.gz");
    let text = data::read(path)?;
    let alphabet = Alphabet::of(&text);
    let mut text = alphabet.encode(&text);
    text.truncate(options.samples());
    let end = text.split_off(text.len() / 10 * 9);

    let config = TransformerConfig::new(alphabet.len());
    let stretches = |text| EpochLoader::new(Stretches::new(text, config.context), BATCH_SIZE);
    let cosine = CosineAnnealingLr::new(3e-3, Length::Percent(95.0));
    let schedule = Warmup::new(cosine, Length::Percent(5.0));
    let optimizer = AdamWConfig::new()
        .with_epsilon(1e-8)
        .with_beta_2(0.99)
        .with_weight_decay(0.1);
    let embeddings = Select::regex("^(characters|positions)");
    let device = Device::flex();
    device.seed(options.seed);
    let train = stretches(text).shuffled(options.seed);
    let training = Training::new(options.directory("language_model"), train, stretches(end))
        .optimizer(optimizer)
        .groups([
            without_decay(),
            Group::new("embeddings", embeddings).without_decay(),
        ])
        .schedule(schedule.per_update())
        .grads_accumulation(ACCUMULATION)
        .clip_gradients(GradientClip::norm(1.0))
        .epochs(options.epochs.unwrap_or(10) as usize)
        .metrics((LossMetric::new(), PerplexityMetric::new()))
        .seed(options.seed)
        .strict(true)
        .resume(options.resume)
        .interrupter(stop_on_ctrl_c()?)
        .display(Display::Bar)
        .on_epoch(|epoch| say(&line(epoch)));
    let training = following.of(extent.of(training));
    let trained = training.fit(config.init(&device))?;
    say(&write(&trained.model, &alphabet, options.seed));
    Ok(())
}

/// An epoch in a line. Perplexity is the number of characters among which the model is as unsure as
/// if all were equally likely.
fn line(epoch: &EpochRecord) -> String {
    format!(
        "{}: Train perplexity={:.3}, Val perplexity={:.3}, gradient norm={:.2}, next LR={:.5}, {:.1} s",
        place(epoch),
        epoch.train("perplexity"),
        epoch.valid("perplexity"),
        epoch.train("gradient_norm"),
        epoch.next_lr,
        epoch.seconds,
    )
}

/// What Macbeth says next.
fn write(model: &Transformer, alphabet: &Alphabet, seed: u64) -> String {
    let begin = alphabet.encode("MACBETH.\n");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    alphabet.decode(&model.write(begin, WRITTEN, &mut rng))
}
