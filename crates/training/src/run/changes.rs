//! Where two configurations of a run differ.

use std::collections::BTreeSet;

use burn_lr_scheduler::{Clocked, complete_as_it_ran};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::optim::{GradientClip, OptimizerConfig};

/// A place where two configurations differ, and the values there.
#[derive(Debug, PartialEq)]
pub(super) struct Change {
    pub field: String,
    pub saved: String,
    pub current: String,
}

/// What is otherwise in `current` than in `saved`, which may be of a time when schedules, optimizers and
/// this project knew fewer settings: what it lacks has the default.
pub(super) fn changes(saved: &Value, current: &Value) -> Vec<Change> {
    let mut saved = saved.clone();
    // Runs did not say at first which parameters they train.
    if let (Some(saved), Some(parameters)) = (saved.as_object_mut(), current.get("parameters")) {
        saved
            .entry("parameters")
            .or_insert_with(|| parameters.clone());
    }
    with_defaults(&mut saved);
    fill::<GradientClip>(saved.get_mut("clip_gradients"));
    let groups = saved.get_mut("groups").and_then(Value::as_array_mut);
    groups.into_iter().flatten().for_each(with_defaults);
    let mut changes = Vec::new();
    compare(String::new(), &saved, current, &mut changes);
    changes
}

/// Adds to the schedule and to the optimizer in `settings` what they lack.
fn with_defaults(settings: &mut Value) {
    let schedule = settings.get_mut("schedule");
    schedule.into_iter().for_each(complete_as_it_ran);
    fill::<Clocked>(settings.get_mut("schedule"));
    fill::<OptimizerConfig>(settings.get_mut("optimizer"));
}

/// Adds the fields that `T` has by now. What cannot be read, such as a closure, stays as it is.
fn fill<T: DeserializeOwned + Serialize>(value: Option<&mut Value>) {
    let Some(value) = value else { return };
    // By way of the text, in which an f32 has the digits it was written with.
    let read = serde_json::from_value::<T>(value.clone());
    let written = read.and_then(|read| serde_json::to_vec(&read));
    if let Ok(filled) = written.and_then(|json| serde_json::from_slice(&json)) {
        add_missing(value, &filled);
    }
}

fn add_missing(value: &mut Value, filled: &Value) {
    match (value, filled) {
        (Value::Object(fields), Value::Object(filled)) => {
            for (name, filled) in filled {
                match fields.get_mut(name) {
                    Some(field) => add_missing(field, filled),
                    None => {
                        fields.insert(name.clone(), filled.clone());
                    }
                }
            }
        }
        (Value::Array(items), Value::Array(filled)) => {
            for (item, filled) in items.iter_mut().zip(filled) {
                add_missing(item, filled);
            }
        }
        _ => {}
    }
}

fn compare(path: String, saved: &Value, current: &Value, changes: &mut Vec<Change>) {
    let below = |name: &str| match path.as_str() {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    match (saved, current) {
        (Value::Object(old), Value::Object(new)) => {
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let missing = &Value::Null;
                let old = old.get(name).unwrap_or(missing);
                let new = new.get(name).unwrap_or(missing);
                compare(below(name), old, new, changes);
            }
        }
        (Value::Array(old), Value::Array(new)) if names(old).is_some() && names(new).is_some() => {
            let [old_names, new_names] = [old, new].map(|items| names(items).unwrap_or_default());
            let of = |name: &str, items: &[Value]| {
                let item = items.iter().find(|item| item["name"] == name);
                item.cloned().unwrap_or_default()
            };
            let before = changes.len();
            let added = new_names.iter().filter(|name| !old_names.contains(name));
            for name in old_names.iter().chain(added) {
                compare(below(name), &of(name, old), &of(name, new), changes);
            }
            // The last one that has something counts, so their order does.
            if changes.len() == before && old_names != new_names {
                changes.push(Change {
                    field: path,
                    saved: old_names.join(", "),
                    current: new_names.join(", "),
                });
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                compare(below(&index.to_string()), old, new, changes);
            }
        }
        _ if saved == current => {}
        _ => changes.push(Change {
            field: path,
            saved: saved.to_string(),
            current: current.to_string(),
        }),
    }
}

/// The names of `items`, if all of them have one of their own.
fn names(items: &[Value]) -> Option<Vec<&str>> {
    let names: Vec<&str> = items
        .iter()
        .map(|item| item["name"].as_str())
        .collect::<Option<_>>()?;
    let distinct: BTreeSet<&str> = names.iter().copied().collect();
    (distinct.len() == names.len()).then_some(names)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(field: &str, saved: &str, current: &str) -> Change {
        Change {
            field: field.to_owned(),
            saved: saved.to_owned(),
            current: current.to_owned(),
        }
    }

    #[test]
    fn changes_are_named_by_their_place() {
        let saved = json!({"a": {"b": [1, 2], "c": 1.5}, "d": "x", "f": [1]});
        let current = json!({"a": {"b": [1, 3], "c": 1.5}, "e": null, "f": [1, 2]});
        let expected = [
            change("a.b.1", "2", "3"),
            change("d", "\"x\"", "null"),
            change("f", "[1]", "[1,2]"),
        ];
        assert_eq!(changes(&saved, &current), expected);
    }

    #[test]
    fn groups_are_named_by_their_names() {
        let group = |name: &str, lr_scale: f64| json!({"name": name, "lr_scale": lr_scale});
        let groups = |groups: &[Value]| json!({ "groups": groups });
        let saved = groups(&[group("body", 0.1), group("head", 0.5)]);
        let changed = groups(&[group("body", 0.1), group("head", 0.25)]);
        let expected = [change("groups.head.lr_scale", "0.5", "0.25")];
        assert_eq!(changes(&saved, &changed), expected);
        let turned = groups(&[group("head", 0.5), group("body", 0.1)]);
        let expected = [change("groups", "body, head", "head, body")];
        assert_eq!(changes(&saved, &turned), expected);
        let first = changes(&saved, &groups(&[group("head", 0.5)]));
        assert_eq!(first.len(), 1);
        assert_eq!(first[0].field, "groups.body");
        assert_eq!(changes(&groups(&[]), &saved)[1].field, "groups.head");
    }

    #[test]
    fn items_of_the_same_name_are_named_by_their_index() {
        let kernels = |kernel: u32| json!({"layers": [{"name": "conv", "kernel": 3}, {"name": "conv", "kernel": kernel}]});
        assert!(changes(&kernels(5), &kernels(5)).is_empty());
        let expected = [change("layers.1.kernel", "5", "7")];
        assert_eq!(changes(&kernels(5), &kernels(7)), expected);
    }

    #[test]
    fn what_a_saved_configuration_lacks_has_the_default() {
        let step = |gamma: Value| {
            let mut schedule = json!({"initial_lr": 0.1, "step_size": 3});
            if gamma != Value::Null {
                schedule["gamma"] = gamma;
            }
            json!({"clock": "per_epoch", "schedule": {"StepLr": schedule}})
        };
        let of = |gamma: Value| {
            let group = json!([{"name": "head", "schedule": step(gamma.clone())}]);
            json!({"schedule": step(gamma), "groups": group})
        };
        assert_eq!(changes(&of(Value::Null), &of(json!(0.1))), []);
        let changed = changes(&of(Value::Null), &of(json!(0.2)));
        let expected = [
            change("groups.head.schedule.schedule.StepLr.gamma", "0.1", "0.2"),
            change("schedule.schedule.StepLr.gamma", "0.1", "0.2"),
        ];
        assert_eq!(changed, expected);
        // What is gone is not forgotten.
        let more = json!({"clock": "per_epoch", "schedule": {"StepLr": {"unknown": 1}}});
        assert!(!changes(&json!({ "schedule": more }), &of(json!(0.1))).is_empty());
        // Nor is what a parameter was, if that was said.
        let parameters = json!({"parameters": {"weight": "frozen"}});
        assert_eq!(changes(&json!({}), &parameters), []);
        let trained = json!({"parameters": {"weight": "trained"}});
        let expected = [change("parameters.weight", "\"frozen\"", "\"trained\"")];
        assert_eq!(changes(&parameters, &trained), expected);
    }
}
