//! Where an [`EpochLoader`](super::EpochLoader) has its batches from.

use burn::data::dataset::DatasetError;
use burn::tensor::Device;

use super::exactness::Exactness;
use super::sample::Sample;

/// Makes batches of samples.
///
/// A batch is to depend on the samples alone: random numbers are drawn from [`Sample::rng`], not
/// from a generator that the source keeps, nor from the device's. A source that needs none looks at
/// each sample's index only.
///
/// ```
/// use burn::data::dataset::DatasetError;
/// use burn::tensor::{Device, Tensor};
/// use burn_lr_training::loader::{BatchSource, EpochLoader, Sample};
/// use burn_lr_training::loader::rand::RngExt;
///
/// /// The numbers from 0, each a little off.
/// struct Noisy(usize);
///
/// impl BatchSource<Tensor<1>> for Noisy {
///     fn len(&self) -> usize {
///         self.0
///     }
///
///     fn batch(&self, samples: &[Sample], device: &Device) -> Result<Tensor<1>, DatasetError> {
///         let noisy = |sample: &Sample| sample.index as f32 + sample.rng().random_range(-0.1..0.1);
///         let values: Vec<f32> = samples.iter().map(noisy).collect();
///         Ok(Tensor::from_data(&values[..], device))
///     }
/// }
///
/// let loader = EpochLoader::new(Noisy(1000), 32).shuffled(42);
/// assert_eq!(loader.num_batches(), 32);
/// ```
pub trait BatchSource<B>: Send + Sync {
    /// How many samples there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The batch of `samples`, on `device`.
    ///
    /// # Errors
    /// [`DatasetError`] if a sample cannot be read.
    fn batch(&self, samples: &[Sample], device: &Device) -> Result<B, DatasetError>;

    /// What the data are, such as a checksum: a run is not resumed with other ones.
    ///
    /// None by default, and then other data of the same number are not noticed.
    fn fingerprint(&self) -> Option<String> {
        None
    }

    /// Whether a batch is a function of its samples, as it should be; it is by default.
    fn exactness(&self) -> Exactness {
        Exactness::Exact
    }
}
