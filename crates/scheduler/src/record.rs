//! The layout of a scheduler's record.
//!
//! A record holds scalars only, so hyperparameters are flattened: numbers into `config.<path>`
//! keys; texts, flags and what is unset, as `text.<path>`, and the form of the schedule tree are stored as
//! hashes.

use burn_optim::lr_scheduler::LrSchedulerRecord;

use crate::hyperparameters::{Hyperparameter, Hyperparameters, Leaf, form, hash, leaves};
use crate::older;
use crate::plateau::PlateauState;
use crate::{Curve, ScheduleError};

const FORM: &str = "form";
const UPDATES: &str = "updates";

pub(crate) fn write(
    hyperparameters: &Hyperparameters,
    curve: &Curve,
    updates: u64,
) -> LrSchedulerRecord {
    let Hyperparameters { leaves, run, .. } = hyperparameters;
    let mut record = LrSchedulerRecord::new()
        .with_scalar(FORM, form(leaves))
        .with_scalar(UPDATES, updates);
    for (path, value) in leaves.iter().chain(run) {
        let key = config_key(path);
        record = match value {
            Hyperparameter::Number(number) => record.with_scalar(&key, *number),
            Hyperparameter::Count(count) => record.with_scalar(&key, *count),
            word => record.with_scalar(&text_key(path), word_hash(word)),
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
    schedule: &'static str,
    hyperparameters: &Hyperparameters,
    curve: &mut Curve,
) -> Result<u64, ScheduleError> {
    let saved_form = need(record.scalar::<u64>(FORM), FORM)?;
    let updates = need(record.scalar(UPDATES), UPDATES)?;
    let Hyperparameters {
        document,
        leaves: current,
        run,
    } = hyperparameters;
    if saved_form == form(current) {
        compare_all(record, current.iter().chain(run))?;
    } else {
        let holds = |path: &str| holds(record, path);
        let other = || ScheduleError::OtherSchedule { schedule };
        let known = older::known(document, &holds).ok_or_else(other)?;
        let known_leaves = leaves(&known);
        if saved_form != form(&known_leaves) {
            return Err(other());
        }
        // What a new hyperparameter asks of the run the record cannot know.
        let run = run.iter().filter(|(path, _)| holds(path));
        compare_all(record, known_leaves.iter().chain(run))?;
        older::has_defaults(document, &known, schedule)?;
    }

    restore(record, curve)?;
    Ok(updates)
}

/// What of a record another schedule can go on with: the update counter, and the plateaus if there are as
/// many as in `curve`, and whether there are.
pub(crate) fn take_over(
    record: &LrSchedulerRecord,
    curve: &mut Curve,
) -> Result<(u64, bool), ScheduleError> {
    let updates = need(record.scalar(UPDATES), UPDATES)?;
    let count = curve.plateaus().len();
    let holds = |i: usize| {
        let plateau = record.record(&format!("plateau.{i}"));
        plateau.scalar::<u64>("observed").is_some()
    };
    let as_many = (0..count).all(holds) && !holds(count);
    if as_many {
        restore(record, curve)?;
    }
    Ok((updates, as_many))
}

/// Restores the plateaus of `curve`, all or none.
fn restore(record: &LrSchedulerRecord, curve: &mut Curve) -> Result<(), ScheduleError> {
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
    Ok(())
}

fn compare_all<'a>(
    record: &LrSchedulerRecord,
    leaves: impl Iterator<Item = &'a Leaf>,
) -> Result<(), ScheduleError> {
    for (path, current) in leaves {
        let (equal, saved) = compare(record, path, current)?;
        if !equal {
            return Err(ScheduleError::Changed {
                path: path.clone(),
                saved,
                current: current.to_string(),
            });
        }
    }
    Ok(())
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
        // The first records held flags and what is unset so, in different places.
        match current {
            Flag(flag) => (*flag == saved, saved.to_string()),
            _ => (!saved && matches!(current, Unset), Unset.to_string()),
        }
    } else {
        let saved: u64 = need(record.scalar(&text_key(path)), &key)?;
        let equal = matches!(current, Flag(_) | Text(_) | Unset) && word_hash(current) == saved;
        let legible = [Flag(true), Flag(false), Unset]
            .into_iter()
            .find(|w| word_hash(w) == saved);
        (
            equal,
            legible.map_or("another text".to_owned(), |word| word.to_string()),
        )
    })
}

/// The hash of what is no number. A flag or what is unset is not the text of the same letters.
fn word_hash(word: &Hyperparameter) -> u64 {
    match word {
        Hyperparameter::Text(text) => hash(text),
        word => hash(&format!("\0{word}")),
    }
}

/// Whether the record has a value for `path`.
fn holds(record: &LrSchedulerRecord, path: &str) -> bool {
    let key = config_key(path);
    record.scalar::<f64>(&key).is_some()
        || record.scalar::<bool>(&key).is_some()
        || record.scalar::<u64>(&text_key(path)).is_some()
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
        .with_scalar("good_epochs", state.good_epochs)
        .with_scalar("warmup_left", state.warmup_left)
        .with_scalar("times_at_floor", state.times_at_floor)
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
                .filter(|m| (0.0..=f64::MAX).contains(m)),
            &missing("multiplier"),
        )?,
        base_at_cut: number("base_at_cut")?,
        lr_at_cut: number("lr_at_cut")?,
        // Records of before have none of these, which only a greedy rate goes by.
        good_epochs: count("good_epochs").unwrap_or(0),
        warmup_left: count("warmup_left").unwrap_or(0),
        times_at_floor: count("times_at_floor").unwrap_or(0),
    })
}

fn config_key(path: &str) -> String {
    format!("config.{path}")
}

fn text_key(path: &str) -> String {
    format!("text.{path}")
}

#[cfg(test)]
mod tests;
