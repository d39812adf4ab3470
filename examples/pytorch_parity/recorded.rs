//! What a run is compared by.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use burn::data::dataset::DatasetError;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::tensor::{Device, TensorReadError};
use burn::train::metric::{
    LossMetric, Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericEntry,
    SerializedEntry,
};
use burn_lr::mnist::ImageDataset;
use burn_lr::model::ClassificationBatch;
use burn_lr::training::loader::{BatchSource, Sample};

use crate::terminal::Error;

/// What has been recorded so far; clones are one and the same.
#[derive(Clone, Default)]
pub struct Recorded {
    losses: Arc<Mutex<Vec<f64>>>,
    rates: Arc<Mutex<Vec<f64>>>,
    order: Arc<Mutex<Vec<usize>>>,
}

impl Recorded {
    /// Writes `losses.json`, `rates.json` and `order.u32` into `directory`.
    pub fn write(&self, directory: &Path) -> Result<(), Error> {
        let losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
        let order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let losses = serde_json::to_vec(&*losses)?;
        fs::write(directory.join("losses.json"), losses)?;
        let rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let rates = serde_json::to_vec(&*rates)?;
        fs::write(directory.join("rates.json"), rates)?;
        let bytes = order.iter().flat_map(|&index| (index as u32).to_le_bytes());
        fs::write(directory.join("order.u32"), bytes.collect::<Vec<u8>>())?;
        Ok(())
    }
}

/// Images that record the order in which they are asked for, batch by batch.
pub struct Ordered {
    images: ImageDataset,
    recorded: Recorded,
}

impl Ordered {
    pub fn new(images: ImageDataset, recorded: &Recorded) -> Self {
        let recorded = recorded.clone();
        Self { images, recorded }
    }
}

impl BatchSource<ClassificationBatch> for Ordered {
    fn len(&self) -> usize {
        BatchSource::len(&self.images)
    }

    fn batch(
        &self,
        samples: &[Sample],
        device: &Device,
    ) -> Result<ClassificationBatch, DatasetError> {
        let order = &self.recorded.order;
        let mut order = order.lock().unwrap_or_else(PoisonError::into_inner);
        order.extend(samples.iter().map(|sample| sample.index));
        self.images.batch(samples, device)
    }
}

/// Burn's loss, every one of which is recorded, with the learning rate of the last update that was made: after a
/// batch that completes an update, the rate of that.
#[derive(Clone)]
pub struct EveryLoss {
    inner: LossMetric,
    recorded: Recorded,
}

impl EveryLoss {
    pub fn new(recorded: &Recorded) -> Self {
        Self {
            inner: LossMetric::new(),
            recorded: recorded.clone(),
        }
    }
}

impl Metric for EveryLoss {
    type Input = <LossMetric as Metric>::Input;

    fn update(
        &mut self,
        loss: &Self::Input,
        metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let entry = self.inner.update(loss, metadata)?;
        let losses = &self.recorded.losses;
        let mut losses = losses.lock().unwrap_or_else(PoisonError::into_inner);
        losses.extend(self.inner.value().map(|loss| loss.current()));
        let rates = &self.recorded.rates;
        let mut rates = rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.extend(metadata.lr.as_ref().map(ModuleLearningRate::base));
        Ok(entry)
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        self.inner.compute()
    }

    fn clear(&mut self) {
        self.inner.clear();
    }

    fn name(&self) -> MetricName {
        Arc::new("Every loss".to_owned())
    }

    fn attributes(&self) -> MetricAttributes {
        self.inner.attributes()
    }
}

impl Numeric for EveryLoss {
    fn value(&self) -> Option<NumericEntry> {
        self.inner.value()
    }

    fn running_value(&self) -> Option<NumericEntry> {
        self.inner.running_value()
    }

    fn final_value(&self) -> NumericEntry {
        self.inner.final_value()
    }
}
