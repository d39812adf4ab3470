//! Documents as they were before a schedule gained a hyperparameter.
//!
//! A hyperparameter that comes with a default leaves old documents valid, and a record made when there was
//! none stands for a schedule with the default. So such a record fits exactly if the schedule of now has
//! the default too.

use serde_json::{Value, json};

use crate::hyperparameters::{field, length};
use crate::{ScheduleConfig, ScheduleError};

/// Completes the document of a schedule that ran under an earlier version, which may lack hyperparameters whose
/// default is not what that version did.
///
/// These are `cycle_momentum` of [`OneCycleLr`](crate::OneCycleLr) and [`CyclicLr`](crate::CyclicLr): no momentum
/// was cycled before there was one. For who compares what a run was configured with; in a document that someone
/// writes, a hyperparameter that is left out has its default.
pub fn complete_as_it_ran(document: &mut Value) {
    match document {
        Value::Array(items) => items.iter_mut().for_each(complete_as_it_ran),
        Value::Object(fields) => {
            for (name, value) in fields {
                complete_as_it_ran(value);
                if let ("OneCycleLr" | "CyclicLr", Some(cycle)) = (&**name, value.as_object_mut()) {
                    let was = "cycle_momentum".to_owned();
                    cycle.entry(was).or_insert(Value::Bool(false));
                }
            }
        }
        _ => {}
    }
}

/// What `document` was at a time when only the paths that `holds` knows existed: without the fields of
/// which nothing is known. `None` if nothing is left.
pub(crate) fn known(document: &Value, holds: &impl Fn(&str) -> bool) -> Option<Value> {
    known_at(document, "", holds)
}

fn known_at(value: &Value, path: &str, holds: &impl Fn(&str) -> bool) -> Option<Value> {
    match value {
        // Items do not come and go: whether they are as many is for the comparison of values to say.
        Value::Array(items) if holds(&length(path)) => {
            let item = |(i, item): (usize, &Value)| {
                known_at(item, &format!("{path}[{i}]"), holds).unwrap_or_else(|| item.clone())
            };
            Some(items.iter().enumerate().map(item).collect())
        }
        Value::Array(_) => None,
        Value::Object(fields) if !fields.is_empty() => {
            let known: serde_json::Map<_, _> = fields
                .iter()
                .filter_map(|(name, value)| {
                    Some((name.clone(), known_at(value, &field(path, name), holds)?))
                })
                .collect();
            (!known.is_empty()).then_some(Value::Object(known))
        }
        leaf => holds(path).then(|| leaf.clone()),
    }
}

/// Whether `document` is what `known`, a part of it, becomes when its missing fields get their defaults, or what
/// they stood for.
///
/// # Errors
/// [`ScheduleError::Changed`] at the first field that has another value, [`ScheduleError::OtherSchedule`]
/// if one has no default.
pub(crate) fn has_defaults(
    document: &Value,
    known: &Value,
    schedule: &'static str,
) -> Result<(), ScheduleError> {
    let other = || ScheduleError::OtherSchedule { schedule };
    let mut known_to_read = without_closures(known);
    complete_as_it_ran(&mut known_to_read);
    let filled: ScheduleConfig = serde_json::from_value(known_to_read).map_err(|_| other())?;
    let filled = serde_json::to_value(filled).map_err(|_| other())?;
    match first_difference(document, known, Some(&filled), "") {
        None => Ok(()),
        Some((_, _, None)) => Err(other()),
        Some((path, current, Some(default))) => Err(ScheduleError::Changed {
            path,
            saved: shown(default),
            current: shown(current),
        }),
    }
}

/// The document with each schedule that has a closure replaced, for those cannot be read.
fn without_closures(document: &Value) -> Value {
    match document {
        Value::Array(items) => items.iter().map(without_closures).collect(),
        Value::Object(fields) => {
            let closure = |value: &Value| {
                value
                    .as_object()
                    .is_some_and(|fields| fields.values().any(|field| field == "closure"))
            };
            if fields.len() == 1 && fields.values().all(closure) {
                return json!({"Constant": {"lr": 0.0}});
            }
            let field = |(name, value): (&String, &Value)| (name.clone(), without_closures(value));
            Value::Object(fields.iter().map(field).collect())
        }
        leaf => leaf.clone(),
    }
}

/// The first field of `document` that `known` lacks and that is not as in `filled`: its path, its value,
/// and the one in `filled`, if there is one.
fn first_difference<'a>(
    document: &'a Value,
    known: &Value,
    filled: Option<&'a Value>,
    path: &str,
) -> Option<(String, &'a Value, Option<&'a Value>)> {
    match (document, known) {
        (Value::Array(items), Value::Array(known)) => {
            items
                .iter()
                .zip(known)
                .enumerate()
                .find_map(|(i, (item, known))| {
                    let filled = filled.and_then(|filled| filled.get(i));
                    first_difference(item, known, filled, &format!("{path}[{i}]"))
                })
        }
        (Value::Object(fields), Value::Object(known)) => fields.iter().find_map(|(name, value)| {
            let filled = filled.and_then(|filled| filled.get(name));
            let path = field(path, name);
            match known.get(name) {
                Some(known) => first_difference(value, known, filled, &path),
                None => (filled != Some(value)).then_some((path, value, filled)),
            }
        }),
        _ => None,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "unset".to_owned(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}
