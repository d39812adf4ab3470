//! Burn's Learner wired with Adam, a schedule, checkpoints and a history.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::optim::AdamConfig;
use burn::tensor::Device;
use burn::train::metric::store::Split;
use burn::train::{
    ExecutionStrategy, InferenceStep, Interrupter, LearnerModel, MetricRegistration,
    MultiDeviceOptim, SupervisedTraining, TrainLoader, TrainStep, TrainingStrategy, ValidLoader,
};
use burn_lr_scheduler::{Clock, Mode, Run, ScheduleConfig};

use crate::TrainingError;
use crate::backend::{COLLECTIVES, has_collectives};
use crate::checkpoint::{Best, CheckpointStore, KeepPolicy, PARTS};
use crate::early_stopping::EarlyStopping;
use crate::history::{EpochRecord, History};
use crate::metrics_log::LOSS;
use crate::notices::Notices;
use crate::optim::adam;
use crate::progress::Display;
use crate::resume::newest;
use crate::run_config::RunConfig;

/// A training run: a model, data, a schedule, and a directory for what comes of it.
///
/// Any Burn model that implements [`TrainStep`] and [`InferenceStep`] can be trained with any data
/// loaders. [`fit`](Self::fit) runs Burn's [`SupervisedTraining`] and leaves in the directory
///
/// - `config.json`: what the run was configured with, as every checkpoint says too,
/// - `history.csv` and `history.json`: metrics, learning rate and seconds of each epoch,
/// - `checkpoint/`: what is needed to resume after the epochs that are [kept](Self::keep),
/// - `best.bpk`: the model of the epoch with the best metric, validation loss by default,
/// - `final.bpk`: the model after the last epoch, once the run is complete. While a run that was
///   complete is being extended, it is still the model from before,
/// - `best.bpk.sha256`, `final.bpk.sha256`: their checksums, which [`load_model`](crate::load_model)
///   verifies,
/// - `lock`: an empty file by which a second run in the directory is refused while this one lives.
///
/// A run that was stopped, by whatever, [resumes](Self::resume) and ends with the same bits as one
/// that was not. Files that are in the way of a run that starts at epoch 1, because all its
/// checkpoints are damaged or they are of something else, get the suffix `.aside-1`.
///
/// ```no_run
/// use burn::tensor::Device;
/// use burn::train::metric::{AccuracyMetric, LossMetric};
/// use burn_lr_model::MlpConfig;
/// use burn_lr_scheduler::{Clock, StepLr};
/// use burn_lr_training::{EpochLoader, Mnist, Training};
/// use std::sync::Arc;
///
/// let mnist = Mnist::bundled()?;
/// let train = Arc::new(EpochLoader::new(mnist.train, 64).shuffled(42));
/// let valid = Arc::new(EpochLoader::new(mnist.test, 1000));
///
/// let device = Device::default();
/// device.seed(42);
/// let trained = Training::new("artifacts/run", train, valid, 64)
///     .schedule(StepLr::new(0.01, 3).with_gamma(0.5), Clock::PerEpoch)
///     .epochs(10)
///     .metrics((LossMetric::new(), AccuracyMetric::new()))
///     .fit(MlpConfig::new().init(&device))?;
/// println!("{}", trained.history.to_csv());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Training<M: LearnerModel> {
    pub(crate) directory: PathBuf,
    pub(crate) train: TrainLoader<M>,
    pub(crate) valid: ValidLoader<M>,
    pub(crate) batch_size: usize,
    pub(crate) epochs: usize,
    pub(crate) schedule: ScheduleConfig,
    pub(crate) clock: Clock,
    pub(crate) adam: AdamConfig,
    pub(crate) grads_accumulation: usize,
    pub(crate) devices: Vec<Device>,
    pub(crate) multi_device_optim: MultiDeviceOptim,
    pub(crate) data_parallel: bool,
    /// A training strategy that cannot be used.
    refused: Option<&'static str>,
    pub(crate) seed: Option<u64>,
    pub(crate) observed: (String, Split),
    pub(crate) keep: Option<KeepPolicy>,
    pub(crate) early_stopping: Option<EarlyStopping>,
    pub(crate) resume: bool,
    pub(crate) interrupter: Interrupter,
    pub(crate) settings: serde_json::Value,
    pub(crate) display: Display,
    pub(crate) configure: Vec<Configure<M>>,
    pub(crate) on_epoch: OnEpoch,
    pub(crate) on_notice: Notices,
}

pub(crate) type Configure<M> = Box<dyn FnOnce(SupervisedTraining<M>) -> SupervisedTraining<M>>;
pub(crate) type OnEpoch = Box<dyn FnMut(&EpochRecord) + Send>;

/// A trained model with the history of its training.
#[derive(Debug)]
pub struct Trained<M> {
    /// The model after the last update, without autodiff.
    pub model: M,
    /// What each epoch led to.
    pub history: History,
}

impl<M: LearnerModel> Training<M> {
    /// A run of one epoch at Adam's usual learning rate of 0.001, to be changed by the methods
    /// below.
    ///
    /// `batch_size` is the number of samples that `train` puts in a batch; it tells how many
    /// updates an epoch has.
    pub fn new(
        directory: impl AsRef<Path>,
        train: Arc<dyn DataLoader<<M as TrainStep>::Input>>,
        valid: Arc<dyn DataLoader<<M as InferenceStep>::Input>>,
        batch_size: usize,
    ) -> Self {
        Self {
            directory: directory.as_ref().to_owned(),
            train,
            valid,
            batch_size,
            epochs: 1,
            schedule: burn_lr_scheduler::Constant::new(1e-3).into(),
            clock: Clock::PerUpdate,
            adam: adam(),
            grads_accumulation: 1,
            devices: Vec::new(),
            multi_device_optim: MultiDeviceOptim::OptimMainDevice,
            data_parallel: false,
            refused: None,
            seed: None,
            observed: (LOSS.to_owned(), Split::Valid),
            keep: None,
            early_stopping: None,
            resume: false,
            interrupter: Interrupter::new(),
            settings: serde_json::Value::Null,
            display: Display::Silent,
            configure: Vec::new(),
            on_epoch: Box::new(|_| {}),
            on_notice: Notices::new(|notice| eprintln!("{notice}")),
        }
    }

    /// Sets the learning-rate schedule, and whether its step is an update or an epoch.
    pub fn schedule(mut self, schedule: impl Into<ScheduleConfig>, clock: Clock) -> Self {
        self.schedule = schedule.into();
        self.clock = clock;
        self
    }

    /// Sets the number of epochs.
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = epochs;
        self
    }

    /// Sets Adam's settings; [`adam`] by default.
    pub fn adam(mut self, adam: AdamConfig) -> Self {
        self.adam = adam;
        self
    }

    /// Sums the gradients of this many batches into one update; 1 by default.
    pub fn grads_accumulation(mut self, batches: usize) -> Self {
        self.grads_accumulation = batches;
        self
    }

    /// Trains on several devices, each taking its own batch in every update, gradients being
    /// summed on the first; the model's own device by default.
    ///
    /// Two devices give the same weights in every run. Burn sums in the order in which devices finish,
    /// so with more of them, or with accumulated gradients, the last bits vary from run to run, as
    /// those of training metrics always do.
    pub fn devices(self, devices: impl IntoIterator<Item = Device>) -> Self {
        let devices = devices.into_iter().collect();
        let main = MultiDeviceOptim::OptimMainDevice;
        self.strategy(ExecutionStrategy::multi(devices, main))
    }

    /// Trains on several devices by distributed data parallelism: each has its own copy of the model
    /// and of the optimizer, takes its own batch in every update, and gradients are averaged over all
    /// devices by collective operations.
    ///
    /// [`fit`](Self::fit) refuses devices without such operations, which in Burn 0.22.1 are all but
    /// CUDA's, and training sets of which one device would have more batches than another: it would
    /// wait for the others forever. One device needs no collectives, and may be of any backend.
    pub fn data_parallel(mut self, devices: impl IntoIterator<Item = Device>) -> Self {
        self = self.devices(devices);
        self.data_parallel = self.devices.len() > 1;
        self
    }

    /// Sets Burn's training strategy: a single device, or several with either kind of
    /// [`MultiDeviceOptim`].
    ///
    /// [`fit`](Self::fit) refuses the others. A custom strategy may make any number of updates and
    /// need not call the hooks at the end of an epoch. Burn's `ExecutionStrategy::ddp` panics by
    /// itself on devices without collectives, before they could be refused: it has
    /// [`data_parallel`](Self::data_parallel) in its place.
    pub fn strategy(mut self, strategy: impl Into<TrainingStrategy<M>>) -> Self {
        self.refused = None;
        self.data_parallel = false;
        match strategy.into() {
            TrainingStrategy::Default(ExecutionStrategy::SingleDevice(device)) => {
                self.devices = vec![device];
            }
            TrainingStrategy::Default(ExecutionStrategy::MultiDevice(devices, optim)) => {
                self.devices = devices;
                self.multi_device_optim = optim;
            }
            TrainingStrategy::Default(ExecutionStrategy::DistributedDataParallel { .. }) => {
                self.refused = Some("ExecutionStrategy::DistributedDataParallel");
            }
            TrainingStrategy::Custom(_) => self.refused = Some("TrainingStrategy::Custom"),
        }
        self
    }

    /// Seeds the device's random numbers at the start of every epoch, from `seed` and the epoch.
    ///
    /// Only models that draw random numbers while they train, as dropout does, need this to be
    /// resumed exactly. The generator may be shared by everything on the device.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Has plateaus observe the metric of that name in `split`; the validation loss by default.
    /// Values are in the metric's own unit: percent for Burn's accuracy.
    pub fn observe(mut self, metric: impl Into<String>, split: Split) -> Self {
        self.observed = (metric.into(), split);
        self
    }

    /// Registers numeric metrics, one or a tuple of them, for training and validation.
    ///
    /// A training metric called `Loss` also stops the run when it is NaN or infinite.
    pub fn metrics<Me: MetricRegistration<M> + 'static>(self, metrics: Me) -> Self {
        self.configure(|training| training.metrics(metrics))
    }

    /// Sets which checkpoints are kept; by default the last two, and, if a metric called `Loss` is
    /// registered, the one with the least validation loss. May be changed when the run is resumed.
    pub fn keep(mut self, keep: KeepPolicy) -> Self {
        self.keep = Some(keep);
        self
    }

    /// Ends the run once a metric no longer improves. May be changed when the run is resumed.
    pub fn early_stopping(mut self, early_stopping: EarlyStopping) -> Self {
        self.early_stopping = Some(early_stopping);
        self
    }

    /// Continues the run in the directory from its newest complete checkpoint, or starts it if
    /// there is none.
    ///
    /// Everything but the number of epochs, [`early_stopping`](Self::early_stopping) and
    /// [`keep`](Self::keep) must be configured as it was. More epochs extend the run, but not if the
    /// schedule has lengths in percent of the run: the run so far would have had other learning
    /// rates, so that is refused. Give such lengths in epochs to extend the run later.
    pub fn resume(mut self, resume: bool) -> Self {
        self.resume = resume;
        self
    }

    /// Sets the handle through which the run can be stopped from outside, at the end of an
    /// iteration.
    pub fn interrupter(mut self, interrupter: Interrupter) -> Self {
        self.interrupter = interrupter;
        self
    }

    /// Changes Burn's [`SupervisedTraining`] directly, for all that has no method here.
    ///
    /// What has one is set by [`fit`](Self::fit) afterwards, whatever was set here: epochs, training
    /// strategy, gradient accumulation, checkpointers, the strategies of checkpointing and early
    /// stopping, interrupter and renderer. Burn's `checkpoint` is for `fit` alone to call.
    pub fn configure(
        mut self,
        configure: impl FnOnce(SupervisedTraining<M>) -> SupervisedTraining<M> + 'static,
    ) -> Self {
        self.configure.push(Box::new(configure));
        self
    }

    /// Settings of the caller that `config.json` shall hold too, and that must not change when the
    /// run is resumed.
    ///
    /// What the data are and in which order they come belongs here: a loader tells how many samples
    /// it has and no more, so other data of that number or another seed of the shuffle would not be
    /// noticed. For MNIST that is `{"seed": 42, "data": mnist.train.fingerprint()}`.
    pub fn settings(mut self, settings: serde_json::Value) -> Self {
        self.settings = settings;
        self
    }

    /// Sets what is shown while an epoch runs; nothing by default.
    pub fn display(mut self, display: Display) -> Self {
        self.display = display;
        self
    }

    /// Calls `on_epoch` at the end of every epoch.
    pub fn on_epoch(mut self, on_epoch: impl FnMut(&EpochRecord) + Send + 'static) -> Self {
        self.on_epoch = Box::new(on_epoch);
        self
    }

    /// Calls `on_notice` with what the user should know, such as which checkpoint a run is resumed
    /// from and which files are damaged; they go to standard error by default.
    pub fn on_notice(mut self, on_notice: impl FnMut(&str) + Send + 'static) -> Self {
        self.on_notice = Notices::new(on_notice);
        self
    }

    /// Which checkpoints are kept.
    pub(crate) fn keep_policy(&self) -> KeepPolicy {
        let best_by_loss = || KeepPolicy::default().with_best(Best::valid("loss", Mode::Min));
        self.keep.clone().unwrap_or_else(best_by_loss)
    }

    /// Whether the run in `directory` can be resumed with this configuration.
    pub(crate) fn check_resumed(self, directory: &Path, model: &M) -> Result<(), TrainingError> {
        let config = RunConfig::new(&self, self.run()?, model);
        let store = CheckpointStore::open(directory.join("checkpoint"), &PARTS)?;
        let silent = Notices::new(|_| {});
        newest(directory, &store, &config, &silent).map(drop)
    }

    /// The run as schedules see it.
    pub(crate) fn run(&self) -> Result<Run, TrainingError> {
        if let Some(found) = self.refused {
            return Err(TrainingError::Invalid {
                name: "training strategy",
                expected: "SingleDevice, MultiDevice, or a call of Training::data_parallel",
                found: found.to_owned(),
            });
        }
        let at_least_one = |name, value: usize| match value {
            0 => Err(TrainingError::Invalid {
                name,
                expected: "at least 1",
                found: "0".to_owned(),
            }),
            _ => Ok(value),
        };
        let samples = at_least_one("training samples", self.train.num_items())?;
        at_least_one("validation samples", self.valid.num_items())?;
        // Each device has its share of the samples; the last one has what is left over too.
        let devices = self.devices.len().max(1);
        let share = samples / devices + samples % devices;
        let batch_size = at_least_one("batch size", self.batch_size)?;
        let batches = share.div_ceil(batch_size);
        if self.data_parallel {
            self.check_data_parallel((samples / devices).div_ceil(batch_size), batches)?;
        }
        let accumulation = at_least_one("gradient accumulation", self.grads_accumulation)?;
        let epochs = at_least_one("epochs", self.epochs)? as u64;
        let updates = batches.div_ceil(accumulation) as u64;
        let run = match self.clock {
            Clock::PerEpoch => Run::per_epoch(updates),
            _ => Run::per_update().with_updates_per_epoch(updates),
        };
        Ok(run.with_epochs(epochs))
    }
    /// `first` and `last` are the batches of the first and of the last device.
    fn check_data_parallel(&self, first: usize, last: usize) -> Result<(), TrainingError> {
        if let Some(device) = self.devices.iter().find(|device| !has_collectives(device)) {
            return Err(TrainingError::Invalid {
                name: "data-parallel training",
                expected: COLLECTIVES,
                found: format!("{device:?}"),
            });
        }
        let twice = |(n, device): &(usize, &Device)| self.devices[..*n].contains(device);
        if let Some((_, device)) = self.devices.iter().enumerate().find(twice) {
            return Err(TrainingError::Invalid {
                name: "data-parallel training",
                expected: "different devices",
                found: format!("{device:?} more than once"),
            });
        }
        if first != last {
            return Err(TrainingError::Invalid {
                name: "training samples",
                expected: "as many batches for every device",
                found: format!("{first}, and {last} for the last one"),
            });
        }
        Ok(())
    }
}
