//! What a search has tried.

use std::collections::BTreeMap;

use burn_lr_plot::{Chart, Line, Mark, five_digits};
use burn_lr_training::metrics::MetricKey;
use maud::{Markup, PreEscaped, html};

use super::charts::SIZE;
use crate::candidate::Candidate;
use crate::results::Trial;
use crate::results::varying;
use crate::search::{ETA, Found};

/// So wide that the names of the axes have room.
const WIDE: (u32, u32) = (960, 360);

/// A candidate of a search with what became of it.
struct Tried<'a> {
    candidate: &'a Candidate,
    /// The objective's metric after the last epoch, the mean over seeds; none if all trials failed.
    value: Option<f64>,
    /// By how much the bounds are missed, the mean over seeds.
    distance: f64,
    seeds: usize,
    /// Why a trial of it did not come to its end, if one did not.
    error: Option<&'a str>,
}

/// A hyperparameter, with its place between 0 and 1 for each candidate that has it.
struct Axis {
    name: String,
    /// What is at 0 and at 1, in words.
    ends: String,
    places: Vec<Option<f64>>,
    /// The number for each candidate, if all are numbers.
    numbers: Option<Vec<Option<f64>>>,
}

/// The candidates as lines through their hyperparameters, the objective over each of these, and which candidate
/// was dropped when.
pub(super) fn search(found: &Found) -> Markup {
    let objective = found.confirmation.objective().best();
    let tried = tried(found);
    let mut order: Vec<usize> = (0..tried.len()).collect();
    let cost = |place: usize| {
        let cost = |value| found.confirmation.objective().cost(value);
        tried[place].value.map_or(f64::INFINITY, cost)
    };
    let rank = |place: usize| (tried[place].distance, cost(place));
    order.sort_by(|&a, &b| {
        let (a, b) = (rank(a), rank(b));
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    let axes = axes(&tried);
    let trials = found.trials.len();
    let ended = tried.iter().filter(|tried| tried.error.is_some()).count();
    let most = tried.iter().map(|tried| tried.seeds).max().unwrap_or(1);
    html! {
        h2 { "What the search has tried" }
        p {
            (tried.len()) " candidates in " (trials) " trials: under one seed each, and then the better ones "
            "under more."
            @if ended > 0 {
                " " (ended) " did not come to their end; the table of all candidates says why."
            }
        }
        @if let Ok(svg) = coordinates(&axes, &order).svg(WIDE) {
            div.wide { (PreEscaped(svg)) }
            p.faint {
                "Each line is a candidate, in colour the tenth that is the best by the objective; each upright line is a "
                "setting, from the least to the greatest value that was tried. Lines pass below a setting that their "
                "candidate does not have."
            }
        }
        div.charts {
            @for axis in &axes {
                @if let Some(chart) = scatter(axis, &tried, &objective.metric) {
                    @if let Ok(svg) = chart.svg(SIZE) { (PreEscaped(svg)) }
                }
            }
        }
        details {
            summary { "All candidates, the best one first" }
            div.wide { table {
                tr { th { "candidate" } th { (objective.metric) } th { "seeds" } th { "what became of it" } }
                @for &place in &order {
                    tr {
                        td { (tried[place].candidate.name) }
                        td { (tried[place].value.map_or("-".to_owned(), five_digits)) }
                        td { (tried[place].seeds) }
                        td { (became(&tried[place], most, found)) }
                    }
                }
            } }
        }
    }
}

/// What became of it in a search that trained some under as many as `most` seeds.
fn became(tried: &Tried<'_>, most: usize, found: &Found) -> String {
    if let Some(error) = tried.error {
        return error.to_owned();
    }
    if tried.candidate.name == found.candidate.name {
        return "found".to_owned();
    }
    left(tried.seeds, most)
}

/// Where the search left a candidate that it has trained under so many seeds.
fn left(seeds: usize, most: usize) -> String {
    let rung = |seeds: usize| 1 + seeds.ilog(ETA);
    let (own, last) = (rung(seeds), rung(most));
    if seeds == most {
        "in the last rung".to_owned()
    } else if seeds == ETA.pow(own - 1) {
        format!("dropped after rung {own} of {last}")
    } else {
        // Others were ahead before it was trained under all seeds of the next.
        format!("dropped in rung {} of {last}", own + 1)
    }
}

fn tried(found: &Found) -> Vec<Tried<'_>> {
    let objective = found.confirmation.objective();
    let mut all: BTreeMap<usize, Vec<&(Candidate, Trial)>> = BTreeMap::new();
    for trial in &found.trials {
        all.entry(trial.1.candidate).or_default().push(trial);
    }
    let of = |trials: Vec<&'_ (Candidate, Trial)>| {
        let last: Vec<_> = trials
            .iter()
            .filter_map(|(_, trial)| trial.last())
            .collect();
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        let values = last
            .iter()
            .filter_map(|epoch| epoch.get(&objective.best().metric));
        let values: Vec<f64> = values.collect();
        let is_complete = values.len() == trials.len();
        let distances = last.iter().map(|epoch| objective.distance(epoch));
        let distance = mean(distances.collect());
        (
            trials.len(),
            is_complete.then(|| mean(values)),
            if is_complete { distance } else { f64::INFINITY },
        )
    };
    let tried = all.into_values().filter_map(|trials| {
        let candidate = &trials.first()?.0;
        let error = trials.iter().find_map(|(_, trial)| trial.error());
        let (seeds, value, distance) = of(trials);
        Some(Tried {
            candidate,
            value,
            distance,
            seeds,
            error,
        })
    });
    tried.collect()
}

fn axes(tried: &[Tried<'_>]) -> Vec<Axis> {
    let columns = varying(tried.iter().map(|tried| tried.candidate));
    columns
        .into_iter()
        .map(|column| {
            let number = |cell: &Option<String>| match cell {
                // A length may be in percent of the run.
                Some(text) => text.trim_end_matches(" %").parse::<f64>().map(Some),
                None => Ok(None),
            };
            let numbers: Result<Vec<Option<f64>>, _> = column.cells.iter().map(number).collect();
            match numbers {
                Ok(numbers) => of_numbers(column.name, numbers),
                Err(_) => of_texts(column.name, &column.cells),
            }
        })
        .collect()
}

fn of_numbers(name: String, numbers: Vec<Option<f64>>) -> Axis {
    let known = || numbers.iter().copied().flatten();
    let low = known().fold(f64::INFINITY, f64::min);
    let high = known().fold(f64::NEG_INFINITY, f64::max);
    // Magnitudes are spread evenly where they differ by more than one.
    let log = low > 0.0 && high > 20.0 * low;
    let scaled = |value: f64| if log { value.ln() } else { value };
    let width = scaled(high) - scaled(low);
    let place = |value: f64| {
        if width > 0.0 {
            (scaled(value) - scaled(low)) / width
        } else {
            0.5
        }
    };
    Axis {
        name,
        ends: format!("{}–{}", plain(low), plain(high)),
        places: numbers.iter().map(|number| number.map(place)).collect(),
        numbers: Some(numbers),
    }
}

fn of_texts(name: String, cells: &[Option<String>]) -> Axis {
    let mut all: Vec<&String> = cells.iter().flatten().collect();
    all.sort();
    all.dedup();
    let last = all.len().saturating_sub(1).max(1) as f64;
    let place = |cell: &Option<String>| {
        let cell = cell.as_ref()?;
        all.binary_search(&cell)
            .ok()
            .map(|place| place as f64 / last)
    };
    Axis {
        name,
        ends: match all[..] {
            [first, last] if first.len() + last.len() < 24 => format!("{first}–{last}"),
            _ => format!("({} kinds)", all.len()),
        },
        places: cells.iter().map(place).collect(),
        numbers: None,
    }
}

/// A number without the zeros that say nothing.
fn plain(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e6 {
        format!("{value}")
    } else {
        five_digits(value)
    }
}

/// Where lines pass that have no place on an axis.
const BELOW: f64 = -0.15;

/// Parallel coordinates.
fn coordinates(axes: &[Axis], order: &[usize]) -> Chart {
    let best = order.len().div_ceil(10);
    let mut chart = Chart::new("").y_range(BELOW - 0.05, 1.02).without_ticks();
    for (number, axis) in axes.iter().enumerate() {
        let label = format!("{} {}", axis.name, axis.ends);
        chart = chart.mark(Mark::vertical(number as f64, label));
    }
    for (rank, &place) in order.iter().enumerate() {
        let points = axes.iter().enumerate();
        let points =
            points.map(|(number, axis)| (number as f64, axis.places[place].unwrap_or(BELOW)));
        let line = Line::new("", points.collect::<Vec<_>>());
        // The first lines are on top.
        chart = chart.line(if rank < best {
            line.colour(1)
        } else {
            line.faint()
        });
    }
    chart
}

/// The objective over a hyperparameter, a dot a candidate.
fn scatter(axis: &Axis, tried: &[Tried<'_>], metric: &MetricKey) -> Option<Chart> {
    let numbers = axis.numbers.as_ref()?;
    let points = numbers.iter().zip(tried);
    let points: Vec<(f64, f64)> = points
        .filter_map(|(number, tried)| Some(((*number)?, tried.value?)))
        .filter(|(_, value)| value.is_finite())
        .collect();
    if points.len() < 2 {
        return None;
    }
    // A line that is broken after every point is dots.
    let dots = points.iter().flat_map(|&(x, y)| [(x, y), (x, f64::NAN)]);
    let low = points
        .iter()
        .map(|point| point.0)
        .fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|point| point.0).fold(0.0, f64::max);
    let chart = Chart::new(format!("{metric} over {}", axis.name))
        .x_label(&axis.name)
        .y_label(metric.to_string())
        .line(Line::new("", dots.collect::<Vec<_>>()));
    Some(if low > 0.0 && high > 20.0 * low {
        chart.log_x()
    } else {
        chart
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_tell_in_which_rung_a_candidate_was_left() {
        let of = |seeds| left(seeds, 9);
        assert_eq!(of(1), "dropped after rung 1 of 3");
        assert_eq!(of(2), "dropped in rung 2 of 3");
        assert_eq!(of(3), "dropped after rung 2 of 3");
        assert_eq!(of(8), "dropped in rung 3 of 3");
        assert_eq!(of(9), "in the last rung");
        assert_eq!(left(1, 3), "dropped after rung 1 of 2");
        assert_eq!(left(1, 1), "in the last rung");
    }
}
