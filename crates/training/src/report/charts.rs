//! The curves of an experiment.

use std::collections::BTreeMap;

use burn_lr_scheduler::{Run, Scheduler};
use serde::Deserialize;

use crate::experiment::{Candidate, Results, Stat, Trial};
use crate::history::EpochRecord;
use crate::plot::{Chart, Line};

/// The width and height of a chart, at which its text is legible on a phone.
pub(super) const SIZE: (u32, u32) = (480, 300);

/// How many steps of a curve of learning rates are shown at most.
const POINTS: u64 = 400;
/// The length of the line that stands for a single epoch.
const SHORT: f64 = 0.1;

type Value = fn(&EpochRecord) -> f64;

/// What is drawn over epochs for all candidates together: title, axis and value.
const OVERVIEW: [(&str, &str, Value); 6] = [
    ("Validation accuracy", "%", |e| 100.0 * e.valid("accuracy")),
    ("Training accuracy", "%", |e| 100.0 * e.train("accuracy")),
    ("Validation loss", "loss", |e| e.valid("loss")),
    ("Training loss", "loss", |e| e.train("loss")),
    ("Gap: training minus validation accuracy", "points", |e| {
        100.0 * (e.train("accuracy") - e.valid("accuracy"))
    }),
    ("Gap: validation minus training loss", "loss", |e| {
        e.valid("loss") - e.train("loss")
    }),
];

/// A chart for each figure with a line for each candidate, and one of the learning rates.
pub(super) fn overview(results: &Results) -> Vec<Chart> {
    let chart = |title: &str, y: &str, value: Value| {
        let names = results
            .summaries()
            .iter()
            .map(|summary| summary.candidate.name.as_str());
        let lines = names
            .enumerate()
            .map(|(number, name)| line(name, results, number, value));
        lines.fold(chart(results, title, y), Chart::line)
    };
    let figures = OVERVIEW.iter().filter(|(_, _, value)| any(results, *value));
    let mut charts: Vec<Chart> = figures
        .map(|(title, y, value)| chart(title, y, *value))
        .collect();
    charts.push(rates(results));
    charts
}

/// The learning rate over each candidate's run, as its schedule has it; of plateaus, which hear
/// metrics, as it was at the end of each epoch.
fn rates(results: &Results) -> Chart {
    let chart = chart(results, "Learning rate", "learning rate").log_y();
    let lines = results
        .summaries()
        .iter()
        .enumerate()
        .map(|(number, summary)| {
            let of = |trial: &&Trial| trial.candidate == number;
            let name = &summary.candidate.name;
            let trial = results.trials().iter().find(of);
            match trial.and_then(|trial| curve(&summary.candidate, trial)) {
                Some(points) => Line::new(name, points),
                None => line(name, results, number, |epoch| epoch.lr),
            }
        });
    lines.fold(chart, Chart::line)
}

/// What the schedule does over the run that the trial's configuration describes.
fn curve(candidate: &Candidate, trial: &Trial) -> Option<Vec<(f64, f64)>> {
    #[derive(Deserialize)]
    struct Config {
        run: Run,
    }
    let json = std::fs::read(trial.directory.join("config.json")).ok()?;
    let Config { run } = serde_json::from_slice(&json).ok()?;
    let scheduler = Scheduler::new(candidate.schedule.clone(), run).ok()?;
    if !scheduler.plateaus().is_empty() {
        return None;
    }
    let curve = candidate.schedule.curve(&run).ok()?;
    let steps = run.total_steps()?;
    let place = |step: u64| candidate.epochs as f64 * step as f64 / steps as f64;
    let shown = POINTS.min(steps);
    let step = |point: u64| point * (steps - 1) / (shown - 1).max(1);
    // A rate holds from its step to the next one.
    let point = |point: u64| {
        let step = step(point);
        [step, step + 1].map(|end| (place(end), curve.lr(step)))
    };
    Some((0..shown).flat_map(point).collect())
}

/// Training against validation for each candidate.
pub(super) fn by_candidate(results: &Results) -> Vec<Chart> {
    let figures: [(&str, Value, Value); 2] = [
        (
            "accuracy, %",
            |e| 100.0 * e.train("accuracy"),
            |e| 100.0 * e.valid("accuracy"),
        ),
        ("loss", |e| e.train("loss"), |e| e.valid("loss")),
    ];
    let mut charts = Vec::new();
    for (number, summary) in results.summaries().iter().enumerate() {
        for (y, train, valid) in figures {
            if !any(results, valid) || summary.seeds.is_empty() {
                continue;
            }
            let chart = chart(results, &summary.candidate.name, y)
                .line(line("training", results, number, train).dashed())
                .line(line("validation", results, number, valid));
            charts.push(chart);
        }
    }
    charts
}

fn chart(results: &Results, title: &str, y: &str) -> Chart {
    let epochs = results
        .summaries()
        .iter()
        .map(|summary| summary.candidate.epochs);
    Chart::new(title)
        .x_label("epoch")
        .x_range(0.0, epochs.max().unwrap_or(1) as f64)
        .y_label(y)
}

fn any(results: &Results, value: Value) -> bool {
    let epochs = results.trials().iter().filter_map(Trial::last);
    epochs.into_iter().any(|epoch| !value(epoch).is_nan())
}

/// The means over a candidate's seeds, with a standard deviation around them.
fn line(name: &str, results: &Results, candidate: usize, value: Value) -> Line {
    let mut epochs: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    let trials = results
        .trials()
        .iter()
        .filter(|trial| trial.candidate == candidate);
    for epoch in trials
        .filter_map(Trial::history)
        .flat_map(|history| &history.epochs)
    {
        epochs.entry(epoch.epoch).or_default().push(value(epoch));
    }
    let mut stats: Vec<(f64, Stat)> = epochs
        .into_iter()
        .map(|(epoch, values)| (epoch as f64, Stat::of(values)))
        .collect();
    // A single epoch is a short line, for its spread to be seen.
    if let [(epoch, stat)] = stats[..] {
        stats = vec![(epoch - SHORT, stat), (epoch, stat)];
    }
    let band = stats
        .iter()
        .map(|(_, stat)| (stat.mean - stat.sd, stat.mean + stat.sd));
    let points = stats.iter().map(|&(epoch, stat)| (epoch, stat.mean));
    Line::new(name, points).band(band)
}
