//! Any data loader with what a run needs to know of it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::data::dataloader::DataLoader;

use super::description::LoaderDescription;
use super::epoch_loader::EpochLoader;
use super::error::LoaderError;
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
    Unknown(Arc<dyn DataLoader<B>>),
    /// It goes on where it is: the flag says that a run has had it.
    Once(Arc<dyn DataLoader<B>>, Arc<AtomicBool>),
    /// Makes a new one for every run; the first is asked what it is.
    Made(Arc<dyn DataLoader<B>>, Arc<Make<B>>),
}

type Make<B> = dyn Fn() -> Arc<dyn DataLoader<B>> + Send + Sync;

impl<B: Send + 'static> Loader<B> {
    /// Any loader, of which it is not known whether its epochs can be had again.
    pub fn new(loader: Arc<dyn DataLoader<B>>) -> Self {
        Self::of(Inner::Unknown(loader))
    }

    /// Any loader whose epochs can be had again: started and dropped as often as a run has had
    /// epochs, it goes on with the very batches that the run would have had next.
    ///
    /// That is so if the order of every epoch is drawn when the epoch starts, from a generator with
    /// a seed, and nothing else is drawn. Of Burn's loaders it is those with fewer than 2 workers
    /// over a data set that gives the same item at the same index whenever it is asked, as
    /// `SamplerDataset` does not.
    ///
    /// Its generator moves on, so it is for a single run: a second one in the same process, be it the
    /// first one resumed, is refused. [`replayable_by`](Self::replayable_by) is for any number.
    pub fn replayable(loader: Arc<dyn DataLoader<B>>) -> Self {
        Self::of(Inner::Once(loader, Arc::default()))
    }

    /// As [`replayable`](Self::replayable), with a new loader for every run, which `make` makes from the
    /// same seed. It is called once at once.
    pub fn replayable_by(
        make: impl Fn() -> Arc<dyn DataLoader<B>> + Send + Sync + 'static,
    ) -> Self {
        Self::of(Inner::Made(make(), Arc::new(make)))
    }

    fn of(inner: Inner<B>) -> Self {
        Self {
            inner,
            batches: None,
            batch_size: None,
            fingerprint: None,
        }
    }

    /// Says how many batches make an epoch on a single device. A stream that cannot count its samples
    /// can be trained on then.
    pub fn with_batches(mut self, batches: usize) -> Self {
        self.batches = Some(batches);
        self
    }

    /// Says how many samples make a batch, the last of an epoch being short if need be; 0 counts as
    /// 1. An [`EpochLoader`] knows it, and another number is [refused](Self::check).
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
            Inner::Unknown(loader) | Inner::Once(loader, _) | Inner::Made(loader, _) => {
                loader.clone()
            }
        }
    }

    /// How many samples an epoch visits; 0 for a stream that cannot count them.
    pub fn samples(&self) -> usize {
        self.inner().num_items()
    }

    /// Whether an epoch has a batch, as far as that is known; only an [`EpochLoader`] without samples
    /// has none whatever was said.
    pub(crate) fn has_batches(&self) -> bool {
        let counts = matches!(self.inner, Inner::Epochs(_));
        self.samples() > 0 || (!counts && self.batches > Some(0))
    }

    /// Whether it may be a stream that never ends, for all that is known.
    pub(crate) fn may_be_endless(&self) -> bool {
        !matches!(self.inner, Inner::Epochs(_))
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
            _ => self.batch_size.map(|size| samples.div_ceil(size)),
        }
    }

    /// Whether a run that is resumed with it sees the batches that it would have seen.
    pub fn exactness(&self) -> Exactness {
        match &self.inner {
            Inner::Epochs(loader) => loader.exactness(),
            Inner::Unknown(_) => Exactness::Unknown(NOT_OURS),
            Inner::Once(..) | Inner::Made(..) => Exactness::Exact,
        }
    }

    /// Whether an epoch can be had once more while a run is at work with it.
    pub(crate) fn can_be_had_again(&self) -> bool {
        matches!(self.inner, Inner::Epochs(_) | Inner::Made(..))
    }

    /// Whether what was said of it is so, and a run can have it.
    ///
    /// # Errors
    /// [`LoaderError::BatchSize`] for an [`EpochLoader`] with batches of another size than was said,
    /// [`LoaderError::Spent`] for a [replayable](Self::replayable) one that a run has had.
    pub fn check(&self) -> Result<(), LoaderError> {
        match (&self.inner, self.batch_size) {
            (Inner::Epochs(loader), Some(found)) => match loader.batch_size() {
                expected if expected == found => Ok(()),
                expected => Err(LoaderError::BatchSize { expected, found }),
            },
            (Inner::Once(_, spent), _) if spent.load(Ordering::SeqCst) => Err(LoaderError::Spent),
            _ => Ok(()),
        }
    }

    /// What is known of what decides its batches.
    pub fn description(&self) -> LoaderDescription {
        let mut description = match &self.inner {
            Inner::Epochs(loader) => loader.description(),
            Inner::Unknown(loader) | Inner::Once(loader, _) | Inner::Made(loader, _) => {
                LoaderDescription {
                    samples: loader.num_items(),
                    batch_size: self.batch_size,
                    batches: None,
                    drop_last: None,
                    available: None,
                    sampler: None,
                    sample_seed: None,
                    first_epoch: None,
                    fingerprint: None,
                }
            }
        };
        description.batches = self.batches();
        if self.fingerprint.is_some() {
            description.fingerprint = self.fingerprint.clone();
        }
        description
    }

    /// The loader that goes on after `past`, and what of that is yet to be passed over.
    pub(super) fn after(&self, past: Past) -> (Arc<dyn DataLoader<B>>, Past) {
        match &self.inner {
            Inner::Epochs(loader) => {
                let loader = loader.after(past.epochs, past.batches);
                (Arc::new(loader), Past::default())
            }
            Inner::Unknown(loader) => (loader.clone(), past),
            Inner::Once(loader, spent) => {
                spent.store(true, Ordering::SeqCst);
                (loader.clone(), past)
            }
            Inner::Made(_, make) => (make(), past),
        }
    }
}

/// What a run has had of its data.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Past {
    /// Epochs that were begun and ended.
    pub epochs: u64,
    /// Batches of the epoch after those.
    pub batches: u64,
}

impl<B> Clone for Loader<B> {
    fn clone(&self) -> Self {
        let inner = match &self.inner {
            Inner::Epochs(loader) => Inner::Epochs(loader.clone()),
            Inner::Unknown(loader) => Inner::Unknown(loader.clone()),
            Inner::Once(loader, spent) => Inner::Once(loader.clone(), spent.clone()),
            Inner::Made(loader, make) => Inner::Made(loader.clone(), make.clone()),
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
