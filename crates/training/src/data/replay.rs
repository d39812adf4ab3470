//! Any loader, started at a later epoch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator};
use burn::tensor::Device;

/// A loader whose first epoch is number `skipped + 1` of the loader inside.
///
/// The epochs before are started and dropped, which draws their order from the inner loader's
/// generator and no batch. That happens once the loader is bound to its device, because binding
/// forks the generator of Burn's own loaders. So a resumed run sees the order the uninterrupted one
/// saw, with any loader that draws an epoch's order when the epoch starts.
///
/// With a seed, the device's generator is seeded anew for every epoch, so that what a model draws
/// from it, as dropout does, depends on the seed and the epoch alone.
pub(crate) struct Replay<B> {
    inner: Arc<dyn DataLoader<B>>,
    skipped: u64,
    seed: Option<u64>,
    device: Option<Device>,
    epoch: AtomicU64,
}

impl<B> Replay<B> {
    pub(crate) fn new(inner: Arc<dyn DataLoader<B>>, skipped: u64, seed: Option<u64>) -> Self {
        Self {
            inner,
            skipped,
            seed,
            device: None,
            epoch: AtomicU64::new(skipped),
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

    use super::*;

    #[derive(Clone)]
    struct Items;

    impl Batcher<u32, Vec<u32>> for Items {
        fn batch(&self, items: Vec<u32>, _: &Device) -> Vec<u32> {
            items
        }
    }

    /// The first `epochs` epochs of Burn's own shuffling loader after `skipped` ones.
    fn epochs(skipped: u64, epochs: usize) -> Vec<Vec<u32>> {
        let burns = DataLoaderBuilder::new(Items)
            .batch_size(4)
            .shuffle(5)
            .build(InMemDataset::new((0..30).collect()));
        let loader = Replay::new(burns, skipped, None).to_device(&Device::default());
        (0..epochs)
            .map(|_| loader.iter().flat_map(Result::unwrap).collect())
            .collect()
    }

    #[test]
    fn a_later_start_of_burns_own_loader_sees_the_same_order() {
        let all = epochs(0, 4);
        assert_ne!(all[0], all[1]);
        for skipped in 0..4 {
            assert_eq!(epochs(skipped as u64, 4 - skipped), all[skipped..]);
        }
    }
}
