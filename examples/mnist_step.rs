//! The experiment's first answer: Adam at 0.01, halved every 3 epochs.
//!
//! ```sh
//! cargo run --release --example mnist_step
//! ```

mod experiment;

use std::process::ExitCode;

use burn_lr::scheduler::StepLr;
use clap::Parser;

/// Train a 784-128-10 network on MNIST with Adam and StepLR
///
/// Prints a line for each epoch, where LR is the rate that the next epoch will use, and at the end
/// whether validation accuracy reached 90 % with training accuracy below 95 %.
///
/// Exits with 0 after a completed run, whatever its accuracy; with 1 if the run failed; with 2 if an
/// option is wrong; with 130 if it was stopped by Ctrl-C, after which --resume continues it.
#[derive(Parser, Debug)]
#[command(version)]
struct Options {
    #[command(flatten)]
    experiment: experiment::Options,

    /// Epochs between two decays of the learning rate
    #[arg(long, value_name = "EPOCHS", default_value_t = 3)]
    step_size: u32,

    /// What the learning rate is multiplied by
    #[arg(long, default_value_t = 0.5, allow_negative_numbers = true)]
    gamma: f64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let schedule = StepLr::new(options.experiment.lr, options.step_size).with_gamma(options.gamma);
    let epochs = options.experiment.epochs.unwrap_or(10);
    experiment::exit(experiment::run(
        "mnist_step",
        schedule,
        epochs,
        &options.experiment,
    ))
}
