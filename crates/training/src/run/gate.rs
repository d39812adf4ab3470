//! A loader that ends a run that is refused, and by which one is stopped.

use std::panic::resume_unwind;
use std::sync::Arc;

use burn::data::dataloader::{DataLoader, DataLoaderIterator};
use burn::tensor::Device;

use super::epoch_end::EpochEnd;
use super::stop::{Heard, Stops};

/// A loader of training batches in front of which the metrics of the run are checked, and between which
/// its caller is heard.
///
/// Burn's strategies for several devices have no other place between the start of a run and its
/// first update, and none to turn back there: without a batch they end the epoch, which some of Burn's
/// metrics answer with a panic. So the gate unwinds, without a message, to where the run was launched.
pub(super) struct Gate<B> {
    pub inner: Arc<dyn DataLoader<B>>,
    pub epoch_end: EpochEnd,
    pub stops: Stops,
}

impl<B> Gate<B> {
    fn before(&self, inner: Arc<dyn DataLoader<B>>) -> Self {
        Self {
            inner,
            epoch_end: self.epoch_end.clone(),
            stops: self.stops.clone(),
        }
    }
}

impl<B: 'static> DataLoader<B> for Gate<B> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<B> + 'a> {
        if !self.epoch_end.begin() {
            resume_unwind(Box::new("the run was refused"));
        }
        Box::new(Heard {
            inner: self.inner.iter(),
            stops: self.stops.clone(),
        })
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
