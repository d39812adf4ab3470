//! A tracker of one's own: a run in MLflow's file store, beside whatever else follows it.
//!
//! ```text
//! cargo run --release --example mlflow -- --run-dir artifacts/mlflow/run-001
//! MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri mlruns
//! ```
//!
//! MLflow 3.17 reads file stores only if it is told to, and `mlflow migrate-filestore` copies one into a database.

mod file_store;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use burn::tensor::Device;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::mnist::Mnist;
use burn_lr::model::MlpConfig;
use burn_lr::scheduler::StepLr;
use burn_lr::training::Training;
use burn_lr::training::loader::EpochLoader;
use clap::Parser;
use file_store::FileStore;

/// Train the experiment's network on a part of MNIST, and write the run into MLflow's file store
#[derive(Parser, Debug)]
#[command(version)]
struct Options {
    /// The file store
    #[arg(long, value_name = "DIR", default_value = "mlruns")]
    store: PathBuf,

    /// Directory for the configuration, history, checkpoints and models
    #[arg(long, value_name = "DIR")]
    run_dir: PathBuf,

    /// Epochs to train
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,

    /// Train on the first N images only
    #[arg(long, value_name = "N", default_value_t = 6400,
        value_parser = clap::value_parser!(u32).range(1..))]
    train_samples: u32,

    /// Continue the run in the directory from its newest complete checkpoint, or start it
    #[arg(long)]
    resume: bool,
}

fn main() -> ExitCode {
    if let Err(error) = run(&Options::parse()) {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let mnist = Mnist::bundled()?;
    let train = mnist.train.first(options.train_samples as usize);
    let train = EpochLoader::new(train, 64).shuffled(42);
    let device = Device::flex();
    device.seed(42);
    let trained = Training::new(&options.run_dir, train, EpochLoader::new(mnist.test, 1000))
        .metrics((LossMetric::new(), AccuracyMetric::new()))
        .schedule(StepLr::new(0.01, 3).with_gamma(0.5).per_epoch())
        .epochs(options.epochs as usize)
        .resume(options.resume)
        .track(FileStore::new(&options.store))
        .fit(MlpConfig::new().init(&device))?;
    if let Some(last) = trained.history.epochs.last() {
        println!(
            "validation accuracy {:.4} after epoch {}; see it by MLflow in {}",
            last.valid("accuracy"),
            last.epoch,
            options.store.display()
        );
    }
    Ok(())
}
