//! The figures of candidates as tables.

use std::collections::BTreeSet;

use burn_lr_training::metrics::{MetricKey, Split};
use maud::{Markup, html};

use super::order::Order;
use crate::results::At;
use crate::results::Comparison;
use crate::results::Results;
use crate::results::Stat;
use crate::results::Summary;
use crate::results::varying;

/// The candidates' figures at the last and the best epoch, and why trials failed.
pub(super) fn figures(results: &Results) -> Markup {
    let failed: Vec<String> = results
        .summaries()
        .iter()
        .flat_map(|summary| {
            let name = &summary.candidate.name;
            let failed = summary.failed.iter();
            failed.map(move |(seed, error)| format!("{name}, seed {seed}: {error}"))
        })
        .collect();
    html! {
        h2 { "Candidates" }
        (table(results, At::Last, "After the last epoch"))
        (table(results, At::Best, "At the best epoch"))
        @if !failed.is_empty() {
            h2 { "Failed trials" }
            ul { @for trial in &failed { li { (trial) } } }
        }
    }
}

fn table(results: &Results, at: At, caption: &str) -> Markup {
    let summaries = results.summaries();
    let varied = varying(summaries.iter().map(|summary| &summary.candidate));
    let bounded = results.objective().is_bounded();
    let metrics = by_name(results);
    let groups = match at {
        At::Last => results.groups(),
        At::Best => Vec::new(),
    };
    let mut more: Vec<String> = match at {
        At::Last => ["last LR", "cuts", "seconds"].map(str::to_owned).to_vec(),
        At::Best => vec!["best epoch".to_owned()],
    };
    more.splice(
        1..1,
        groups.iter().map(|group| format!("last LR of {group}")),
    );
    let order = Order::of(results);
    let rows = |places: &[usize], caption: &str| {
        html! {
            div.wide { table {
                caption { (caption) }
                tr {
                    th rowspan="2" { "candidate" }
                    @if bounded { th rowspan="2" { "bounds" } }
                    @for column in &varied { th rowspan="2" { (column.name) } }
                    @for (name, parts) in &metrics { th colspan=(parts.len()) { (name) } }
                    @for name in &more { th rowspan="2" { (name) } }
                }
                tr.parts {
                    @for (_, parts) in &metrics { @for part in parts { th { (part.heading()) } } }
                }
                @for (place, summary) in places.iter().map(|&place| (place, &summaries[place])) {
                    tr {
                        td { (summary.candidate.name) }
                        @if bounded { td { (marks(summary, at)) } }
                        @for column in &varied { td { (column.cells[place].as_deref().unwrap_or("-")) } }
                        @for (_, parts) in &metrics {
                            @for part in parts { td { (part.of(summary, at)) } }
                        }
                        @match at {
                            At::Last => {
                                td { (summary.final_lr.scientific()) }
                                @for group in &groups { td { (summary.group_lr(group).scientific()) } }
                                td { (summary.cuts.text(1.0, 1)) }
                                td { (summary.seconds.text(1.0, 1)) }
                            }
                            At::Best => { td { (summary.best_epoch.text(1.0, 1)) } }
                        }
                    }
                }
            } }
        }
    };
    html! {
        (rows(&order.shown, caption))
        @if !order.others.is_empty() {
            details {
                summary { "The other " (order.others.len()) " candidates, the best one first" }
                (rows(&order.others, caption))
            }
        }
    }
}

/// What is shown of a metric.
enum Part {
    Metric(MetricKey),
    Gap(String),
}

impl Part {
    fn heading(&self) -> &'static str {
        match self {
            Self::Metric(key) if key.split() == Split::Train => "training",
            Self::Metric(_) => "validation",
            Self::Gap(_) => "gap",
        }
    }

    fn of(&self, summary: &Summary, at: At) -> Stat {
        match self {
            Self::Metric(key) => summary.at(at).stat(key),
            Self::Gap(name) => summary.at(at).gap(name),
        }
    }
}

/// The names of metrics, and what there is of each.
fn by_name(results: &Results) -> Vec<(String, Vec<Part>)> {
    let keys = results.metrics();
    let names: BTreeSet<&str> = keys.iter().map(MetricKey::name).collect();
    let parts = |name: &str| {
        let of = keys.iter().filter(|key| key.name() == name);
        let mut parts: Vec<Part> = of.cloned().map(Part::Metric).collect();
        let has_gap = |summary: &Summary| summary.last.gaps.contains_key(name);
        if results.summaries().iter().any(has_gap) {
            parts.push(Part::Gap(name.to_owned()));
        }
        (name.to_owned(), parts)
    };
    names.into_iter().map(parts).collect()
}

/// Under which seeds the bounds are kept.
fn marks(summary: &Summary, at: At) -> Markup {
    let Some(verdict) = &summary.at(at).verdict else {
        return html! {};
    };
    html! {
        @for (seed, met) in &verdict.per_seed {
            @if *met { span.met title={ "seed " (seed) ": kept" } { "✓" } }
            @else { span.missed title={ "seed " (seed) ": missed" } { "✗" } }
        }
        @for (seed, _) in &summary.failed {
            span.missed title={ "seed " (seed) ": failed" } { "!" }
        }
        @if verdict.mean { " " span.met { "mean ✓" } }
    }
}

/// Every candidate beside the first one, by the objective's metric and all of the validation data.
pub(super) fn comparisons(results: &Results) -> Markup {
    let summaries = results.summaries();
    let (Some(first), true) = (summaries.first(), summaries.len() > 1) else {
        return html! {};
    };
    let objective = &results.objective().best().metric;
    let mut metrics = results.metrics();
    metrics.retain(|key| key.split() == Split::Valid || key == objective);
    let compared: Vec<Vec<Comparison>> = metrics
        .iter()
        .map(|metric| results.comparisons(metric, At::Last))
        .collect();
    let order = Order::of(results);
    // The first one is compared with itself nowhere.
    let rows = |places: &[usize]| {
        html! {
            div.wide { table {
                tr {
                    th { "candidate" }
                    @for metric in &metrics { th { (metric) } th { "p" } }
                }
                @for &place in places.iter().filter(|&&place| place > 0) {
                    tr {
                        td { (summaries[place].candidate.name) }
                        @for column in &compared { (cells(&column[place - 1])) }
                    }
                }
            } }
        }
    };
    html! {
        h2 { "Is it more than noise?" }
        p.faint {
            "After the last epoch, each candidate minus " (first.candidate.name) ", seed by seed: the "
            "mean difference with its 95 % confidence interval, and the two-sided p-value of Student's "
            "paired t-test after Holm's correction. Few seeds give wide intervals."
        }
        (rows(&order.shown))
        @if !order.others.is_empty() {
            details { summary { "The other " (order.others.len()) " candidates" } (rows(&order.others)) }
        }
    }
}

/// The difference with its interval, and the p-value.
fn cells(comparison: &Comparison) -> Markup {
    let Comparison {
        difference,
        interval: (low, high),
        adjusted_p_value: p,
        ..
    } = comparison;
    if p.is_nan() {
        return html! { td { (difference) } td { "-" } };
    }
    let text = |value: f64| {
        let stat = Stat::of([value]).to_string();
        if value > 0.0 {
            format!("+{stat}")
        } else {
            stat
        }
    };
    let p_value = if *p < 0.001 {
        "< 0.001".to_owned()
    } else {
        format!("{p:.3}")
    };
    html! {
        td { (text(difference.mean)) " (" (text(*low)) " to " (text(*high)) ")" }
        td { @if comparison.is_significant() { b { (p_value) } } @else { (p_value) } }
    }
}
