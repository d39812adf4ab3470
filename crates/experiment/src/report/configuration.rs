//! All that is needed to get the same results again.

use burn_lr_training::run::RunDirectory;
use maud::{Markup, html};
use serde_json::{Map, Value};

use crate::results::Results;

pub(super) fn settings(results: &Results) -> Markup {
    let candidates: Vec<_> = results.summaries().iter().map(|s| &s.candidate).collect();
    #[derive(serde::Serialize)]
    struct Document<'a> {
        candidate: Vec<&'a crate::candidate::Candidate>,
    }
    let candidates = serde_json::to_string_pretty(&Document {
        candidate: candidates,
    });
    let mut seeds: Vec<u64> = results.trials().iter().map(|trial| trial.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
    let lineages = lineages(results);
    let common = shared(results).and_then(|value| serde_json::to_string_pretty(&value).ok());
    html! {
        h2 { "Settings" }
        p {
            "Seeds " (seeds.join(", ")) "; burn-lr " (env!("CARGO_PKG_VERSION")) " on "
            (std::env::consts::OS) " " (std::env::consts::ARCH) "."
        }
        @if let Ok(candidates) = candidates {
            details { summary { "Candidates" } pre { (candidates) } }
        }
        @if !lineages.is_empty() {
            details { summary { "Branches" } pre { (lineages.join("\n")) } }
        }
        @if let Some(common) = common {
            details { summary { "What all trials have in common" } pre { (common) } }
        }
    }
}

/// Where each trial comes from that branched off another run, and what it changed.
fn lineages(results: &Results) -> Vec<String> {
    let trials = results.trials().iter();
    let of_trials = trials.filter_map(|trial| Some((trial, trial.history()?)));
    let lines = of_trials.flat_map(|(trial, history)| {
        let name = &results.summaries()[trial.candidate].candidate.name;
        history.branches.iter().map(move |of| {
            let changes = of
                .changes
                .iter()
                .map(|change| format!("\n    {}: {} -> {}", change.field, change.from, change.to));
            format!(
                "{name}, seed {}: {} after epoch {} and {} updates, checkpoint {}{}",
                trial.seed,
                of.parent,
                of.epoch,
                of.updates,
                of.sha256,
                changes.collect::<String>()
            )
        })
    });
    lines.collect()
}

/// What is the same in the configurations of all trials that have one.
fn shared(results: &Results) -> Option<Value> {
    let configurations = results.trials().iter().filter_map(|trial| {
        let json = std::fs::read(RunDirectory::new(&trial.directory).config()).ok()?;
        serde_json::from_slice(&json).ok()
    });
    configurations.reduce(|a, b| common(a, &b).unwrap_or(Value::Null))
}

/// What is the same in two documents.
fn common(a: Value, b: &Value) -> Option<Value> {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let fields = a
                .into_iter()
                .filter_map(|(name, value)| Some((name.clone(), common(value, b.get(&name)?)?)));
            let fields: Map<String, Value> = fields.collect();
            (!fields.is_empty()).then_some(Value::Object(fields))
        }
        (a, b) => (a == *b).then_some(a),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_is_left_out() {
        let a = json!({"model": "mlp", "fixed": {"lr": 0.1, "seed": 1}, "only": {"seed": 1}});
        let b = json!({"model": "mlp", "fixed": {"lr": 0.1, "seed": 2}, "only": {"seed": 2}});
        let both = json!({"model": "mlp", "fixed": {"lr": 0.1}});
        assert_eq!(common(a, &b), Some(both));
        assert_eq!(common(json!(1), &json!(2)), None);
    }
}
