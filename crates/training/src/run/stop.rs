//! What stops a run: the run itself, or its caller.
//!
//! Burn's Learner looks at one interrupter, on which errors and a stop by the run itself end too, and
//! which nothing but `reset` starts again. The caller's is shared with other runs, so a run has one of
//! its own, to which it passes on what its caller asks for.

use std::sync::Arc;

use burn::data::dataloader::{DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::train::{Interrupter, Interruption};

use crate::TrainingError;

/// The interrupter of a run, and those that others may stop it by; clones are one and the same.
#[derive(Clone)]
pub(super) struct Stops {
    own: Interrupter,
    caller: Interrupter,
    /// Burn's dashboard resets it when training ends.
    dashboard: Interrupter,
}

impl Stops {
    /// Of a run that is not stopped, and may be by `caller`.
    pub(super) fn new(caller: Interrupter) -> Self {
        Self {
            own: Interrupter::new(),
            caller,
            dashboard: Interrupter::new(),
        }
    }

    /// The run's own interrupter, for what stops it from inside.
    pub(super) fn own(&self) -> &Interrupter {
        &self.own
    }

    /// What Burn's dashboard stops the run by.
    #[cfg(feature = "tui")]
    pub(super) fn dashboard(&self) -> Interrupter {
        self.dashboard.clone()
    }

    /// Whether the run is to stop, by whomever.
    pub(super) fn should_stop(&self) -> bool {
        let mut others = [&self.caller, &self.dashboard].into_iter();
        if !self.own.should_stop()
            && let Some(other) = others.find(|other| other.should_stop())
        {
            self.own.stop(reason(other).as_deref());
        }
        self.own.should_stop()
    }

    /// The error that the run was stopped by, if it was.
    pub(super) fn error(&self) -> Option<Arc<burn::train::TrainingError>> {
        self.own.error().or_else(|| self.caller.error())
    }

    /// The stop, if the run was stopped without an error.
    pub(super) fn interruption(&self) -> Option<Interruption> {
        self.should_stop()
            .then(|| self.own.interruption())
            .flatten()
    }
}

/// Refuses a run that was stopped before it began. Burn begins it, and gives up after an update.
pub(super) fn check(interrupter: &Interrupter) -> Result<(), TrainingError> {
    if interrupter.should_stop() {
        let reason = reason(interrupter).unwrap_or_else(|| "no reason given".to_owned());
        return Err(TrainingError::AlreadyStopped { reason });
    }
    Ok(())
}

/// What was said when `interrupter` was stopped.
fn reason(interrupter: &Interrupter) -> Option<String> {
    match interrupter.error() {
        Some(error) => Some(error.to_string()),
        None => interrupter.get_message(),
    }
}

/// The batches of a loader, between which the run's caller is heard.
pub(super) struct Heard<'a, B> {
    pub inner: Box<dyn DataLoaderIterator<B> + 'a>,
    pub stops: Stops,
}

impl<B> Iterator for Heard<'_, B> {
    type Item = Result<B, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.stops.should_stop();
        self.inner.next()
    }
}

impl<B> DataLoaderIterator<B> for Heard<'_, B> {
    fn progress(&self) -> Progress {
        self.inner.progress()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_stops_a_run_is_heard_and_left_alone() {
        let caller = Interrupter::new();
        let stops = Stops::new(caller.clone());
        assert!(!stops.should_stop() && stops.interruption().is_none());
        caller.stop(Some("Ctrl-C"));
        assert!(stops.should_stop() && stops.own().should_stop());
        let reason = stops.interruption().and_then(|stop| stop.reason);
        assert_eq!(reason.as_deref(), Some("Ctrl-C"));

        let caller = Interrupter::new();
        let stops = Stops::new(caller.clone());
        stops.own().stop(Some("the loss is NaN"));
        assert!(stops.should_stop() && !caller.should_stop());
    }

    #[test]
    fn a_stop_from_the_dashboard_outlives_its_reset() {
        let stops = Stops::new(Interrupter::new());
        stops.dashboard.stop(Some("quit"));
        assert!(stops.should_stop());
        stops.dashboard.reset();
        let reason = stops.interruption().and_then(|stop| stop.reason);
        assert_eq!(reason.as_deref(), Some("quit"));
    }

    #[test]
    fn an_error_of_the_callers_is_an_error_of_the_run() {
        let caller = Interrupter::new();
        let stops = Stops::new(caller.clone());
        caller.fail(DatasetError::new(std::io::Error::other("a test")));
        assert!(stops.should_stop() && stops.error().is_some());
        assert!(matches!(
            check(&caller),
            Err(TrainingError::AlreadyStopped { reason }) if reason.contains("a test")
        ));
        caller.reset();
        assert!(check(&caller).is_ok());
    }
}
