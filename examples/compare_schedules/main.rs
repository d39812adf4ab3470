//! The experiment's question: which schedule cures the overfitting?
//!
//! ```sh
//! cargo run --release --example compare_schedules
//! ```

mod candidates;
mod options;
mod task;
#[path = "../experiment/terminal.rs"]
mod terminal;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use burn::data::dataset::Dataset;
use burn_lr::experiment::results::{At, Choice, Results};
use burn_lr::experiment::search::{Budget, Found, Sampler, Search, catalogue};
use burn_lr::experiment::{Candidate, Experiment, ExperimentError, Report, Setup};
use burn_lr::mnist::DataError;
use burn_lr::training::TrainingError;
use burn_lr::training::device::BackendError;
use burn_lr::training::metrics::{Best, valid};
use burn_lr::training::run::Display;
use clap::Parser;

use candidates::{LR, builtin, with_optimizers};
use options::{Options, Unfit, command};
use task::{Base, Task};
use terminal::{Error, numbered, say, stop_on_ctrl_c};

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
                    | ExperimentError::UnreadSetting { .. }
                    | ExperimentError::SettingsChanged { .. }
                    | ExperimentError::Training(TrainingError::InUse { .. }),
                ) => 2,
                _ if option || error.is::<Unfit>() => 2,
                _ => 1,
            })
        }
    }
}

/// Runs the experiment, and tells whether a trial failed.
fn run(options: &Options) -> Result<bool, Error> {
    let started = Instant::now();
    let objective = options.objective()?;
    let mut candidates = match &options.candidates {
        Some(path) => Candidate::from_file(path)?,
        None if options.optimizers => with_optimizers(options.epochs as usize),
        None => builtin(options.epochs as usize),
    };
    if let Some(name) = &options.baseline {
        // The others are compared with the first one.
        let place = candidates.iter().position(|of| of.name == *name);
        let found = || {
            Unfit(format!(
                "--baseline: expected a candidate's name, found {name:?}"
            ))
        };
        candidates[..=place.ok_or_else(found)?].rotate_right(1);
    }
    let task = Task::new(options)?;
    let directory = directory(options)?;
    say(&format!(
        "Training on {} images, validating on {}{}; results in {}",
        task.train.len(),
        task.valid.len(),
        if options.is_tested() {
            " split off the training set"
        } else {
            ""
        },
        directory.display()
    ));

    let mut experiment = Experiment::new(&directory, |setup: &Setup| task.base(setup))
        .seeds(options.seeds.clone())
        .objective(objective)
        .best(Best::min(valid("loss")))
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
    let outcome = if options.find {
        find(options, &task, experiment)?
    } else {
        compare(options, &task, experiment.candidates(candidates))?
    };
    let results = outcome.results();
    if let Some(tested) = results.tested() {
        let models = if tested.at == At::Last {
            "final"
        } else {
            "best"
        };
        say(&format!(
            "On the test set, the {models} models of {} have an accuracy of {} %.",
            tested.candidate,
            tested.stat("accuracy").text(100.0, 2)
        ));
    }
    let report = match &outcome {
        Outcome::Compared(results) => Report::new(results).section("Command", command()),
        Outcome::Found(found) => Report::of_search(found)
            .section("Found by", command())
            .section(
                "The finalists under the seeds of the search",
                found.finalists.table(),
            ),
    };
    report.question(options.question()).write()?;
    say(&format!(
        "{} trials in {:.1} s; report in {}",
        outcome.trials(),
        started.elapsed().as_secs_f64(),
        directory.join("report.html").display()
    ));
    Ok(results.trials().iter().any(|trial| trial.error().is_some()))
}

/// The directory of the results, which has some only if they are to be resumed.
fn directory(options: &Options) -> Result<PathBuf, Error> {
    let directory = match &options.run_dir {
        Some(directory) => directory.clone(),
        None => numbered(Path::new("artifacts/compare_schedules"), options.resume),
    };
    if directory.join("trials").exists() && !options.resume {
        let directory = directory.display();
        let text = format!("{directory} holds results already: --resume, or another --run-dir");
        return Err(Unfit(text).into());
    }
    Ok(directory)
}

/// What was trained.
enum Outcome {
    Compared(Box<Results>),
    Found(Box<Found>),
}

impl Outcome {
    fn results(&self) -> &Results {
        match self {
            Self::Compared(results) => results,
            Self::Found(found) => &found.confirmation,
        }
    }

    /// How many trials there were.
    fn trials(&self) -> usize {
        let searched = match self {
            Self::Compared(_) => 0,
            Self::Found(found) => found.trials.len(),
        };
        searched + self.results().trials().len()
    }
}

fn compare<F: Base>(
    options: &Options,
    task: &Task,
    experiment: Experiment<F>,
) -> Result<Outcome, Error> {
    let mut results = experiment.run()?;
    if options.is_tested() {
        let choice = results.choose(At::Best);
        experiment.test(&mut results, choice, |model| task.test(model))?;
    }
    say(results.table().trim_end());
    results.write()?;
    Ok(Outcome::Compared(Box::new(results)))
}

fn find<F: Base>(
    options: &Options,
    task: &Task,
    experiment: Experiment<F>,
) -> Result<Outcome, Error> {
    let budget = match options.seconds {
        Some(seconds) => Budget::Time(Duration::from_secs(seconds.into())),
        None => Budget::Trials(options.trials as usize),
    };
    let space = catalogue(LR, 1..=options.epochs as usize);
    // What meeting the target costs shows beside the constant rate.
    let baseline = builtin(options.epochs as usize).into_iter().take(1);
    let search = Search::new(experiment.candidates(baseline), space)
        .seed(options.seeds[0])
        .budget(budget);
    let search = if options.tpe {
        search.sampler(Sampler::TPE)
    } else {
        search
    };
    let search = match options.prune {
        Some(kept) => search.pruning(kept),
        None => search,
    };
    let mut found = search.run()?;
    if options.is_tested() {
        let choice = Choice::new(0, At::Last);
        let experiment = search.experiment();
        experiment.test(&mut found.confirmation, choice, |model| task.test(model))?;
    }
    found_lines(&found);
    found.write()?;
    Ok(Outcome::Found(Box::new(found)))
}

/// What a search has found, in words.
fn found_lines(found: &Found) {
    let candidate = serde_json::to_string(&found.candidate).unwrap_or_default();
    say(&format!("Finalists of {} trials:", found.trials.len()));
    say(found.finalists.table().trim_end());
    say("The best of them under fresh seeds, beside the constant rate:");
    say(found.confirmation.table().trim_end());
    say(&format!("Found: {candidate}"));
}
