//! Draws the book's pictures of what `compare_schedules` has measured.
//!
//! ```sh
//! cargo run --release --example compare_schedules -- --seeds 1,2,3,4,5,6,7,8 --run-dir artifacts/60000
//! cargo run --release --example compare_schedules -- --train-samples 3000 --run-dir artifacts/3000
//! cargo run --release --example compare_schedules -- --train-samples 600 --run-dir artifacts/600
//! cargo run --release --example pictures -- artifacts docs/book/src/pictures
//! ```

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use burn_lr::plot::{Chart, Line, Mark};
use burn_lr::scheduler::{Clock, Clocked, Run};
use burn_lr::training::metrics::{EpochRecord, History};
use burn_lr::training::run::RunDirectory;
use serde::Deserialize;

/// Small enough that its text is legible on a phone.
const SIZE: (u32, u32) = (460, 320);

/// How many steps of a curve are drawn at most.
const POINTS: u64 = 200;

/// Points of a line.
type Points = Vec<(f64, f64)>;

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [from, into] = &arguments[..] else {
        eprintln!("usage: pictures RESULTS PICTURES");
        return ExitCode::from(2);
    };
    match draw(from, into) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn draw(from: &Path, into: &Path) -> Result<(), Box<dyn Error>> {
    let [all, some, few] = ["60000", "3000", "600"].map(|images| Results::read(&from.join(images)));
    let (all, some, few) = (all?, some?, few?);
    fs::create_dir_all(into)?;
    let write = |name: &str, chart: Chart| -> Result<(), Box<dyn Error>> {
        Ok(fs::write(into.join(name), chart.svg_file(SIZE)?)?)
    };
    write("rates.svg", rates(&all)?)?;
    write("losses.svg", losses(&all))?;
    write("plateau.svg", plateau(&all)?)?;
    write(
        "accuracies.svg",
        accuracies([("600", &few), ("3 000", &some), ("60 000", &all)]),
    )
}

/// As much of `results.json` as is drawn.
#[derive(Deserialize)]
struct Results {
    summaries: Vec<Summary>,
    trials: Vec<Trial>,
    #[serde(skip)]
    directory: PathBuf,
}

#[derive(Deserialize)]
struct Summary {
    candidate: Named,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Trial {
    candidate: usize,
    directory: PathBuf,
    outcome: Outcome,
}

#[derive(Deserialize)]
struct Outcome {
    finished: History,
}

impl Results {
    fn read(directory: &Path) -> Result<Self, Box<dyn Error>> {
        let path = directory.join("results.json");
        let json = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut results: Self = serde_json::from_slice(&json)?;
        directory.clone_into(&mut results.directory);
        Ok(results)
    }

    fn names(&self) -> impl Iterator<Item = (usize, &str)> {
        let names = self.summaries.iter().map(|of| of.candidate.name.as_str());
        names.enumerate()
    }

    fn trials(&self, candidate: usize) -> impl Iterator<Item = &Trial> {
        let of = move |trial: &&Trial| trial.candidate == candidate;
        self.trials.iter().filter(of)
    }

    /// The directory of a trial, wherever that of the results is by now.
    fn run(&self, trial: &Trial) -> RunDirectory {
        let names: Vec<_> = trial.directory.iter().collect();
        let names = &names[names.len().saturating_sub(3)..];
        RunDirectory::new(self.directory.join(names.iter().collect::<PathBuf>()))
    }

    /// A figure of each epoch, the mean over the seeds.
    fn means(&self, candidate: usize, figure: impl Fn(&EpochRecord) -> f64) -> Points {
        let histories = self
            .trials(candidate)
            .map(|trial| &trial.outcome.finished.epochs);
        let histories: Vec<_> = histories.collect();
        let epochs = histories.iter().map(|epochs| epochs.len()).min();
        let mean = |epoch: usize| {
            let sum: f64 = histories.iter().map(|epochs| figure(&epochs[epoch])).sum();
            ((epoch + 1) as f64, sum / histories.len() as f64)
        };
        (0..epochs.unwrap_or(0)).map(mean).collect()
    }
}

fn by_epochs(title: &str, y: &str) -> Chart {
    Chart::new(title).x_label("epoch").y_label(y).whole_x()
}

/// The learning rates of all schedules; of the plateau, those of the first seed.
fn rates(results: &Results) -> Result<Chart, Box<dyn Error>> {
    let mut chart = by_epochs("", "learning rate").y_include(0.0);
    for (number, name) in results.names() {
        let trial = results.trials(number).next().ok_or("no trial")?;
        let (clock, curve) = curve(&results.run(trial))?;
        let told = || -> Points {
            let epochs = trial.outcome.finished.epochs.iter();
            let points = epochs.map(|epoch| ((epoch.epoch - 1) as f64, epoch.lr));
            points.collect()
        };
        let heard = trial
            .outcome
            .finished
            .epochs
            .iter()
            .any(|epoch| !epoch.cuts.is_empty());
        let line = Line::new(name, if heard { told() } else { curve });
        chart = chart.line(match clock {
            Clock::PerEpoch => line.held(),
            _ => line,
        });
    }
    Ok(chart)
}

/// What is needed of a run's configuration.
#[derive(Deserialize)]
struct Config {
    fixed: Fixed,
    free: Free,
}

#[derive(Deserialize)]
struct Fixed {
    schedule: Clocked,
    updates_per_epoch: u64,
}

#[derive(Deserialize)]
struct Free {
    epochs: u64,
}

/// The rates of a run over its epochs, as its schedule has them before it hears a metric.
fn curve(run: &RunDirectory) -> Result<(Clock, Points), Box<dyn Error>> {
    let Config { fixed, free } = serde_json::from_value(run.configuration()?)?;
    let clock = fixed.schedule.clock;
    let run = Run::new(clock, fixed.updates_per_epoch).with_epochs(free.epochs);
    let curve = fixed.schedule.schedule.curve(&run)?;
    let steps = run.total_steps().ok_or("no length")?;
    let shown = steps.min(POINTS);
    let points = (0..=shown).map(|point| {
        let step = point * steps / shown;
        let place = free.epochs as f64 * step as f64 / steps as f64;
        (place, curve.lr(step.min(steps - 1)))
    });
    Ok((clock, points.collect()))
}

/// The mean validation losses under all schedules.
fn losses(results: &Results) -> Chart {
    let chart = by_epochs("", "validation loss");
    results.names().fold(chart, |chart, (number, name)| {
        let means = results.means(number, |epoch| epoch.valid("loss"));
        chart.line(Line::new(name, means))
    })
}

/// The validation loss of the plateau under the first seed, with its cuts.
fn plateau(results: &Results) -> Result<Chart, Box<dyn Error>> {
    let named = results.names().find(|(_, name)| *name == "plateau");
    let (number, _) = named.ok_or("no plateau")?;
    let trial = results.trials(number).next().ok_or("no trial")?;
    let epochs = &trial.outcome.finished.epochs;
    let points = epochs
        .iter()
        .map(|epoch| (epoch.epoch as f64, epoch.valid("loss")));
    let chart = by_epochs("", "validation loss").line(Line::new("", points));
    Ok(epochs.iter().fold(chart, |chart, epoch| {
        let mark = |cut: f64| Mark::vertical(epoch.epoch as f64, format!("cut to {cut}"));
        let cuts = epoch.cuts.iter().map(|cut| mark(cut.to));
        cuts.fold(chart, Chart::mark)
    }))
}

/// The mean accuracies at a constant rate, for each number of images.
fn accuracies(results: [(&str, &Results); 3]) -> Chart {
    let chart = by_epochs("", "accuracy in %").y_range(70.0, 100.0);
    let results = results.into_iter().enumerate();
    results.fold(chart, |chart, (colour, (images, results))| {
        let train = results.means(0, |epoch| 100.0 * epoch.train("accuracy"));
        let valid = results.means(0, |epoch| 100.0 * epoch.valid("accuracy"));
        let train = Line::new(format!("{images}: training"), train).colour(colour);
        let valid = Line::new(format!("{images}: validation"), valid).colour(colour);
        chart.line(train.dashed()).line(valid)
    })
}
