//! Random changes at random places of documents, and random runs, steps and metrics.

use burn_lr_scheduler::{Length, Run, ScheduleConfig, ScheduleError};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::subjects;

#[derive(Debug, Clone)]
pub enum Change {
    Replace(Value),
    Scale(f64),
    Remove,
    /// A second copy of a list's last item, or a field under another name.
    Duplicate(String),
    /// An example's document in place of this one.
    Graft(usize),
    /// The whole document in place of a schedule that is nested in an example.
    Wrap(usize),
}

/// Stand-ins for the numbers that JSON has not; TOML has them.
pub const NOT_FINITE: [(&str, f64); 3] = [
    ("\u{1}nan", f64::NAN),
    ("\u{1}inf", f64::INFINITY),
    ("\u{1}-inf", f64::NEG_INFINITY),
];

pub fn any_number() -> impl Strategy<Value = f64> {
    use proptest::num::f64;
    prop_oneof![
        f64::POSITIVE | f64::NEGATIVE | f64::NORMAL | f64::SUBNORMAL | f64::ZERO,
        0.0..2.0,
        select(vec![
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            1e-300,
            1e300,
            -0.0
        ]),
        select(vec![1.0, 1.0 - f64::EPSILON / 2.0, 1.0 + f64::EPSILON]),
    ]
}

pub fn any_metric() -> impl Strategy<Value = f64> {
    prop_oneof![8 => any_number(), 1 => select(NOT_FINITE.map(|(_, number)| number).to_vec())]
}

pub fn any_step() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..1000_u64,
        any::<u64>(),
        (0..64_u32).prop_map(|bit| 1 << bit),
        (0..10_u64).prop_map(|back| u64::MAX - back),
    ]
}

pub fn any_length() -> impl Strategy<Value = Length> {
    prop_oneof![
        any_step().prop_map(Length::Steps),
        any_metric().prop_map(Length::Fractional),
        any_metric().prop_map(Length::Epochs),
        any_metric().prop_map(Length::Percent),
        (0.0..100.0).prop_map(Length::Percent),
    ]
}

pub fn any_leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => any_number().prop_map(|number| json!(number)),
        6 => any_length().prop_map(|length| json!(length)),
        2 => select(NOT_FINITE.map(|(name, _)| json!(name)).to_vec()),
        1 => any::<i64>().prop_map(|number| json!(number)),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Null),
        1 => "[a-z_]{0,8}".prop_map(Value::String),
        1 => select(vec![json!([]), json!({})]),
        1 => select(vec!["linear", "cosine", "exponential", "constant", "max", "error", "optax"])
            .prop_map(|name| json!(name)),
    ]
}

pub fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        8 => any_leaf().prop_map(Change::Replace),
        2 => any_number().prop_map(Change::Scale),
        1 => Just(Change::Remove),
        1 => "[a-z_]{1,8}".prop_map(Change::Duplicate),
        2 => any::<usize>().prop_map(Change::Graft),
        2 => any::<usize>().prop_map(Change::Wrap),
    ]
}

pub fn any_run() -> impl Strategy<Value = Run> {
    let count = || prop::option::of(prop_oneof![4 => 1..1000_u64, 1 => any::<u64>()]);
    (any::<bool>(), count(), count()).prop_map(|(per_epoch, updates, epochs)| {
        let run = match (per_epoch, updates) {
            (true, Some(updates)) => Run::per_epoch(updates),
            (false, Some(updates)) => Run::per_update().with_updates_per_epoch(updates),
            (_, None) => Run::per_update(),
        };
        match epochs {
            Some(epochs) => run.with_epochs(epochs),
            None => run,
        }
    })
}

pub fn examples() -> Vec<Value> {
    ScheduleConfig::examples()
        .into_iter()
        .chain(subjects::combinations())
        .map(|(_, schedule)| serde_json::to_value(schedule).unwrap())
        .collect()
}

pub fn example(index: usize) -> Value {
    let mut examples = examples();
    examples.swap_remove(index % examples.len())
}

/// The JSON pointers to all places of a document, itself first.
pub fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{i}"), all);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                places(field, &format!("{at}/{name}"), all);
            }
        }
        _ => {}
    }
}

pub fn is_schedule(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| {
        fields.len() == 1
            && fields
                .keys()
                .all(|key| ScheduleConfig::NAMES.contains(&&**key))
    })
}

pub fn apply(document: &mut Value, place: usize, change: &Change) {
    let mut all = Vec::new();
    places(document, "", &mut all);
    let pointer = &all[place % all.len()];
    let target = document.pointer_mut(pointer).unwrap();
    match change {
        Change::Replace(value) => *target = value.clone(),
        Change::Graft(index) => *target = example(*index),
        Change::Scale(factor) => {
            if let Some(number) = target.as_f64() {
                *target = json!(number * factor);
            }
        }
        Change::Duplicate(name) => match target {
            Value::Array(items) => items.extend(items.last().cloned()),
            Value::Object(fields) => {
                if let Some(field) = fields.values().next().cloned() {
                    fields.insert(name.clone(), field);
                }
            }
            _ => {}
        },
        Change::Remove => {
            let Some((parent, key)) = pointer.rsplit_once('/') else {
                return;
            };
            match document.pointer_mut(parent).unwrap() {
                Value::Array(items) => _ = items.pop(),
                Value::Object(fields) => _ = fields.remove(key),
                _ => {}
            }
        }
        Change::Wrap(index) => {
            let mut outer = example(*index);
            let mut all = Vec::new();
            places(&outer, "", &mut all);
            let inner = all
                .iter()
                .skip(1)
                .find_map(|pointer| is_schedule(outer.pointer(pointer)?).then(|| pointer.clone()));
            if let Some(inner) = inner {
                *outer.pointer_mut(&inner).unwrap() = document.take();
                *document = outer;
            }
        }
    }
}

/// The document's schedule as read from JSON and from TOML.
pub fn read(document: &Value) -> Vec<Result<ScheduleConfig, ScheduleError>> {
    vec![
        ScheduleConfig::from_json(&document.to_string()),
        #[cfg(feature = "toml")]
        ScheduleConfig::from_toml(&to_toml(document).to_string()),
    ]
}

#[cfg(feature = "toml")]
pub fn to_toml(document: &Value) -> toml::Value {
    match document {
        Value::Null => "".into(),
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => match number.as_i64() {
            Some(count) => count.into(),
            None => number.as_f64().unwrap().into(),
        },
        Value::String(text) => match NOT_FINITE.iter().find(|(name, _)| name == text) {
            Some((_, number)) => (*number).into(),
            None => text.as_str().into(),
        },
        Value::Array(items) => items.iter().map(to_toml).collect::<Vec<_>>().into(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, field)| !field.is_null())
            .map(|(name, field)| (name.clone(), to_toml(field)))
            .collect::<toml::Table>()
            .into(),
    }
}
