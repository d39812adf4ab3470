//! The command's options.

use std::path::PathBuf;

use burn_lr::experiment::Objective;
use burn_lr::training::device::Backend;
use burn_lr::training::metrics::{train, valid};
use clap::Parser;
use clap::builder::ArgPredicate;

/// Train the same network on MNIST under several learning-rate schedules and seeds, and compare them
///
/// The network (784-128-10), Adam unless --optimizers is given, the batch size of 64 and the preprocessing are fixed; schedules
/// and epochs differ. By default: constant, StepLR, plateau, cosine, one-cycle and warmup with
/// cosine, all with a highest rate of 0.01, under three seeds.
///
/// Prints a table and writes results.csv, results.json and report.html into the run directory, where
/// every trial has its own run too. Stopped by Ctrl-C, it goes on with --resume.
///
/// Exits with 0 when all trials are complete, whatever their accuracy; with 1 if one failed; with 2
/// if an option or a file of candidates is wrong; with 130 if it was stopped by Ctrl-C.
#[derive(Parser, Debug)]
#[command(version)]
pub struct Options {
    /// Epochs of the built-in candidates, and the most that --find draws; a file has its own
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: u32,

    /// Seeds of the initial weights and of the order of the images; --find starts at the first. With
    /// --optimizers, 1 to 8 by default
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "1,2,3",
        default_value_if("optimizers", ArgPredicate::IsPresent, "1,2,3,4,5,6,7,8")
    )]
    pub seeds: Vec<u64>,

    /// Train on the first N images only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub train_samples: Option<u32>,

    /// Compare the candidates in this file (TOML or JSON) instead of the built-in ones; they may have a
    /// setting `average`, see examples/averages.toml
    #[arg(long, value_name = "FILE", conflicts_with = "find")]
    pub candidates: Option<PathBuf>,

    /// Compare Adam under the built-in schedules with optimizers that need none: schedule-free AdamW and Prodigy
    #[arg(long, conflicts_with_all = ["candidates", "find"])]
    pub optimizers: bool,

    /// The candidate that the others are tested against; the first one by default
    #[arg(long, value_name = "NAME", conflicts_with = "find")]
    pub baseline: Option<String>,

    /// Look for a schedule and a number of epochs that meet the target, and confirm it under fresh
    /// seeds
    #[arg(long)]
    pub find: bool,

    /// How many trials --find may run, without the confirmation
    #[arg(long, value_name = "N", default_value_t = 60, requires = "find",
        value_parser = clap::value_parser!(u32).range(1..))]
    pub trials: u32,

    /// Let --find run for about so many seconds instead
    #[arg(long, value_name = "N", requires = "find", conflicts_with = "trials",
        value_parser = clap::value_parser!(u32).range(1..))]
    pub seconds: Option<u32>,

    /// Draw what --find tries where earlier trials were good, by the tree-structured Parzen estimator, instead of
    /// at random
    #[arg(long, requires = "find")]
    pub tpe: bool,

    /// End trials that are not among the best of others at the same share of their epochs; this share of them is: 0.33,
    /// a third, unless it is given, and 0.5 for those behind the median
    #[arg(long, value_name = "SHARE", requires = "tpe", num_args = 0..=1, require_equals = true,
        default_missing_value = "0.33")]
    pub prune: Option<f64>,

    /// Validate on N images split off the training set, and report the test set once, for the
    /// candidate chosen
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub hold_out: Option<u32>,

    /// The target: validation accuracy in percent that must be reached
    #[arg(
        long,
        value_name = "PERCENT",
        default_value_t = 90.0,
        allow_negative_numbers = true
    )]
    pub min_valid: f64,

    /// The target: percent that training accuracy must stay below
    #[arg(
        long,
        value_name = "PERCENT",
        default_value_t = 95.0,
        allow_negative_numbers = true
    )]
    pub max_train: f64,

    /// Trials at a time [default: the number of cores]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub jobs: Option<u32>,

    /// Write the trials for TensorBoard, each into a directory of its own below DIR; its table of
    /// hyperparameters compares them
    #[arg(long, value_name = "DIR")]
    pub tensorboard: Option<PathBuf>,

    /// Where to compute: flex, ndarray, wgpu or cuda, as far as compiled in
    #[arg(long, default_value = "flex")]
    pub backend: Backend,

    /// Directory of the four IDX files, plain or gzipped [default: the bundled MNIST]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Directory for the results [default: the next free artifacts/compare_schedules/run-NNN, or with
    /// --resume the last one]
    #[arg(long, value_name = "DIR")]
    pub run_dir: Option<PathBuf>,

    /// Go on in the directory: trials that are complete are not run again
    #[arg(long)]
    pub resume: bool,
}

/// An option that does not fit the data, the directory or its range.
#[derive(Debug)]
pub struct Unfit(pub String);

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfit {}

impl Options {
    /// The greatest validation accuracy within the target.
    pub fn objective(&self) -> Result<Objective, Unfit> {
        for (option, percent) in [
            ("--min-valid", self.min_valid),
            ("--max-train", self.max_train),
        ] {
            if !(0.0..=100.0).contains(&percent) {
                let text = format!("{option}: expected 0 to 100 percent, got {percent}");
                return Err(Unfit(text));
            }
        }
        Ok(Objective::max(valid("accuracy"))
            .at_least(valid("accuracy"), self.min_valid / 100.0)
            .below(train("accuracy"), self.max_train / 100.0))
    }

    /// What the report asks.
    pub fn question(&self) -> String {
        format!(
            "Which schedule reaches at least {} % validation accuracy with training accuracy below {} %?",
            self.min_valid, self.max_train
        )
    }

    /// Whether the choice is tried on images that nothing was chosen by.
    pub fn is_tested(&self) -> bool {
        self.hold_out.is_some()
    }
}

/// The command line, to be repeated.
pub fn command() -> String {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments = arguments.join(" ");
    format!("cargo run --release --example compare_schedules -- {arguments}")
}
