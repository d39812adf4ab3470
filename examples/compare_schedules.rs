//! The experiment's question: which schedule cures the overfitting?
//!
//! ```sh
//! cargo run --release --example compare_schedules
//! ```

#[path = "experiment/terminal.rs"]
mod terminal;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::data::dataset::Dataset;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::model::{Mlp, MlpConfig};
use burn_lr::scheduler::{
    Constant, CosineAnnealingLr, Length, OneCycleLr, ReduceLrOnPlateau, StepLr, Warmup,
};
use burn_lr::training::evaluate::evaluate;
use burn_lr::training::{
    At, Backend, BackendError, BaseError, Budget, Candidate, Choice, DataError, Display,
    EpochLoader, Experiment, ExperimentError, Found, KeepPolicy, Mnist, Report, Search, Target,
    Training, TrainingError, catalogue,
};
use clap::Parser;
use serde_json::json;
use terminal::{Error, numbered, say, stop_on_ctrl_c};

const BATCH_SIZE: usize = 64;
const VALID_BATCH_SIZE: usize = 1000;

/// Train the same network on MNIST under several learning-rate schedules and seeds, and compare them
///
/// The network (784-128-10), Adam, the batch size of 64 and the preprocessing are fixed; schedules
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
struct Options {
    /// Epochs of the built-in candidates, and the most that --find draws; a file has its own
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,

    /// Seeds of the initial weights and of the order of the images; --find starts at the first
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 3])]
    seeds: Vec<u64>,

    /// Train on the first N images only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    train_samples: Option<u32>,

    /// Compare the candidates in this file (TOML or JSON) instead of the built-in ones
    #[arg(long, value_name = "FILE", conflicts_with = "find")]
    candidates: Option<PathBuf>,

    /// Look for a schedule and a number of epochs that meet the target, and confirm it under fresh
    /// seeds
    #[arg(long)]
    find: bool,

    /// How many trials --find may run, without the confirmation
    #[arg(long, value_name = "N", default_value_t = 60, requires = "find",
        value_parser = clap::value_parser!(u32).range(1..))]
    trials: u32,

    /// Let --find run for about so many seconds instead
    #[arg(long, value_name = "N", requires = "find", conflicts_with = "trials",
        value_parser = clap::value_parser!(u32).range(1..))]
    seconds: Option<u32>,

    /// Validate on N images split off the training set, and report the test set once, for the
    /// candidate chosen
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    hold_out: Option<u32>,

    /// The target: validation accuracy in percent that must be reached
    #[arg(
        long,
        value_name = "PERCENT",
        default_value_t = 90.0,
        allow_negative_numbers = true
    )]
    min_valid: f64,

    /// The target: percent that training accuracy must stay below
    #[arg(
        long,
        value_name = "PERCENT",
        default_value_t = 95.0,
        allow_negative_numbers = true
    )]
    max_train: f64,

    /// Trials at a time [default: the number of cores]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    jobs: Option<u32>,

    /// Where to compute: flex, ndarray, wgpu or cuda, as far as compiled in
    #[arg(long, default_value = "flex")]
    backend: Backend,

    /// Directory of the four IDX files, plain or gzipped [default: the bundled MNIST]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Directory for the results [default: the next free artifacts/compare_schedules/run-NNN, or with
    /// --resume the last one]
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,

    /// Go on in the directory: trials that are complete are not run again
    #[arg(long)]
    resume: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(failed) => ExitCode::from(u8::from(failed)),
        Err(error) => {
            eprintln!("error: {error}");
            let option = error.is::<BackendError>() || error.is::<DataError>();
            ExitCode::from(match error.downcast_ref() {
                Some(ExperimentError::Interrupted { .. }) => terminal::INTERRUPTED,
                Some(
                    ExperimentError::Invalid { .. }
                    | ExperimentError::Candidate { .. }
                    | ExperimentError::CandidatesFile { .. }
                    | ExperimentError::Training(TrainingError::InUse { .. }),
                ) => 2,
                _ if option || error.is::<Unfit>() => 2,
                _ => 1,
            })
        }
    }
}

/// An option that does not fit the data or the directory.
#[derive(Debug)]
struct Unfit(String);

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfit {}

/// Runs the experiment, and tells whether a trial failed.
fn run(options: &Options) -> Result<bool, Error> {
    let candidates = match &options.candidates {
        Some(path) => Candidate::from_file(path)?,
        None => builtin(options.epochs as usize),
    };
    let device = options.backend.device()?;
    let mnist = match &options.data_dir {
        Some(directory) => Mnist::load(directory)?,
        None => Mnist::bundled()?,
    };
    let directory = match &options.run_dir {
        Some(directory) => directory.clone(),
        None => numbered(Path::new("artifacts/compare_schedules"), options.resume),
    };
    if directory.join("trials").exists() && !options.resume {
        let directory = directory.display();
        let text = format!("{directory} holds results already: --resume, or another --run-dir");
        return Err(Unfit(text).into());
    }

    let images = mnist
        .train
        .first(options.train_samples.map_or(usize::MAX, |n| n as usize));
    let (images, valid) = match options.hold_out {
        None => (images, mnist.test.clone()),
        Some(held_out) => {
            let split = images.hold_out(held_out as usize, 0);
            let split = split.filter(|(left, _)| !left.labels().is_empty());
            split.ok_or_else(|| {
                let images = images.len();
                Unfit(format!(
                    "--hold-out: expected less than {images} images, got {held_out}"
                ))
            })?
        }
    };
    let data = [&images, &valid].map(|set| format!("crc32 {:08x}", set.fingerprint()));
    say(&format!(
        "Training on {} images, validating on {}{}; results in {}",
        images.len(),
        valid.len(),
        if options.hold_out.is_some() {
            " split off the training set"
        } else {
            ""
        },
        directory.display()
    ));

    let model = MlpConfig::new();
    let base = |directory: &Path, seed: u64| -> Result<(Training<Mlp>, Mlp), BaseError> {
        let train = EpochLoader::new(images.clone(), BATCH_SIZE).shuffled(seed);
        let valid = EpochLoader::new(valid.clone(), VALID_BATCH_SIZE);
        let training = Training::new(directory, Arc::new(train), Arc::new(valid), BATCH_SIZE)
            .metrics((LossMetric::new(), AccuracyMetric::new()))
            .keep(KeepPolicy::last(1))
            .settings(json!({"seed": seed, "data": data, "model": model}));
        device.seed(seed);
        Ok((training, model.init(&device)))
    };
    let mut experiment = Experiment::new(&directory, base)
        .seeds(options.seeds.clone())
        .target(Target {
            min_valid_accuracy: options.min_valid / 100.0,
            max_train_accuracy: options.max_train / 100.0,
        })
        .display(Display::Bar)
        .interrupter(stop_on_ctrl_c()?)
        .on_trial(|candidate, trial| {
            if let Some(error) = trial.error() {
                eprintln!("{}, seed {}: {error}", candidate.name, trial.seed);
            }
        });
    if let Some(jobs) = options.jobs {
        experiment = experiment.jobs(jobs as usize);
    }
    let started = Instant::now();
    let unseen = EpochLoader::new(mnist.test.clone(), VALID_BATCH_SIZE);
    let test = |model: Mlp| Ok(evaluate(&model, &unseen, AccuracyMetric::new())?);
    let (mut tested, mut trials) = (None, 0);
    let sections: Vec<(&str, String)>;
    let results = if options.find {
        let budget = match options.seconds {
            Some(seconds) => Budget::Time(Duration::from_secs(seconds.into())),
            None => Budget::Trials(options.trials as usize),
        };
        let space = catalogue(0.01, 1..=options.epochs as usize);
        // What meeting the target costs shows beside the constant rate.
        let baseline = builtin(options.epochs as usize).into_iter().take(1);
        let search = Search::new(experiment.candidates(baseline), space)
            .seed(options.seeds[0])
            .budget(budget);
        let mut found = search.run()?;
        if options.hold_out.is_some() {
            let choice = Choice {
                candidate: 0,
                at: At::Last,
            };
            tested = Some(
                search
                    .experiment()
                    .test(&mut found.confirmation, &choice, test)?,
            );
        }
        found_lines(&found);
        found.write()?;
        let finalists = found.finalists.table();
        sections = vec![
            ("Found by", command()),
            ("The finalists under the seeds of the search", finalists),
        ];
        trials += found.trials.len();
        found.confirmation
    } else {
        let experiment = experiment.candidates(candidates);
        let mut results = experiment.run()?;
        if options.hold_out.is_some() {
            let choice = results.choose(At::Best);
            tested = Some(experiment.test(&mut results, &choice, test)?);
        }
        say(results.table().trim_end());
        results.write()?;
        sections = vec![("Command", command())];
        results
    };
    if let Some(tested) = &tested {
        say(&format!(
            "On the test set, the {} models of {} have an accuracy of {} %.",
            if tested.at == At::Last {
                "final"
            } else {
                "best"
            },
            tested.candidate,
            tested.stat("accuracy").text(100.0, 2)
        ));
    }
    let mut report = Report::new(&results);
    for (heading, text) in sections {
        report = report.section(heading, text);
    }
    report.write()?;
    trials += results.trials().len();
    say(&format!(
        "{trials} trials in {:.1} s; report in {}",
        started.elapsed().as_secs_f64(),
        directory.join("report.html").display()
    ));
    Ok(results.trials().iter().any(|trial| trial.error().is_some()))
}

/// The candidates that are compared unless a file says otherwise.
fn builtin(epochs: usize) -> Vec<Candidate> {
    let lr = 0.01;
    let whole = Length::Percent(100.0);
    let warmup = Warmup::new(
        CosineAnnealingLr::new(lr, Length::Percent(90.0)),
        Length::Percent(10.0),
    );
    vec![
        Candidate::new("constant", Constant::new(lr), epochs),
        Candidate::new("StepLR", StepLr::new(lr, 3).with_gamma(0.5), epochs),
        Candidate::new(
            "plateau",
            ReduceLrOnPlateau::new(lr).with_patience(2).with_factor(0.5),
            epochs,
        ),
        Candidate::new("cosine", CosineAnnealingLr::new(lr, whole), epochs).per_update(),
        Candidate::new("one-cycle", OneCycleLr::new(lr), epochs).per_update(),
        Candidate::new("warmup-cosine", warmup, epochs).per_update(),
    ]
}

/// What a search has found, in words.
fn found_lines(found: &Found) {
    let schedule = serde_json::to_string(&found.candidate).unwrap_or_default();
    say(&format!("Finalists of {} trials:", found.trials.len()));
    say(found.finalists.table().trim_end());
    say("The best of them under fresh seeds, beside the constant rate:");
    say(found.confirmation.table().trim_end());
    say(&format!("Found: {schedule}"));
}

/// The command line, to be repeated.
fn command() -> String {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments = arguments.join(" ");
    format!("cargo run --release --example compare_schedules -- {arguments}")
}
