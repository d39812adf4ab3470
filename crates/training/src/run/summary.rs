//! The metrics as Burn's summary reads them.

use super::epoch_end::{EpochEnd, State};
use crate::TrainingError;
use crate::metrics::set_files_aside_after;

impl EpochEnd {
    /// Leaves the metrics where Burn's summary looks for them.
    pub(super) fn summarize(&self) {
        self.lock().summarized = true;
    }
}

impl State {
    /// Leaves the metrics of `epoch`, and at first of those before it, where Burn's summary looks for
    /// them. What a run that was given up has left there is set aside.
    pub(super) fn write_summary(&mut self, epoch: usize) -> Result<(), TrainingError> {
        let directory = self.directory.summary();
        let first = if std::mem::replace(&mut self.summary_is_begun, true) {
            epoch
        } else {
            set_files_aside_after(&directory, epoch)?;
            1
        };
        (first..=epoch).try_for_each(|epoch| self.log.write_files(&directory, epoch))
    }
}
