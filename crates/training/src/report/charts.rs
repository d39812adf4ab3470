//! The curves of an experiment.

use std::collections::BTreeMap;

use crate::experiment::{Results, Stat, Trial};
use crate::history::EpochRecord;
use crate::plot::{Chart, Line};

/// The width and height of a chart, at which its text is legible on a phone.
pub(super) const SIZE: (u32, u32) = (480, 300);

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
        lines.fold(chart(title, y), Chart::line)
    };
    let figures = OVERVIEW.iter().filter(|(_, _, value)| any(results, *value));
    let mut charts: Vec<Chart> = figures
        .map(|(title, y, value)| chart(title, y, *value))
        .collect();
    charts.push(
        chart(
            "Learning rate at the end of the epoch",
            "learning rate",
            |e| e.lr,
        )
        .log_y(),
    );
    charts
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
            let chart = chart(&summary.candidate.name, y)
                .line(line("training", results, number, train).dashed())
                .line(line("validation", results, number, valid));
            charts.push(chart);
        }
    }
    charts
}

fn chart(title: &str, y: &str) -> Chart {
    Chart::new(title).x_label("epoch").y_label(y)
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
    let stats: Vec<(f64, Stat)> = epochs
        .into_iter()
        .map(|(epoch, values)| (epoch as f64, Stat::of(values)))
        .collect();
    let band = stats
        .iter()
        .map(|(_, stat)| (stat.mean - stat.sd, stat.mean + stat.sd));
    let points = stats.iter().map(|&(epoch, stat)| (epoch, stat.mean));
    Line::new(name, points).band(band)
}
