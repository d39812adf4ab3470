//! A run's configuration as a list.

use serde_json::Value;

/// What a configuration such as `burn-lr.json` holds, each setting under its path:
/// `fixed.schedule.schedule.StepLr.gamma`. Lists are settings as a whole; what is null is left out.
///
/// ```
/// use serde_json::json;
///
/// let config = json!({"fixed": {"seed": 1, "clip_gradients": null}});
/// let settings = burn_lr_tracking::settings(&config);
/// assert_eq!(settings, [("fixed.seed".to_owned(), json!(1))]);
/// ```
pub fn settings(config: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    add("", config, &mut all);
    all
}

fn add(name: &str, value: &Value, all: &mut Vec<(String, Value)>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (field, value) in fields {
                let dot = if name.is_empty() { "" } else { "." };
                add(&format!("{name}{dot}{field}"), value, all);
            }
        }
        _ => all.push((name.to_owned(), value.clone())),
    }
}
