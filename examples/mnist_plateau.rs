//! The experiment's second answer: Adam at 0.01, cut when the validation loss stops improving.
//!
//! ```sh
//! cargo run --release --example mnist_plateau
//! ```

mod experiment;

use std::process::ExitCode;

use burn_lr::scheduler::ReduceLrOnPlateau;
use clap::Parser;

/// Train a 784-128-10 network on MNIST with Adam and ReduceLROnPlateau on the validation loss
///
/// Prints a line for each epoch, where LR is the rate that the next epoch will use, marked where the
/// rate is cut; and at the end whether validation accuracy reached 90 % with training accuracy below
/// 95 %.
///
/// Exits with 0 after a completed run, whatever its accuracy; with 1 if the run failed; with 2 if an
/// option is wrong; with 130 if it was stopped by Ctrl-C, after which --resume continues it.
#[derive(Parser, Debug)]
#[command(version)]
struct Options {
    #[command(flatten)]
    experiment: experiment::Options,

    /// Epochs without improvement that are tolerated before a cut
    #[arg(long, default_value_t = 2)]
    patience: u32,

    /// What a cut multiplies the learning rate by
    #[arg(long, default_value_t = 0.5, allow_negative_numbers = true)]
    factor: f64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let schedule = ReduceLrOnPlateau::new(options.experiment.lr)
        .with_patience(options.patience.into())
        .with_factor(options.factor);
    let epochs = options.experiment.epochs.unwrap_or(20);
    experiment::exit(experiment::run(
        "mnist_plateau",
        schedule,
        epochs,
        &options.experiment,
    ))
}
