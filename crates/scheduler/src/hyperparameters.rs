//! The hyperparameters of a schedule as a flat list.

use std::fmt;

use serde_json::Value;

use crate::build::RunUse;
use crate::{Clock, Run, ScheduleConfig, ScheduleError};

/// What a schedule was configured with: its document, and the leaves of that with their paths.
#[derive(Debug, Clone)]
pub(crate) struct Hyperparameters {
    pub document: Value,
    pub leaves: Vec<Leaf>,
    /// Of the run what changes a step's meaning: the clock, and what the schedule was built from. A run
    /// whose number of epochs no schedule asked for may be extended.
    pub run: Vec<Leaf>,
}

/// A path, as in `Sequence.schedules[1].StepLr.gamma`, and the value there.
pub(crate) type Leaf = (String, Hyperparameter);

/// A leaf of the serialized schedule.
#[derive(Debug, Clone)]
pub(crate) enum Hyperparameter {
    Number(f64),
    Count(u64),
    Flag(bool),
    Text(String),
    /// An optional hyperparameter that was left out.
    Unset,
}

impl fmt::Display for Hyperparameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Count(count) => count.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::Unset => f.write_str("unset"),
        }
    }
}

impl Hyperparameters {
    /// The hyperparameters of a schedule that was built for `run` and used what `uses` says.
    pub(crate) fn new(
        schedule: &ScheduleConfig,
        run: &Run,
        uses: &RunUse,
    ) -> Result<Self, ScheduleError> {
        // A struct of numbers and texts always serializes, but a user's own schedule may be anything.
        let document = serde_json::to_value(schedule).map_err(|error| ScheduleError::Invalid {
            path: schedule.name().to_owned(),
            expected: "a schedule that can be written as a document".to_owned(),
            found: error.to_string(),
        })?;
        Ok(Self::of_document(document, run, uses))
    }

    pub(crate) fn of_document(document: Value, run: &Run, uses: &RunUse) -> Self {
        let per_epoch = run.clock() == Clock::PerEpoch;
        let mut run_leaves = vec![("run.per_epoch".to_owned(), Hyperparameter::Flag(per_epoch))];
        let mut depends_on = |name: &str, used: bool, value: Option<u64>| {
            if let Some(value) = value.filter(|_| used) {
                run_leaves.push((format!("run.{name}"), Hyperparameter::Count(value)));
            }
        };
        let updates = per_epoch || uses.updates_per_epoch.get();
        depends_on("updates_per_epoch", updates, run.updates_per_epoch());
        depends_on("epochs", uses.epochs.get(), run.epochs());
        depends_on("updates", uses.epochs.get(), run.updates());
        Self {
            leaves: leaves(&document),
            document,
            run: run_leaves,
        }
    }
}

/// The leaves of a document.
pub(crate) fn leaves(document: &Value) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    flatten(document, String::new(), &mut leaves);
    leaves
}

/// The path of the field `name` of the object at `path`.
pub(crate) fn field(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// The path of the length of the list at `path`.
pub(crate) fn length(path: &str) -> String {
    format!("{path}.length")
}

fn flatten(value: &Value, path: String, leaves: &mut Vec<Leaf>) {
    let leaf = match value {
        Value::Null => Hyperparameter::Unset,
        Value::Bool(flag) => Hyperparameter::Flag(*flag),
        Value::String(text) => Hyperparameter::Text(text.clone()),
        Value::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(count), _) => Hyperparameter::Count(count),
            (None, Some(float)) if number.is_f64() => Hyperparameter::Number(float),
            // A negative integer, which a float might not hold.
            _ => Hyperparameter::Text(number.to_string()),
        },
        Value::Array(items) => {
            // Before the items, so that a list of another length is named as that.
            let count = Hyperparameter::Count(items.len() as u64);
            leaves.push((length(&path), count));
            for (i, item) in items.iter().enumerate() {
                flatten(item, format!("{path}[{i}]"), leaves);
            }
            return;
        }
        // A schedule without hyperparameters is a leaf: its name is all there is of it.
        Value::Object(fields) if fields.is_empty() => Hyperparameter::Unset,
        Value::Object(fields) => {
            // Sorted, whatever order the features of `serde_json` leave them in.
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            for (name, value) in fields {
                flatten(value, field(&path, name), leaves);
            }
            return;
        }
    };
    leaves.push((path, leaf));
}

/// A hash of the schedule tree: all paths, but those of plain list items, which may vary in number.
pub(crate) fn form(leaves: &[Leaf]) -> u64 {
    let paths: Vec<&str> = leaves
        .iter()
        .map(|(path, _)| path.as_str())
        .filter(|path| !path.ends_with(']'))
        .collect();
    hash(&paths.join("\n"))
}

/// FNV-1a: stable across platforms and versions, which the standard library's hasher is not.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
