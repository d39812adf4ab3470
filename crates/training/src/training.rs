//! Burn's Learner wired with Adam, a schedule, checkpoints and a history.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::optim::AdamConfig;
use burn::train::checkpoint::KeepLastNCheckpoints;
use burn::train::{
    InferenceStep, Learner, LearnerModel, MetricRegistration, SupervisedTraining, TrainLoader,
    TrainStep, ValidLoader,
};
use burn_lr_scheduler::{Clock, Run, ScheduleConfig, Scheduler};
use serde::Serialize;

use crate::TrainingError;
use crate::epoch_end::EpochEnd;
use crate::feedback::FeedbackScheduler;
use crate::files::write_atomically;
use crate::history::{EpochRecord, History};
use crate::metrics_log::MetricsLog;
use crate::progress::{BarRenderer, Display};

/// Adam with PyTorch's defaults: betas 0.9 and 0.999, epsilon 1e-8. Burn's own epsilon is 1e-5.
pub fn adam() -> AdamConfig {
    AdamConfig::new()
        .with_beta_1(0.9)
        .with_beta_2(0.999)
        .with_epsilon(1e-8)
}

/// A training run: a model, data, a schedule, and a directory for what comes of it.
///
/// Any Burn model that implements [`TrainStep`] and [`InferenceStep`] can be trained with any data
/// loaders. [`fit`](Self::fit) runs Burn's [`SupervisedTraining`] and leaves in the directory
///
/// - `config.json`: everything that is needed to repeat the run,
/// - `history.csv` and `history.json`: metrics, learning rate and seconds of each epoch,
/// - `checkpoint/`: model, optimizer and scheduler after the last two epochs,
/// - `final.bpk`: the model, which [`Module::load_record`] takes.
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
    directory: PathBuf,
    train: TrainLoader<M>,
    valid: ValidLoader<M>,
    batch_size: usize,
    epochs: usize,
    schedule: ScheduleConfig,
    clock: Clock,
    adam: AdamConfig,
    grads_accumulation: usize,
    settings: serde_json::Value,
    display: Display,
    configure: Vec<Configure<M>>,
    on_epoch: OnEpoch,
}

type Configure<M> = Box<dyn FnOnce(SupervisedTraining<M>) -> SupervisedTraining<M>>;
pub(crate) type OnEpoch = Box<dyn FnMut(&EpochRecord) + Send>;

/// A trained model with the history of its training.
#[derive(Debug)]
pub struct Trained<M> {
    /// The model after the last update, without autodiff.
    pub model: M,
    /// What each epoch led to.
    pub history: History,
}

/// What `config.json` holds.
#[derive(Serialize)]
struct Config<'a> {
    burn_lr: &'static str,
    schedule: &'a ScheduleConfig,
    run: Run,
    epochs: usize,
    batch_size: usize,
    grads_accumulation: usize,
    optimizer: &'static str,
    adam: &'a AdamConfig,
    train_samples: usize,
    valid_samples: usize,
    device: String,
    model: String,
    settings: &'a serde_json::Value,
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
            settings: serde_json::Value::Null,
            display: Display::Silent,
            configure: Vec::new(),
            on_epoch: Box::new(|_| {}),
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

    /// Registers numeric metrics, one or a tuple of them, for training and validation.
    pub fn metrics<Me: MetricRegistration<M> + 'static>(self, metrics: Me) -> Self {
        self.configure(|training| training.metrics(metrics))
    }

    /// Changes Burn's [`SupervisedTraining`] directly, for all that has no method here.
    ///
    /// The number of epochs, gradient accumulation, renderer, checkpointers and early stopping are
    /// set by [`fit`](Self::fit) afterwards.
    pub fn configure(
        mut self,
        configure: impl FnOnce(SupervisedTraining<M>) -> SupervisedTraining<M> + 'static,
    ) -> Self {
        self.configure.push(Box::new(configure));
        self
    }

    /// Settings of the caller that `config.json` shall hold too, such as the seed.
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

    /// The run as schedules see it.
    fn run(&self) -> Result<Run, TrainingError> {
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
        let batches = samples.div_ceil(at_least_one("batch size", self.batch_size)?);
        let accumulation = at_least_one("gradient accumulation", self.grads_accumulation)?;
        let epochs = at_least_one("epochs", self.epochs)? as u64;
        let updates = batches.div_ceil(accumulation) as u64;
        let run = match self.clock {
            Clock::PerEpoch => Run::per_epoch(updates),
            _ => Run::per_update().with_updates_per_epoch(updates),
        };
        Ok(run.with_epochs(epochs))
    }

    /// Trains `model`, whose device decides where that happens.
    ///
    /// # Errors
    /// [`TrainingError`] naming the setting, hyperparameter or file that is wrong, or what stopped
    /// the Learner. What completed epochs led to is in the directory then.
    pub fn fit(mut self, model: M) -> Result<Trained<M>, TrainingError> {
        let run = self.run()?;
        let scheduler = Scheduler::new(self.schedule.clone(), run)?;
        self.create_directory(&run, &model)?;

        let (scheduler, feedback) = FeedbackScheduler::new(scheduler);
        let log = MetricsLog::default();
        let mut training =
            SupervisedTraining::new(&self.directory, self.train.clone(), self.valid.clone())
                .with_application_logger(None)
                .with_metric_logger(log.clone());
        for configure in std::mem::take(&mut self.configure) {
            training = configure(training);
        }
        let epoch_end = EpochEnd::new(&self.directory, log, feedback, self.on_epoch);
        training = training
            .num_epochs(self.epochs)
            .with_default_checkpointers()
            .with_checkpointing_strategy(epoch_end.checkpointing(KeepLastNCheckpoints::new(2)))
            .early_stopping(epoch_end.clone());
        if self.grads_accumulation > 1 {
            training = training.grads_accumulation(self.grads_accumulation);
        }
        training = match self.display {
            Display::Silent => training.renderer(Box::new(BarRenderer::new(false))),
            Display::Bar => training.renderer(Box::new(BarRenderer::new(true))),
            #[cfg(feature = "tui")]
            Display::Dashboard => {
                let renderer = burn::train::renderer::tui::TuiMetricsRendererWrapper::new(
                    training.interrupter(),
                    None,
                );
                training.renderer(Box::new(renderer))
            }
        };

        // A model from a plain device has no gradients yet.
        let learner = Learner::new(model.train(), self.adam.init(), scheduler);
        let result = training.launch(learner);
        let history = epoch_end.finish()?;
        if let Some(source) = result.error {
            return Err(TrainingError::Learner {
                epoch: history.epochs.len(),
                source,
            });
        }
        save_model(&self.directory.join("final.bpk"), &result.model)?;
        Ok(Trained {
            model: result.model,
            history,
        })
    }

    fn create_directory(&self, run: &Run, model: &M) -> Result<(), TrainingError> {
        std::fs::create_dir_all(&self.directory)
            .map_err(|error| TrainingError::file("create", &self.directory, error))?;
        let config = Config {
            burn_lr: env!("CARGO_PKG_VERSION"),
            schedule: &self.schedule,
            run: *run,
            epochs: self.epochs,
            batch_size: self.batch_size,
            grads_accumulation: self.grads_accumulation,
            optimizer: "Adam",
            adam: &self.adam,
            train_samples: self.train.num_items(),
            valid_samples: self.valid.num_items(),
            device: model
                .devices()
                .first()
                .map(|device| format!("{device:?}"))
                .unwrap_or_default(),
            model: model.to_string(),
            settings: &self.settings,
        };
        let path = self.directory.join("config.json");
        let json = serde_json::to_vec_pretty(&config)
            .map_err(|error| TrainingError::file("write", &path, error.into()))?;
        write_atomically(&path, &json)
    }
}

/// Writes the parameters of `model` as a burnpack file, atomically.
///
/// # Errors
/// [`TrainingError::Model`] if Burn cannot serialize it, [`TrainingError::File`] if it cannot be
/// written.
pub fn save_model<M: Module>(path: &Path, model: &M) -> Result<(), TrainingError> {
    let bytes = model
        .clone()
        .into_record()
        .into_bytes()
        .map_err(|error| model_error("write", path, error))?;
    write_atomically(path, &bytes)
}

/// `model` with the parameters in the burnpack file at `path`.
///
/// # Errors
/// [`TrainingError::File`] if there is no such file, [`TrainingError::Model`] if it is no burnpack
/// file or does not fit the model.
pub fn load_model<M: Module>(path: &Path, model: M) -> Result<M, TrainingError> {
    use burn::store::ModuleRecord;

    let bytes = std::fs::read(path).map_err(|error| TrainingError::file("read", path, error))?;
    let record = ModuleRecord::from_bytes(burn::tensor::Bytes::from_bytes_vec(bytes))
        .map_err(|error| model_error("read", path, error))?;
    Ok(model.load_record(record))
}

fn model_error(action: &'static str, path: &Path, error: impl ToString) -> TrainingError {
    TrainingError::Model {
        action,
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
