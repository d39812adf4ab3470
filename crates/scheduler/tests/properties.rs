//! Nothing panics: whatever a document holds, it gives a schedule or a typed error, and whatever a
//! schedule is asked, it answers with a rate that is finite and not negative.
//!
//! The documents are those of all registered examples, with random changes at random places, so
//! newly registered schedules are covered as they are. `fuzz/` does the same from bytes.

#![allow(clippy::unwrap_used, clippy::panic)]

mod exercise;
mod subjects;

use burn_lr_scheduler::{Length, Run, ScheduleConfig, ScheduleError};
use exercise::exercise;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// A change at one place of a document.
#[derive(Debug, Clone)]
enum Change {
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
const NOT_FINITE: [(&str, f64); 3] = [
    ("\u{1}nan", f64::NAN),
    ("\u{1}inf", f64::INFINITY),
    ("\u{1}-inf", f64::NEG_INFINITY),
];

fn any_number() -> impl Strategy<Value = f64> {
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

fn any_metric() -> impl Strategy<Value = f64> {
    prop_oneof![8 => any_number(), 1 => select(NOT_FINITE.map(|(_, number)| number).to_vec())]
}

fn any_step() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..1000_u64,
        any::<u64>(),
        (0..64_u32).prop_map(|bit| 1 << bit),
        (0..10_u64).prop_map(|back| u64::MAX - back),
    ]
}

fn any_length() -> impl Strategy<Value = Length> {
    prop_oneof![
        any_step().prop_map(Length::Steps),
        any_metric().prop_map(Length::Epochs),
        any_metric().prop_map(Length::Percent),
        (0.0..100.0).prop_map(Length::Percent),
    ]
}

fn any_leaf() -> impl Strategy<Value = Value> {
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

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        8 => any_leaf().prop_map(Change::Replace),
        2 => any_number().prop_map(Change::Scale),
        1 => Just(Change::Remove),
        1 => "[a-z_]{1,8}".prop_map(Change::Duplicate),
        2 => any::<usize>().prop_map(Change::Graft),
        2 => any::<usize>().prop_map(Change::Wrap),
    ]
}

fn any_run() -> impl Strategy<Value = Run> {
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

fn examples() -> Vec<Value> {
    ScheduleConfig::examples()
        .into_iter()
        .chain(subjects::combinations())
        .map(|(_, schedule)| serde_json::to_value(schedule).unwrap())
        .collect()
}

fn example(index: usize) -> Value {
    let mut examples = examples();
    examples.swap_remove(index % examples.len())
}

/// The JSON pointers to all places of a document, itself first.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
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

fn is_schedule(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| {
        fields.len() == 1
            && fields
                .keys()
                .all(|key| ScheduleConfig::NAMES.contains(&&**key))
    })
}

fn apply(document: &mut Value, place: usize, change: &Change) {
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
fn read(document: &Value) -> Vec<Result<ScheduleConfig, ScheduleError>> {
    vec![
        ScheduleConfig::from_json(&document.to_string()),
        #[cfg(feature = "toml")]
        ScheduleConfig::from_toml(&to_toml(document).to_string()),
    ]
}

#[cfg(feature = "toml")]
fn to_toml(document: &Value) -> toml::Value {
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn changed_documents_give_a_schedule_or_a_typed_error(
        index in any::<usize>(),
        changes in prop::collection::vec((any::<usize>(), any_change()), 0..6),
        run in any_run(),
        steps in prop::collection::vec(any_step(), 1..20),
        metrics in prop::collection::vec(any_metric(), 0..20),
    ) {
        let mut document = example(index);
        for (place, change) in &changes {
            apply(&mut document, *place, change);
        }
        for schedule in read(&document) {
            match schedule {
                Ok(schedule) => _ = exercise(&schedule, &run, &steps, &metrics),
                Err(ScheduleError::Document { .. }) => {}
                Err(error) => panic!("not an error of reading: {error:?}"),
            }
        }
    }

    #[test]
    fn every_example_bears_any_number_anywhere(
        numbers in prop::collection::vec(prop_oneof![
            any_number().prop_map(|number| json!(number)),
            any_length().prop_map(|length| json!(length)),
            select(NOT_FINITE.map(|(name, _)| json!(name)).to_vec()),
        ], 1..4),
        place in any::<usize>(),
        steps in prop::collection::vec(any_step(), 1..10),
    ) {
        for mut document in examples() {
            for (i, number) in numbers.iter().enumerate() {
                let mut all = Vec::new();
                places(&document, "", &mut all);
                all.retain(|at| document.pointer(at).is_some_and(|v| v.is_number() || v.is_null()));
                if !all.is_empty() {
                    let at = &all[place.wrapping_add(i) % all.len()];
                    *document.pointer_mut(at).unwrap() = number.clone();
                }
            }
            for schedule in read(&document).into_iter().flatten() {
                exercise(&schedule, &subjects::run(), &steps, &[1.0, 2.0, 3.0]);
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[ -~\n]{0,60}|\\PC{0,60}") {
        _ = ScheduleConfig::from_json(&text);
        #[cfg(feature = "toml")]
        { _ = ScheduleConfig::from_toml(&text); }
        _ = text.parse::<Length>();
    }
}

/// The properties would hold of errors alone: enough changed documents must still build.
#[test]
fn changes_leave_enough_to_build() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let changes = prop::collection::vec((any::<usize>(), any_change()), 0..6);
    let (mut built, total) = (0, 1000);
    for index in 0..total {
        let mut document = example(index);
        for (place, change) in changes.new_tree(&mut runner).unwrap().current() {
            apply(&mut document, place, &change);
        }
        let schedule = ScheduleConfig::from_json(&document.to_string());
        built += usize::from(schedule.is_ok_and(|s| exercise(&s, &subjects::run(), &[7], &[1.0])));
    }
    assert!(built > total / 5, "{built} of {total}");
}
