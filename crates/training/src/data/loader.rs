//! A data loader whose order is a function of the seed and the epoch.
//!
//! Burn's own loader shuffles with a generator that moves on from epoch to epoch, so a resumed run
//! sees epoch 1's order again. Here each epoch has its own generator.

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::{Dataset, DatasetError};
use burn::tensor::Device;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use super::prefetch::Prefetched;

/// Makes batches from the samples at given indices.
pub trait BatchSource<B>: Send + Sync {
    /// How many samples there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The batch of the samples at `indices`, on `device`.
    ///
    /// # Errors
    /// [`DatasetError`] if a sample cannot be read.
    fn batch(&self, indices: &[usize], device: &Device) -> Result<B, DatasetError>;
}

/// Any Burn [`Dataset`] with a [`Batcher`], as a [`BatchSource`].
pub struct DatasetSource<D, I, T> {
    dataset: D,
    batcher: T,
    item: PhantomData<fn() -> I>,
}

impl<D, I, T> DatasetSource<D, I, T> {
    /// Batches that `batcher` makes of `dataset`'s items.
    pub fn new(dataset: D, batcher: T) -> Self {
        Self {
            dataset,
            batcher,
            item: PhantomData,
        }
    }
}

impl<D, I, T, B> BatchSource<B> for DatasetSource<D, I, T>
where
    D: Dataset<I>,
    T: Batcher<I, B>,
{
    fn len(&self) -> usize {
        self.dataset.len()
    }

    fn batch(&self, indices: &[usize], device: &Device) -> Result<B, DatasetError> {
        let items = self.dataset.get_many(indices.to_vec())?;
        Ok(self.batcher.batch(items, device))
    }
}

/// A Burn [`DataLoader`] that visits every sample once an epoch, the last batch being short if need
/// be.
///
/// With [`shuffled`](Self::shuffled), the order of an epoch depends on the seed and the epoch's
/// number alone: a run that is resumed at epoch 5 sees what the uninterrupted one saw in epoch 5.
/// Each call of [`iter`](DataLoader::iter) starts the next epoch.
pub struct EpochLoader<B> {
    source: Arc<dyn BatchSource<B>>,
    batch_size: usize,
    /// The default device until the loader is bound to one.
    device: Option<Device>,
    seed: Option<u64>,
    samples: Range<usize>,
    /// How many batches are made ahead, on a thread of their own.
    ahead: usize,
    epoch: AtomicU64,
}

impl<B: Send + 'static> EpochLoader<B> {
    /// A loader of batches of `batch_size` samples in their own order, the first epoch being 1.
    ///
    /// A `batch_size` of 0 counts as 1.
    pub fn new(source: impl BatchSource<B> + 'static, batch_size: usize) -> Self {
        Self {
            samples: 0..source.len(),
            source: Arc::new(source),
            batch_size: batch_size.max(1),
            device: None,
            seed: None,
            ahead: 0,
            epoch: AtomicU64::new(1),
        }
    }

    /// Shuffles each epoch by `seed` and the epoch's number.
    pub fn shuffled(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Makes up to this many batches ahead on another thread, while the network computes; none by
    /// default.
    ///
    /// The batches are the same. A source that draws random numbers from the device should go
    /// without: it would draw them at other moments in every run.
    pub fn prefetch(mut self, batches: usize) -> Self {
        self.ahead = batches;
        self
    }

    /// Starts at `epoch`, from 1.
    pub fn starting_at(self, epoch: u64) -> Self {
        self.epoch.store(epoch, Ordering::Relaxed);
        self
    }

    /// How many batches an epoch has.
    pub fn num_batches(&self) -> usize {
        self.samples.len().div_ceil(self.batch_size)
    }

    /// The samples of `epoch` in the order in which they are visited.
    pub fn order(&self, epoch: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.source.len()).collect();
        if let Some(seed) = self.seed {
            // A stream for each epoch of the generator that the seed selects.
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(epoch);
            order.shuffle(&mut rng);
        }
        order[self.samples.clone()].to_vec()
    }

    fn part(&self, device: Option<Device>, samples: Range<usize>) -> Arc<dyn DataLoader<B>> {
        Arc::new(Self {
            source: self.source.clone(),
            batch_size: self.batch_size,
            device,
            seed: self.seed,
            samples,
            ahead: self.ahead,
            epoch: AtomicU64::new(self.epoch.load(Ordering::Relaxed)),
        })
    }
}

impl<B: Send + 'static> DataLoader<B> for EpochLoader<B> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<B> + 'a> {
        let epoch = self.epoch.fetch_add(1, Ordering::Relaxed);
        let order = self.order(epoch);
        let samples = order.len();
        let device = self.device.clone().unwrap_or_default();
        let size = self.batch_size;
        let batches = Batches {
            source: self.source.clone(),
            device,
            order,
            size,
            made: 0,
        };
        let batches: Box<dyn Iterator<Item = Made<B>> + Send> = match self.ahead {
            0 => Box::new(batches),
            ahead => Box::new(Prefetched::new(batches, ahead)),
        };
        Box::new(EpochIterator {
            batches,
            samples,
            size,
            visited: 0,
        })
    }

    fn num_items(&self) -> usize {
        self.samples.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<B>> {
        self.part(Some(device.clone()), self.samples.clone())
    }

    /// The part of every epoch's order from `start` to `end`: slices share no sample within an
    /// epoch, and together visit what the whole would.
    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<B>> {
        let end = (self.samples.start + end).min(self.samples.end);
        let start = (self.samples.start + start).min(end);
        self.part(self.device.clone(), start..end)
    }
}

/// A batch, or why it could not be made.
type Made<B> = Result<B, DatasetError>;

/// Makes the batches of an epoch.
struct Batches<B> {
    source: Arc<dyn BatchSource<B>>,
    device: Device,
    order: Vec<usize>,
    size: usize,
    made: usize,
}

impl<B> Iterator for Batches<B> {
    type Item = Made<B>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.order[self.made..];
        if rest.is_empty() {
            return None;
        }
        let indices = &rest[..rest.len().min(self.size)];
        self.made += indices.len();
        Some(self.source.batch(indices, &self.device))
    }
}

struct EpochIterator<B> {
    batches: Box<dyn Iterator<Item = Made<B>> + Send>,
    samples: usize,
    size: usize,
    visited: usize,
}

impl<B> Iterator for EpochIterator<B> {
    type Item = Made<B>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?;
        self.visited = (self.visited + self.size).min(self.samples);
        Some(batch)
    }
}

impl<B> DataLoaderIterator<B> for EpochIterator<B> {
    fn progress(&self) -> Progress {
        Progress::new(self.visited, self.samples, Some("items".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source whose batches are the indices themselves.
    struct Indices(usize);

    impl BatchSource<Vec<usize>> for Indices {
        fn len(&self) -> usize {
            self.0
        }

        fn batch(&self, indices: &[usize], _: &Device) -> Result<Vec<usize>, DatasetError> {
            Ok(indices.to_vec())
        }
    }

    fn epoch(loader: &dyn DataLoader<Vec<usize>>) -> Vec<Vec<usize>> {
        loader.iter().map(Result::unwrap).collect()
    }

    #[test]
    fn every_sample_is_visited_once_and_the_last_batch_is_short() {
        let loader = EpochLoader::new(Indices(11), 4).shuffled(1);
        let batches = epoch(&loader);
        let sizes: Vec<usize> = batches.iter().map(Vec::len).collect();
        assert_eq!((sizes, loader.num_batches()), (vec![4, 4, 3], 3));
        let mut all = batches.concat();
        all.sort_unstable();
        assert_eq!(all, (0..11).collect::<Vec<_>>());
    }

    #[test]
    fn the_order_depends_on_seed_and_epoch_alone() {
        let loader = EpochLoader::new(Indices(50), 8).shuffled(7);
        let (first, second) = (epoch(&loader), epoch(&loader));
        assert_ne!(first, second);
        let resumed = EpochLoader::new(Indices(50), 8).shuffled(7).starting_at(2);
        assert_eq!(epoch(&*resumed.to_device(&Device::default())), second);
        assert_ne!(epoch(&EpochLoader::new(Indices(50), 8).shuffled(8)), first);
    }

    #[test]
    fn the_order_is_stable_across_versions() {
        let loader = EpochLoader::new(Indices(10), 10).shuffled(42);
        assert_eq!(loader.order(1), [8, 9, 5, 3, 2, 1, 0, 7, 6, 4]);
    }

    #[test]
    fn slices_partition_every_epoch() {
        let loader = EpochLoader::new(Indices(10), 2).shuffled(3);
        let (left, right) = (loader.slice(0, 4), loader.slice(4, 99));
        for _ in 0..2 {
            let parts = [epoch(&*left), epoch(&*right)].concat().concat();
            assert_eq!(parts, epoch(&loader).concat());
        }
    }

    #[test]
    fn batches_made_ahead_are_the_same() {
        let loader = || EpochLoader::new(Indices(103), 4).shuffled(7);
        let (plain, ahead) = (loader(), loader().prefetch(3).to_device(&Device::default()));
        for _ in 0..3 {
            assert_eq!(epoch(&*ahead), epoch(&plain));
        }
        // An epoch that is given up leaves the next one as it is.
        ahead.iter().next();
        plain.iter().next();
        assert_eq!(epoch(&*ahead), epoch(&plain));
    }

    /// A source whose third batch is spoilt.
    struct Spoilt;

    impl BatchSource<usize> for Spoilt {
        fn len(&self) -> usize {
            10
        }

        fn batch(&self, indices: &[usize], _: &Device) -> Result<usize, DatasetError> {
            match indices[0] {
                4 => panic!("spoilt"),
                index => Ok(index),
            }
        }
    }

    #[test]
    #[should_panic(expected = "spoilt")]
    fn a_panic_while_a_batch_is_made_ahead_is_not_the_end_of_the_epoch() {
        let loader = EpochLoader::new(Spoilt, 2).prefetch(1);
        let batches: Vec<usize> = loader.iter().map(Result::unwrap).collect();
        unreachable!("{batches:?}");
    }

    #[test]
    fn progress_is_complete_with_the_last_batch() {
        let loader = EpochLoader::new(Indices(5), 4);
        let mut batches = loader.iter();
        batches.next();
        assert!(!batches.progress().is_completed());
        batches.next();
        assert!(batches.progress().is_completed());
    }
}
