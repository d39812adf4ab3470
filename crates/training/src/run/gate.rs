//! A loader that gives nothing to a run that is refused.

use std::marker::PhantomData;
use std::sync::Arc;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;

use super::epoch_end::EpochEnd;

/// A loader of training batches in front of which the metrics of the run are checked.
///
/// Burn's strategies for several devices have no other place between the start of a run and its
/// first update.
pub(super) struct Gate<B> {
    pub inner: Arc<dyn DataLoader<B>>,
    pub epoch_end: EpochEnd,
}

impl<B> Gate<B> {
    fn before(&self, inner: Arc<dyn DataLoader<B>>) -> Self {
        let epoch_end = self.epoch_end.clone();
        Self { inner, epoch_end }
    }
}

impl<B: 'static> DataLoader<B> for Gate<B> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<B> + 'a> {
        if self.epoch_end.begin() {
            self.inner.iter()
        } else {
            Box::new(Shut(PhantomData))
        }
    }

    fn num_items(&self) -> usize {
        self.inner.num_items()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<B>> {
        Arc::new(self.before(self.inner.to_device(device)))
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<B>> {
        Arc::new(self.before(self.inner.slice(start, end)))
    }
}

/// No batches.
struct Shut<B>(PhantomData<B>);

impl<B> Iterator for Shut<B> {
    type Item = Result<B, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        None
    }
}

impl<B> DataLoaderIterator<B> for Shut<B> {
    fn progress(&self) -> Progress {
        Progress {
            items_processed: 0,
            items_total: 0,
            unit: None,
        }
    }
}
