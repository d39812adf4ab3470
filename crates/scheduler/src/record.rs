//! The layout of a scheduler's record.
//!
//! A record holds scalars only, so hyperparameters are flattened into `config.<path>` keys; texts,
//! as `text.<path>`, and the form of the schedule tree are stored as hashes.

use burn_optim::lr_scheduler::LrSchedulerRecord;
use serde_json::Value;

use crate::plateau::PlateauState;
use crate::{Clock, Curve, Length, Run, ScheduleConfig, ScheduleError};

const FORM: &str = "form";
const UPDATES: &str = "updates";

pub(crate) fn write(
    config: &ScheduleConfig,
    run: &Run,
    curve: &Curve,
    updates: u64,
) -> LrSchedulerRecord {
    let hyperparameters = hyperparameters(config, run);
    let mut record = LrSchedulerRecord::new()
        .with_scalar(FORM, form(&hyperparameters))
        .with_scalar(UPDATES, updates);
    for (path, value) in &hyperparameters {
        let key = config_key(path);
        record = match value {
            Hyperparameter::Number(number) => record.with_scalar(&key, *number),
            Hyperparameter::Count(count) => record.with_scalar(&key, *count),
            Hyperparameter::Flag(flag) => record.with_scalar(&key, *flag),
            Hyperparameter::Unset => record.with_scalar(&key, false),
            Hyperparameter::Text(text) => record.with_scalar(&text_key(path), hash(text)),
        };
    }
    for (i, state) in curve.plateaus().iter().enumerate() {
        record = record.with_record(&format!("plateau.{i}"), write_plateau(state));
    }
    record
}

/// Checks the whole record, then restores the plateaus of `curve` and returns the update counter.
pub(crate) fn read(
    record: &LrSchedulerRecord,
    config: &ScheduleConfig,
    run: &Run,
    curve: &mut Curve,
) -> Result<u64, ScheduleError> {
    let hyperparameters = hyperparameters(config, run);
    if need(record.scalar::<u64>(FORM), FORM)? != form(&hyperparameters) {
        return Err(ScheduleError::OtherSchedule {
            schedule: config.name(),
        });
    }
    let updates = need(record.scalar(UPDATES), UPDATES)?;
    for (path, current) in hyperparameters {
        let (equal, saved) = compare(record, &path, &current)?;
        if !equal {
            return Err(ScheduleError::Changed {
                path,
                saved,
                current: current.to_string(),
            });
        }
    }

    let mut states = Vec::new();
    for i in 0..curve.plateaus().len() {
        states.push(read_plateau(record, &format!("plateau.{i}"))?);
    }
    let mut states = states.into_iter();
    curve.visit_plateaus(&mut |plateau| {
        if let Some(state) = states.next() {
            plateau.restore(state);
        }
    });
    Ok(updates)
}

/// Whether the record's value for `path` is `current`, and that value for a message.
fn compare(
    record: &LrSchedulerRecord,
    path: &str,
    current: &Hyperparameter,
) -> Result<(bool, String), ScheduleError> {
    use Hyperparameter::{Count, Flag, Number, Text, Unset};
    let key = config_key(path);
    // Counts before numbers: a count is readable as a number too.
    Ok(if let Some(saved) = record.scalar::<u64>(&key) {
        let equal = matches!(current, Count(count) if *count == saved);
        (equal, saved.to_string())
    } else if let Some(saved) = record.scalar::<f64>(&key) {
        let equal = matches!(current, Number(number) if *number == saved);
        (equal, saved.to_string())
    } else if let Some(saved) = record.scalar::<bool>(&key) {
        match current {
            Flag(flag) => (*flag == saved, saved.to_string()),
            _ => (!saved && matches!(current, Unset), Unset.to_string()),
        }
    } else {
        let saved: u64 = need(record.scalar(&text_key(path)), &key)?;
        let equal = matches!(current, Text(text) if hash(text) == saved);
        (equal, "another text".to_owned())
    })
}

fn need<T>(value: Option<T>, key: &str) -> Result<T, ScheduleError> {
    value.ok_or_else(|| ScheduleError::MissingValue {
        key: key.to_owned(),
    })
}

fn write_plateau(state: &PlateauState) -> LrSchedulerRecord {
    LrSchedulerRecord::new()
        .with_scalar("best", state.best)
        .with_scalar("bad_epochs", state.bad_epochs)
        .with_scalar("cooldown_left", state.cooldown_left)
        .with_scalar("cuts", state.cuts)
        .with_scalar("observed", state.observed)
        .with_scalar("multiplier", state.multiplier)
        .with_scalar("base_at_cut", state.base_at_cut)
        .with_scalar("lr_at_cut", state.lr_at_cut)
}

fn read_plateau(record: &LrSchedulerRecord, prefix: &str) -> Result<PlateauState, ScheduleError> {
    let plateau = record.record(prefix);
    let missing = |name| format!("{prefix}.{name}");
    let count = |name| need(plateau.scalar::<u64>(name), &missing(name));
    let number = |name| need(plateau.scalar::<f64>(name), &missing(name));
    Ok(PlateauState {
        best: number("best")?,
        bad_epochs: count("bad_epochs")?,
        cooldown_left: count("cooldown_left")?,
        cuts: count("cuts")?,
        observed: count("observed")?,
        multiplier: need(
            number("multiplier")
                .ok()
                .filter(|m| (0.0..=1.0).contains(m)),
            &missing("multiplier"),
        )?,
        base_at_cut: number("base_at_cut")?,
        lr_at_cut: number("lr_at_cut")?,
    })
}

/// A leaf of the serialized schedule.
enum Hyperparameter {
    Number(f64),
    Count(u64),
    Flag(bool),
    Text(String),
    /// An optional hyperparameter that was left out.
    Unset,
}

impl std::fmt::Display for Hyperparameter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Count(count) => count.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::Unset => f.write_str("unset"),
        }
    }
}

fn config_key(path: &str) -> String {
    format!("config.{path}")
}

fn text_key(path: &str) -> String {
    format!("text.{path}")
}

/// The leaves of the schedule's document with their paths, and of the run what changes a step's
/// meaning: the clock, and whatever the schedule's lengths are counted in. A run whose lengths are
/// not shares of it may be extended, so its number of epochs is left out otherwise.
fn hyperparameters(config: &ScheduleConfig, run: &Run) -> Vec<(String, Hyperparameter)> {
    let mut leaves = Vec::new();
    // Schedules are plain structs of numbers and texts; serializing them cannot fail.
    let document = serde_json::to_value(config).unwrap_or_default();
    flatten(&document, String::new(), &mut leaves);
    let lengths: Vec<Length> = leaves
        .iter()
        .filter_map(|(_, leaf)| match leaf {
            Hyperparameter::Text(text) => text.parse().ok(),
            _ => None,
        })
        .collect();
    let in_percent = lengths.iter().any(|l| matches!(l, Length::Percent(_)));
    let per_epoch = run.clock() == Clock::PerEpoch;
    leaves.push(("run.per_epoch".to_owned(), Hyperparameter::Flag(per_epoch)));
    let mut depends_on = |name: &str, value: Option<u64>| {
        if let Some(value) = value {
            leaves.push((format!("run.{name}"), Hyperparameter::Count(value)));
        }
    };
    if per_epoch || !lengths.is_empty() {
        depends_on("updates_per_epoch", run.updates_per_epoch());
    }
    if in_percent {
        depends_on("epochs", run.epochs());
    }
    leaves
}

fn flatten(value: &Value, path: String, leaves: &mut Vec<(String, Hyperparameter)>) {
    let leaf = match value {
        Value::Null => Hyperparameter::Unset,
        Value::Bool(flag) => Hyperparameter::Flag(*flag),
        Value::String(text) => Hyperparameter::Text(text.clone()),
        Value::Number(number) => match number.as_u64() {
            Some(count) => Hyperparameter::Count(count),
            None => Hyperparameter::Number(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::Array(items) => {
            let length = Hyperparameter::Count(items.len() as u64);
            // Before the items, so that a list of another length is named as that.
            leaves.push((format!("{path}.length"), length));
            for (i, item) in items.iter().enumerate() {
                flatten(item, format!("{path}[{i}]"), leaves);
            }
            return;
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let separator = if path.is_empty() { "" } else { "." };
                flatten(field, format!("{path}{separator}{name}"), leaves);
            }
            return;
        }
    };
    leaves.push((path, leaf));
}

/// A hash of the schedule tree: all paths, but those of plain list items, which may vary in number.
fn form(hyperparameters: &[(String, Hyperparameter)]) -> u64 {
    let paths: Vec<&str> = hyperparameters
        .iter()
        .map(|(path, _)| path.as_str())
        .filter(|path| !path.starts_with("run.") && !path.ends_with(']'))
        .collect();
    hash(&paths.join("\n"))
}

/// FNV-1a: stable across platforms and versions, which the standard library's hasher is not.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
