//! The settings of what an update is.

use burn::train::LearnerModel;
use burn_lr_scheduler::Clocked;

use super::batch_growth::BatchGrowth;
use super::training::Training;
use crate::optim::{GradientClip, Group, Hyperparameter, NonFinite, OptimizerConfig};

/// # What an update is, which must not change when a run is resumed
impl<M: LearnerModel> Training<M> {
    /// Sets the optimizer: the config of any of Burn's, or a ready `ModuleOptimizer` with a
    /// description. Adam with PyTorch's constants by default, see [`adam`](crate::optim::adam).
    ///
    /// With [schedule-free](crate::optim::ScheduleFreeAdamWConfig) ones the weights that are validated, that
    /// plateaus and early stopping hear of, that `best.bpk`, `final.bpk` and [`Trained`](crate::Trained) have are the average
    /// that the optimizer keeps; those that it trains are in the checkpoints, and training metrics are theirs.
    /// Running statistics of batch norms are computed for the average at the end of every epoch, by a pass over the
    /// training data, forward and backward. Such an optimizer is refused beside an [`average`](Self::average), and it
    /// and [Prodigy](crate::optim::ProdigyConfig) on several devices. A schedule that they do not need, or that
    /// misleads them, is [told](Self::on_notice).
    pub fn optimizer(mut self, optimizer: impl Into<OptimizerConfig>) -> Self {
        self.plan.optimizer = optimizer.into();
        self
    }

    /// Has a hyperparameter of the optimizer follow a schedule of its own: momentum or beta 1, beta 2, weight decay.
    ///
    /// ```no_run
    /// # use burn::train::LearnerModel;
    /// # use burn_lr_scheduler::Interpolation::Cosine;
    /// # use burn_lr_scheduler::Length::Percent;
    /// # use burn_lr_scheduler::PiecewiseInterpolate;
    /// # use burn_lr_training::Training;
    /// use burn_lr_training::optim::Hyperparameter;
    /// # fn decaying<M: LearnerModel>(training: Training<M>) -> Training<M> {
    /// // From 0.04 to 0.4 along a cosine, as DINO's.
    /// let rising = PiecewiseInterpolate::new([0.04, 0.4], [Percent(100.0)]).with_interpolation(Cosine);
    /// training.schedule_for(Hyperparameter::WeightDecay, rising.per_update())
    /// # }
    /// ```
    ///
    /// Groups whose optimizer is the run's follow it too, unless they say otherwise: those
    /// [without decay](Group::without_decay) have none; a group with an optimizer of its own keeps that one's
    /// settings. Plateaus observe what that of the rate observes. The values are in the history, as
    /// [`EpochRecord::hyperparameters`](crate::metrics::EpochRecord::hyperparameters), and in documents: a run is not resumed under others.
    ///
    /// The momentum that a [`OneCycleLr`](burn_lr_scheduler::OneCycleLr) or
    /// [`CyclicLr`](burn_lr_scheduler::CyclicLr) cycles needs no schedule here: it is set in all optimizers whose rate
    /// that schedule sets, as in PyTorch. An optimizer without one is [refused](crate::optim::OptimError::NoMomentum).
    pub fn schedule_for(mut self, of: Hyperparameter, schedule: impl Into<Clocked>) -> Self {
        self.plan.scheduled.insert(of, schedule.into());
        self
    }

    /// Adds a group of parameters with an optimizer, a schedule or a share of the learning rate of
    /// its own. Of several groups that a parameter is in, the last one counts.
    pub fn group(mut self, group: Group) -> Self {
        self.plan.groups.push(group);
        self
    }

    /// Adds groups of parameters, such as those of [`layer_decay`](crate::optim::layer_decay).
    pub fn groups(mut self, groups: impl IntoIterator<Item = Group>) -> Self {
        self.plan.groups.extend(groups);
        self
    }

    /// Sums the gradients of this many batches into one update; 1 by default.
    pub fn grads_accumulation(mut self, batches: usize) -> Self {
        self.plan.grads_accumulation = batches;
        self
    }

    /// Has updates take more batches, or fewer, as the run goes on.
    ///
    /// How many updates an epoch has is no longer known then: the schedules must advance by updates and have their
    /// lengths in them, and so must the run's periods, if it has any.
    pub fn grow_batch(mut self, growth: BatchGrowth) -> Self {
        self.plan.batch_growth = Some(growth);
        self
    }

    /// Clips the gradients of every update: by their norm over all parameters, or each value. The
    /// mean norm of an epoch, before it was clipped, is its metric `train_gradient_norm`.
    ///
    /// The clipping that Burn's optimizers have is by the norm of each parameter by itself.
    pub fn clip_gradients(mut self, clip: GradientClip) -> Self {
        self.plan.clip = Some(clip);
        self
    }

    /// Sets what becomes of an update whose gradients are not finite; by default nothing is checked,
    /// and a training loss that is not finite ends the run.
    ///
    /// Updates that are skipped are counted by the metric `train_skipped_updates`. The schedule's
    /// clock does not stop for them, and a training loss that is not finite no longer ends the run. An
    /// epoch all of whose updates were skipped does, by [`TrainingError::AllSkipped`](crate::TrainingError::AllSkipped),
    /// even if it has only one: nothing was learnt, and the next one would begin with the same weights.
    pub fn non_finite(mut self, non_finite: NonFinite) -> Self {
        self.plan.non_finite = non_finite;
        self
    }
}
