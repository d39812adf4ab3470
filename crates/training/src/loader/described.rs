//! Any data loader with what a run needs to know of it.

use std::fmt;
use std::sync::Arc;

use burn::data::dataloader::DataLoader;

use super::description::LoaderDescription;
use super::epoch_loader::EpochLoader;
use super::exactness::Exactness;

/// Why it is not known whether a loader of unknown make can be had again, and what to do about it.
const NOT_OURS: &str = "it is not known whether a later epoch can be had without those before. \
    EpochLoader's can. Burn's own loader draws an epoch's order when the epoch starts, which can be \
    repeated, but with 2 or more workers its batches come in an order that differs from run to run, \
    and a SamplerDataset draws from a generator that a resumed run starts anew. If the loader has \
    neither, say so by Loader::replayable";

/// Any data loader with what a run needs to know of it: how many batches make an epoch, what decides
/// them, and whether a later epoch can be had without those before.
///
/// All of it is known of an [`EpochLoader`], which converts into one. Of other loaders it is known
/// how many samples they have; the rest can be said:
///
/// ```
/// use burn::data::dataloader::{DataLoader, DataLoaderBuilder, batcher::Batcher};
/// use burn::data::dataset::InMemDataset;
/// use burn::tensor::Device;
/// use burn_lr_training::loader::{Exactness, Loader};
///
/// struct Items;
///
/// impl Batcher<u32, Vec<u32>> for Items {
///     fn batch(&self, items: Vec<u32>, _: &Device) -> Vec<u32> {
///         items
///     }
/// }
///
/// let data = InMemDataset::new((0..100).collect());
/// let burns = DataLoaderBuilder::new(Items).batch_size(8).shuffle(42).build(data);
/// assert!(matches!(Loader::from(burns.clone()).exactness(), Exactness::Unknown(_)));
///
/// let loader = Loader::replayable(burns).with_batch_size(8);
/// assert_eq!(loader.exactness(), Exactness::Exact);
/// assert_eq!(loader.batches(), Some(13));
/// ```
pub struct Loader<B> {
    inner: Inner<B>,
    batches: Option<usize>,
    batch_size: Option<usize>,
    fingerprint: Option<String>,
}

enum Inner<B> {
    Epochs(Arc<EpochLoader<B>>),
    Other(Arc<dyn DataLoader<B>>, Exactness),
}

impl<B: Send + 'static> Loader<B> {
    /// Any loader, of which it is not known whether its epochs can be had again.
    pub fn new(loader: Arc<dyn DataLoader<B>>) -> Self {
        Self::other(loader, Exactness::Unknown(NOT_OURS))
    }

    /// Any loader whose epochs can be had again: started and dropped as often as a run has had
    /// epochs, it goes on with the very batches that the run would have had next.
    ///
    /// That is so if the order of every epoch is drawn when the epoch starts, from a generator with
    /// a seed, and nothing else is drawn. Of Burn's loaders it is those with fewer than 2 workers
    /// over a data set that gives the same item at the same index whenever it is asked, as
    /// `SamplerDataset` does not.
    pub fn replayable(loader: Arc<dyn DataLoader<B>>) -> Self {
        Self::other(loader, Exactness::Exact)
    }

    fn other(loader: Arc<dyn DataLoader<B>>, exactness: Exactness) -> Self {
        Self {
            inner: Inner::Other(loader, exactness),
            batches: None,
            batch_size: None,
            fingerprint: None,
        }
    }

    /// Says how many batches make an epoch on a single device.
    pub fn with_batches(mut self, batches: usize) -> Self {
        self.batches = Some(batches);
        self
    }

    /// Says how many samples make a batch, the last of an epoch being short if need be; 0 counts as
    /// 1. An [`EpochLoader`] knows it.
    pub fn with_batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = Some(batch_size.max(1));
        self
    }

    /// Says what the data are, which a resumed run compares; it replaces what an [`EpochLoader`]'s
    /// source says.
    pub fn with_fingerprint(mut self, fingerprint: impl Into<String>) -> Self {
        self.fingerprint = Some(fingerprint.into());
        self
    }

    /// The loader itself.
    pub fn inner(&self) -> Arc<dyn DataLoader<B>> {
        match &self.inner {
            Inner::Epochs(loader) => loader.clone(),
            Inner::Other(loader, _) => loader.clone(),
        }
    }

    /// How many samples an epoch visits.
    pub fn samples(&self) -> usize {
        self.inner().num_items()
    }

    /// How many batches make an epoch on a single device, if it is known.
    pub fn batches(&self) -> Option<usize> {
        self.batches.or_else(|| self.batches_of(self.samples()))
    }

    /// How many batches make an epoch on the first and on the last of several devices, if it is
    /// known.
    ///
    /// Burn gives each device an equal share of the samples and the last one what is left over too,
    /// so that the last may have more batches, and those in between have as many as the first.
    /// [`with_batches`](Self::with_batches) says nothing about several devices.
    pub fn batches_for_devices(&self, devices: usize) -> Option<(usize, usize)> {
        if devices <= 1 {
            return self.batches().map(|batches| (batches, batches));
        }
        let samples = self.samples();
        let share = samples / devices;
        let last = share + samples % devices;
        Some((self.batches_of(share)?, self.batches_of(last)?))
    }

    /// How many batches are made of `samples`.
    fn batches_of(&self, samples: usize) -> Option<usize> {
        match &self.inner {
            Inner::Epochs(loader) => Some(loader.batches_of(samples)),
            Inner::Other(..) => self.batch_size.map(|size| samples.div_ceil(size)),
        }
    }

    /// Whether a run that is resumed with it sees the batches that it would have seen.
    pub fn exactness(&self) -> Exactness {
        match &self.inner {
            Inner::Epochs(loader) => loader.exactness(),
            Inner::Other(_, exactness) => *exactness,
        }
    }

    /// What is known of what decides its batches.
    pub fn description(&self) -> LoaderDescription {
        let mut description = match &self.inner {
            Inner::Epochs(loader) => loader.description(),
            Inner::Other(loader, _) => LoaderDescription {
                samples: loader.num_items(),
                batch_size: self.batch_size,
                batches: None,
                drop_last: None,
                available: None,
                sampler: None,
                sample_seed: None,
                first_epoch: None,
                fingerprint: None,
            },
        };
        description.batches = self.batches();
        if self.fingerprint.is_some() {
            description.fingerprint = self.fingerprint.clone();
        }
        description
    }

    /// The loader that goes on after so many epochs, and how many of them are yet to be started and
    /// dropped for that.
    pub(super) fn after(&self, epochs: u64) -> (Arc<dyn DataLoader<B>>, u64) {
        match &self.inner {
            Inner::Epochs(loader) => (Arc::new(loader.after(epochs)), 0),
            Inner::Other(loader, _) => (loader.clone(), epochs),
        }
    }
}

impl<B> Clone for Loader<B> {
    fn clone(&self) -> Self {
        let inner = match &self.inner {
            Inner::Epochs(loader) => Inner::Epochs(loader.clone()),
            Inner::Other(loader, exactness) => Inner::Other(loader.clone(), *exactness),
        };
        Self {
            inner,
            batches: self.batches,
            batch_size: self.batch_size,
            fingerprint: self.fingerprint.clone(),
        }
    }
}

impl<B: Send + 'static> fmt::Debug for Loader<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader")
            .field("description", &self.description())
            .field("exactness", &self.exactness())
            .finish_non_exhaustive()
    }
}

impl<B: Send + 'static> From<EpochLoader<B>> for Loader<B> {
    fn from(loader: EpochLoader<B>) -> Self {
        Arc::new(loader).into()
    }
}

/// A run's epochs are counted from the loader's [first](EpochLoader::starting_at), whatever was
/// asked of it before.
impl<B: Send + 'static> From<Arc<EpochLoader<B>>> for Loader<B> {
    fn from(loader: Arc<EpochLoader<B>>) -> Self {
        Self {
            inner: Inner::Epochs(loader),
            batches: None,
            batch_size: None,
            fingerprint: None,
        }
    }
}

impl<B: Send + 'static> From<Arc<dyn DataLoader<B>>> for Loader<B> {
    fn from(loader: Arc<dyn DataLoader<B>>) -> Self {
        Self::new(loader)
    }
}

#[cfg(test)]
mod tests;
