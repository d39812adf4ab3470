//! What the examples on MNIST share: options, the run, and the judgement of its epochs.

mod exit;
#[path = "../command_line/following.rs"]
mod following;
mod seconds;
mod terminal;

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use burn::data::dataset::Dataset;
use burn::tensor::Device;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::mnist::Mnist;
use burn_lr::model::{Mlp, MlpConfig};
use burn_lr::scheduler::{Run, ScheduleConfig, Scheduler};
use burn_lr::training::average::Average;
use burn_lr::training::device::Backend;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::{EarlyStopping, EpochRecord, History};
use burn_lr::training::run::Display;
use burn_lr::training::{Training, TrainingError};
use clap::Args;
pub use exit::exit;
pub use following::Following;
use seconds::seconds;
use serde_json::json;
use terminal::{Error, numbered, say, stop_on_ctrl_c};

/// Samples in an update; fixed, as the experiment may change the schedule alone.
const BATCH_SIZE: usize = 64;
/// Samples in a validation batch, which changes nothing but the speed.
const VALID_BATCH_SIZE: usize = 1000;
/// The target: validation accuracy of at least 90 %, training accuracy below 95 %.
const MIN_VALID_ACCURACY: f64 = 0.90;
const MAX_TRAIN_ACCURACY: f64 = 0.95;

/// Options of every example on MNIST.
#[derive(Args, Debug)]
#[group(skip)]
pub struct Options {
    /// Epochs to train [default: 10, of mnist_plateau 20, of remote_workers 3]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: Option<u32>,

    /// Validate, observe plateaus, and write the history and a checkpoint every N updates instead of
    /// every epoch
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub every: Option<u64>,

    /// Write a checkpoint within an epoch too whenever so many seconds have passed since the last one
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub checkpoint_every: Option<Duration>,

    /// Adam's initial learning rate
    #[arg(long, default_value_t = 0.01, allow_negative_numbers = true)]
    pub lr: f64,

    /// Seed of the initial weights and of the order of the images
    #[arg(long, default_value_t = 42)]
    pub seed: u64,

    /// Train on the first N images only [default: all, of remote_workers 4000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub train_samples: Option<u32>,

    /// Where to compute: flex, ndarray, wgpu or cuda, as far as compiled in
    #[arg(long, default_value = "flex")]
    pub backend: Backend,

    /// Train on N devices of the backend, each taking its share of every batch
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub devices: u32,

    /// Have every device update its own copy of the model, gradients being averaged by collective
    /// operations; on several devices, of cuda only
    #[arg(long)]
    pub data_parallel: bool,

    /// Remote devices to train on instead of the backend's.
    #[arg(skip)]
    pub workers: Vec<Device>,

    /// Directory of the four IDX files, plain or gzipped [default: the bundled MNIST]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Directory for the configuration, history, checkpoints and models [default: the next free
    /// artifacts/<example>/run-NNN, or with --resume the last one]
    #[arg(long, value_name = "DIR")]
    pub run_dir: Option<PathBuf>,

    /// Continue the run in the directory from its newest complete checkpoint, or start it
    #[arg(long)]
    pub resume: bool,

    /// Stop when the validation loss has not improved for N epochs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub early_stop: Option<u32>,

    /// Average the weights of all updates with this decay, such as 0.999, and validate the average
    #[arg(long, value_name = "DECAY", allow_negative_numbers = true)]
    pub ema: Option<f64>,

    #[command(flatten)]
    pub following: Following,

    /// Show Burn's dashboard while training (needs --features tui)
    #[arg(long)]
    pub tui: bool,
}

/// Trains the experiment's network with `schedule` and prints a line an epoch, then the verdict.
pub fn run(
    name: &str,
    schedule: impl Into<ScheduleConfig>,
    epochs: u32,
    options: &Options,
) -> Result<(), Error> {
    let schedule = schedule.into();
    // What is wrong with the options is said before anything else.
    Scheduler::new(
        schedule.clone(),
        Run::per_epoch(1).with_epochs(epochs.into()),
    )
    .map_err(TrainingError::from)?;
    let (devices, place) = devices(options)?;
    let display = display(options.tui)?;
    let directory = match &options.run_dir {
        Some(directory) => directory.clone(),
        None => numbered(&Path::new("artifacts").join(name), options.resume),
    };

    let mnist = data(options)?;
    say(&format!(
        "Training on {} images, validating on {}; {} on {}, seed {}; results in {}",
        mnist.train.len(),
        mnist.test.len(),
        name,
        place,
        options.seed,
        directory.display()
    ));

    let model = MlpConfig::new();
    // Burn's dashboard owns the terminal until the end; the lines then wait for it.
    let (lines, waiting) = mpsc::channel();
    let tui = options.tui;
    let device = devices.first().cloned().unwrap_or_default();
    device.seed(options.seed);
    let trained = training(&directory, mnist, &model, devices, options)
        .schedule(schedule.per_epoch())
        .epochs(epochs as usize)
        .interrupter(stop_on_ctrl_c()?)
        .display(display)
        .on_epoch(move |epoch| {
            if tui {
                drop(lines.send(line(epoch)));
            } else {
                say(&line(epoch));
            }
        })
        .fit(model.init(&device));
    waiting.try_iter().for_each(|line| say(&line));
    let trained = trained?;
    say(verdict(&trained.history).trim_end());
    Ok(())
}

/// The images to train and to validate on.
fn data(options: &Options) -> Result<Mnist, Error> {
    let mut mnist = match &options.data_dir {
        Some(directory) => Mnist::load(directory)?,
        None => Mnist::bundled()?,
    };
    if let Some(samples) = options.train_samples {
        mnist.train = mnist.train.first(samples as usize);
    }
    Ok(mnist)
}

/// A run on `devices` as `options` say, but for what an example decides.
fn training(
    directory: &Path,
    mnist: Mnist,
    model: &MlpConfig,
    devices: Vec<Device>,
    options: &Options,
) -> Training<Mlp> {
    let data = [&mnist.train, &mnist.test].map(|set| format!("crc32 {:08x}", set.fingerprint()));
    // The devices share a batch: with 2, 4, 8, ... an update sees as many images as on one.
    let batch_size = BATCH_SIZE.div_ceil(devices.len());
    let train = EpochLoader::new(mnist.train, batch_size).shuffled(options.seed);
    let train = train.prefetch(4);
    let valid = EpochLoader::new(mnist.test, VALID_BATCH_SIZE);
    let mut training = Training::new(directory, train, valid)
        .metrics((LossMetric::new(), AccuracyMetric::new()))
        .resume(options.resume)
        .settings(json!({
            "seed": options.seed,
            "data": data,
            "model": model,
        }));
    training = if options.data_parallel {
        training.data_parallel(devices)
    } else {
        training.devices(devices)
    };
    if let Some(updates) = options.every {
        training = training.every(updates);
    }
    if let Some(time) = options.checkpoint_every {
        training = training.checkpoint_every(time);
    }
    if let Some(patience) = options.early_stop {
        training = training.early_stopping(EarlyStopping::new(patience as usize));
    }
    if let Some(decay) = options.ema {
        training = training.average(Average::ema(decay));
    }
    options.following.of(training)
}

/// Where to train, and how to call it.
fn devices(options: &Options) -> Result<(Vec<Device>, String), Error> {
    if !options.workers.is_empty() {
        let place = format!("{} remote devices", options.workers.len());
        return Ok((options.workers.clone(), place));
    }
    let devices = options.backend.devices(options.devices as usize)?;
    let place = match devices.len() {
        1 => options.backend.to_string(),
        several => format!("{several} devices of {}", options.backend),
    };
    Ok((devices, place))
}

fn display(tui: bool) -> Result<Display, Error> {
    if tui { dashboard() } else { Ok(Display::Bar) }
}

#[cfg(feature = "tui")]
fn dashboard() -> Result<Display, Error> {
    Ok(Display::Dashboard)
}

#[cfg(not(feature = "tui"))]
fn dashboard() -> Result<Display, Error> {
    Err(TrainingError::Invalid {
        name: "--tui",
        expected: "a build with `--features tui`",
        found: "one without".to_owned(),
    }
    .into())
}

/// An epoch in a line; the learning rate is the one that the next epoch will use.
fn line(epoch: &EpochRecord) -> String {
    let cuts = epoch.cuts.iter().map(|cut| {
        format!(
            " <- LR {} from {}: {:.4} after {} {} without improvement on {:.4}",
            if cut.is_rise() { "raised" } else { "cut" },
            rate(cut.from),
            cut.metric,
            cut.bad_epochs,
            match (epoch.data.is_some(), cut.bad_epochs) {
                (true, 1) => "period",
                (true, _) => "periods",
                (false, 1) => "epoch",
                (false, _) => "epochs",
            },
            cut.best
        )
    });
    format!(
        "{}: Train loss={:.4}, Train acc={:.4}, Val loss={:.4}, Val acc={:.4}, LR={}{}",
        capitalized(&place(epoch)),
        epoch.train("loss"),
        epoch.train("accuracy"),
        epoch.valid("loss"),
        epoch.valid("accuracy"),
        rate(epoch.next_lr),
        cuts.collect::<String>(),
    )
}

/// What a record is of: an epoch, or the updates until the end of its period.
fn place(epoch: &EpochRecord) -> String {
    match epoch.data {
        Some(_) => format!("update {}", epoch.updates),
        None => format!("epoch {}", epoch.epoch),
    }
}

fn capitalized(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

/// A learning rate with five decimals or, where these would say little, five significant digits.
fn rate(lr: f64) -> String {
    match lr {
        0.0 => format!("{lr:.5}"),
        _ if lr < 1e-4 => format!("{lr:.4e}"),
        _ => format!("{lr:.5}"),
    }
}

/// The last epoch judged against the target, and the epochs that met it.
fn verdict(history: &History) -> String {
    let met = |epoch: &&EpochRecord| {
        epoch.valid("accuracy") >= MIN_VALID_ACCURACY
            && epoch.train("accuracy") < MAX_TRAIN_ACCURACY
    };
    let Some(last) = history.epochs.last() else {
        return String::new();
    };
    let epochs: Vec<String> = history
        .epochs
        .iter()
        .filter(met)
        .map(|epoch| match epoch.data {
            Some(_) => epoch.updates.to_string(),
            None => epoch.epoch.to_string(),
        })
        .collect();
    format!(
        "Target (validation at least {:.0} %, training below {:.0} %): {} after {}, \
         with {:.2} % and {:.2} %.\n{} that met it: {}.\n",
        100.0 * MIN_VALID_ACCURACY,
        100.0 * MAX_TRAIN_ACCURACY,
        if met(&last) { "met" } else { "missed" },
        place(last),
        100.0 * last.valid("accuracy"),
        100.0 * last.train("accuracy"),
        match last.data {
            Some(_) => "Updates",
            None => "Epochs",
        },
        if epochs.is_empty() {
            "none".to_owned()
        } else {
            epochs.join(", ")
        },
    )
}
