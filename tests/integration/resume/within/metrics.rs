//! Metrics that are no means over batches, with which there are none.

use std::sync::Arc;

use burn::tensor::TensorReadError;
use burn::train::metric::{
    LossInput, LossMetric, Metric, MetricMetadata, MetricName, Numeric, NumericEntry,
    SerializedEntry,
};
use tempfile::TempDir;

use super::{NEVER, assert_stopped, ended, found, run};
use crate::engine::net::{Net, noted};

/// The largest loss of an epoch.
#[derive(Clone, Default)]
struct Largest(LossMetric, f64);

impl Metric for Largest {
    type Input = LossInput;

    fn name(&self) -> MetricName {
        Arc::new("Largest".to_owned())
    }

    fn update(
        &mut self,
        input: &LossInput,
        metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let entry = self.0.update(input, metadata)?;
        let value = self.0.value().map_or(f64::NAN, |value| value.current());
        self.1 = self.1.max(value);
        Ok(entry)
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        self.0.compute()
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Numeric for Largest {
    fn value(&self) -> Option<NumericEntry> {
        Some(NumericEntry::Value(self.1))
    }

    fn running_value(&self) -> Option<NumericEntry> {
        self.value()
    }

    fn final_value(&self) -> NumericEntry {
        NumericEntry::Final(self.1)
    }
}

/// The power of e to the mean loss, as perplexity is. After one batch it looks like a mean.
#[derive(Clone, Default)]
struct Power(LossMetric);

impl Power {
    fn of(entry: NumericEntry) -> NumericEntry {
        match entry {
            NumericEntry::Aggregated {
                aggregated_value,
                count,
            } => NumericEntry::Aggregated {
                aggregated_value: aggregated_value.exp(),
                count,
            },
            other => NumericEntry::Final(other.current().exp()),
        }
    }
}

impl Metric for Power {
    type Input = LossInput;

    fn name(&self) -> MetricName {
        Arc::new("Power".to_owned())
    }

    fn update(
        &mut self,
        input: &LossInput,
        metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.0.update(input, metadata)
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        self.0.compute()
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Numeric for Power {
    fn value(&self) -> Option<NumericEntry> {
        self.0.value().map(Self::of)
    }

    fn running_value(&self) -> Option<NumericEntry> {
        self.0.running_value().map(Self::of)
    }

    fn final_value(&self) -> NumericEntry {
        Self::of(self.0.final_value())
    }
}

#[test]
fn a_metric_of_which_one_batch_was_seen_may_be_no_mean() {
    let root = TempDir::new().unwrap();
    let of =
        |name: &str, batches| run(&root.path().join(name), batches).metrics((Power::default(),));
    let expected = ended(of("whole", NEVER).fit(Net::new(1)).unwrap());
    let path = root.path().join("run");
    for batches in [1, 6] {
        assert_stopped(of("run", batches).fit(Net::new(1)));
        assert!(found(&path).is_empty(), "{:?}", found(&path));
    }
    let ended = ended(of("run", NEVER).fit(Net::new(2)).unwrap());
    assert_eq!(ended, expected);
}

#[test]
fn a_metric_that_is_no_mean_has_none_made_which_is_told_once() {
    let root = TempDir::new().unwrap();
    let of =
        |name: &str, batches| run(&root.path().join(name), batches).metrics((Largest::default(),));
    let expected = ended(of("whole", NEVER).fit(Net::new(1)).unwrap());
    let (training, said) = noted(of("run", 8));
    assert_stopped(training.fit(Net::new(1)));
    let said: Vec<String> = said.iter().collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].starts_with("no checkpoints within epochs: metric \"Largest\" is no mean"),
        "{said:?}"
    );
    assert!(found(&root.path().join("run")).is_empty());
    let (training, said) = noted(of("run", NEVER));
    assert_eq!(ended(training.fit(Net::new(2)).unwrap()), expected);
    assert_eq!(said.iter().next().unwrap(), "resuming after epoch 1");
}

#[test]
fn a_metric_that_is_new_within_an_epoch_is_told_to_be_of_its_rest() {
    let directory = TempDir::new().unwrap();
    assert_stopped(run(directory.path(), 8).fit(Net::new(1)));
    let (training, said) = noted(run(directory.path(), NEVER).metrics((Largest::default(),)));
    training.fit(Net::new(2)).unwrap();
    let partial = "metric \"Largest\" of epoch 2 is of what";
    assert!(said.iter().any(|said| said.starts_with(partial)));
}
