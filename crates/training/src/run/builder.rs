//! The settings of a run.

use std::path::Path;
use std::time::Duration;

use burn::tensor::Device;
use burn::train::renderer::MetricsRenderer;
use burn::train::{
    ExecutionStrategy, Interrupter, LearnerModel, MetricRegistration, MultiDeviceOptim,
    SupervisedTraining, TrainingStrategy,
};
use burn_lr_scheduler::Clocked;

use super::directory::RunDirectory;
use super::display::Display;
use super::plan::Seed;
use super::training::Training;
use crate::checkpoint::KeepPolicy;
use crate::metrics::{EarlyStopping, EpochRecord, MetricKey};
use crate::notices::Notices;
use crate::track::Tracker;

/// # What must not change when a run is resumed
impl<M: LearnerModel> Training<M> {
    /// Sets the learning-rate schedule and its clock: `StepLr::new(0.01, 3).per_epoch()`,
    /// `OneCycleLr::new(0.01).per_update()`. A plain number is a constant rate.
    pub fn schedule(mut self, schedule: impl Into<Clocked>) -> Self {
        self.plan.schedule = schedule.into();
        self
    }

    /// Seeds the device's random numbers before every update, from `seed` and the update's number, so that
    /// what a model draws while it trains, as dropout does, can be resumed exactly. On several devices they
    /// are seeded at the start of every epoch, as in runs that were begun by earlier versions.
    ///
    /// By default models are seeded with 0 that have a module at any depth, or in their text, whose type
    /// is called dropout, drop path, stochastic depth, noise or randomized ReLU, as Burn's are; others are not: give a seed
    /// to one that draws random numbers of its own, or has them in a field that is skipped. A run that is
    /// resumed by default keeps to what it was begun with. The generator may be shared by everything on
    /// the device.
    pub fn seed(mut self, seed: u64) -> Self {
        self.plan.seed = Seed::Given(seed);
        self
    }

    /// Leaves the device's random numbers alone. A model that draws some cannot be resumed exactly.
    pub fn unseeded(mut self) -> Self {
        self.plan.seed = Seed::Off;
        self
    }

    /// Says that the model draws no random numbers while it trains, whatever its modules are called, as
    /// with dropout of 0: the device's are left alone.
    pub fn deterministic(mut self) -> Self {
        self.plan.seed = Seed::Unneeded;
        self
    }

    /// Has plateaus observe that metric; the validation loss by default.
    pub fn observe(mut self, metric: MetricKey) -> Self {
        self.plan.observed = metric;
        self
    }

    /// Settings of the caller that the run's configuration shall hold too, and that must not change
    /// when it is resumed, such as what the data are if their loader does not tell.
    pub fn settings(mut self, settings: serde_json::Value) -> Self {
        self.plan.settings = settings;
        self
    }
}

/// # What may change when a run is resumed
impl<M: LearnerModel> Training<M> {
    /// Sets which checkpoints are kept; by default the last two, and, if a metric called `loss` is
    /// registered, the one with the least validation loss.
    pub fn keep(mut self, keep: KeepPolicy) -> Self {
        self.plan.keep = Some(keep);
        self
    }

    /// Makes checkpoints within an epoch too, or a period, whenever so much time has passed since the last
    /// checkpoint: for epochs that take long. With zero, after every update.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use burn::train::LearnerModel;
    /// # use burn_lr_training::Training;
    /// # fn checkpointed<M: LearnerModel>(training: Training<M>) -> Training<M> {
    /// training.checkpoint_every(Duration::from_secs(10 * 60))
    /// # }
    /// ```
    ///
    /// The newest of them is kept, in [`RunDirectory::within_epoch`], until the epoch's own checkpoint is
    /// complete. A run that is [resumed](Self::resume) from it ends with the same bits and the same
    /// history, whenever it was stopped and however often there are checkpoints: the time decides nothing
    /// else. A damaged one is passed over for that of the epoch before.
    ///
    /// Training metrics are continued if they are means over batches, as most of Burn's are: loss,
    /// accuracy, top-k accuracy, learning rate. A metric that is none, such as an F-score, AUROC, perplexity or the use of
    /// a processor, keeps its state to itself: with one of them there are no checkpoints within epochs,
    /// which is [told](Self::on_notice) when the first is due. What a metric is shows in its second batch of a
    /// period, before which there are none; one called `Loss`, `Accuracy` or `Learning Rate` is taken for a mean at once, so
    /// that a metric of your own that is none needs another name. On several devices it is refused: Burn's
    /// strategies have no place for it.
    pub fn checkpoint_every(mut self, time: Duration) -> Self {
        self.hooks.checkpoint_every = Some(time);
        self
    }

    /// Which checkpoints are kept, if that was set.
    pub fn kept(&self) -> Option<&KeepPolicy> {
        self.plan.keep.as_ref()
    }

    /// Ends the run once a metric no longer improves.
    pub fn early_stopping(mut self, early_stopping: EarlyStopping) -> Self {
        self.plan.early_stopping = Some(early_stopping);
        self
    }

    /// Trains on several devices, each taking its own batch in every update, gradients being
    /// summed on the first; the model's own device by default.
    ///
    /// Two devices give the same weights in every run, if the model draws no random numbers. Burn sums in the order in which devices finish,
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
        self.place.data_parallel = self.place.devices.len() > 1;
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
        self.place.set(strategy.into());
        self
    }

    /// Computes activations again in the backward pass instead of keeping them: less memory, more
    /// time.
    pub fn gradient_checkpointing(mut self) -> Self {
        self.place.gradient_checkpointing = true;
        self
    }

    /// Continues the run in the directory from its newest complete checkpoint, or starts it if
    /// there is none.
    ///
    /// More epochs extend the run, but not if the schedule has lengths in percent of the run: the
    /// run so far would have had other learning rates, so that is refused. Give such lengths in
    /// epochs to extend the run later.
    pub fn resume(mut self, resume: bool) -> Self {
        self.resume = resume;
        self
    }

    /// Verifies the newest checkpoint alone when the run is resumed, for runs that keep many large ones.
    ///
    /// By default all are read, piece by piece, and told of if they are damaged: such a one is none of the last few
    /// that are kept, so that there is always one to fall back on. Without that, a damage is found only when the
    /// checkpoint is needed, and may by then be that of all that are kept.
    pub fn trust_older_checkpoints(mut self) -> Self {
        self.hooks.trusts_older = true;
        self
    }

    /// Refuses a run that could not be resumed exactly, instead of only saying so.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Uses that run directory instead.
    pub fn in_directory(mut self, directory: impl AsRef<Path>) -> Self {
        self.directory = RunDirectory::new(directory);
        self
    }
}

/// # Hooks
impl<M: LearnerModel> Training<M> {
    /// Registers a tuple of numeric metrics for training and validation: `(LossMetric::new(),)`.
    ///
    /// A training metric that Burn calls `Loss` also stops the run when it is NaN or infinite.
    pub fn metrics<Me: MetricRegistration<M> + 'static>(self, metrics: Me) -> Self {
        self.configure(|training| training.metrics(metrics))
    }

    /// Refuses the run before its first update unless metrics of these names are registered, by
    /// whatever they will be asked for afterwards.
    pub fn require_metrics(mut self, metrics: impl IntoIterator<Item = MetricKey>) -> Self {
        self.hooks.required.extend(metrics);
        self
    }

    /// Sets the handle through which the run can be stopped from outside, at the end of an
    /// iteration.
    ///
    /// One that is stopped stays so: to go on with other runs after Ctrl-C takes a decision. A run that
    /// is given it then is [refused](crate::TrainingError::AlreadyStopped) before anything is written, until
    /// `Interrupter::reset` is called. What else ends a run, such as a loss that is NaN, leaves the
    /// handle as it was.
    pub fn interrupter(mut self, interrupter: Interrupter) -> Self {
        self.hooks.interrupter = interrupter;
        self
    }

    /// Changes Burn's [`SupervisedTraining`] directly, for all that has no method here.
    ///
    /// What has one is set by [`fit`](Self::fit) afterwards, whatever was set here: epochs, training
    /// strategy, gradient accumulation and checkpointing, checkpointers, the strategies of
    /// checkpointing and early stopping, interrupter and renderer. Burn's `checkpoint` is for `fit`
    /// alone to call.
    pub fn configure(
        mut self,
        configure: impl FnOnce(SupervisedTraining<M>) -> SupervisedTraining<M> + 'static,
    ) -> Self {
        self.hooks.configure.push(Box::new(configure));
        self
    }

    /// Sets what is shown while an epoch runs; nothing by default.
    pub fn display(mut self, display: Display) -> Self {
        self.hooks.display = display;
        self
    }

    /// Shows the run by a renderer of one's own, instead of a [`Display`].
    ///
    /// It also gets Burn's summary, which `configure(|training| training.summary())` asks for, at the
    /// end of training. A complete run that is resumed trains nothing, and shows no summary either:
    /// its history has all of it.
    pub fn renderer(mut self, renderer: impl MetricsRenderer + 'static) -> Self {
        self.hooks.renderer = Some(Box::new(renderer));
        self
    }

    /// Calls `on_epoch` at the end of every epoch, after whatever was set to be called then before.
    pub fn on_epoch(mut self, on_epoch: impl FnMut(&EpochRecord) + Send + 'static) -> Self {
        self.hooks.on_epoch.push(Box::new(on_epoch));
        self
    }

    /// Has `tracker` follow the run, beside those that were set before.
    pub fn track(mut self, tracker: impl Tracker + 'static) -> Self {
        self.hooks.trackers.push(Box::new(tracker));
        self
    }

    /// Tells trackers of every so many updates; of every 50th by default.
    ///
    /// Of each of them the norm of the gradients is computed, and on a GPU waited for.
    pub fn track_every(mut self, updates: u64) -> Self {
        self.hooks.track_every = updates;
        self
    }

    /// Calls `on_notice` with what the user should know, such as which checkpoint a run is resumed
    /// from, which files are damaged, and what cannot be repeated exactly, after whatever was set to
    /// be called with that before. It goes to standard error unless something is set.
    pub fn on_notice(mut self, on_notice: impl FnMut(&str) + Send + 'static) -> Self {
        let mut on_notice = Notices::new(on_notice);
        if let Some(earlier) = self.hooks.on_notice.take() {
            on_notice = earlier.and(on_notice);
        }
        self.hooks.on_notice = Some(on_notice);
        self
    }

    /// Whether something was set to be called with notices.
    pub fn hears_notices(&self) -> bool {
        self.hooks.on_notice.is_some()
    }
}
