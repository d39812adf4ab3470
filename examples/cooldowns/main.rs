//! One run at a stable learning rate, and what stopping it at several points would have given.
//!
//! ```sh
//! cargo run --release --example cooldowns
//! ```
//!
//! A cosine schedule has to know how long the run will be: for three lengths it takes three runs. At a
//! stable rate one run is enough, since a cooldown to 0 can be branched off it wherever one likes
//! ([Hägele et al.](https://arxiv.org/abs/2405.18392)). This trains both on MNIST, and compares what they
//! end with and how many updates they cost.

#[path = "../experiment/exit.rs"]
mod exit;
mod table;
#[path = "../experiment/terminal.rs"]
mod terminal;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use burn::tensor::Device;
use burn::train::Interrupter;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::mnist::Mnist;
use burn_lr::model::{Mlp, MlpConfig};
use burn_lr::plot::{Chart, Line};
use burn_lr::scheduler::{Cooldown, CosineAnnealingLr, Warmup};
use burn_lr::training::Training;
use burn_lr::training::checkpoint::KeepPolicy;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::History;
use burn_lr::training::run::Branch;
use clap::Parser;
use table::{End, table};
use terminal::{Error, numbered, say, stop_on_ctrl_c};

/// The longest run has so many periods; cooldowns begin after 4, 8 and 16 of them.
const PERIODS: u32 = 20;

/// Branch cooldowns off one stable run, beside a cosine run of each length
///
/// Prints a table, and writes losses.svg beside the runs. Exits with 0 when all are complete, with 1 if
/// one failed, with 2 if an option is wrong, and with 130 if it was stopped by Ctrl-C, after which
/// --resume continues it.
#[derive(Parser, Debug)]
#[command(version)]
struct Options {
    /// Updates of the longest run, a multiple of 20
    #[arg(long, value_name = "N", default_value_t = 8000, value_parser = clap::value_parser!(u32).range(20..))]
    updates: u32,

    /// The stable learning rate of Adam, and the highest of the cosines
    #[arg(long, default_value_t = 0.003)]
    lr: f64,

    /// Average over N runs with other weights and another order of the images
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    seeds: u32,

    /// Train on the first N images only
    #[arg(long, value_name = "N", default_value_t = 60_000, value_parser = clap::value_parser!(u32).range(1..))]
    train_samples: u32,

    /// Directory for all runs [default: the next free artifacts/cooldowns/run-NNN, or with --resume the
    /// last one]
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,

    /// Continue with the runs in the directory
    #[arg(long)]
    resume: bool,
}

fn main() -> ExitCode {
    exit::exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<(), Error> {
    if !options.updates.is_multiple_of(PERIODS) {
        return Err(burn_lr::training::TrainingError::Invalid {
            name: "--updates",
            expected: "a multiple of 20",
            found: options.updates.to_string(),
        }
        .into());
    }
    let next = || numbered(Path::new("artifacts/cooldowns"), options.resume);
    let directory = options.run_dir.clone().unwrap_or_else(next);
    say(&format!("Results in {}", directory.display()));
    let interrupter = stop_on_ctrl_c()?;
    let mut ends = Vec::new();
    for seed in 1..=u64::from(options.seeds) {
        let of_seed = Runs {
            directory: directory.join(format!("seed-{seed}")),
            seed,
            options,
            interrupter: &interrupter,
        };
        let histories = of_seed.train()?;
        if seed == 1 {
            let svg = directory.join("losses.svg");
            std::fs::write(&svg, chart(&histories).svg_file((460, 380))?)?;
        }
        for (name, history) in histories {
            ends.extend(End::of(name, &history));
        }
    }
    say(&table(&ends));
    Ok(())
}

/// All runs under one seed.
struct Runs<'a> {
    directory: PathBuf,
    seed: u64,
    options: &'a Options,
    interrupter: &'a Interrupter,
}

impl Runs<'_> {
    fn train(&self) -> Result<Vec<(String, History)>, Error> {
        let period = u64::from(self.options.updates / PERIODS);
        let lr = self.options.lr;
        let stable = Warmup::new(lr, period / 2);
        let trunk = self.directory.join("stable");
        let mut all = Vec::new();
        let mut add = |name: String, training: Training<Mlp>| -> Result<(), Error> {
            say(&format!("seed {}: {name}", self.seed));
            let device = Device::flex();
            device.seed(self.seed);
            let trained = training.fit(MlpConfig::new().init(&device))?;
            all.push((name, trained.history));
            Ok(())
        };
        let training = self.training(&trunk)?.schedule(stable.clone().per_update());
        add(
            "stable".to_owned(),
            training.max_updates(16 * period).every(period),
        )?;
        for quarter in [1, 2, 4] {
            let (start, end) = (4 * quarter * period, 5 * quarter * period);
            let cooldown = Cooldown::new(stable.clone(), start, end - start);
            let name = format!("cooldown to {end}");
            let training = self
                .training(&self.directory.join(format!("cooldown-{end}")))?
                .schedule(cooldown.per_update())
                .max_updates(end)
                .every(period)
                .branch(Branch::update(&trunk, start));
            add(name, training)?;
        }
        for quarter in [1, 2, 4] {
            let end = 5 * quarter * period;
            let cosine = CosineAnnealingLr::new(lr, end - period / 2);
            let training = self
                .training(&self.directory.join(format!("cosine-{end}")))?
                .schedule(Warmup::new(cosine, period / 2).per_update());
            let training = training.max_updates(end).every(period);
            add(format!("cosine to {end}"), training)?;
        }
        Ok(all)
    }

    fn training(&self, directory: &Path) -> Result<Training<Mlp>, Error> {
        let mnist = Mnist::bundled()?;
        let images = mnist.train.first(self.options.train_samples as usize);
        let train = EpochLoader::new(images, 64).shuffled(self.seed);
        Ok(
            Training::new(directory, train, EpochLoader::new(mnist.test, 1000))
                .metrics((LossMetric::new(), AccuracyMetric::new()))
                .keep(KeepPolicy::all())
                .interrupter(self.interrupter.clone())
                // Of a branch, what it begins with is known.
                .on_notice(|_| {})
                .resume(self.options.resume),
        )
    }
}

/// Validation losses by updates: the trunk, what was branched off it, and the cosines.
fn chart(histories: &[(String, History)]) -> Chart {
    let chart = Chart::new("Cooldowns branched off one stable run, and cosine runs")
        .x_label("update")
        .y_label("validation loss");
    let lines = histories.iter().enumerate();
    lines.fold(chart, |chart, (index, (name, history))| {
        // A branch is drawn from where it leaves its parent.
        let begun = history.branches.last().map_or(0, |branch| branch.updates);
        let points = history
            .epochs
            .iter()
            .filter(|period| period.updates >= begun);
        let points = points.map(|period| (period.updates as f64, period.valid("loss")));
        let line = Line::new(name, points);
        // The cosine of a length comes three after its cooldown.
        chart.line(match index {
            4.. => line.colour(index - 3).dashed(),
            _ => line.colour(index),
        })
    })
}
