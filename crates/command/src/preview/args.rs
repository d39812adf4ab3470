//! The command's options, and the run that they describe.

use std::path::PathBuf;

use burn_lr_scheduler::Run;
use clap::{Parser, ValueEnum};

use crate::failure::Failure;

const MOST_STEPS: u64 = 10_000_000;

const EXAMPLES: &str = "\
Examples:
  burn-lr preview cosine.json --steps 300
      300 optimizer updates of a schedule that advances with every update
  burn-lr preview step.json --epochs 90
      a schedule that advances per epoch, with one step drawn per epoch
  burn-lr preview step.json --epochs 10 --steps-per-epoch 938
      the same in a run of 10 epochs, with one step drawn per optimizer update
  burn-lr preview warmup.json --epochs 10 --steps-per-epoch 938 --advance update
      a schedule that advances per update and has lengths like \"1 epochs\" or \"10 %\"
  burn-lr preview plateau.json --metrics val_loss.txt
      a plateau, told one line of val_loss.txt at the end of every epoch
  burn-lr preview a.json b.json --csv > rates.csv

A schedule file holds an object with one entry, the schedule's name, as in
  {\"StepLr\": {\"initial_lr\": 0.1, \"step_size\": 30, \"gamma\": 0.5}}";

/// Draws learning-rate schedules in the terminal.
#[derive(Debug, Parser)]
#[command(name = "burn-lr preview", after_help = EXAMPLES)]
pub struct Args {
    /// Schedule files, JSON or TOML; several are drawn over each other
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// How many steps (optimizer updates) to draw [default: the whole run, or 100 if its length is
    /// not known]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_STEPS))]
    pub steps: Option<u64>,

    /// How many steps (optimizer updates) an epoch has; the schedule then advances per epoch
    /// [default: 1 if --epochs or --metrics is given]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..))]
    pub steps_per_epoch: Option<u64>,

    /// How many epochs the run has; lengths in percent need it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub epochs: Option<u64>,

    /// When the schedule advances [default: per epoch if anything is said about epochs]
    #[arg(long, value_name = "WHEN")]
    pub advance: Option<Advance>,

    /// A file with a metric per line, which plateaus are told one at the end of every epoch
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,

    /// Print comma-separated values instead: `step,lr`, or a column for each of several files
    #[arg(long)]
    pub csv: bool,

    /// Write an SVG picture instead
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,

    /// How many columns the chart takes
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u16).range(20..=1000))]
    pub width: u16,

    /// How many rows the chart takes, without axis and legend
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(4..=1000))]
    pub height: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
pub enum Advance {
    /// With every optimizer update.
    Update,
    /// Once per epoch.
    Epoch,
}

/// The run that the options describe.
pub fn run(args: &Args) -> Result<Run, Failure> {
    let about_epochs = args.epochs.is_some() || args.metrics.is_some();
    let updates_per_epoch = match (args.steps_per_epoch, args.advance) {
        (Some(updates), _) => Some(updates),
        (None, Some(Advance::Update)) if about_epochs => {
            let message = "--advance update with --epochs or --metrics needs --steps-per-epoch";
            return Err(Failure::Input(message.to_owned()));
        }
        (None, advance) => (about_epochs || advance == Some(Advance::Epoch)).then_some(1),
    };
    let mut run = match updates_per_epoch {
        None => Run::per_update(),
        Some(updates) if args.advance == Some(Advance::Update) => {
            Run::per_update().with_updates_per_epoch(updates)
        }
        Some(updates) => Run::per_epoch(updates),
    };
    if let Some(epochs) = args.epochs {
        run = run.with_epochs(epochs);
    }
    Ok(run)
}

/// How many steps are drawn.
pub fn steps(args: &Args, run: &Run, metrics: u64) -> Result<u64, Failure> {
    if let Some(steps) = args.steps {
        return Ok(steps);
    }
    let epochs = args.epochs.or(args.metrics.is_some().then_some(metrics));
    let steps = match (epochs, run.updates_per_epoch()) {
        (Some(epochs), Some(updates)) => epochs.saturating_mul(updates),
        _ => 100,
    };
    if steps > MOST_STEPS {
        let message =
            format!("a run of {steps} steps is too long to draw; give --steps, up to {MOST_STEPS}");
        return Err(Failure::Input(message));
    }
    Ok(steps)
}
