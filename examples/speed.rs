//! The experiment in any size, to measure its speed.
//!
//! ```sh
//! cargo run --release --example speed -- --batch 256 --hidden 1024
//! ```

#[path = "experiment/exit.rs"]
mod exit;
#[path = "experiment/terminal.rs"]
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;

use burn::data::dataset::Dataset;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::mnist::Mnist;
use burn_lr::model::MlpConfig;
use burn_lr::scheduler::StepLr;
use burn_lr::training::Training;
use burn_lr::training::device::Backend;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::run::Display;
use clap::Parser;
use terminal::{Error, numbered, say, stop_on_ctrl_c};

/// Train the network of mnist_step in any size, and tell how fast that goes
///
/// Prints a line for each epoch: its seconds with metrics, validation and checkpoint, and how many
/// training images that is per second. benches/peers compares it with PyTorch and JAX.
///
/// Exits with 0 after a completed run, with 1 if it failed, with 2 if an option is wrong, and with 130 if
/// it was stopped by Ctrl-C.
#[derive(Parser, Debug)]
#[command(version)]
struct Options {
    /// Epochs to train
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,

    /// Images in a training batch
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,

    /// Units of the hidden layer
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..))]
    hidden: u32,

    /// Train on N images: those of MNIST, over and over if there are more
    #[arg(long, value_name = "N", default_value_t = 60_000,
        value_parser = clap::value_parser!(u32).range(1..))]
    train_samples: u32,

    /// Where to compute: flex, ndarray, wgpu or cuda, as far as compiled in
    #[arg(long, default_value = "flex")]
    backend: Backend,

    /// Directory for the history, checkpoints and models [default: the next free
    /// artifacts/speed/run-NNN]
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,
}

fn main() -> ExitCode {
    exit::exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<(), Error> {
    let device = options.backend.device()?;
    let directory = options.run_dir.clone();
    let directory = directory.unwrap_or_else(|| numbered("artifacts/speed".as_ref(), false));
    let mnist = Mnist::bundled()?;
    let samples = options.train_samples as usize;
    let indices: Vec<usize> = (0..samples)
        .map(|index| index % mnist.train.len())
        .collect();
    let images = mnist.train.select(&indices);
    let images = images.ok_or("the data set has no images")?;
    drop(mnist.train);
    let batch = options.batch as usize;
    let train = EpochLoader::new(images, batch).shuffled(42).prefetch(4);
    let valid = EpochLoader::new(mnist.test, 1000).prefetch(4);
    device.seed(42);
    let model = MlpConfig::new()
        .with_hidden(options.hidden as usize)
        .init(&device);
    Training::new(&directory, train, valid)
        .schedule(StepLr::new(0.01, 3).with_gamma(0.5).per_epoch())
        .epochs(options.epochs as usize)
        .metrics((LossMetric::new(), AccuracyMetric::new()))
        .interrupter(stop_on_ctrl_c()?)
        .display(Display::Bar)
        .on_epoch(move |epoch| {
            say(&format!(
                "Epoch {}: {:.3} s, {:.0} images/s, Val acc={:.4}",
                epoch.epoch,
                epoch.seconds,
                samples as f64 / epoch.seconds,
                epoch.valid("accuracy")
            ));
        })
        .fit(model)?;
    Ok(())
}
