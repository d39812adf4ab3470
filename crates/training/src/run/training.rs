//! Burn's Learner with any optimizer, a schedule, checkpoints and a history.

use std::path::Path;

use burn::train::{InferenceStep, LearnerModel, TrainStep};

use super::directory::RunDirectory;
use super::hooks::Hooks;
use super::place::Place;
use super::plan::Plan;
use crate::loader::Loader;
use crate::metrics::History;

/// A training run: a model, data, an optimizer, a schedule, and a directory for what comes of it.
///
/// Any Burn model that implements [`TrainStep`] and [`InferenceStep`] can be trained, with any
/// loader, optimizer and metric. [`fit`](Self::fit) runs Burn's
/// [`SupervisedTraining`](burn::train::SupervisedTraining) and leaves what [`RunDirectory`] lists.
///
/// A run that was stopped, by whatever, [resumes](Self::resume) and ends with the same bits as one
/// that was not, if everything that decides its bits is a function of seed, epoch and sample. What
/// is not, such as a loader whose order nobody knows, is [told](Self::on_notice) before the first
/// update, or [refused](Self::strict). Files that are in the way of a run that starts at epoch 1,
/// because all its checkpoints are damaged or they are of something else, get the suffix `.aside-1`.
///
/// ```no_run
/// use burn::optim::AdamWConfig;
/// use burn::tensor::Device;
/// use burn::train::metric::{AccuracyMetric, LossMetric};
/// use burn_lr_scheduler::StepLr;
/// use burn_lr_training::Training;
/// use burn_lr_training::loader::EpochLoader;
/// # use burn::data::dataset::DatasetError;
/// # use burn::module::Module;
/// # use burn::nn::{Linear, LinearConfig};
/// # use burn::tensor::{Int, Tensor};
/// # use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
/// # use burn_lr_training::loader::{BatchSource, Sample};
/// # #[derive(Module, Debug)]
/// # struct Model { linear: Linear }
/// # struct Images;
/// # impl BatchSource<Tensor<2>> for Images {
/// #     fn len(&self) -> usize { 0 }
/// #     fn batch(&self, _: &[Sample], device: &Device) -> Result<Tensor<2>, DatasetError> {
/// #         Ok(Tensor::zeros([1, 1], device))
/// #     }
/// # }
/// # impl InferenceStep for Model {
/// #     type Input = Tensor<2>;
/// #     type Output = ClassificationOutput;
/// #     fn step(&self, _: Tensor<2>) -> ClassificationOutput { unreachable!() }
/// # }
/// # impl TrainStep for Model {
/// #     type Input = Tensor<2>;
/// #     type Output = ClassificationOutput;
/// #     fn step(&self, _: Tensor<2>) -> TrainOutput<ClassificationOutput> { unreachable!() }
/// # }
/// # let (images, held_out) = (Images, Images);
/// # let model = Model { linear: LinearConfig::new(1, 1).init(&Device::default()) };
/// let train = EpochLoader::new(images, 64).shuffled(42);
/// let valid = EpochLoader::new(held_out, 1000);
/// let trained = Training::new("artifacts/run", train, valid)
///     .optimizer(AdamWConfig::new().with_weight_decay(0.01))
///     .schedule(StepLr::new(0.01, 3).with_gamma(0.5).per_epoch())
///     .epochs(10)
///     .metrics((LossMetric::new(), AccuracyMetric::new()))
///     .fit(model)?;
/// println!("{}", trained.history.to_csv());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Training<M: LearnerModel> {
    pub(super) directory: RunDirectory,
    pub(super) train: Loader<<M as TrainStep>::Input>,
    pub(super) valid: Loader<<M as InferenceStep>::Input>,
    pub(super) plan: Plan,
    pub(super) place: Place,
    pub(super) resume: bool,
    pub(super) strict: bool,
    pub(super) hooks: Hooks<M>,
}

/// A trained model with the history of its training.
#[derive(Debug)]
#[non_exhaustive]
pub struct Trained<M> {
    /// The model after the last update, without autodiff. With a schedule-free optimizer it has the weights that
    /// are to be evaluated, not those that were trained on.
    pub model: M,
    /// The average of its weights, if [one](Training::average) was asked for, without autodiff.
    pub average: Option<M>,
    /// What each epoch led to.
    pub history: History,
}

impl<M: LearnerModel> Training<M> {
    /// A run of one epoch with Adam at its usual learning rate of 0.001, to be changed by the
    /// methods below.
    ///
    /// An [`EpochLoader`](crate::loader::EpochLoader) tells how many updates an epoch has and can
    /// be resumed exactly. Of any other `Arc<dyn DataLoader>` neither is known: see [`Loader`].
    pub fn new(
        directory: impl AsRef<Path>,
        train: impl Into<Loader<<M as TrainStep>::Input>>,
        valid: impl Into<Loader<<M as InferenceStep>::Input>>,
    ) -> Self {
        Self {
            directory: RunDirectory::new(directory),
            train: train.into(),
            valid: valid.into(),
            plan: Plan::default(),
            place: Place::default(),
            resume: false,
            strict: false,
            hooks: Hooks::default(),
        }
    }

    /// The run's directory.
    pub fn directory(&self) -> &RunDirectory {
        &self.directory
    }
}
