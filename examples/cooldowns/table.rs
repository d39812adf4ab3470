//! What the runs ended with.

use std::collections::BTreeMap;
use std::fmt::Write;

use burn_lr::training::metrics::History;

/// The end of a run.
pub struct End {
    name: String,
    /// Updates that were made for it alone.
    updates: u64,
    loss: f64,
    accuracy: f64,
}

impl End {
    pub fn of(name: String, history: &History) -> Option<Self> {
        let last = history.epochs.last()?;
        let begun = history.branches.last().map_or(0, |branch| branch.updates);
        Some(Self {
            name,
            updates: last.updates - begun,
            loss: last.valid("loss"),
            accuracy: last.valid("accuracy"),
        })
    }
}

/// A row for each name, in their order, with the mean over its runs and their standard deviation.
pub fn table(ends: &[End]) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut by_name: BTreeMap<&str, Vec<&End>> = BTreeMap::new();
    for end in ends {
        if !names.contains(&&*end.name) {
            names.push(&end.name);
        }
        by_name.entry(&end.name).or_default().push(end);
    }
    let mut text = format!(
        "{:<18} {:>8} {:>18} {:>20}\n",
        "", "updates", "validation loss", "accuracy in %"
    );
    let mut cost = BTreeMap::from([("cosine", 0), ("cooldown", 0)]);
    for name in names {
        let ends = &by_name[name];
        let (loss, loss_deviation) = mean(ends.iter().map(|end| end.loss));
        let (accuracy, deviation) = mean(ends.iter().map(|end| 100.0 * end.accuracy));
        let updates = ends[0].updates;
        let _ = writeln!(
            text,
            "{name:<18} {updates:>8} {loss:>9.4} ± {loss_deviation:.4} {accuracy:>12.2} ± {deviation:.2}"
        );
        let kind = if name.starts_with("cosine") {
            "cosine"
        } else {
            "cooldown"
        };
        *cost.entry(kind).or_default() += updates;
    }
    let _ = write!(
        text,
        "The stable run with its cooldowns cost {} updates, the cosine runs {}.",
        cost["cooldown"], cost["cosine"]
    );
    text
}

/// The mean, and the standard deviation of the sample; 0 of a single value.
fn mean(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let values: Vec<f64> = values.collect();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0).max(1.0)).sqrt())
}
