//! Shows what a schedule does before it is trained with: as a chart in the terminal, as CSV, or as
//! an SVG picture.
//!
//! The rates come from a real `Scheduler` that is stepped once per optimizer update and told a
//! metric at the end of every epoch: what is drawn is what a training run would get.

mod args;
mod files;
mod lines;
mod rates;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::{self, Write};

use burn_lr_plot::Terminal;

use crate::failure::Failure;
pub use args::Args;
use lines::Rates;

/// Writes the chart to `out`, coloured or not, unless a file is asked for.
pub fn show(args: &Args, colour: bool, out: &mut impl Write) -> Result<(), Failure> {
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
