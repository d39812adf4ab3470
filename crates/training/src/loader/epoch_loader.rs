//! A data loader whose batches are a function of the seed and the epoch.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;

use super::description::LoaderDescription;
use super::error::LoaderError;
use super::exactness::Exactness;
use super::order::Order;
use super::sampler::Sampler;
use super::source::BatchSource;
use super::workers::{Ordered, Pool};

/// How many batches each worker may be ahead. As they come in order, a slow one holds up those behind it,
/// and the other workers stand still once they are that far: with 2, as in PyTorch, batches of which some
/// take eight times as long need up to twice the time.
const AHEAD: usize = 8;

/// A batch, or why it could not be made.
type Made<B> = Result<B, DatasetError>;

/// A Burn [`DataLoader`] whose every batch is a function of the seed and the epoch.
///
/// By default an epoch visits every sample once in its own order, the last batch being short if need
/// be. [`shuffled`](Self::shuffled) and [`sampler`](Self::sampler) change which samples come and in
/// which order, which depends on the seed and the epoch's number alone: a run that is resumed at
/// epoch 5 sees what the uninterrupted one saw in epoch 5. Each call of [`iter`](DataLoader::iter)
/// starts the next epoch; nothing is drawn or made before the first batch is asked for.
///
/// ```
/// use burn::data::dataloader::DataLoader;
/// use burn_lr_training::loader::{EpochLoader, Sampler};
/// # use burn::{data::dataset::DatasetError, tensor::Device};
/// # use burn_lr_training::loader::{BatchSource, Sample};
/// # struct Digits;
/// # impl BatchSource<Vec<usize>> for Digits {
/// #     fn len(&self) -> usize {
/// #         10
/// #     }
/// #     fn batch(&self, samples: &[Sample], _: &Device) -> Result<Vec<usize>, DatasetError> {
/// #         Ok(samples.iter().map(|sample| sample.index).collect())
/// #     }
/// # }
///
/// // `Digits` is a source of ten samples, whose batches are their indices.
/// let loader = EpochLoader::new(Digits, 4).shuffled(42).workers(2);
/// let epoch: Vec<_> = loader.iter().collect::<Result<_, _>>()?;
/// assert_eq!(epoch, [vec![8, 9, 5, 3], vec![2, 1, 0, 7], vec![6, 4]]);
///
/// let loader = EpochLoader::new(Digits, 4).sampler(Sampler::with_replacement(100, 42))?;
/// assert_eq!(loader.num_batches(), 25);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EpochLoader<B> {
    source: Arc<dyn BatchSource<B>>,
    batch_size: usize,
    sampler: Sampler,
    sample_seed: Option<u64>,
    drop_last: bool,
    /// The positions in every epoch's order that are visited.
    positions: Range<usize>,
    /// The default device until the loader is bound to one.
    device: Option<Device>,
    workers: usize,
    ahead: Option<usize>,
    threads: OnceLock<Pool<Made<B>>>,
    first_epoch: u64,
    epoch: AtomicU64,
    /// How many batches of the next epoch are left out.
    skipped: AtomicUsize,
}

impl<B: Send + 'static> EpochLoader<B> {
    /// A loader of batches of `batch_size` samples in their own order, the first epoch being 1.
    ///
    /// A `batch_size` of 0 counts as 1.
    pub fn new(source: impl BatchSource<B> + 'static, batch_size: usize) -> Self {
        Self {
            positions: 0..source.len(),
            source: Arc::new(source),
            batch_size: batch_size.max(1),
            sampler: Sampler::InOrder,
            sample_seed: None,
            drop_last: false,
            device: None,
            workers: 0,
            ahead: None,
            threads: OnceLock::new(),
            first_epoch: 1,
            epoch: AtomicU64::new(1),
            skipped: AtomicUsize::new(0),
        }
    }

    /// Visits every sample once, in an order drawn by `seed` and the epoch's number.
    pub fn shuffled(mut self, seed: u64) -> Self {
        self.sampler = Sampler::shuffled(seed);
        self.positions = 0..self.source.len();
        self
    }

    /// Sets which samples an epoch visits, and in which order.
    ///
    /// # Errors
    /// [`LoaderError`] if the sampler cannot draw from the samples that there are.
    pub fn sampler(mut self, sampler: Sampler) -> Result<Self, LoaderError> {
        let available = self.source.len();
        sampler.check(available)?;
        self.positions = 0..sampler.draws(available);
        self.sampler = sampler;
        Ok(self)
    }

    /// Sets the seed of the samples' own [generators](super::Sample::rng); the sampler's by default,
    /// and 0 if that has none.
    pub fn sample_seed(mut self, seed: u64) -> Self {
        self.sample_seed = Some(seed);
        self
    }

    /// Leaves out the last batch of an epoch if it is short.
    ///
    /// With several devices each has a part of every epoch's order, and leaves out its own.
    pub fn drop_last(mut self) -> Self {
        self.drop_last = true;
        self
    }

    /// Makes batches on this many threads, while the network computes; on none by default.
    ///
    /// The batches are the same and come in the same order, with any number. The threads start with
    /// the first batch, stay for all epochs, and end with the loader; a loader that is split over
    /// devices has as many for each. Up to eight batches for each thread are made ahead and kept in memory, so that
    /// a batch that takes longer holds up no thread, unless
    /// [`prefetch`](Self::prefetch) says how many. An error or a panic of the source comes where its
    /// batch would have.
    ///
    /// A source that draws random numbers from the device should go without: it would draw them at
    /// other moments in every run.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Makes up to this many batches ahead, on one thread or as many as there are
    /// [`workers`](Self::workers); with fewer batches than workers, some are idle.
    pub fn prefetch(mut self, batches: usize) -> Self {
        self.ahead = Some(batches);
        self
    }

    /// Starts at `epoch`, from 1.
    pub fn starting_at(mut self, epoch: u64) -> Self {
        self.first_epoch = epoch;
        self.epoch = AtomicU64::new(epoch);
        self
    }

    /// How many batches an epoch has.
    pub fn num_batches(&self) -> usize {
        batches(self.positions.len(), self.batch_size, self.drop_last)
    }

    /// The samples of `epoch` in the order in which they are visited.
    pub fn order(&self, epoch: u64) -> Vec<usize> {
        let order = Order::draw(&self.sampler, self.source.len(), epoch);
        let start = self.positions.start;
        order.indices[start..start + self.num_items()].to_vec()
    }

    /// What decides its batches.
    pub fn description(&self) -> LoaderDescription {
        let seed = self.sampler.seed().unwrap_or_default();
        LoaderDescription {
            samples: self.num_items(),
            batch_size: Some(self.batch_size),
            batches: Some(self.num_batches()),
            drop_last: Some(self.drop_last),
            available: Some(self.source.len()),
            sampler: Some(self.sampler.clone()),
            sample_seed: self.sample_seed.filter(|&own| own != seed),
            first_epoch: Some(self.first_epoch),
            fingerprint: self.source.fingerprint(),
        }
    }

    /// Whether its source gives the same batches again.
    pub fn exactness(&self) -> Exactness {
        self.source.exactness()
    }

    /// How many samples make a batch, but for the last.
    pub(super) fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// The batches of `samples` in an epoch of which that is all there is.
    pub(super) fn batches_of(&self, samples: usize) -> usize {
        batches(samples, self.batch_size, self.drop_last)
    }

    /// The loader after so many epochs from its first, whichever it is at, and so many batches of the
    /// one after those.
    pub(super) fn after(&self, epochs: u64, batches: u64) -> Self {
        let epoch = AtomicU64::new(self.first_epoch.saturating_add(epochs));
        let batches = usize::try_from(batches).unwrap_or(usize::MAX);
        Self {
            epoch,
            skipped: AtomicUsize::new(batches),
            ..self.part(self.device.clone(), self.positions.clone())
        }
    }

    fn part(&self, device: Option<Device>, positions: Range<usize>) -> Self {
        Self {
            source: self.source.clone(),
            batch_size: self.batch_size,
            sampler: self.sampler.clone(),
            sample_seed: self.sample_seed,
            drop_last: self.drop_last,
            positions,
            device,
            workers: self.workers,
            ahead: self.ahead,
            threads: OnceLock::new(),
            first_epoch: self.first_epoch,
            epoch: AtomicU64::new(self.epoch.load(Ordering::Relaxed)),
            skipped: AtomicUsize::new(self.skipped.load(Ordering::Relaxed)),
        }
    }

    /// Draws `epoch` and has its batches made, without the first `skipped`.
    fn start(&self, epoch: u64, skipped: usize) -> Ordered<Made<B>> {
        let order = Order::draw(&self.sampler, self.source.len(), epoch);
        let source = self.source.clone();
        let device = self.device.clone().unwrap_or_default();
        let seed = self.sample_seed.or(self.sampler.seed()).unwrap_or_default();
        let (size, Range { start, end }) = (self.batch_size, self.positions.clone());
        let make = move |batch: usize| {
            let first = start + (skipped + batch) * size;
            let last = first.saturating_add(size).min(end);
            source.batch(&order.samples(first..last, seed, epoch), &device)
        };
        // Batches made ahead are made by someone.
        let ahead = self.ahead.unwrap_or(self.workers.saturating_mul(AHEAD));
        let workers = self.workers.max(ahead.min(1));
        let count = self.num_batches().saturating_sub(skipped);
        let batches = Ordered::new(count, ahead.max(1), make);
        if workers > 0 {
            let threads = self.threads.get_or_init(|| Pool::start(workers));
            threads.work_for(&batches);
        }
        batches
    }
}

impl<B: Send + 'static> DataLoader<B> for EpochLoader<B> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<B> + 'a> {
        let skipped = self.skipped.swap(0, Ordering::Relaxed);
        let visited = skipped.saturating_mul(self.batch_size);
        Box::new(EpochIterator {
            loader: self,
            epoch: self.epoch.fetch_add(1, Ordering::Relaxed),
            skipped,
            batches: None,
            visited: visited.min(self.num_items()),
        })
    }

    /// How many samples an epoch visits.
    fn num_items(&self) -> usize {
        let samples = self.positions.len();
        samples.min(self.num_batches().saturating_mul(self.batch_size))
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<B>> {
        Arc::new(self.part(Some(device.clone()), self.positions.clone()))
    }

    /// The part of every epoch's order from `start` to `end`: slices share no draw within an epoch,
    /// and together visit what the whole would, but for batches that are
    /// [left out](EpochLoader::drop_last).
    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<B>> {
        let within = |position: usize| self.positions.start.saturating_add(position);
        let end = within(end).min(self.positions.end);
        Arc::new(self.part(self.device.clone(), within(start).min(end)..end))
    }
}

/// How many batches of `size` there are in an epoch of `samples`.
fn batches(samples: usize, size: usize, drop_last: bool) -> usize {
    if drop_last {
        samples / size
    } else {
        samples.div_ceil(size)
    }
}

struct EpochIterator<'a, B> {
    loader: &'a EpochLoader<B>,
    epoch: u64,
    skipped: usize,
    /// None until the first is asked for.
    batches: Option<Ordered<Made<B>>>,
    visited: usize,
}

impl<B: Send + 'static> Iterator for EpochIterator<'_, B> {
    type Item = Made<B>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = || self.loader.start(self.epoch, self.skipped);
        let batch = self.batches.get_or_insert_with(start).next()?;
        let visited = self.visited.saturating_add(self.loader.batch_size);
        self.visited = visited.min(self.loader.num_items());
        Some(batch)
    }
}

impl<B: Send + 'static> DataLoaderIterator<B> for EpochIterator<'_, B> {
    fn progress(&self) -> Progress {
        let samples = self.loader.num_items();
        Progress::new(self.visited, samples, Some("items".to_owned()))
    }
}

#[cfg(test)]
mod tests;
