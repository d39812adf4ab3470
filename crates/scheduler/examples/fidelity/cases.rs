//! A configuration of another library, and how ours compares with it.

use burn_lr_scheduler::{Curve, Run, ScheduleConfig, ScheduleError};
use serde::Deserialize;
use serde_json::Value;

/// The largest relative difference that counts as equal.
pub const TOLERANCE: f64 = 1e-12;

/// The largest relative difference from what ours is said to be where it departs: some of that is computed
/// right beside a boundary, not at it.
const NUDGE: f64 = 1e-5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Library {
    pub library: String,
    pub version: String,
    /// Where the rates come from.
    pub source: String,
    pub seed: u64,
    pub cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub scheduler: String,
    pub arguments: Value,
    /// Ours, or none if there is no counterpart.
    pub document: Option<Value>,
    /// Why there is no document to write.
    no_counterpart: Option<String>,
    /// Which parameter building the document refuses.
    refused: Option<Refusal>,
    /// Why it differs on purpose.
    departs: Option<String>,
    /// What ours are then, by the reason.
    ours: Option<Vec<f64>>,
    /// The updates of an epoch and the epochs of the run, where the document has lengths in those.
    run: Option<[u64; 2]>,
    /// The highest of the library's rates, where it is not among the compared ones.
    highest: Option<f64>,
    #[serde(default)]
    steps: Vec<u64>,
    /// One an epoch, for plateaus; then there is a rate after each in place of one at each step.
    #[serde(default)]
    metrics: Vec<f64>,
    #[serde(default)]
    values: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    pub parameter: String,
    pub reason: String,
}

impl Refusal {
    /// Whether `error` is about the parameter: a value that is out of range or of another type, not a name
    /// that the schedule does not have.
    fn is(&self, error: &ScheduleError) -> bool {
        let path = match error {
            ScheduleError::Invalid { path, .. } => path,
            ScheduleError::Document { path, reason } if !reason.contains("unknown field") => path,
            _ => return false,
        };
        let name = path
            .rsplit('.')
            .next()
            .and_then(|name| name.split('[').next());
        name == Some(self.parameter.as_str())
    }
}

pub enum Outcome {
    /// With the largest relative difference.
    Equal(f64),
    Refused,
    Departs,
    NoCounterpart,
    Differs(String),
}

impl Case {
    pub fn compare(&self) -> Outcome {
        let Some(document) = &self.document else {
            return match (&self.no_counterpart, &self.refused, &self.departs) {
                (Some(_), None, None) => Outcome::NoCounterpart,
                _ => Outcome::Differs("no document".to_owned()),
            };
        };
        if self.no_counterpart.is_some() {
            return Outcome::Differs("a document without counterpart".to_owned());
        }
        match (&self.refused, self.curve(document)) {
            (Some(refusal), Err(error)) if refusal.is(&error) => Outcome::Refused,
            (Some(Refusal { parameter, reason }), result) => Outcome::Differs(format!(
                "expected {parameter} to be refused ({reason}), got {result:?}"
            )),
            (None, Err(error)) => Outcome::Differs(error.to_string()),
            (None, Ok(curve)) => self.compare_rates(curve),
        }
    }

    fn compare_rates(&self, curve: Curve) -> Outcome {
        if self.values.is_empty() {
            return Outcome::Differs("no rates to compare".to_owned());
        }
        if self.departs.is_some() != self.ours.is_some() {
            let said = "a departure says what ours are, and nothing else does";
            return Outcome::Differs(said.to_owned());
        }
        if let Some(ours) = &self.ours {
            match self.difference(curve.clone(), ours) {
                Ok((worst, _)) if worst <= NUDGE => {}
                Ok((worst, at)) => {
                    return Outcome::Differs(format!("otherwise than said, by {worst:e} {at}"));
                }
                Err(error) => return Outcome::Differs(error.to_string()),
            }
        }
        match (self.difference(curve, &self.values), &self.departs) {
            (Err(error), _) => Outcome::Differs(error.to_string()),
            (Ok((worst, _)), None) if worst <= TOLERANCE => Outcome::Equal(worst),
            (Ok((worst, at)), None) => Outcome::Differs(format!("by {worst:e} {at}")),
            (Ok((worst, _)), Some(_)) if worst > TOLERANCE => Outcome::Departs,
            (Ok(_), Some(reason)) => Outcome::Differs(format!("no longer departs: {reason}")),
        }
    }

    /// Why it is not equal: the column of the page, the parameter of a refusal, and the reason.
    pub fn reason(&self) -> Option<(&str, &str, &str)> {
        let refused = self.refused.as_ref();
        let refused = refused.map(|r| ("refused", r.parameter.as_str(), r.reason.as_str()));
        let departs = self
            .departs
            .as_deref()
            .map(|reason| ("departs", "", reason));
        let none = self.no_counterpart.as_deref();
        refused
            .or(departs)
            .or(none.map(|reason| ("without counterpart", "", reason)))
    }

    /// The largest difference, relative to the rate or to a thousandth of the highest one: where a decay
    /// nears 0, the rounding errors of its cosine or of `1 - p` do not shrink with it.
    fn difference(&self, mut curve: Curve, values: &[f64]) -> Result<(f64, String), ScheduleError> {
        let highest = self.highest.unwrap_or(0.0);
        let highest = values.iter().copied().fold(highest, f64::max);
        let mut worst = (0.0, String::new());
        for (i, &expected) in values.iter().enumerate() {
            let step = match (self.steps.get(i), self.metrics.get(i)) {
                (_, Some(&metric)) => {
                    curve.observe(i as u64, metric)?;
                    i as u64 + 1
                }
                (Some(&step), None) => step,
                (None, None) => i as u64,
            };
            let lr = curve.lr(step);
            let scale = f64::max(expected, 1e-3 * highest);
            let difference = if lr == expected {
                0.0
            } else {
                (lr - expected).abs() / scale
            };
            if difference.is_nan() || difference > worst.0 {
                worst = (
                    difference,
                    format!("at step {step}: expected {expected}, got {lr}"),
                );
            }
        }
        Ok(worst)
    }

    fn curve(&self, document: &Value) -> Result<Curve, ScheduleError> {
        let run = Run::per_update();
        let run = match self.run {
            Some([updates, epochs]) => run.with_updates_per_epoch(updates).with_epochs(epochs),
            None => run,
        };
        ScheduleConfig::from_json(&document.to_string())?.curve(&run)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outcome(fields: Value) -> Outcome {
        let mut case = json!({"scheduler": "StepLR", "arguments": {}});
        let fields = fields.as_object().unwrap().clone();
        case.as_object_mut().unwrap().extend(fields);
        serde_json::from_value::<Case>(case).unwrap().compare()
    }

    fn step_lr(gamma: f64) -> Value {
        json!({"StepLr": {"initial_lr": 1.0, "step_size": 2, "gamma": gamma}})
    }

    #[test]
    fn a_refusal_has_a_document_and_is_about_the_parameter_that_is_named() {
        let refused = |parameter: &str, document: Value| {
            let refused = json!({"parameter": parameter, "reason": "0 or less"});
            outcome(json!({"refused": refused, "document": document}))
        };
        assert!(matches!(refused("gamma", step_lr(0.0)), Outcome::Refused));
        let text = json!({"StepLr": {"initial_lr": 1.0, "step_size": 2, "gamma": "half"}});
        assert!(matches!(refused("gamma", text), Outcome::Refused));
        let unknown = json!({"StepLr": {"initial_lr": 1.0, "step_size": 2, "noise": 1}});
        for (parameter, document) in [
            ("gamma", Value::Null),
            ("gamma", step_lr(0.5)),
            ("step_size", step_lr(0.0)),
            ("noise", unknown),
        ] {
            let outcome = refused(parameter, document);
            assert!(matches!(outcome, Outcome::Differs(_)), "{parameter}");
        }
    }

    #[test]
    fn a_case_is_what_it_is_said_to_be() {
        let rates = |values: [f64; 3]| json!({"document": step_lr(0.5), "values": values});
        let with = |mut case: Value, name: &str, reason: &str| {
            case[name] = reason.into();
            outcome(case)
        };
        let (equal, other) = ([1.0, 1.0, 0.5], [1.0, 1.0, 0.4]);
        assert!(matches!(outcome(rates(equal)), Outcome::Equal(_)));
        assert!(matches!(outcome(rates(other)), Outcome::Differs(_)));
        let unsaid = with(rates(other), "departs", "on purpose");
        assert!(matches!(unsaid, Outcome::Differs(_)));
        for (values, ours, said) in [
            (other, equal, true),
            (other, other, false),
            (equal, equal, false),
        ] {
            let mut case = rates(values);
            case["ours"] = json!(ours);
            assert!(matches!(outcome(case.clone()), Outcome::Differs(_)));
            let outcome = with(case, "departs", "on purpose");
            assert_eq!(matches!(outcome, Outcome::Departs), said);
        }
        let rounded = json!({"document": step_lr(0.5), "values": [1.0, 1.0, 0.5 + 1e-11]});
        assert!(matches!(outcome(rounded.clone()), Outcome::Differs(_)));
        let mut of_more = rounded;
        of_more["highest"] = json!(1e5);
        assert!(matches!(outcome(of_more), Outcome::Equal(_)));
        let none = |case| with(case, "no_counterpart", "a function");
        assert!(matches!(none(json!({})), Outcome::NoCounterpart));
        assert!(matches!(none(rates(equal)), Outcome::Differs(_)));
        let empty = json!({"document": step_lr(0.5)});
        for nothing in [outcome(json!({})), outcome(empty)] {
            assert!(matches!(nothing, Outcome::Differs(_)));
        }
    }
}
