//! Shows what a schedule does before it is trained with: as a chart in the terminal, as CSV, or as
//! an SVG picture. `--help` explains the options.
//!
//! The rates come from a real `Scheduler` that is stepped once per optimizer update and told a
//! metric at the end of every epoch: what is drawn is what a training run would get.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod args;
mod files;
mod lines;
mod rates;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use burn_lr_plot::Terminal;
use clap::Parser;

use args::Args;
use lines::Rates;

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
        Some(path) => files::read_metrics(path)?,
        None => Vec::new(),
    };
    let run = args::run(args)?;
    let steps = args::steps(args, &run, metrics.len() as u64)?;
    let labels = files::labels(&args.files);
    let mut lines = Vec::with_capacity(args.files.len());
    for (file, label) in args.files.iter().zip(labels) {
        let schedule = files::read_schedule(file)?;
        let lrs = rates::rates(args, file, schedule, run, steps, &metrics)?;
        lines.push(Rates { label, lrs });
    }

    if args.csv {
        lines::write_csv(out, &lines)?;
    }
    if args.csv && args.svg.is_none() {
        return Ok(());
    }
    let x_label = match run.updates_per_epoch() {
        Some(1) => "epoch".to_owned(),
        Some(updates) => format!("step ({updates} to an epoch)"),
        None => "step".to_owned(),
    };
    let chart = lines::chart(&lines, &x_label);
    if let Some(path) = &args.svg {
        let picture = chart.svg_file((800, 400)).map_err(io::Error::other)?;
        fs::write(path, picture).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
    } else {
        let terminal = Terminal::new(args.width.into(), args.height.into()).colour(colour);
        write!(out, "{}", chart.terminal(terminal))?;
    }
    Ok(())
}
