//! The trait that every schedule implements.

use std::fmt::Debug;

use crate::{Build, Curve, ScheduleError};

/// A schedule as data: a small struct of hyperparameters that builds a [`Curve`].
///
/// Building validates everything once and resolves lengths in epochs or percent against the
/// [`Run`](crate::Run); the resulting curve cannot fail. Most users build through
/// [`Scheduler::new`](crate::Scheduler::new).
pub trait Schedule: Clone + Debug + PartialEq {
    /// The curve of this schedule.
    ///
    /// # Errors
    /// [`ScheduleError`] naming the first hyperparameter that is outside its range, or a length
    /// that cannot be resolved.
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError>;

    /// Representative configurations with a title each, from default to unusual; none by default. The
    /// contract tests of the catalogue run over all of them, the gallery draws them.
    fn examples() -> Vec<(&'static str, Self)> {
        Vec::new()
    }
}
