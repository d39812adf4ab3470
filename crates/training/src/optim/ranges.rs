//! The ranges of optimizers' settings.
//!
//! Burn's configs keep their fields to themselves, and most accept any number. They are read as JSON,
//! in which a number that is not finite is null, as is an option that is unset: only the fields of a
//! config without options tell these apart.

use serde_json::Value;

use super::error::OptimError;

const FINITE: Range = Range("finite", f64::is_finite);
const BELOW_ONE: Range = Range("in [0, 1)", |value| (0.0..1.0).contains(&value));
const FRACTION: Range = Range("in [0, 1]", |value| (0.0..=1.0).contains(&value));
const NOT_NEGATIVE: Range = Range("0 or more and finite", |value| {
    (0.0..f64::INFINITY).contains(&value)
});
const POSITIVE: Range = Range("above 0 and finite", |value| {
    value > 0.0 && value < f64::INFINITY
});
const NEGATIVE: Range = Range("below 0 and finite", |value| {
    value < 0.0 && value > f64::NEG_INFINITY
});
const STEPS: Range = Range("from 1 to 99", |value| (1.0..=99.0).contains(&value));

/// What a number must be, in words and as a test that NaN fails.
struct Range(&'static str, fn(f64) -> bool);

/// The range of the settings called `name`, which means the same in all of Burn's configs.
fn range(name: &str) -> Option<Range> {
    Some(match name {
        "beta_1" | "beta_2" | "beta_3" | "alpha" | "momentum" => BELOW_ONE,
        "dampening" => FRACTION,
        "epsilon" | "weight_decay" | "penalty" | "lr_decay" => NOT_NEGATIVE,
        // Of Adafactor, which panics outside of these.
        "epsilon_1" | "epsilon_2" | "clip_threshold" => POSITIVE,
        "decay_rate" => NEGATIVE,
        "ns_coefficients" => FINITE,
        "ns_steps" => STEPS,
        // Of Burn's own gradient clipping.
        "Value" | "Norm" => POSITIVE,
        _ => return None,
    })
}

/// Whether `settings` are in their ranges; in `unset`, what may be null is.
pub(super) fn check_settings(
    optimizer: &'static str,
    settings: &Value,
    unset: &Value,
) -> Result<(), OptimError> {
    check("", settings, Some(unset), optimizer)
}

fn check(
    path: &str,
    value: &Value,
    unset: Option<&Value>,
    optimizer: &'static str,
) -> Result<(), OptimError> {
    let name = path.rsplit('.').next().unwrap_or(path);
    let range = range(name).unwrap_or(FINITE);
    let error = |found| OptimError::Hyperparameter {
        optimizer,
        name: path.to_owned(),
        expected: range.0,
        found,
    };
    match value {
        Value::Object(fields) => fields.iter().try_for_each(|(field, value)| {
            let path = if path.is_empty() {
                field.clone()
            } else {
                format!("{path}.{field}")
            };
            check(
                &path,
                value,
                unset.and_then(|unset| unset.get(field)),
                optimizer,
            )
        }),
        Value::Array(values) => values
            .iter()
            .try_for_each(|value| check(path, value, None, optimizer)),
        Value::Null if unset.is_some_and(Value::is_null) => Ok(()),
        Value::Null => Err(error("a number that is not finite".to_owned())),
        Value::Number(number) if number.as_f64().is_some_and(range.1) => Ok(()),
        Value::Number(number) => Err(error(number.to_string())),
        Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

#[cfg(test)]
pub(super) fn has_range(name: &str) -> bool {
    range(name).is_some()
}
