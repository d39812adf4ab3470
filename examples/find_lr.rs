//! Which learning rate to begin with: a range test of the experiment's network on MNIST.
//!
//! ```sh
//! cargo run --release --example find_lr
//! ```

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use burn::data::dataset::Dataset;
use burn_lr::experiment::sweep_chart;
use burn_lr::mnist::{DataError, Mnist};
use burn_lr::model::MlpConfig;
use burn_lr::training::device::{Backend, BackendError};
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::range_test::{LrFinder, LrFinderError, LrSweep, SweepEnd};
use clap::Parser;

/// Samples in a training batch, as in the other examples on MNIST.
const BATCH_SIZE: usize = 64;

type Error = Box<dyn std::error::Error>;

/// Find a learning rate for a 784-128-10 network on MNIST with Adam
///
/// Trains for a few updates while the learning rate grows from update to update, draws the loss over
/// the learning rate, and suggests three rates to begin with: where the smoothed loss falls fastest
/// (steepest), in the middle of its longest fall (valley, fastai's suggestion), and a tenth of where
/// it is least (minimum / 10). They are starting points, and the smoothed loss lags behind.
///
/// Exits with 0 if the test was made, whether the loss diverged or not; with 1 if it failed; with 2
/// if an option is wrong.
#[derive(Parser, Debug)]
#[command(version)]
struct Options {
    /// Learning rate of the first update
    #[arg(
        long,
        value_name = "LR",
        default_value = "1e-7",
        allow_negative_numbers = true
    )]
    start_lr: f64,

    /// Learning rate of the last update
    #[arg(
        long,
        value_name = "LR",
        default_value_t = 10.0,
        allow_negative_numbers = true
    )]
    end_lr: f64,

    /// Updates, unless the smoothed loss exceeds 4 times its least value before; at least 10
    #[arg(long, value_name = "N", default_value_t = 100)]
    updates: u32,

    /// Add the same amount to the learning rate after every update, instead of multiplying it
    #[arg(long)]
    linear: bool,

    /// Train on the first N images only; they are repeated if there are too few
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    train_samples: Option<u32>,

    /// Seed of the initial weights and of the order of the images
    #[arg(long, default_value_t = 42)]
    seed: u64,

    /// Where to compute: flex, ndarray, wgpu or cuda, as far as compiled in
    #[arg(long, default_value = "flex")]
    backend: Backend,

    /// Directory of the four IDX files, plain or gzipped [default: the bundled MNIST]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Write the curve to this file as an SVG picture
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Write all updates to this file as CSV: update, learning rate, loss, smoothed loss
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

fn main() -> ExitCode {
    let Err(error) = run(&Options::parse()) else {
        return ExitCode::SUCCESS;
    };
    eprintln!("error: {error}");
    let option = error.is::<BackendError>()
        || error.is::<DataError>()
        || matches!(error.downcast_ref(), Some(LrFinderError::Invalid { .. }));
    ExitCode::from(if option { 2 } else { 1 })
}

fn run(options: &Options) -> Result<(), Error> {
    let device = options.backend.device()?;
    let mnist = match &options.data_dir {
        Some(directory) => Mnist::load(directory)?,
        None => Mnist::bundled()?,
    };
    let images = options.train_samples.map_or(usize::MAX, |n| n as usize);
    let images = mnist.train.first(images);
    let count = images.len();
    let loader = EpochLoader::new(images, BATCH_SIZE).shuffled(options.seed);
    device.seed(options.seed);
    let model = MlpConfig::new().init(&device);

    let mut finder = LrFinder::new()
        .with_start_lr(options.start_lr)
        .with_end_lr(options.end_lr)
        .with_num_updates(options.updates as usize);
    if options.linear {
        finder = finder.linear();
    }
    let shown = std::io::stderr().is_terminal();
    let mut update = 0;
    let sweep = finder.sweep_with(&model, Arc::new(loader), |point| {
        update += 1;
        if shown {
            let of = options.updates;
            eprint!(
                "\r\x1b[Kupdate {update} of {of}: LR {:.1e}, loss {:.4}",
                point.lr, point.loss
            );
        }
    });
    if shown {
        eprint!("\r\x1b[K");
    }
    let sweep = sweep?;

    let backend = options.backend;
    say(&format!(
        "Range test on {count} images in batches of {BATCH_SIZE}; {backend}, seed {}",
        options.seed
    ));
    let chart = sweep_chart(&sweep);
    say(chart.terminal((80, 16)).trim_end());
    say(&report(&sweep));
    if let Some(path) = &options.svg {
        write(path, &chart.svg_file((640, 360))?)?;
    }
    if let Some(path) = &options.csv {
        write(path, &sweep.to_csv())?;
    }
    Ok(())
}

/// How the test ended, and what follows from it.
fn report(sweep: &LrSweep) -> String {
    let (made, asked) = (sweep.points.len(), sweep.num_updates);
    let end = match sweep.end {
        SweepEnd::Diverged => format!("The loss diverged after {made} of {asked} updates."),
        _ => format!("All {asked} updates were made; the loss has not diverged."),
    };
    let text = |lr: Option<f64>| lr.map_or("none".to_owned(), |lr| format!("{lr:.2e}"));
    format!(
        "{end}\nSuggestions: steepest {}, valley {}, minimum / 10 {}",
        text(sweep.steepest()),
        text(sweep.valley()),
        text(sweep.minimum_over_ten())
    )
}

/// Prints a line, if somebody is still reading.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn write(path: &Path, content: &str) -> Result<(), Error> {
    std::fs::write(path, content)
        .map_err(|error| format!("cannot write {}: {error}", path.display()).into())
}
