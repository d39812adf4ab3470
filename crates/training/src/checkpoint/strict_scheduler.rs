//! Schedulers that say when a record is not theirs.

use burn::lr_scheduler::LrSchedulerRecord;
use burn_lr_scheduler::{ScheduleError, Scheduler};

use crate::optim::Driver;

/// A scheduler that takes all of a record or refuses it, where Burn's `load_record` cannot fail.
pub trait StrictScheduler {
    /// Continues where the scheduler that made `record` stopped.
    ///
    /// # Errors
    /// If it is not the record of such a scheduler; nothing has changed then.
    fn try_load(&mut self, record: &LrSchedulerRecord) -> Result<(), ScheduleError>;
}

impl StrictScheduler for Scheduler {
    fn try_load(&mut self, record: &LrSchedulerRecord) -> Result<(), ScheduleError> {
        self.try_load_record(record)
    }
}

impl StrictScheduler for Driver {
    fn try_load(&mut self, record: &LrSchedulerRecord) -> Result<(), ScheduleError> {
        self.try_load_record(record)
    }
}
