//! What TensorBoard's table of hyperparameters is told.

use serde_json::{Map, Value};

use super::event;
use super::message::Message;
use crate::settings::settings;

const PLUGIN: &str = "hparams";

/// What a run was configured with, as names and values: numbers, texts and switches.
pub(super) fn of_config(config: &Value) -> Vec<(String, Value)> {
    let fixed = &config["fixed"];
    let chosen = [
        "schedule",
        "optimizer",
        "grads_accumulation",
        "clip_gradients",
        "average",
        "every",
        "seed",
        "settings",
    ];
    let mut of_run: Map<String, Value> = chosen
        .into_iter()
        .map(|name| (name.to_owned(), fixed[name].clone()))
        .collect();
    let groups = fixed["groups"].as_array().into_iter().flatten();
    for group in groups {
        let name = group["name"].as_str().unwrap_or("group");
        of_run.insert(format!("groups.{name}"), group.clone());
    }
    of_run.insert(
        "batch_size".to_owned(),
        fixed["train"]["batch_size"].clone(),
    );
    of_run.insert("epochs".to_owned(), config["free"]["epochs"].clone());
    settings(&Value::Object(of_run))
}

/// A session begins, with these hyperparameters.
pub(super) fn start(parameters: &[(String, Value)], seconds: f64) -> Message {
    let mut info = Message::new();
    for (name, value) in parameters {
        let entry = Message::new().bytes(1, name).message(2, &wrapped(value));
        info = info.message(1, &entry);
    }
    let info = info.double(5, seconds);
    told("session_start_info", 3, &info)
}

/// The session ends, well or not.
pub(super) fn end(success: bool, seconds: f64) -> Message {
    let status = if success { 1 } else { 2 };
    let info = Message::new().integer(1, status).double(2, seconds);
    told("session_end_info", 4, &info)
}

fn told(tag: &str, field: u32, info: &Message) -> Message {
    let data = Message::new().message(field, info);
    event::plugin_data(&format!("_hparams_/{tag}"), PLUGIN, &data)
}

/// `google.protobuf.Value`
fn wrapped(value: &Value) -> Message {
    let message = Message::new();
    match value {
        Value::Bool(switch) => message.integer(4, u64::from(*switch)),
        Value::Number(number) => message.double(2, number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => message.bytes(3, text),
        other => message.bytes(3, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_configuration_becomes_names_and_values() {
        let config = json!({
            "fixed": {
                "schedule": {"clock": "per_epoch", "schedule": {"StepLr": {"gamma": 0.5}}},
                "optimizer": {"Adam": {"amsgrad": false, "weight_decay": null}},
                "groups": [{"name": "head", "lr_scale": 0.1}],
                "train": {"batch_size": 64},
                "settings": {"data": ["a", "b"]},
                "model": "Mlp {}",
            },
            "free": {"epochs": 10},
        });
        let found = of_config(&config);
        let expected = [
            ("batch_size", json!(64)),
            ("epochs", json!(10)),
            ("groups.head.lr_scale", json!(0.1)),
            ("groups.head.name", json!("head")),
            ("optimizer.Adam.amsgrad", json!(false)),
            ("schedule.clock", json!("per_epoch")),
            ("schedule.schedule.StepLr.gamma", json!(0.5)),
            ("settings.data", json!(["a", "b"])),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(found, expected);
    }
}
