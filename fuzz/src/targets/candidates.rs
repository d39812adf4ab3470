//! Documents of an experiment's candidates, with their optimizers and averages.

use burn_lr::experiment::Candidate;
use burn_lr::training::average::Average;
use serde_json::{Value, json};

use super::Target;

pub struct Candidates;

const TOML: [&str; 3] = [
    include_str!("../../../examples/candidates.toml"),
    include_str!("../../../examples/averages.toml"),
    "[[candidate]]\nname = \"a\"\n[candidate.branch]\nof = \"b\"\nat.epoch = 3\n[candidate.optimizer.Prodigy]\nd0 = 1e-6\n\
     [[candidate]]\nname = \"b\"\nclock = \"per_update\"\nschedule.Constant.lr = 0.1\n",
];

const OPTIMIZERS: [&str; 4] = [
    r#"{"ScheduleFreeAdamW": {"beta_1": 0.9, "warmup_steps": 10}}"#,
    r#"{"ScheduleFreeSgd": {}}"#,
    r#"{"Prodigy": {"weight_decay": 0.01, "growth_rate": 1.02}}"#,
    r#"{"AdamW": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-5, "weight_decay": 0.01,
        "cautious_weight_decay": false, "amsgrad": false, "grad_clipping": null}}"#,
];

/// What the candidates are made of, as a document.
fn document(candidates: &[Candidate]) -> String {
    json!({ "candidate": candidates }).to_string()
}

impl Target for Candidates {
    fn corpus(&self) -> Vec<Vec<u8>> {
        let toml = TOML.map(str::to_owned);
        let json = TOML.map(|text| document(&Candidate::from_toml(text).unwrap()));
        let optimizers = OPTIMIZERS.map(|optimizer| {
            format!(r#"{{"candidate": [{{"name": "a", "epochs": 2, "optimizer": {optimizer}}}]}}"#)
        });
        let texts = [&toml[..], &json, &optimizers].concat();
        texts.into_iter().map(String::into_bytes).collect()
    }

    fn run(&mut self, input: &[u8]) -> bool {
        let text = String::from_utf8_lossy(input);
        let read = if text.starts_with('{') {
            Candidate::from_json(&text)
        } else {
            Candidate::from_toml(&text)
        };
        let Ok(candidates) = read else {
            return false;
        };
        for candidate in &candidates {
            if let Some(optimizer) = &candidate.optimizer {
                _ = optimizer.check();
            }
            let average = candidate.settings.get("average").cloned();
            if let Ok(average) = serde_json::from_value::<Average>(average.unwrap_or(Value::Null)) {
                _ = average.check(100, Some(938), 5);
            }
        }
        // JSON has no NaN, which TOML has.
        let written = document(&candidates);
        if let Ok(again) = Candidate::from_json(&written) {
            assert_eq!(document(&again), written);
        } else {
            assert!(!text.starts_with('{'), "cannot be read again: {written}");
        }
        true
    }
}
