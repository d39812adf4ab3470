//! Burn's data sets as sources of batches.

use std::marker::PhantomData;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::{Dataset, DatasetError};
use burn::tensor::Device;
use rand::rngs::ChaCha8Rng;

use super::exactness::Exactness;
use super::sample::Sample;
use super::source::BatchSource;

/// What to do about a data set that draws its items.
const HIDDEN: &str = "Burn's SamplerDataset draws items from a generator of its own, which a \
    resumed run starts anew: give the data set inside to EpochLoader with a Sampler instead";

/// Any Burn [`Dataset`] with a [`Batcher`], as a [`BatchSource`].
///
/// Items come by their index, so the data set must give the same item whenever it is asked for it.
/// Burn's `SamplerDataset` does not, and [`exactness`](BatchSource::exactness) says so; a
/// [`Sampler`](super::Sampler) does what it does.
///
/// ```
/// use burn::data::dataloader::batcher::Batcher;
/// use burn::data::dataset::InMemDataset;
/// use burn::tensor::{Device, Tensor};
/// use burn_lr_training::loader::{DatasetSource, EpochLoader};
/// use burn_lr_training::loader::rand::RngExt;
///
/// struct Column;
///
/// impl Batcher<f32, Tensor<1>> for Column {
///     fn batch(&self, items: Vec<f32>, device: &Device) -> Tensor<1> {
///         Tensor::from_data(&items[..], device)
///     }
/// }
///
/// let data = InMemDataset::new(vec![1.0f32, 2.0, 3.0]);
/// let source = DatasetSource::new(data, Column).augment(|item, rng| item * rng.random_range(0.9..1.1));
/// let loader = EpochLoader::new(source, 2).shuffled(42);
/// assert_eq!(loader.num_batches(), 2);
/// ```
pub struct DatasetSource<D, I, T> {
    dataset: D,
    batcher: T,
    fingerprint: Option<String>,
    item: PhantomData<fn() -> I>,
}

impl<D: Dataset<I>, I, T> DatasetSource<D, I, T> {
    /// Batches that `batcher` makes of `dataset`'s items.
    pub fn new(dataset: D, batcher: T) -> Self {
        Self {
            dataset,
            batcher,
            fingerprint: None,
            item: PhantomData,
        }
    }

    /// Says what the data are, which a resumed run compares.
    pub fn with_fingerprint(mut self, fingerprint: impl Into<String>) -> Self {
        self.fingerprint = Some(fingerprint.into());
        self
    }

    /// Passes every item through `augment` with the [generator](Sample::rng) of its draw before the
    /// batcher sees it.
    pub fn augment<J, F>(self, augment: F) -> AugmentedSource<D, I, T, F>
    where
        F: Fn(I, &mut ChaCha8Rng) -> J + Send + Sync,
    {
        AugmentedSource {
            source: self,
            augment,
        }
    }

    fn items(&self, samples: &[Sample]) -> Result<Vec<I>, DatasetError> {
        let indices = samples.iter().map(|sample| sample.index).collect();
        self.dataset.get_many(indices)
    }

    fn dataset_exactness(&self) -> Exactness {
        // The name has the types of all data sets inside in it.
        if std::any::type_name::<D>().contains("SamplerDataset<") {
            Exactness::Unknown(HIDDEN)
        } else {
            Exactness::Exact
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

    fn batch(&self, samples: &[Sample], device: &Device) -> Result<B, DatasetError> {
        Ok(self.batcher.batch(self.items(samples)?, device))
    }

    fn fingerprint(&self) -> Option<String> {
        self.fingerprint.clone()
    }

    fn exactness(&self) -> Exactness {
        self.dataset_exactness()
    }
}

/// A [`DatasetSource`] whose items are [augmented](DatasetSource::augment).
pub struct AugmentedSource<D, I, T, F> {
    source: DatasetSource<D, I, T>,
    augment: F,
}

impl<D, I, J, T, F, B> BatchSource<B> for AugmentedSource<D, I, T, F>
where
    D: Dataset<I>,
    F: Fn(I, &mut ChaCha8Rng) -> J + Send + Sync,
    T: Batcher<J, B>,
{
    fn len(&self) -> usize {
        self.source.dataset.len()
    }

    fn batch(&self, samples: &[Sample], device: &Device) -> Result<B, DatasetError> {
        let items = self.source.items(samples)?.into_iter().zip(samples);
        let augmented = items.map(|(item, sample)| (self.augment)(item, &mut sample.rng()));
        Ok(self.source.batcher.batch(augmented.collect(), device))
    }

    fn fingerprint(&self) -> Option<String> {
        self.source.fingerprint.clone()
    }

    fn exactness(&self) -> Exactness {
        self.source.dataset_exactness()
    }
}

#[cfg(test)]
mod tests {
    use burn::data::dataset::InMemDataset;
    use burn::data::dataset::transform::{Mapper, MapperDataset, SamplerDataset};
    use rand::RngExt;

    use super::*;

    struct Items;

    impl<I> Batcher<I, Vec<I>> for Items {
        fn batch(&self, items: Vec<I>, _: &Device) -> Vec<I> {
            items
        }
    }

    struct Text;

    impl Mapper<u32, String> for Text {
        fn map(&self, item: &u32) -> String {
            item.to_string()
        }
    }

    fn data() -> InMemDataset<u32> {
        InMemDataset::new((0..10).collect())
    }

    #[test]
    fn an_item_is_augmented_by_its_own_draw_alone() {
        let source = DatasetSource::new(data(), Items)
            .with_fingerprint("ten")
            .augment(|item, rng| (item, rng.random::<u64>()));
        let device = Device::default();
        let samples = [4, 2, 9].map(Sample::new);
        let together = source.batch(&samples, &device).unwrap();
        assert_eq!(
            together.iter().map(|(item, _)| *item).collect::<Vec<_>>(),
            [4, 2, 9]
        );
        for (sample, augmented) in samples.iter().zip(&together) {
            assert_eq!(source.batch(&[*sample], &device).unwrap(), [*augmented]);
            let later = sample.with_epoch(2);
            assert_ne!(source.batch(&[later], &device).unwrap(), [*augmented]);
        }
        let fingerprint = BatchSource::<Vec<(u32, u64)>>::fingerprint(&source);
        assert_eq!(fingerprint.as_deref(), Some("ten"));
    }

    #[test]
    fn a_data_set_that_hides_a_generator_is_found_out() {
        fn exactness<S: BatchSource<Vec<I>>, I>(source: &S) -> Exactness {
            source.exactness()
        }
        assert_eq!(
            exactness(&DatasetSource::new(data(), Items)),
            Exactness::Exact
        );
        let hidden = MapperDataset::new(SamplerDataset::with_replacement(data(), 5), Text);
        let source = DatasetSource::new(hidden, Items);
        assert!(matches!(exactness(&source), Exactness::Unknown(_)));
        let source = source.augment(|item: String, _| item);
        assert!(matches!(exactness(&source), Exactness::Unknown(_)));
    }
}
