//! The one trait to implement.

use super::record::{RunStart, UpdateRecord};
use crate::TrainingError;
use crate::metrics::EpochRecord;

/// Whatever a tracker fails by.
pub type TrackerError = Box<dyn std::error::Error + Send + Sync>;

/// Follows a run that it is [given to](crate::Training::track).
///
/// Calls come one at a time, updates from a thread of the run's own. One that fails is
/// [told](crate::Training::on_notice), and the tracker is called no more: the run goes on.
///
/// ```
/// use burn_lr_training::metrics::EpochRecord;
/// use burn_lr_training::track::{RunStart, Tracker, TrackerError};
///
/// /// The losses of the last epoch, for whoever asks a server.
/// struct Posted(std::sync::mpsc::Sender<(usize, f64)>);
///
/// impl Tracker for Posted {
///     fn begin(&mut self, _: &RunStart<'_>) -> Result<(), TrackerError> {
///         Ok(())
///     }
///
///     fn epoch(&mut self, epoch: &EpochRecord) -> Result<(), TrackerError> {
///         Ok(self.0.send((epoch.epoch, epoch.valid("loss")))?)
///     }
/// }
/// ```
pub trait Tracker: Send {
    /// The run begins, or goes on: before its first update.
    fn begin(&mut self, run: &RunStart<'_>) -> Result<(), TrackerError>;

    /// An update, of which [every so many](crate::Training::track_every) are told. Not of runs on several
    /// devices, where Burn makes the updates.
    fn update(&mut self, _update: &UpdateRecord) -> Result<(), TrackerError> {
        Ok(())
    }

    /// The end of an epoch or period, once it is in the run's history and before its checkpoint is
    /// saved. A run that is killed between the two goes on before it, and tells it again.
    fn epoch(&mut self, epoch: &EpochRecord) -> Result<(), TrackerError>;

    /// The run is complete, or ends by an error, which may be that it was stopped.
    fn end(&mut self, _error: Option<&TrainingError>) -> Result<(), TrackerError> {
        Ok(())
    }
}
