//! The curves of an experiment.

use std::collections::{BTreeMap, BTreeSet};

use burn_lr_plot::{Chart, Line};
use burn_lr_training::metrics::{EpochRecord, MetricKey, train, valid};

use super::curve::curve;
use super::order::Order;
use crate::results::Results;
use crate::results::Stat;
use crate::results::Trial;

/// The width and height of a chart, at which its text is legible on a phone.
pub(super) const SIZE: (u32, u32) = (480, 300);

/// The length of the line that stands for a single epoch.
const SHORT: f64 = 0.1;

type Value<'a> = &'a dyn Fn(&EpochRecord) -> Option<f64>;

/// Charts with a line for each candidate: of every metric on validation and on training data, of the
/// gap between the two, and of the learning rates.
pub(super) fn overview(results: &Results) -> Vec<Chart> {
    let mut charts = Vec::new();
    for name in names(results) {
        let (train, valid) = (train(&name), valid(&name));
        let gap = |epoch: &EpochRecord| Some(epoch.get(&valid)? - epoch.get(&train)?);
        let title = format!("{name}: validation minus training");
        let figures: [(&str, Value<'_>); 3] = [
            (&valid.to_string(), &|epoch| epoch.get(&valid)),
            (&train.to_string(), &|epoch| epoch.get(&train)),
            (&title, &gap),
        ];
        for (title, value) in figures {
            charts.extend(of_all(results, title, &name, value));
        }
    }
    charts.push(rates(results));
    charts
}

/// A chart with a line for each candidate, if any has such a value.
fn of_all(results: &Results, title: &str, y: &str, value: Value<'_>) -> Option<Chart> {
    let order = Order::of(results);
    let shown = order.coloured().filter_map(|(place, colour)| {
        let name = &results.summaries()[place].candidate.name;
        Some(line(name, results, place, value)?.colour(colour))
    });
    let others = order.others.iter();
    let others = others.filter_map(|&place| {
        let line = line("", results, place, value)?;
        Some(line.without_band().faint())
    });
    let lines: Vec<Line> = shown.chain(others).collect();
    let chart = chart(results, title, y);
    (!lines.is_empty()).then(|| lines.into_iter().fold(chart, Chart::line))
}

/// The learning rate over each candidate's run, as its schedule has it; of plateaus, which hear
/// metrics, and of parameter groups, as it was at the end of each epoch.
fn rates(results: &Results) -> Chart {
    let mut chart = chart(results, "Learning rate", "learning rate").log_y();
    for (place, colour) in Order::of(results).coloured() {
        let summary = &results.summaries()[place];
        let name = &summary.candidate.name;
        let trial = results
            .trials()
            .iter()
            .find(|trial| trial.candidate == place);
        let scheduled = trial
            .and_then(curve)
            .map(|points| Line::new(name, points).held());
        let rate = scheduled
            .or_else(|| line(name, results, place, &|epoch| Some(epoch.lr)))
            .unwrap_or_else(|| Line::new(name, []));
        chart = chart.line(rate.colour(colour));
        for group in summary.final_group_lrs.keys() {
            let name = format!("{name}: {group}");
            let of_group = |epoch: &EpochRecord| epoch.group_lrs.get(group).copied();
            if let Some(rate) = line(&name, results, place, &of_group) {
                chart = chart.line(rate.colour(colour).dashed());
            }
        }
    }
    chart
}

/// Training against validation for each of those candidates.
pub(super) fn by_candidate(results: &Results, places: &[usize]) -> Vec<Chart> {
    let mut charts = Vec::new();
    for &place in places {
        let summary = &results.summaries()[place];
        for name in names(results) {
            let (train, valid) = (train(&name), valid(&name));
            let of_train = line("training", results, place, &|epoch| epoch.get(&train));
            let of_valid = line("validation", results, place, &|epoch| epoch.get(&valid));
            let lines = of_train.map(Line::dashed).into_iter().chain(of_valid);
            let chart = chart(results, &summary.candidate.name, &name);
            let mut lines = lines.peekable();
            if lines.peek().is_some() {
                charts.push(lines.fold(chart, Chart::line));
            }
        }
    }
    charts
}

/// The names of metrics, without their splits.
fn names(results: &Results) -> BTreeSet<String> {
    let keys = results.metrics();
    keys.iter()
        .map(MetricKey::name)
        .map(str::to_owned)
        .collect()
}

fn chart(results: &Results, title: &str, y: &str) -> Chart {
    let histories = results.trials().iter().filter_map(Trial::history);
    let epochs = histories.map(|history| history.epochs.len()).max();
    Chart::new(title)
        .x_label("epoch")
        .whole_x()
        .x_range(0.0, epochs.unwrap_or(1) as f64)
        .y_label(y)
}

/// The means over a candidate's seeds, with a standard deviation around them, if there are any.
fn line(name: &str, results: &Results, candidate: usize, value: Value<'_>) -> Option<Line> {
    let mut epochs: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    let of = |trial: &&Trial| trial.candidate == candidate;
    let histories = results
        .trials()
        .iter()
        .filter(of)
        .filter_map(Trial::history);
    for epoch in histories.flat_map(|history| &history.epochs) {
        if let Some(value) = value(epoch) {
            epochs.entry(epoch.epoch).or_default().push(value);
        }
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
    (!stats.is_empty()).then(|| Line::new(name, points).band(band))
}
