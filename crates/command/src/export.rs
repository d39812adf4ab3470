//! A run's history for other programs.

use std::io::Write;
use std::path::PathBuf;

use burn_lr_tracking::TensorBoard;
use burn_lr_training::metrics::History;
use burn_lr_training::track::{RunStart, Tracker};
use clap::ValueEnum;

use crate::failure::Failure;
use crate::run::Run;

const EXAMPLES: &str = "\
Examples:
  burn-lr export artifacts/mnist_step/run-001 > history.csv
  burn-lr export artifacts/mnist_step/run-001 --format json -o history.json
  burn-lr export artifacts/mnist_step/run-001 --format tensorboard -o board/run-001
      then: tensorboard --logdir board";

/// Options of `export`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The run's directory
    run: PathBuf,

    /// What to write
    #[arg(long, short, value_enum, default_value = "csv")]
    format: Format,

    /// Where to: a file, or of tensorboard a directory [default: standard output; of tensorboard the run's
    /// directory tensorboard]
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    /// A row an epoch, numbers with all their digits
    Csv,
    /// Epochs with cuts and lineage
    Json,
    /// Curves and hyperparameters as TensorBoard reads them
    Tensorboard,
}

pub fn write(args: &Args, out: &mut impl Write) -> Result<(), Failure> {
    let run = Run::read(&args.run)?;
    let text = match args.format {
        Format::Csv => run.history.to_csv(),
        Format::Json => {
            let json = serde_json::to_string_pretty(&run.history);
            json.map_err(std::io::Error::from)? + "\n"
        }
        Format::Tensorboard => return to_tensorboard(args, &run, out),
    };
    match &args.output {
        Some(path) => crate::failure::write(path, &text),
        None => Ok(out.write_all(text.as_bytes())?),
    }
}

fn to_tensorboard(args: &Args, run: &Run, out: &mut impl Write) -> Result<(), Failure> {
    let board = args
        .output
        .clone()
        .unwrap_or_else(|| args.run.join("tensorboard"));
    // From its beginning: whatever the directory has of the run is void.
    let nothing = History::default();
    let epochs = run.history.epochs.len();
    let start = RunStart::new(&args.run, &run.config, &nothing, epochs);
    let mut tracker = TensorBoard::new(&board);
    let mut written = tracker.begin(&start);
    for epoch in &run.history.epochs {
        written = written.and_then(|()| tracker.epoch(epoch));
    }
    let written = written.and_then(|()| tracker.end(None));
    written.map_err(|error| Failure::Output(std::io::Error::other(error)))?;
    Ok(writeln!(out, "{}", board.display())?)
}
