//! Any loader, started at a later epoch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator};
use burn::tensor::Device;

use super::described::{Loader, Past};

/// A loader that goes on where the loader inside would be after what a run has had of it.
///
/// An `EpochLoader` simply starts there. Of other loaders the epochs before are started and dropped,
/// which draws their order from the inner loader's generator and no batch, and the batches of a running
/// one are made and dropped. That happens once the loader is bound to its device, because binding forks
/// the generator of Burn's own loaders. So a resumed run sees the order the uninterrupted one saw, with
/// any loader that draws an epoch's order when the epoch starts.
///
/// With a seed, the device's generator is seeded anew for every epoch, so that what a model draws
/// from it, as dropout does, depends on the seed and the epoch alone.
pub(crate) struct Replay<B> {
    inner: Arc<dyn DataLoader<B>>,
    /// What of `inner` is yet to be passed over.
    past: Past,
    /// Batches of the next epoch that are.
    batches: AtomicU64,
    seed: Option<u64>,
    device: Option<Device>,
    epoch: AtomicU64,
}

impl<B: Send + 'static> Replay<B> {
    pub(crate) fn new(loader: &Loader<B>, past: Past, seed: Option<u64>) -> Self {
        let (inner, left) = loader.after(past);
        Self {
            inner,
            past: left,
            batches: AtomicU64::new(0),
            seed,
            device: None,
            epoch: AtomicU64::new(past.epochs),
        }
    }
}

impl<B: 'static> DataLoader<B> for Replay<B> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<B> + 'a> {
        let epoch = self.epoch.fetch_add(1, Ordering::Relaxed) + 1;
        if let (Some(seed), Some(device)) = (self.seed, &self.device) {
            device.seed(seed_of(seed, epoch));
        }
        let mut batches = self.inner.iter();
        for _ in 0..self.batches.swap(0, Ordering::Relaxed) {
            if batches.next().is_none() {
                break;
            }
        }
        batches
    }

    fn num_items(&self) -> usize {
        self.inner.num_items()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<B>> {
        let inner = self.inner.to_device(device);
        for _ in 0..self.past.epochs {
            drop(inner.iter());
        }
        Arc::new(Self {
            inner,
            past: Past::default(),
            batches: AtomicU64::new(self.past.batches),
            seed: self.seed,
            device: Some(device.clone()),
            epoch: AtomicU64::new(self.epoch.load(Ordering::Relaxed)),
        })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<B>> {
        Arc::new(Self {
            inner: self.inner.slice(start, end),
            past: self.past,
            batches: AtomicU64::new(0),
            seed: self.seed,
            device: self.device.clone(),
            epoch: AtomicU64::new(self.epoch.load(Ordering::Relaxed)),
        })
    }
}

/// The seed of the device's generator in that epoch, or that update, of a run that was given `seed`.
pub(crate) fn seed_of(seed: u64, number: u64) -> u64 {
    // The golden ratio's multiples keep the seeds of epochs and of neighbouring runs apart.
    seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
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
        let past = Past {
            epochs: done,
            batches: 0,
        };
        let loader = Replay::new(loader, past, None)
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
    fn a_later_start_within_an_epoch_sees_the_rest_of_it() {
        for loader in [burns, ours] {
            let batches = |past| -> Vec<Vec<u32>> {
                let replay = Replay::new(&loader(), past, None).to_device(&Device::default());
                let epochs = [replay.iter(), replay.iter()];
                epochs.into_iter().flatten().map(Result::unwrap).collect()
            };
            let all = batches(Past::default());
            assert_eq!(all.len(), 16);
            for skipped in 0..=8 {
                let rest = batches(Past {
                    epochs: 0,
                    batches: skipped,
                });
                assert_eq!(rest, all[skipped as usize..], "after {skipped}");
            }
        }
    }

    #[test]
    fn skipping_epochs_of_ours_takes_no_time() {
        assert_eq!(epochs(&ours(), u64::MAX / 2, 1, 0).len(), 1);
    }
}
