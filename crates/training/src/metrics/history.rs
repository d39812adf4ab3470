//! All epochs of a run.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::record::EpochRecord;
use crate::key::MetricKey;
use crate::lineage::Lineage;

/// All epochs of a run in their order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct History {
    /// The epochs.
    pub epochs: Vec<EpochRecord>,
    /// Where the run branched off another, the earliest branch first: the epochs until then are those
    /// of the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<Lineage>,
}

impl History {
    /// The metrics that any epoch has, those of the training split first.
    pub fn keys(&self) -> Vec<MetricKey> {
        let all: BTreeSet<MetricKey> = self.epochs.iter().flat_map(EpochRecord::keys).collect();
        all.into_iter().collect()
    }

    /// The updates until the end of each epoch.
    pub(crate) fn ends(&self) -> Vec<u64> {
        self.epochs.iter().map(|epoch| epoch.updates).collect()
    }

    /// The history as CSV: `epoch,updates,train_<metric>...,valid_<metric>...,lr,next_lr,
    /// lr_<group>...,<hyperparameter>...,seconds`, one row an epoch; a value that is missing is empty. Runs that are
    /// [measured in updates](crate::Training::every) have `data_epoch,samples` after `updates`: how far
    /// in the data a period ends, in epochs, and the samples until then.
    pub fn to_csv(&self) -> String {
        let keys = self.keys();
        let groups: BTreeSet<&String> = self
            .epochs
            .iter()
            .flat_map(|e| e.group_lrs.keys())
            .collect();
        let hyperparameters: BTreeSet<&String> = self
            .epochs
            .iter()
            .flat_map(|e| e.hyperparameters.keys())
            .collect();
        let of_data = self.epochs.iter().any(|epoch| epoch.data.is_some());
        let mut rows = vec![["epoch", "updates"].map(str::to_owned).to_vec()];
        if of_data {
            rows[0].extend(["data_epoch", "samples"].map(str::to_owned));
        }
        rows[0].extend(keys.iter().map(MetricKey::to_string));
        rows[0].extend(["lr", "next_lr"].map(str::to_owned));
        rows[0].extend(groups.iter().map(|group| format!("lr_{group}")));
        rows[0].extend(hyperparameters.iter().map(|&name| name.clone()));
        rows[0].push("seconds".to_owned());
        let text = |value: Option<f64>| value.as_ref().map(f64::to_string).unwrap_or_default();
        for epoch in &self.epochs {
            let mut row = vec![epoch.epoch.to_string(), epoch.updates.to_string()];
            if of_data {
                row.push(text(epoch.data.and_then(|data| data.epoch)));
                row.push(
                    epoch
                        .data
                        .map_or_else(String::new, |data| data.samples.to_string()),
                );
            }
            row.extend(keys.iter().map(|key| text(epoch.get(key))));
            row.extend([epoch.lr.to_string(), epoch.next_lr.to_string()]);
            let lr = |group: &&String| text(epoch.group_lrs.get(*group).copied());
            row.extend(groups.iter().map(lr));
            let value = |name: &&String| text(epoch.hyperparameters.get(*name).copied());
            row.extend(hyperparameters.iter().map(value));
            row.push(format!("{:.3}", epoch.seconds));
            rows.push(row);
        }
        let lines = rows.iter().map(|row| {
            let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
            cells.join(",") + "\n"
        });
        lines.collect()
    }
}

/// A cell of a CSV file (RFC 4180). Only names of metrics ever need it: not worth a crate to those
/// who train and plot nothing.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Metrics;
    use super::*;

    #[test]
    fn csv_has_a_column_for_every_metric_that_ever_occurs() {
        let metrics = |pairs: &[(&str, f64)]| {
            pairs
                .iter()
                .map(|&(n, v)| (n.to_owned(), v))
                .collect::<Metrics>()
        };
        let record = |epoch, valid, group_lrs: &[(&str, f64)]| EpochRecord {
            updates: 10,
            train: metrics(&[("loss", 0.5)]),
            valid,
            lr: 0.01,
            next_lr: 0.005,
            group_lrs: metrics(group_lrs),
            seconds: 1.5,
            ..EpochRecord::new(epoch)
        };
        let epochs = vec![
            record(1, metrics(&[("loss", 0.25), ("a,\"b\"", 1.0)]), &[]),
            record(
                2,
                metrics(&[("accuracy", 0.9), ("loss", f64::NAN)]),
                &[("head", 0.1)],
            ),
        ];
        let history = History {
            epochs,
            ..History::default()
        };
        assert_eq!(
            history.to_csv(),
            "epoch,updates,train_loss,\"valid_a,\"\"b\"\"\",valid_accuracy,valid_loss,lr,next_lr,\
             lr_head,seconds\n\
             1,10,0.5,1,,0.25,0.01,0.005,,1.500\n\
             2,10,0.5,,0.9,NaN,0.01,0.005,0.1,1.500\n"
        );
    }
    #[test]
    fn metrics_that_are_no_numbers_survive_json() {
        let history: History = serde_json::from_str(
            r#"{"epochs": [{"epoch": 1, "train": {"loss": "NaN"}, "valid": {"loss": "-inf"},
                "lr": 0.1, "next_lr": 0.1, "seconds": 1.0, "cuts": [{"from": 0.1, "to": 0.05,
                "metric": "NaN", "best": "inf", "bad_epochs": 1}]}]}"#,
        )
        .unwrap();
        assert!(history.epochs[0].train("loss").is_nan());
        assert_eq!(history.epochs[0].valid("loss"), f64::NEG_INFINITY);
        let json = serde_json::to_string(&history).unwrap();
        assert!(json.contains(r#""loss":"NaN""#), "{json}");
        assert!(json.contains(r#""metric":"NaN","best":"inf""#), "{json}");
    }
}
