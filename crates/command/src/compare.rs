//! Runs beside each other.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

use burn_lr_plot::{COLOURS, Chart, Line, Terminal, five_digits, page_style};
use burn_lr_tracking::settings;
use burn_lr_training::metrics::{EpochRecord, MetricKey};
use maud::{DOCTYPE, PreEscaped, html};
use serde_json::Value;

use crate::colours::{Colours, Drawn};
use crate::failure::{self, Failure};
use crate::run::Run;
use crate::table::table;

/// The width and height of a chart on a page, at which its text is legible on a phone.
const SIZE: (u32, u32) = (480, 300);

/// A longer setting is cut in the terminal: the description of a model fills a screen.
const LONGEST: usize = 40;

const EXAMPLES: &str = "\
Examples:
  burn-lr compare artifacts/mnist_step/run-001 artifacts/mnist_plateau/run-001
      validation losses as a chart, the best epochs, and the settings that differ
  burn-lr compare artifacts/mnist_step/run-* --metric valid_accuracy
  burn-lr compare artifacts/mnist_step/run-* --html runs.html
      all metrics on a page, with settings at full length";

/// Options of `compare`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The runs' directories
    #[arg(required = true, num_args = 2..)]
    runs: Vec<PathBuf>,

    /// The metric that is drawn [default: valid_loss, or the first one that there is]
    #[arg(long, short, value_name = "METRIC")]
    metric: Option<MetricKey>,

    /// Write a web page with all metrics instead
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// How many columns the chart takes
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u16).range(20..=1000))]
    width: u16,
}

pub fn show(args: &Args, colour: bool, out: &mut impl Write) -> Result<(), Failure> {
    let runs: Vec<Run> = args
        .runs
        .iter()
        .map(|path| Run::read(path))
        .collect::<Result<_, _>>()?;
    let names = names(&args.runs);
    let keys: BTreeSet<MetricKey> = runs.iter().flat_map(|run| run.history.keys()).collect();
    let Some(key) = args.metric.clone().or_else(|| drawn(&keys)) else {
        return Err(Failure::Input(
            "none of the runs has an epoch yet".to_owned(),
        ));
    };
    if !keys.contains(&key) {
        let all: Vec<String> = keys.iter().map(MetricKey::to_string).collect();
        let all = all.join(", ");
        return Err(Failure::Input(format!(
            "--metric: expected one of {all}, got {key}"
        )));
    }
    let colours = Colours::of(&runs, &key);
    let figures = figures(&runs, &names, &keys);
    let differences = differences(&runs);
    if let Some(path) = &args.html {
        let page = page(&runs, &names, &colours, &keys, &figures, &differences);
        failure::write(path, &page)?;
        return Ok(writeln!(out, "{}", path.display())?);
    }
    let terminal = Terminal::new(args.width.into(), 16).colour(colour);
    // In letters, faint lines would be as any others.
    let coloured = colours.best_alone();
    let chart = chart(&runs, &names, &coloured, &key.to_string(), &|epoch| {
        epoch.get(&key)
    });
    writeln!(out, "{}", chart.terminal(terminal))?;
    if runs.len() > COLOURS {
        writeln!(out, "The best {COLOURS} of {} runs by {key}.\n", runs.len())?;
    }
    write!(out, "{}", table(&figures.0, &figures.1))?;
    if differences.is_empty() {
        return Ok(writeln!(out, "\nAll settings are the same.")?);
    }
    let mut head = vec!["setting".to_owned()];
    head.extend(names);
    let rows: Vec<Vec<String>> = differences
        .iter()
        .map(|row| row.iter().map(|cell| shortened(cell)).collect())
        .collect();
    Ok(write!(out, "\n{}", table(&head, &rows))?)
}

/// The beginning of a text that is longer than a column may be.
fn shortened(text: &str) -> String {
    // Names of settings are long, and at the beginning of a row.
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) if text.contains([' ', '"']) => format!("{}…", &text[..end]),
        _ => text.to_owned(),
    }
}

/// The metric that is drawn unless one is asked for.
fn drawn(keys: &BTreeSet<MetricKey>) -> Option<MetricKey> {
    let loss = keys.iter().find(|key| key.to_string() == "valid_loss");
    loss.or_else(|| keys.first()).cloned()
}

/// The last parts of the paths, as many as make them different.
fn names(paths: &[PathBuf]) -> Vec<String> {
    let named = |depth: usize| -> Vec<String> {
        let name = |path: &PathBuf| {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            let parts: Vec<String> = path
                .iter()
                .map(|part| part.to_string_lossy().into_owned())
                .collect();
            parts[parts.len().saturating_sub(depth)..].join("/")
        };
        paths.iter().map(name).collect()
    };
    let differ = |names: &Vec<String>| BTreeSet::from_iter(names).len() == paths.len();
    let deepest = paths.iter().map(|path| path.iter().count() + 1).max();
    (1..=deepest.unwrap_or(1))
        .map(named)
        .find(differ)
        .unwrap_or_else(|| {
            paths
                .iter()
                .map(|path| path.display().to_string())
                .collect()
        })
}

/// The metrics of the best epochs, or of the last ones where none is the best.
fn figures(
    runs: &[Run],
    names: &[String],
    keys: &BTreeSet<MetricKey>,
) -> (Vec<String>, Vec<Vec<String>>) {
    let mut head = ["run", "epochs", "updates", "epoch"]
        .map(str::to_owned)
        .to_vec();
    head.extend(keys.iter().map(MetricKey::to_string));
    head.push("seconds".to_owned());
    let row = |(run, name): (&Run, &String)| {
        let last = run.history.epochs.last();
        let best = run.best();
        let shown = best.as_ref().map(|(_, epoch)| *epoch).or(last);
        let rule = best.as_ref().map_or("last".to_owned(), |(rule, _)| {
            format!("best {}", rule.metric)
        });
        let seconds: f64 = run.history.epochs.iter().map(|epoch| epoch.seconds).sum();
        let mut row = vec![
            name.clone(),
            run.history.epochs.len().to_string(),
            last.map_or(0, |last| last.updates).to_string(),
            shown.map_or_else(String::new, |epoch| format!("{} ({rule})", epoch.epoch)),
        ];
        let value = |key| shown.and_then(|epoch| epoch.get(key));
        row.extend(
            keys.iter()
                .map(|key| value(key).map(five_digits).unwrap_or_default()),
        );
        row.push(five_digits(seconds));
        row
    };
    (head, runs.iter().zip(names).map(row).collect())
}

/// The settings that are not the same in all runs, with a cell for each.
fn differences(runs: &[Run]) -> Vec<Vec<String>> {
    let all: Vec<BTreeMap<String, String>> = runs
        .iter()
        .map(|run| {
            let settings = settings(&run.config).into_iter();
            let settings = settings.map(|(name, value)| (name, text(&value)));
            // Other models have other parameters; that all are trained says nothing of them.
            let says_something = |(name, value): &(String, String)| {
                value != "trained" || !name.starts_with("fixed.parameters.")
            };
            settings.filter(says_something).collect()
        })
        .collect();
    let names: BTreeSet<&String> = all.iter().flat_map(BTreeMap::keys).collect();
    let row = |name: &&String| {
        let values = all
            .iter()
            .map(|of| of.get(*name).cloned().unwrap_or_default());
        [(*name).clone()]
            .into_iter()
            .chain(values)
            .collect::<Vec<String>>()
    };
    let differ = |row: &Vec<String>| row[1..].iter().any(|value| *value != row[1]);
    names.iter().map(row).filter(differ).collect()
}

/// A value in a line, without the quotes of a text.
fn text(value: &Value) -> String {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A line for each run, over updates if they have epochs of different length.
fn chart(
    runs: &[Run],
    names: &[String],
    colours: &Colours,
    title: &str,
    value: &dyn Fn(&EpochRecord) -> Option<f64>,
) -> Chart {
    let per_epoch = |run: &Run| run.config["fixed"]["updates_per_epoch"].clone();
    let over_updates = runs
        .iter()
        .any(|run| run.is_in_updates() || per_epoch(run) != per_epoch(&runs[0]));
    let chart = Chart::new(title).whole_x();
    let chart = chart.x_label(if over_updates { "update" } else { "epoch" });
    let runs = runs.iter().zip(names).zip(&colours.drawn);
    runs.fold(chart, |chart, ((run, name), drawn)| {
        let place = |epoch: &EpochRecord| {
            if over_updates {
                epoch.updates as f64
            } else {
                epoch.epoch as f64
            }
        };
        let epochs = run.history.epochs.iter();
        let points = epochs.filter_map(|epoch| Some((place(epoch), value(epoch)?)));
        let points: Vec<_> = points.collect();
        // A run of another model may have no such metric.
        if points.is_empty() {
            return chart;
        }
        match *drawn {
            // The same in all charts.
            Drawn::Coloured(colour) => chart.line(Line::new(name, points).colour(colour)),
            Drawn::Faint => chart.line(Line::new("", points).faint()),
            Drawn::Not => chart,
        }
    })
}

fn page(
    runs: &[Run],
    names: &[String],
    colours: &Colours,
    keys: &BTreeSet<MetricKey>,
    (head, rows): &(Vec<String>, Vec<Vec<String>>),
    differences: &[Vec<String>],
) -> String {
    let mut charts: Vec<Chart> = keys
        .iter()
        .map(|key| {
            chart(runs, names, colours, &key.to_string(), &|epoch| {
                epoch.get(key)
            })
        })
        .collect();
    charts.push(chart(runs, names, colours, "learning rate", &|epoch| {
        Some(epoch.lr)
    }));
    let title = if runs.len() > COLOURS {
        format!("{} runs", runs.len())
    } else {
        names.join(", ")
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(page_style())) }
            }
            body {
                h1 { (runs.len()) " runs" }
                div.wide { table {
                    tr { @for cell in head { th { (cell) } } }
                    @for row in rows { tr { @for cell in row { td { (cell) } } } }
                } }
                @if runs.len() > COLOURS {
                    p.faint {
                        "In colour the best " (COLOURS) " runs by " (colours.by) "; thin and grey the others."
                    }
                }
                div.charts {
                    @for chart in &charts {
                        // The size is one that charts have room in.
                        @if let Ok(svg) = chart.svg(SIZE) { (PreEscaped(svg)) }
                    }
                }
                h2 { "Settings that differ" }
                @if differences.is_empty() { p { "None." } }
                @else {
                    div.wide { table.settings {
                        tr { th { "setting" } @for name in names { th { (name) } } }
                        @for row in differences { tr { @for cell in row { td { (cell) } } } }
                    } }
                }
            }
        }
    };
    page.into_string()
}
