//! The answer in words.

use maud::{Markup, html};

use crate::results::At;
use crate::results::Figures;
use crate::results::Summary;
use crate::results::{Results, Tested};

pub(super) fn verdict(results: &Results) -> Markup {
    html! {
        p.verdict { (within_bounds(results)) (best(results)) }
        (on_the_way(results))
        @if let Some(tested) = results.tested() { (on_other_data(tested)) }
        p.faint {
            "Figures are means ± standard deviations over seeds. Training figures are means over the "
            "epoch while it was trained. The best epoch has the best " (results.best().metric)
            ": what it was chosen by flatters it."
        }
    }
}

/// Who keeps the bounds, if there are any.
fn within_bounds(results: &Results) -> Markup {
    if !results.objective().is_bounded() {
        return html! {};
    }
    let [last, best] = At::ALL.map(|at| names(results, |summary| summary.at(at)));
    html! {
        @if last.is_empty() {
            "After the last epoch, none of them is within the bounds under every seed. "
        } @else {
            "Within the bounds after the last epoch, under every seed: " (list(&last)) ". "
        }
        @if best != last && !best.is_empty() {
            "At the best epoch: " (list(&best)) ". "
        }
    }
}

/// The names of the candidates whose figures are within the bounds.
fn names(results: &Results, figures: impl Fn(&Summary) -> &Figures) -> Vec<&str> {
    let met = |summary: &&Summary| summary.failed.is_empty() && figures(summary).is_met();
    let met = results.summaries().iter().filter(met);
    met.map(|summary| summary.candidate.name.as_str()).collect()
}

fn list(names: &[&str]) -> Markup {
    html! {
        @for (number, name) in names.iter().enumerate() {
            @if number > 0 { ", " }
            b { (name) }
        }
    }
}

/// The best one by the objective, with what the objective asks for.
fn best(results: &Results) -> Markup {
    let choice = results.choose(At::Last);
    let Some(summary) = results.summaries().get(choice.candidate) else {
        return html! {};
    };
    let metric = &results.objective().best().metric;
    let mut metrics = vec![metric];
    metrics.extend(results.objective().metrics());
    let mut seen = Vec::new();
    metrics.retain(|metric| {
        let new = !seen.contains(metric);
        seen.push(*metric);
        new
    });
    html! {
        @if !summary.last.stat(metric).mean.is_finite() {
            "No candidate has a " (metric) " that is a finite number."
        } @else {
            @if summary.last.is_met() && summary.failed.is_empty() { "Best by " (metric) }
            @else if !summary.last.is_met() { "Closest to the bounds" }
            @else { "Best of what was completed" }
            " is " b { (summary.candidate.name) } ", with "
            @for (number, metric) in metrics.iter().enumerate() {
                @if number > 0 { " and " }
                (metric) " " (summary.last.stat(metric))
            }
            "."
        }
    }
}

/// Who kept the bounds at some epoch, but not at the end.
fn on_the_way(results: &Results) -> Markup {
    let passing = |summary: &&Summary| !summary.last.is_met() && !summary.epochs_met.is_empty();
    let passing: Vec<&Summary> = results.summaries().iter().filter(passing).collect();
    html! {
        @if !passing.is_empty() {
            p {
                "Within the bounds on the way, but not at the end: "
                @for (number, summary) in passing.iter().enumerate() {
                    @if number > 0 { "; " }
                    (summary.candidate.name) " after epoch "
                    (summary.epochs_met.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))
                }
                "."
            }
        }
    }
}

fn on_other_data(tested: &Tested) -> Markup {
    let metrics = tested.per_seed.first().map(|(_, metrics)| metrics.keys());
    let figures = metrics.into_iter().flatten();
    let figures: Vec<String> = figures
        .map(|metric| format!("{metric} {}", tested.stat(metric)))
        .collect();
    let models = match tested.at {
        At::Last => "final",
        At::Best => "best",
    };
    html! {
        p {
            "On data that was not chosen by, the " (models) " models of " (tested.candidate) " have: "
            (figures.join(", ")) "."
        }
    }
}
