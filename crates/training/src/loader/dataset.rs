//! Burn's data sets as sources of batches.

use std::marker::PhantomData;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::{Dataset, DatasetError};
use burn::tensor::Device;
use rand::rngs::ChaCha8Rng;

use super::exactness::Exactness;
use super::repeatable::exactness_of;
use super::sample::Sample;
use super::source::BatchSource;

/// Any Burn [`Dataset`] with a [`Batcher`], as a [`BatchSource`].
///
/// Items come by their index, so the data set must give the same item whenever it is asked for it. Of
/// Burn's own that keep their items, that is known. Of others, such as a type of the caller's or an
/// `Arc<dyn Dataset>`, it can be said by [`repeatable`](Self::repeatable); until then
/// [`exactness`](BatchSource::exactness) says that it is unknown. Burn's `SamplerDataset` does not
/// repeat its items; a [`Sampler`](super::Sampler) does what it does.
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
    exactness: Exactness,
    item: PhantomData<fn() -> I>,
}

impl<D: Dataset<I>, I, T> DatasetSource<D, I, T> {
    /// Batches that `batcher` makes of `dataset`'s items.
    pub fn new(dataset: D, batcher: T) -> Self {
        Self {
            dataset,
            batcher,
            fingerprint: None,
            // The name has the types of all data sets inside in it.
            exactness: exactness_of(std::any::type_name::<D>()),
            item: PhantomData,
        }
    }

    /// Says that the data set gives the same item whenever it is asked for the same index, also in
    /// another process.
    pub fn repeatable(mut self) -> Self {
        self.exactness = Exactness::Exact;
        self
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
        self.exactness
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
        self.source.exactness
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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
        let any: Arc<dyn Dataset<u32>> = Arc::new(data());
        let source = DatasetSource::new(any, Items);
        assert!(matches!(exactness(&source), Exactness::Unknown(_)));
        let source = source.repeatable();
        assert_eq!(exactness(&source), Exactness::Exact);
        let augmented = source.augment(|item: u32, _| item);
        assert_eq!(exactness(&augmented), Exactness::Exact);
    }
}
