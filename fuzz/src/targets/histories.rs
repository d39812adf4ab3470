//! Histories of runs.

use burn_lr::training::metrics::History;

use super::Target;

pub struct Histories;

const EXAMPLES: [&str; 3] = [
    r#"{"epochs": [{"epoch": 1, "train": {"loss": "NaN"}, "valid": {"loss": "-inf"}, "lr": 0.1, "next_lr": 0.1,
        "seconds": 1.0, "cuts": [{"from": 0.1, "to": 0.05, "metric": "NaN", "best": "inf", "bad_epochs": 1}]}]}"#,
    r#"{"epochs": [{"epoch": 1, "updates": 200, "data": {"epochs": 0, "batches": 200, "samples": 12800,
        "epoch": 0.21}, "train": {"loss": 0.25, "accuracy": 0.9}, "valid": {"loss": 0.3}, "lr": 0.01, "next_lr": 0.005,
        "group_lrs": {"head": 0.1}, "hyperparameters": {"momentum": 0.9}, "cuts": [], "seconds": 0.25},
        {"epoch": 2, "updates": 400, "train": {"loss": 0.125}, "valid": {}, "lr": 5e-3, "next_lr": 1e-3, "cuts": [], "seconds": 2}]}"#,
    r#"{"epochs": []}"#,
];

impl Target for Histories {
    fn corpus(&self) -> Vec<Vec<u8>> {
        EXAMPLES.map(|text| text.as_bytes().to_vec()).to_vec()
    }

    fn run(&mut self, input: &[u8]) -> bool {
        let Ok(history) = serde_json::from_slice::<History>(input) else {
            return false;
        };
        let written = serde_json::to_string(&history).unwrap();
        let again: History = serde_json::from_str(&written).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), written);
        let csv = again.to_csv();
        assert!(csv.lines().count() > history.epochs.len());
        true
    }
}
