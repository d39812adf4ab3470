//! Feeds plateaus from the Learner's metrics.
//!
//! It needs both of Burn's hooks at the end of an epoch, and Burn has room for one strategy in each
//! and no way to read back the one that is there. So the caller's strategies are wrapped, and handed
//! over here.

use burn::train::checkpoint::{
    CheckpointingStrategy, ComposedCheckpointingStrategy, KeepLastNCheckpoints,
    MetricCheckpointingStrategy,
};
use burn::train::logger::MetricLogger;
use burn::train::metric::store::{Aggregate, Direction, Split};
use burn::train::metric::{LossMetric, Metric};
use burn::train::{EarlyStoppingStrategy, LearnerModel, SupervisedTraining};

use super::observation::Observation;
use super::observed::{Never, Observed};
use super::scheduler::Feedback;
use crate::TrainingError;

/// Feeds the plateaus of one or more [`FeedbackScheduler`](super::FeedbackScheduler)s from a metric
/// of Burn's Learner, once per epoch, whichever of Burn's hooks fire and however often.
///
/// [`Training`](crate::Training) does this by itself. On an ordinary [`SupervisedTraining`] it is a
/// line: [`attach`](Self::attach) with the checkpointing that Burn does unless told otherwise, or
/// [`attach_with`](Self::attach_with) your own strategies.
///
/// ```no_run
/// # use burn::train::metric::LossMetric;
/// # use burn::train::{ClassificationOutput, InferenceStep, Learner, LearnerModel, SupervisedTraining, TrainStep};
/// # use burn_lr_scheduler::{ReduceLrOnPlateau, Run, Scheduler};
/// # use burn_lr_training::TrainingError;
/// # use burn_lr_training::feedback::{FeedbackScheduler, PlateauObserver};
/// # use burn_lr_training::optim::adam;
/// # fn run<M: LearnerModel>(training: SupervisedTraining<M>, model: M) -> Result<(), TrainingError>
/// # where
/// #     M: TrainStep<Output = ClassificationOutput> + InferenceStep<Output = ClassificationOutput>,
/// # {
/// let scheduler = Scheduler::new(ReduceLrOnPlateau::new(0.01), Run::per_epoch(938))?;
/// let (scheduler, feedback) = FeedbackScheduler::new(scheduler);
/// let observer = PlateauObserver::new(feedback);
///
/// let training = training.metrics((LossMetric::new(),));
/// let result = observer
///     .attach(training)
///     .launch(Learner::new(model, adam().init(), scheduler));
/// observer.result()?;
/// # Ok(())
/// # }
/// ```
///
/// It works with Burn's single-device and multi-device strategies, with gradient accumulation, and
/// beside parameter groups: give every group its own `FeedbackScheduler` and [add](Self::and) its
/// feedback. It is made for the workers of distributed data-parallel training too, each of which
/// has its own clone of the scheduler, but not yet tested with them. A `TrainingStrategy::Custom`
/// must call the hooks of checkpointing and early stopping as Burn's own strategies do; which one a
/// `SupervisedTraining` has cannot be seen from here.
#[derive(Clone)]
pub struct PlateauObserver(Observation);

impl PlateauObserver {
    /// Feeds the plateaus behind `feedback` from the validation loss.
    pub fn new(feedback: Feedback) -> Self {
        Self(Observation::new(feedback))
    }

    /// Feeds the plateaus behind another scheduler too, such as that of a parameter group.
    pub fn and(self, feedback: Feedback) -> Self {
        self.0.lock().feedbacks.push(feedback);
        self
    }

    /// Observes this metric in `split` instead, as Burn's own strategies are told theirs. Values are
    /// in the metric's own unit: percent for Burn's accuracy.
    pub fn metric<Me: Metric>(self, metric: &Me, split: Split) -> Self {
        let mut state = self.0.lock();
        state.metric = metric.name().to_string();
        state.split = split;
        drop(state);
        self
    }

    /// Attaches to a `training` without strategies of its own: [`attach_with`](Self::attach_with)
    /// the last two checkpoints and the one with the least validation loss, which is what Burn keeps
    /// by default, and no early stopping.
    pub fn attach<M: LearnerModel>(
        &self,
        training: SupervisedTraining<M>,
    ) -> SupervisedTraining<M> {
        let keep = ComposedCheckpointingStrategy::builder()
            .add(KeepLastNCheckpoints::new(2))
            .add(MetricCheckpointingStrategy::new(
                &LossMetric::new(),
                Aggregate::Mean,
                Direction::Lowest,
                Split::Valid,
            ))
            .build();
        self.attach_with(training, keep, Never)
    }

    /// Attaches to `training`, with these strategies of checkpointing and early stopping.
    ///
    /// Strategies that were set before are replaced, because Burn cannot tell which they are: give
    /// them here.
    ///
    /// ```no_run
    /// # use burn::train::checkpoint::KeepLastNCheckpoints;
    /// # use burn::train::metric::{LossMetric, store::{Aggregate, Direction, Split}};
    /// # use burn::train::{LearnerModel, MetricEarlyStoppingStrategy, StoppingCondition, SupervisedTraining};
    /// # use burn_lr_training::feedback::PlateauObserver;
    /// # fn attach<M: LearnerModel>(training: SupervisedTraining<M>, observer: PlateauObserver) {
    /// let stopping = MetricEarlyStoppingStrategy::new(
    ///     &LossMetric::new(),
    ///     Aggregate::Mean,
    ///     Direction::Lowest,
    ///     Split::Valid,
    ///     StoppingCondition::NoImprovementSince { n_epochs: 5 },
    /// );
    /// let training = observer.attach_with(training, KeepLastNCheckpoints::new(1), stopping);
    /// # }
    /// ```
    ///
    /// With early stopping alone, keep the checkpointing of [`attach`](Self::attach):
    /// `observer.attach(training).early_stopping(observer.early_stopping(stopping))`. A strategy that
    /// is set later without the observer in front of it displaces the observer.
    ///
    /// Nothing else of `training` is changed. What the observer stops it for, as a loss that is not finite,
    /// stops its interrupter, as errors do in Burn: reset one that another training shall be given.
    ///
    /// When a training is resumed, Burn tells the best epoch by
    /// its metric files, which it writes unless a metric logger is registered; its early stopping
    /// starts to count anew.
    pub fn attach_with<M, C, E>(
        &self,
        training: SupervisedTraining<M>,
        checkpointing: C,
        early_stopping: E,
    ) -> SupervisedTraining<M>
    where
        M: LearnerModel,
        C: CheckpointingStrategy + 'static,
        E: EarlyStoppingStrategy + Clone + Send + Sync + 'static,
    {
        let mut state = self.0.lock();
        state.log.stop_on_divergence(training.interrupter());
        state.interrupter = Some(training.interrupter());
        drop(state);
        training
            .with_checkpointing_strategy(self.checkpointing(checkpointing))
            .early_stopping(self.early_stopping(early_stopping))
    }

    /// A metric logger by which a training loss that is not finite is seen at once, instead of at
    /// the end of the epoch, and which lists all metrics that there are when one is missing. Without
    /// it, those of Burn are listed whose names are always the same.
    ///
    /// Registering any logger ends Burn's own metric files, and Burn asks the first one registered
    /// for the metrics of earlier epochs. So register Burn's `FileMetricLogger` before this one.
    pub fn metric_logger(&self) -> impl MetricLogger + use<> {
        self.0.lock().log.clone()
    }

    /// `strategy`, with the observation of the epoch made before it is asked: the checkpoint that it
    /// orders holds the verdict.
    pub fn checkpointing<S: CheckpointingStrategy>(
        &self,
        strategy: S,
    ) -> impl CheckpointingStrategy + use<S> {
        Observed {
            observation: self.0.clone(),
            strategy,
        }
    }

    /// `strategy`, with the observation of the epoch made before it is asked, if it was not yet. It
    /// also stops when the metric cannot be observed.
    ///
    /// Needed beside [`checkpointing`](Self::checkpointing): Burn calls that only if checkpointers
    /// are set, and waits for an epoch's metrics only if one of the two is.
    pub fn early_stopping<S>(
        &self,
        strategy: S,
    ) -> impl EarlyStoppingStrategy + Clone + Sync + use<S>
    where
        S: EarlyStoppingStrategy + Clone + Send + Sync + 'static,
    {
        Observed {
            observation: self.0.clone(),
            strategy,
        }
    }

    /// Whether all metrics could be observed; look at it after the run.
    ///
    /// # Errors
    /// [`TrainingError::MissingMetric`] naming the metric, [`TrainingError::Schedule`] if a plateau
    /// refused it, [`TrainingError::Diverged`] if the training loss was NaN or infinite, or
    /// [`TrainingError::ValidationDiverged`] if the validation loss was. Each stops the training, and
    /// the epoch gets no checkpoint. [`TrainingError::NeverObserved`] if the observer was attached to a
    /// training, updates were made, and none of its hooks was called: a strategy that was set later
    /// has displaced it.
    pub fn result(&self) -> Result<(), TrainingError> {
        let state = self.0.lock();
        if let Some(divergence) = state.log.divergence() {
            return Err(divergence.into());
        }
        if let Some(error) = &state.error {
            return Err(error.clone());
        }
        if state.never_observed() {
            return Err(TrainingError::NeverObserved);
        }
        Ok(())
    }
}
