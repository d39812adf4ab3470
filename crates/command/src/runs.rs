//! All runs below a directory.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use burn_lr_plot::five_digits;
use burn_lr_scheduler::Mode;
use burn_lr_training::metrics::MetricKey;
use burn_lr_training::run::RunDirectory;

use crate::failure::Failure;
use crate::run::Run;
use crate::table::table;

/// Options of `runs`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to look, at any depth
    #[arg(default_value = "artifacts")]
    directory: PathBuf,

    /// Sort by this metric of the best epoch, the best run first, as in valid_loss or valid_accuracy
    /// [default: by path]
    #[arg(long, value_name = "METRIC")]
    sort: Option<MetricKey>,
}

pub fn show(args: &Args, out: &mut impl Write) -> Result<(), Failure> {
    let mut paths = Vec::new();
    find(&args.directory, &mut paths)
        .map_err(|error| Failure::Input(format!("{}: {error}", args.directory.display())))?;
    paths.sort();
    let mut runs = Vec::new();
    for path in &paths {
        match Run::read(path) {
            Ok(run) => runs.push(run),
            Err(error) => eprintln!("note: {error}"),
        }
    }
    if runs.is_empty() {
        let reason = "expected runs, directories with a burn-lr.json, found none";
        return Err(Failure::Input(format!(
            "{}: {reason}",
            args.directory.display()
        )));
    }
    if let Some(key) = &args.sort {
        sort(&mut runs, key)?;
    }
    let keys: BTreeSet<MetricKey> = runs.iter().flat_map(|run| run.history.keys()).collect();
    let mut head = ["run", "state", "epochs", "updates", "best epoch"]
        .map(str::to_owned)
        .to_vec();
    head.extend(keys.iter().map(MetricKey::to_string));
    head.extend(["seconds".to_owned(), "started".to_owned()]);
    let rows: Vec<Vec<String>> = runs
        .iter()
        .map(|run| row(run, &args.directory, &keys))
        .collect();
    Ok(out.write_all(table(&head, &rows).as_bytes())?)
}

/// The run, with the metrics of its best epoch, or of its last one if none is the best.
fn row(run: &Run, root: &Path, keys: &BTreeSet<MetricKey>) -> Vec<String> {
    let last = run.history.epochs.last();
    let best = run.best().map(|(_, epoch)| epoch);
    let shown = best.or(last);
    let path = run
        .path
        .strip_prefix(root)
        .unwrap_or(&run.path)
        .display()
        .to_string();
    let state = if run.is_complete {
        "complete"
    } else {
        "unfinished"
    };
    let seconds: f64 = run.history.epochs.iter().map(|epoch| epoch.seconds).sum();
    let launches = RunDirectory::new(&run.path).launches().unwrap_or_default();
    let mut row = vec![
        if path.is_empty() {
            ".".to_owned()
        } else {
            path
        },
        state.to_owned(),
        run.history.epochs.len().to_string(),
        last.map_or(0, |last| last.updates).to_string(),
        best.map_or_else(String::new, |best| best.epoch.to_string()),
    ];
    let value = |key| shown.and_then(|epoch| epoch.get(key));
    row.extend(
        keys.iter()
            .map(|key| value(key).map(five_digits).unwrap_or_default()),
    );
    row.push(five_digits(seconds));
    row.push(
        launches
            .first()
            .map_or_else(String::new, |launch| launch.at.clone()),
    );
    row
}

/// The best run by `key` first. Whether more is better, a run says that ranks its checkpoints by it; otherwise the
/// metric's name does.
fn sort(runs: &mut [Run], key: &MetricKey) -> Result<(), Failure> {
    let value = |run: &Run| {
        let best = run.best().map(|(_, epoch)| epoch);
        best.or(run.history.epochs.last())?.get(key)
    };
    if runs.iter().all(|run| value(run).is_none()) {
        let all: BTreeSet<String> = runs
            .iter()
            .flat_map(|run| run.history.keys())
            .map(|key| key.to_string())
            .collect();
        let all = Vec::from_iter(all).join(", ");
        return Err(Failure::Input(format!(
            "--sort: expected one of {all}, got {key}"
        )));
    }
    let ruled = runs
        .iter()
        .filter_map(Run::best)
        .find(|(best, _)| best.metric == *key);
    let more_is_better = match ruled {
        Some((best, _)) => best.mode == Mode::Max,
        None => ["accuracy", "auroc", "score", "precision", "recall", "iou"]
            .iter()
            .any(|name| key.name().contains(name)),
    };
    let rank = |run: &Run| {
        let value = value(run).unwrap_or(f64::NAN);
        let value = if more_is_better { -value } else { value };
        // Behind all numbers.
        if value.is_nan() { f64::INFINITY } else { value }
    };
    runs.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
    Ok(())
}

/// Adds the run directories at or below `directory`. Checkpoints, which have a configuration too, are none.
fn find(directory: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    if RunDirectory::new(directory).config().is_file() {
        found.push(directory.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // Not through links, which may lead around in a circle.
        if entry.file_type()?.is_dir() {
            find(&entry.path(), found)?;
        }
    }
    Ok(())
}
