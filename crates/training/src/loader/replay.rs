//! Any loader, started at a later epoch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator};
use burn::tensor::Device;

use super::described::Loader;

/// A loader whose first epoch is number `skipped + 1` of the loader inside.
///
/// An `EpochLoader` simply starts there. Of other loaders the epochs before are started and dropped,
/// which draws their order from the inner loader's generator and no batch. That happens once the
/// loader is bound to its device, because binding forks the generator of Burn's own loaders. So a
/// resumed run sees the order the uninterrupted one saw, with any loader that draws an epoch's order
/// when the epoch starts.
///
/// With a seed, the device's generator is seeded anew for every epoch, so that what a model draws
/// from it, as dropout does, depends on the seed and the epoch alone.
pub(crate) struct Replay<B> {
    inner: Arc<dyn DataLoader<B>>,
    /// How many epochs of `inner` are yet to be skipped.
    skipped: u64,
    seed: Option<u64>,
    device: Option<Device>,
    epoch: AtomicU64,
}

impl<B: Send + 'static> Replay<B> {
    pub(crate) fn new(loader: &Loader<B>, done: u64, seed: Option<u64>) -> Self {
        let (inner, skipped) = loader.after(done);
        Self {
            inner,
            skipped,
            seed,
            device: None,
            epoch: AtomicU64::new(done),
        }
    }
}

impl<B: 'static> DataLoader<B> for Replay<B> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<B> + 'a> {
        let epoch = self.epoch.fetch_add(1, Ordering::Relaxed) + 1;
        if let (Some(seed), Some(device)) = (self.seed, &self.device) {
            // The golden ratio's multiples keep the seeds of epochs and of neighbouring runs apart.
            device.seed(seed.wrapping_add(epoch.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        }
        self.inner.iter()
    }

    fn num_items(&self) -> usize {
        self.inner.num_items()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<B>> {
        let inner = self.inner.to_device(device);
        for _ in 0..self.skipped {
            drop(inner.iter());
        }
        Arc::new(Self {
            inner,
            skipped: 0,
            seed: self.seed,
            device: Some(device.clone()),
            epoch: AtomicU64::new(self.epoch.load(Ordering::Relaxed)),
        })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<B>> {
        Arc::new(Self {
            inner: self.inner.slice(start, end),
            skipped: self.skipped,
            seed: self.seed,
            device: self.device.clone(),
            epoch: AtomicU64::new(self.epoch.load(Ordering::Relaxed)),
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::data::dataloader::DataLoaderBuilder;
    use burn::data::dataloader::batcher::Batcher;
    use burn::data::dataset::InMemDataset;

    use super::super::{DatasetSource, EpochLoader};
    use super::*;

    #[derive(Clone)]
    struct Items;

    impl Batcher<u32, Vec<u32>> for Items {
        fn batch(&self, items: Vec<u32>, _: &Device) -> Vec<u32> {
            items
        }
    }

    fn data() -> InMemDataset<u32> {
        InMemDataset::new((0..30).collect())
    }

    fn burns() -> Loader<Vec<u32>> {
        let loader = DataLoaderBuilder::new(Items).batch_size(4).shuffle(5);
        Loader::replayable(loader.build(data()))
    }

    fn ours() -> Loader<Vec<u32>> {
        let source = DatasetSource::new(data(), Items);
        EpochLoader::new(source, 4).shuffled(5).workers(2).into()
    }

    /// `epochs` epochs of `loader` after `done` ones, of the 30 samples from `start` on.
    fn epochs(loader: &Loader<Vec<u32>>, done: u64, epochs: u64, start: usize) -> Vec<Vec<u32>> {
        let loader = Replay::new(loader, done, None)
            .slice(start, 30)
            .to_device(&Device::default());
        (0..epochs)
            .map(|_| loader.iter().flat_map(Result::unwrap).collect())
            .collect()
    }

    #[test]
    fn a_later_start_of_any_loader_sees_the_same_order() {
        for loader in [burns, ours] {
            for start in [0, 10] {
                let all = epochs(&loader(), 0, 4, start);
                assert_ne!(all[0], all[1]);
                for done in 0..4 {
                    let rest = epochs(&loader(), done, 4 - done, start);
                    assert_eq!(rest, all[done as usize..]);
                }
            }
        }
    }

    #[test]
    fn a_run_begins_at_the_first_epoch_of_a_loader_that_was_used_before() {
        let loader = Arc::new(EpochLoader::new(DatasetSource::new(data(), Items), 4).shuffled(5));
        let fresh = epochs(&loader.clone().into(), 0, 2, 0);
        let _ = loader.iter().count();
        let used = Loader::from(loader);
        let _ = used.inner().iter().count();
        assert_eq!(epochs(&used, 0, 2, 0), fresh);
        assert_eq!(epochs(&used, 1, 1, 0), fresh[1..]);
    }

    #[test]
    fn skipping_epochs_of_ours_takes_no_time() {
        assert_eq!(epochs(&ours(), u64::MAX / 2, 1, 0).len(), 1);
    }
}
