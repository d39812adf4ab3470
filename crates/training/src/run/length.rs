//! How long a run is, how often it looks at what came of it, and where it begins.

use burn::train::LearnerModel;

use super::branch::Branch;
use super::extent::{DataEpoch, Extent, Period};
use super::period::Periods;
use super::training::Training;
use crate::TrainingError;

/// # How long a run is, and where it begins
///
/// The length may change when a run is resumed.
impl<M: LearnerModel> Training<M> {
    /// Sets the length of the run in epochs of the training data.
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.plan.extent = Extent::Epochs(epochs);
        self
    }

    /// Sets the length of the run in optimizer updates instead, which may end within an epoch, and be
    /// more or fewer than the data have: see [`every`](Self::every).
    pub fn max_updates(mut self, updates: u64) -> Self {
        self.plan.extent = Extent::Updates(updates);
        self
    }

    /// Sets the length of the run in training samples instead: it ends with the update that reaches
    /// them.
    pub fn max_samples(mut self, samples: u64) -> Self {
        self.plan.extent = Extent::Samples(samples);
        self
    }

    /// Measures the run in updates: validates, tells plateaus and early stopping, writes the history and
    /// a checkpoint every so many updates, `every(200)`, or samples, or shares of an epoch.
    ///
    /// What Burn's Learner, the history and the checkpoints call an epoch is such a period then, and
    /// [`EpochRecord::data`](crate::metrics::EpochRecord::data) says where in the data it ends. The
    /// periods need not divide an epoch, nor an epoch the run: the data go on through their epochs, and
    /// a run that is resumed goes on within one. Schedules keep their clocks: one that advances per epoch
    /// advances with those of the data. An update takes no batches of two epochs, so that the last of an
    /// epoch may sum fewer gradients.
    ///
    /// A stream that never ends, whose batches need not be known, is trained on so, by a length in
    /// [updates](Self::max_updates). On resume, loaders other than an
    /// [`EpochLoader`](crate::loader::EpochLoader) make again, and drop, the batches of the running
    /// epoch that the run has had. On several devices it is refused: Burn splits whole epochs over them.
    ///
    /// Random numbers are seeded before each update, from the [seed](Self::seed) and its number alone,
    /// so that how long the periods are changes no weight, if nothing listens to their metrics, and a run in
    /// epochs has the same weights. A period all of whose updates were
    /// [skipped](Self::non_finite) ends the run, as an epoch does.
    pub fn every(mut self, period: impl Into<Period>) -> Self {
        self.plan.every = Some(period.into());
        self
    }

    /// Begins at a checkpoint of another run instead of at the first update: with its weights, its
    /// optimizer's state, its place in the data and its history, in this run's own directory. The other
    /// run stays as it is.
    ///
    /// ```no_run
    /// # use burn::train::LearnerModel;
    /// # use burn_lr_scheduler::{Cooldown, Warmup};
    /// # use burn_lr_training::Training;
    /// # use burn_lr_training::run::Branch;
    /// # fn cooled<M: LearnerModel>(training: Training<M>) -> Training<M> {
    /// // What would the run in `runs/stable` have come to if it had ended after 5000 updates?
    /// let schedule = Cooldown::new(Warmup::new(1e-3, 500), 4000, 1000);
    /// training
    ///     .schedule(schedule.per_update())
    ///     .max_updates(5000)
    ///     .branch(Branch::update("runs/stable", 4000))
    /// # }
    /// ```
    ///
    /// A branch may be longer, in epochs off a run in updates or the other way round, and have another schedule, other settings of the optimizer and of groups,
    /// other clipping, another [average](Self::average), one where the parent has none, or none; what is
    /// changed so is recorded, with the checkpoint's checksum, in its configuration and its
    /// [history](crate::metrics::History::branches). A branch that changes nothing ends with the bits of its
    /// parent. An average of the same kind as the parent's goes on with what that has taken in, whatever its
    /// constants; another one, or one that is to begin later, begins anew. A schedule that is another one goes on with the update at which the parent's
    /// stopped; its plateaus with what the parent's have observed, if there are as many.
    ///
    /// In epochs off a run that is measured in updates, it finishes the epoch of the data in which that
    /// stands first, as its first epoch; its length is that of the whole in epochs of the data.
    ///
    /// With [`resume`](Self::resume) a branch that has begun goes on, also if its parent is gone.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit) are, before anything is written:
    /// [`NoCheckpoint`](crate::TrainingError::NoCheckpoint) where there is no such checkpoint, and
    /// [`BranchChanged`](crate::TrainingError::BranchChanged) for another model, other data, or what else
    /// a branch must have as its parent.
    pub fn branch(mut self, branch: Branch) -> Self {
        self.plan.branch = Some(branch);
        self
    }

    /// Refuses to go on with a run that branched off another, unless it is said to by
    /// [`branch`](Self::branch): without either, a run goes on wherever it began.
    pub fn unbranched(mut self) -> Self {
        self.plan.unbranched = true;
        self
    }
}

impl<M: LearnerModel> Training<M> {
    /// The number of the run's last epoch, as Burn's Learner counts them.
    pub(super) fn last_epoch(&self, periods: Option<&Periods>) -> usize {
        match (periods, self.plan.extent) {
            (Some(periods), _) => periods.count(),
            (None, Extent::Epochs(epochs)) => epochs,
            (None, _) => 0,
        }
    }

    /// Whether the run is measured in updates, and not in epochs of the data alone.
    pub(super) fn is_in_updates(&self) -> bool {
        self.plan.every.is_some() || !matches!(self.plan.extent, Extent::Epochs(_))
    }

    /// The periods of a run that is measured in updates, on data with so many batches.
    pub(super) fn periods(&self, batches: Option<u64>) -> Result<Option<Periods>, TrainingError> {
        if !self.is_in_updates() {
            return Ok(None);
        }
        self.in_periods(self.plan.every, batches).map(Some)
    }

    /// The same, `every` so often.
    pub(super) fn in_periods(
        &self,
        every: Option<Period>,
        batches: Option<u64>,
    ) -> Result<Periods, TrainingError> {
        let devices = self.place.workers();
        if devices > 1 {
            return Err(TrainingError::Invalid {
                name: "every",
                expected: "a single device, for a run that is measured in updates",
                found: format!("{devices} devices"),
            });
        }
        let batch_size = self.train.description().batch_size;
        let epoch = batches.map(|batches| DataEpoch {
            batches,
            batch_size: batch_size.map(|size| size as u64),
            samples: self.train.samples() as u64,
        });
        let accumulation = self.plan.grads_accumulation as u64;
        Periods::new(every, self.plan.extent, accumulation, epoch)
    }
}
