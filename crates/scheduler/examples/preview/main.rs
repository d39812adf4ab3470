//! Shows what a schedule does before it is trained with: as a chart in the terminal, as CSV, or as
//! an SVG picture. `--help` explains the options.
//!
//! The rates come from a real [`Scheduler`] that is stepped once per optimizer update and told a
//! metric at the end of every epoch: what is drawn is what a training run would get.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod chart;
mod line;
mod picture;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fs;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use burn_lr_scheduler::{Run, ScheduleConfig, ScheduleError, Scheduler, Verdict};
use burn_optim::lr_scheduler::LrScheduler;
use clap::{Parser, ValueEnum};

use chart::Style;
use line::Line;

const MOST_STEPS: u64 = 10_000_000;

const EXAMPLES: &str = "\
Examples:
  preview cosine.json --steps 300
      300 optimizer updates of a schedule that advances with every update
  preview step.json --epochs 90
      a schedule that advances per epoch, with one step drawn per epoch
  preview step.json --epochs 10 --steps-per-epoch 938
      the same in a run of 10 epochs, with one step drawn per optimizer update
  preview warmup.json --epochs 10 --steps-per-epoch 938 --advance update
      a schedule that advances per update and has lengths like \"1 epochs\" or \"10 %\"
  preview plateau.json --metrics val_loss.txt
      a plateau, told one line of val_loss.txt at the end of every epoch
  preview a.json b.json --csv > rates.csv

A schedule file holds an object with one entry, the schedule's name, as in
  {\"StepLr\": {\"initial_lr\": 0.1, \"step_size\": 30, \"gamma\": 0.5}}";

/// Draws learning-rate schedules in the terminal.
#[derive(Debug, Parser)]
#[command(name = "preview", after_help = EXAMPLES)]
struct Args {
    /// Schedule files, JSON or TOML; several are drawn over each other
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// How many steps (optimizer updates) to draw [default: the whole run, or 100 if its length is
    /// not known]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_STEPS))]
    steps: Option<u64>,

    /// How many steps (optimizer updates) an epoch has; the schedule then advances per epoch
    /// [default: 1 if --epochs or --metrics is given]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..))]
    steps_per_epoch: Option<u64>,

    /// How many epochs the run has; lengths in percent need it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,

    /// When the schedule advances [default: per epoch if anything is said about epochs]
    #[arg(long, value_name = "WHEN")]
    advance: Option<Advance>,

    /// A file with a metric per line, which plateaus are told one at the end of every epoch
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,

    /// Print comma-separated values instead: `step,lr`, or a column for each of several files
    #[arg(long)]
    csv: bool,

    /// Write an SVG picture instead
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// How many columns the chart takes
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u16).range(20..=1000))]
    width: u16,

    /// How many rows the chart takes, without axis and legend
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(4..=1000))]
    height: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Advance {
    /// With every optimizer update.
    Update,
    /// Once per epoch.
    Epoch,
}

/// Why nothing was drawn.
#[derive(Debug)]
enum Failure {
    /// The user's input: exit code 2, as for a wrong option.
    Input(String),
    /// The output could not be written: exit code 1.
    Output(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let stdout = io::stdout();
    let colour = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let mut out = BufWriter::new(stdout.lock());
    let shown = show(&args, colour, &mut out).and_then(|()| Ok(out.flush()?));
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has seen enough, as in `preview --csv ... | head`. What is buffered must not
        // be written again on drop.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            let _ = out.into_parts();
            ExitCode::SUCCESS
        }
        Err(Failure::Output(error)) => {
            eprintln!("error: cannot write: {error}");
            ExitCode::FAILURE
        }
        Err(Failure::Input(message)) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

fn show(args: &Args, colour: bool, out: &mut impl Write) -> Result<(), Failure> {
    let metrics = match &args.metrics {
        Some(path) => read_metrics(path)?,
        None => Vec::new(),
    };
    let run = run(args)?;
    let steps = steps(args, &run, metrics.len() as u64)?;
    let labels = labels(&args.files);
    let mut lines = Vec::with_capacity(args.files.len());
    for (file, label) in args.files.iter().zip(labels) {
        let schedule = read_schedule(file)?;
        let lrs = rates(args, file, schedule, run, steps, &metrics)?;
        lines.push(Line { label, lrs });
    }

    let x_label = match run.updates_per_epoch() {
        Some(1) => "epoch".to_owned(),
        Some(updates) => format!("step ({updates} to an epoch)"),
        None => "step".to_owned(),
    };
    if let Some(path) = &args.svg {
        let picture = picture::svg(&lines, &x_label, (800, 400))
            .map_err(|error| io::Error::other(error.to_string()))?;
        fs::write(path, picture).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
    }
    if args.csv {
        write_csv(out, &lines)?;
    } else if args.svg.is_none() {
        let style = Style {
            width: usize::from(args.width),
            height: usize::from(args.height),
            colour,
        };
        chart::draw(out, &lines, &x_label, &style)?;
    }
    Ok(())
}

/// The run that the options describe.
fn run(args: &Args) -> Result<Run, Failure> {
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
fn steps(args: &Args, run: &Run, metrics: u64) -> Result<u64, Failure> {
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

/// The learning rate of every optimizer update.
fn rates(
    args: &Args,
    file: &Path,
    schedule: ScheduleConfig,
    run: Run,
    steps: u64,
    metrics: &[f64],
) -> Result<Vec<f64>, Failure> {
    let refused = |error| match error {
        ScheduleError::UnresolvedLength {
            path,
            length,
            missing,
        } => bad_file(
            file,
            format!(
                "{path}: a length of {length} needs the run's {missing}; give --steps-per-epoch \
                 and --epochs"
            ),
        ),
        error => bad_file(file, error),
    };
    let mut scheduler = Scheduler::new(schedule, run).map_err(refused)?;
    let updates_per_epoch = run.updates_per_epoch().unwrap_or(u64::MAX);
    let mut lrs = Vec::new();
    let mut observations = metrics.iter().zip(1..);
    let mut cuts = Vec::new();
    for update in 1..=steps {
        lrs.push(scheduler.step());
        if update % updates_per_epoch != 0 {
            continue;
        }
        if let (Some((&metric, number)), Some(metrics)) = (observations.next(), &args.metrics) {
            let verdicts = scheduler.observe(metric).map_err(|error| {
                bad_file(
                    metrics,
                    format!("line {number}: {}: {error}", file.display()),
                )
            })?;
            if verdicts.iter().any(|v| matches!(v, Verdict::Cut { .. })) {
                cuts.push(number.to_string());
            }
        }
    }
    if let Some(metrics) = &args.metrics {
        let (file, metrics) = (file.display(), metrics.display());
        if scheduler.plateaus().is_empty() {
            eprintln!("note: {file}: no plateau that could hear {metrics}");
        } else if cuts.is_empty() {
            eprintln!("note: {file}: no cut");
        } else {
            eprintln!("note: {file}: cut after epoch {}", cuts.join(", "));
        }
    }
    Ok(lrs)
}

fn bad_file(file: &Path, reason: impl std::fmt::Display) -> Failure {
    Failure::Input(format!("{}: {reason}", file.display()))
}

fn read_schedule(file: &Path) -> Result<ScheduleConfig, Failure> {
    let document = fs::read_to_string(file).map_err(|error| bad_file(file, error))?;
    let schedule = match file.extension().and_then(|extension| extension.to_str()) {
        Some("json") | None => ScheduleConfig::from_json(&document),
        #[cfg(feature = "toml")]
        Some("toml") => ScheduleConfig::from_toml(&document),
        Some(extension) => {
            let reason = format!("expected a .json or .toml file, got .{extension}");
            return Err(bad_file(file, reason));
        }
    };
    schedule.map_err(|error| bad_file(file, error))
}

/// One number per line; only the end of the file may be blank, as a value left out elsewhere would
/// shift all epochs after it.
fn read_metrics(file: &Path) -> Result<Vec<f64>, Failure> {
    let text = fs::read_to_string(file).map_err(|error| bad_file(file, error))?;
    let metrics = text
        .trim_end()
        .lines()
        .zip(1..)
        .map(|(line, number)| {
            line.trim().parse().map_err(|_| {
                let reason = format!("line {number}: expected a number, got {line:?}");
                bad_file(file, reason)
            })
        })
        .collect::<Result<Vec<f64>, _>>()?;
    match metrics.is_empty() {
        true => Err(bad_file(file, "expected a number per line, got none")),
        false => Ok(metrics),
    }
}

/// The files' names without folder and extension, or where those are not unique the paths.
fn labels(files: &[PathBuf]) -> Vec<String> {
    let stem = |file: &PathBuf| {
        let stem = file.file_stem().unwrap_or(file.as_os_str());
        stem.to_string_lossy().into_owned()
    };
    let unique: HashSet<String> = files.iter().map(stem).collect();
    match unique.len() == files.len() {
        true => files.iter().map(stem).collect(),
        false => files.iter().map(|f| f.display().to_string()).collect(),
    }
}

/// A header and a row per step. Rates are written as Rust reads them back to the bit.
fn write_csv(out: &mut impl Write, lines: &[Line]) -> io::Result<()> {
    match lines {
        [_] => writeln!(out, "step,lr")?,
        _ => {
            write!(out, "step")?;
            for line in lines {
                write!(out, ",{}", quoted(&line.label))?;
            }
            writeln!(out)?;
        }
    }
    let steps = lines.iter().map(|line| line.lrs.len()).max().unwrap_or(0);
    for step in 0..steps {
        write!(out, "{step}")?;
        for line in lines {
            write!(out, ",{:?}", line.lrs[step])?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn quoted(label: &str) -> String {
    match label.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", label.replace('"', "\"\"")),
        false => label.to_owned(),
    }
}
