//! What a sweep trains on, and the loss that it reads.

use std::sync::Arc;

use burn::data::dataloader::{DataLoader, Progress};
use burn::data::dataset::DatasetError;
use burn::train::metric::{
    Adaptor, ItemLazy, LossInput, LossMetric, Metric, MetricMetadata, Numeric,
};

use super::error::LrFinderError;

/// The loss of an update, as Burn's loss metric reads it.
pub(super) fn loss<T: ItemLazy + Adaptor<LossInput>>(
    output: T,
    update: usize,
) -> Result<f64, LrFinderError> {
    let unreadable = |reason: String| LrFinderError::Loss { update, reason };
    let output = output
        .sync()
        .map_err(|error| unreadable(error.to_string()))?;
    let metadata = MetricMetadata {
        progress: Progress::new(1, 1, None),
        iteration: None,
        lr: None,
    };
    let mut metric = LossMetric::new();
    metric
        .update(&output.adapt(), &metadata)
        .map_err(|error| unreadable(error.to_string()))?;
    let value = metric.value().map(|value| value.current());
    value.ok_or_else(|| unreadable("the metric has no value".to_owned()))
}

/// The batches of a loader, epoch after epoch.
pub(super) struct Batches<'a, B> {
    loader: &'a dyn DataLoader<B>,
    epoch: Box<dyn Iterator<Item = Result<B, DatasetError>> + 'a>,
}

impl<'a, B: 'a> Batches<'a, B> {
    pub(super) fn new(loader: &'a dyn DataLoader<B>) -> Self {
        Self {
            loader,
            epoch: Box::new(loader.iter()),
        }
    }

    pub(super) fn next(&mut self, update: usize) -> Result<B, LrFinderError> {
        let batch = self.epoch.next().or_else(|| {
            self.epoch = Box::new(self.loader.iter());
            self.epoch.next()
        });
        batch
            .ok_or(LrFinderError::Empty)?
            .map_err(|source| LrFinderError::Batch {
                update,
                source: Arc::new(source),
            })
    }
}
