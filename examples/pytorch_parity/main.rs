//! The experiment from given weights, with the loss of every batch, the learning rate of every update and the
//! order of the images, for `benches/peers/parity.py`, which has PyTorch do the same and compares.
//!
//! ```sh
//! cargo run --release --features pytorch --example pytorch_parity -- --weights model.pt
//! ```

#[path = "../experiment/exit.rs"]
mod exit;
mod recorded;
#[path = "../experiment/terminal.rs"]
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;

use burn::optim::SgdConfig;
use burn::tensor::{DeviceConfig, FloatDType};
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::mnist::Mnist;
use burn_lr::model::MlpConfig;
use burn_lr::scheduler::{Clocked, ReduceLrOnPlateau, StepLr};
use burn_lr::training::Training;
use burn_lr::training::device::Backend;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::optim::{OptimizerConfig, adam, adamw, momentum};
use burn_lr::training::pytorch::{load_pytorch, save_safetensors};
use clap::{Parser, ValueEnum};
use recorded::{EveryLoss, Ordered, Recorded};
use terminal::{Error, numbered, say, stop_on_ctrl_c};

/// Train the network of mnist_step from the weights in a file of PyTorch or safetensors
///
/// Prints a line for each epoch. Beside the run's own files, losses.json has the loss of every batch, rates.json
/// the learning rate of the last update after every batch, order.u32 the images in the order in which they were
/// trained on, as little-endian numbers, and model.safetensors the trained weights for PyTorch.
///
/// Exits with 0 after a completed run, with 1 if it failed, with 2 if an option is wrong, and with 130 if
/// it was stopped by Ctrl-C.
#[derive(Parser, Debug)]
#[command(version)]
struct Options {
    /// The weights to begin with, by PyTorch's names: fc1.weight, fc1.bias, fc2.weight, fc2.bias
    #[arg(long, value_name = "FILE")]
    weights: PathBuf,

    /// Directory for all results [default: the next free artifacts/pytorch_parity/run-NNN]
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,

    /// The optimizer, with PyTorch's settings; SGD has a momentum of 0.9
    #[arg(long, value_enum, default_value_t = Optimizer::Adam)]
    optimizer: Optimizer,

    /// StepLR, halving every 3 epochs, or ReduceLROnPlateau, halving after 2 epochs without improvement
    #[arg(long, value_enum, default_value_t = Schedule::Step)]
    schedule: Schedule,

    /// The learning rate to begin with
    #[arg(long, default_value_t = 0.01)]
    lr: f64,

    /// Batches whose gradients are added up for an update
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    accumulation: u32,

    /// Epochs to train
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,

    /// Compute in double precision
    #[arg(long)]
    double: bool,

    /// Train on the first N images only
    #[arg(long, value_name = "N", default_value_t = 60_000, value_parser = clap::value_parser!(u32).range(1..))]
    train_samples: u32,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
enum Optimizer {
    Adam,
    Adamw,
    Sgd,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
enum Schedule {
    Step,
    Plateau,
}

impl Optimizer {
    fn config(self) -> OptimizerConfig {
        match self {
            Self::Adam => adam().into(),
            Self::Adamw => adamw().into(),
            Self::Sgd => SgdConfig::new().with_momentum(Some(momentum(0.9))).into(),
        }
    }
}

impl Schedule {
    fn clocked(self, lr: f64) -> Clocked {
        match self {
            Self::Step => StepLr::new(lr, 3).with_gamma(0.5).per_epoch(),
            Self::Plateau => {
                let plateau = ReduceLrOnPlateau::new(lr).with_patience(2);
                plateau.with_factor(0.5).per_update()
            }
        }
    }
}

fn main() -> ExitCode {
    exit::exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<(), Error> {
    let mut device = Backend::Flex.device()?;
    if options.double {
        // What is created there from now on, images and parameters too.
        device.configure(DeviceConfig::default().float_dtype(FloatDType::F64))?;
    }
    let model = load_pytorch(&options.weights, MlpConfig::new().init(&device))?;
    let mnist = Mnist::bundled()?;
    let images = mnist.train.first(options.train_samples as usize);
    let recorded = Recorded::default();
    let train = EpochLoader::new(Ordered::new(images, &recorded), 64).shuffled(42);
    let losses = EveryLoss::new(&recorded);
    let directory = options.run_dir.clone();
    let directory =
        directory.unwrap_or_else(|| numbered("artifacts/pytorch_parity".as_ref(), false));
    let trained = Training::new(&directory, train, EpochLoader::new(mnist.test, 1000))
        .optimizer(options.optimizer.config())
        .schedule(options.schedule.clocked(options.lr))
        .grads_accumulation(options.accumulation as usize)
        .epochs(options.epochs as usize)
        .metrics((LossMetric::new(), AccuracyMetric::new()))
        .configure(|training| training.metric_train_numeric(losses))
        .interrupter(stop_on_ctrl_c()?)
        .on_epoch(|epoch| {
            say(&format!(
                "Epoch {}: Train acc={:.4}, Val acc={:.4}, LR={:.5}",
                epoch.epoch,
                epoch.train("accuracy"),
                epoch.valid("accuracy"),
                epoch.lr
            ));
        })
        .fit(model)?;
    save_safetensors(&directory.join("model.safetensors"), &trained.model)?;
    recorded.write(&directory)
}
