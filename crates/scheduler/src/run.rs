//! What a schedule has to know about the run it is built for.

use serde::{Deserialize, Serialize};

/// When a schedule's step advances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Clock {
    /// After every optimizer update.
    PerUpdate,
    /// After every epoch, that is every `updates_per_epoch` optimizer updates.
    PerEpoch,
}

/// The run a schedule is built for: what one step means, and how long the run is.
///
/// Burn's Learner steps a scheduler once per *optimizer update*, so a schedule that advances per
/// epoch has to know how many updates an epoch has: the number of batches divided by the gradient
/// accumulation, rounded up.
///
/// ```
/// use burn_lr_scheduler::Run;
///
/// // 60 000 samples in batches of 64 are 938 updates.
/// let run = Run::per_epoch(938).with_epochs(10);
/// assert_eq!(run.total_steps(), Some(10));
///
/// let run = Run::per_update().with_updates_per_epoch(938).with_epochs(10);
/// assert_eq!(run.total_steps(), Some(9380));
///
/// // A run that is measured in updates need not end with an epoch, nor have any.
/// let run = Run::per_epoch(938).with_updates(10_000);
/// assert_eq!(run.total_steps(), Some(11));
/// assert_eq!(Run::per_update().with_updates(10_000).total_steps(), Some(10_000));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    clock: Clock,
    updates_per_epoch: Option<u64>,
    epochs: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updates: Option<u64>,
}

impl Run {
    /// A run whose schedule advances by `clock`, with epochs of `updates_per_epoch` optimizer updates.
    pub const fn new(clock: Clock, updates_per_epoch: u64) -> Self {
        Self {
            clock,
            updates_per_epoch: Some(updates_per_epoch),
            epochs: None,
            updates: None,
        }
    }

    /// A run whose schedule advances with every optimizer update.
    pub const fn per_update() -> Self {
        Self {
            clock: Clock::PerUpdate,
            updates_per_epoch: None,
            epochs: None,
            updates: None,
        }
    }

    /// A run whose schedule advances once per epoch of `updates_per_epoch` optimizer updates.
    pub const fn per_epoch(updates_per_epoch: u64) -> Self {
        Self {
            clock: Clock::PerEpoch,
            updates_per_epoch: Some(updates_per_epoch),
            epochs: None,
            updates: None,
        }
    }

    /// Sets the number of optimizer updates in an epoch, which lengths in epochs need.
    pub const fn with_updates_per_epoch(mut self, updates_per_epoch: u64) -> Self {
        self.updates_per_epoch = Some(updates_per_epoch);
        self
    }

    /// Sets the length of the whole run in epochs, in place of one in updates. Lengths in percent
    /// need either.
    pub const fn with_epochs(mut self, epochs: u64) -> Self {
        self.epochs = Some(epochs);
        self.updates = None;
        self
    }

    /// Sets the length of the whole run in optimizer updates, in place of one in epochs.
    pub const fn with_updates(mut self, updates: u64) -> Self {
        self.updates = Some(updates);
        self.epochs = None;
        self
    }

    /// When the schedule's step advances.
    pub const fn clock(&self) -> Clock {
        self.clock
    }

    /// The number of optimizer updates in an epoch, if known.
    pub const fn updates_per_epoch(&self) -> Option<u64> {
        self.updates_per_epoch
    }

    /// The number of epochs of the whole run, if it is measured in them.
    pub const fn epochs(&self) -> Option<u64> {
        self.epochs
    }

    /// The number of optimizer updates of the whole run, if it is measured in them.
    pub const fn updates(&self) -> Option<u64> {
        self.updates
    }

    /// The number of schedule steps in an epoch, if known.
    pub fn steps_per_epoch(&self) -> Option<u64> {
        match self.clock {
            Clock::PerUpdate => self.updates_per_epoch,
            Clock::PerEpoch => Some(1),
        }
    }

    /// The number of schedule steps in the whole run, the last one perhaps of an epoch that the run
    /// does not finish, if known.
    pub fn total_steps(&self) -> Option<u64> {
        match (self.updates, self.clock) {
            (None, _) => Some(self.steps_per_epoch()?.saturating_mul(self.epochs?)),
            (Some(updates), Clock::PerUpdate) => Some(updates),
            (Some(updates), Clock::PerEpoch) => {
                Some(updates.div_ceil(self.updates_per_epoch?.max(1)))
            }
        }
    }

    /// The schedule step that the optimizer update number `update` (from 0) uses.
    pub fn step_of_update(&self, update: u64) -> u64 {
        match (self.clock, self.updates_per_epoch) {
            (Clock::PerEpoch, Some(updates)) => update / updates.max(1),
            _ => update,
        }
    }
}
