//! All runs below a directory.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use burn_lr_plot::five_digits;
use burn_lr_training::metrics::MetricKey;
use burn_lr_training::run::RunDirectory;

use crate::failure::Failure;
use crate::run::{Run, State, ranked};
use crate::table::table;

const EXAMPLES: &str = "\
Examples:
  burn-lr runs
      all runs below artifacts, where the examples write them
  burn-lr runs artifacts/compare_schedules/run-001 --sort valid_accuracy
      the trials of an experiment, the best one first

Metrics are those of a run's best epoch, or of its last one if none is known to be the best.";

/// Options of `runs`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
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
    let state = match run.state {
        State::AtWork => "at work",
        State::Complete => "complete",
        State::Unfinished => "unfinished",
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

/// The best run by `key` first.
fn sort(runs: &mut Vec<Run>, key: &MetricKey) -> Result<(), Failure> {
    if runs.iter().all(|run| run.value(key).is_none()) {
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
    let all: Vec<&Run> = runs.iter().collect();
    let ranking = ranked(&all, key);
    let mut unsorted: Vec<Option<Run>> = runs.drain(..).map(Some).collect();
    let sorted = ranking
        .into_iter()
        .filter_map(|place| unsorted[place].take());
    runs.extend(sorted);
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
        // Not through links, which may lead around in a circle. Where one must not look, there may be others.
        if entry.file_type().is_ok_and(|kind| kind.is_dir())
            && let Err(error) = find(&entry.path(), found)
        {
            eprintln!("note: {}: {error}", entry.path().display());
        }
    }
    Ok(())
}
