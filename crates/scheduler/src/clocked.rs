//! A schedule together with what advances it.

use serde::{Deserialize, Serialize};

use crate::Clock;
use crate::schedules::*;

/// A schedule and the clock that its step follows: all that a training has to be told.
///
/// Every schedule has `per_epoch` and `per_update`, which give one; for
/// [schedules of your own](crate::CustomSchedule) there are [`Clocked::per_epoch`] and
/// [`Clocked::per_update`]. A number is a constant learning rate.
///
/// ```
/// use burn_lr_scheduler::{Clock, Clocked, Constant, ScheduleConfig, StepLr};
///
/// let clocked = StepLr::new(0.01, 3).per_epoch();
/// assert_eq!(clocked.clock, Clock::PerEpoch);
/// assert_eq!(clocked, ScheduleConfig::from(StepLr::new(0.01, 3)).per_epoch());
/// assert_eq!(Clocked::from(1e-3), Constant::new(1e-3).per_update());
///
/// let document = r#"{"clock": "per_epoch", "schedule": {"StepLr": {"initial_lr": 0.01, "step_size": 3}}}"#;
/// assert_eq!(serde_json::from_str::<Clocked>(document)?, clocked);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Clocked {
    /// When the schedule's step advances.
    pub clock: Clock,
    /// The schedule.
    pub schedule: ScheduleConfig,
}

impl Clocked {
    /// `schedule`, with a step whenever `clock` says so.
    pub fn new(schedule: impl Into<ScheduleConfig>, clock: Clock) -> Self {
        Self {
            clock,
            schedule: schedule.into(),
        }
    }

    /// `schedule` with one step per epoch.
    pub fn per_epoch(schedule: impl Into<ScheduleConfig>) -> Self {
        Self::new(schedule, Clock::PerEpoch)
    }

    /// `schedule` with one step per optimizer update.
    pub fn per_update(schedule: impl Into<ScheduleConfig>) -> Self {
        Self::new(schedule, Clock::PerUpdate)
    }
}

/// A constant learning rate.
impl From<f64> for Clocked {
    fn from(lr: f64) -> Self {
        Self::per_update(lr)
    }
}

impl ScheduleConfig {
    /// This schedule with one step per epoch.
    pub fn per_epoch(self) -> Clocked {
        Clocked::per_epoch(self)
    }

    /// This schedule with one step per optimizer update.
    pub fn per_update(self) -> Clocked {
        Clocked::per_update(self)
    }
}

macro_rules! clocks {
    ($($module:ident::$schedule:ident,)*) => {$(
        impl $schedule {
            /// This schedule with one step per epoch.
            pub fn per_epoch(self) -> Clocked {
                Clocked::per_epoch(self)
            }

            /// This schedule with one step per optimizer update.
            pub fn per_update(self) -> Clocked {
                Clocked::per_update(self)
            }
        }
    )*};
}

catalogue!(clocks);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &str) -> Result<Clocked, String> {
        serde_json::from_str(document).map_err(|error| error.to_string())
    }

    #[test]
    fn documents_round_trip_and_unknown_fields_are_refused() {
        for (title, schedule) in ScheduleConfig::examples() {
            let Ok(json) = schedule.to_json() else {
                continue;
            };
            for (name, clock) in [
                ("per_epoch", Clock::PerEpoch),
                ("per_update", Clock::PerUpdate),
            ] {
                let clocked = Clocked::new(schedule.clone(), clock);
                let document = format!(r#"{{"clock": "{name}", "schedule": {json}}}"#);
                assert_eq!(read(&document), Ok(clocked.clone()), "{title}");
                let written = serde_json::to_string(&clocked).unwrap();
                assert_eq!(read(&written), Ok(clocked), "{title}");
            }
        }
        let schedule = r#"{"Constant": {"lr": 0.1}}"#;
        for (document, reason) in [
            (schedule.to_owned(), "unknown field `Constant`"),
            (
                format!(r#"{{"schedule": {schedule}}}"#),
                "missing field `clock`",
            ),
            (
                r#"{"clock": "per_epoch"}"#.to_owned(),
                "missing field `schedule`",
            ),
            (
                format!(r#"{{"clock": "per_day", "schedule": {schedule}}}"#),
                "unknown variant `per_day`",
            ),
            (
                format!(r#"{{"clock": "per_epoch", "schedule": {schedule}, "epochs": 3}}"#),
                "unknown field `epochs`",
            ),
        ] {
            let error = read(&document).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[cfg(feature = "toml")]
    #[test]
    fn toml_round_trips() {
        let clocked = StepLr::new(0.1, 3).per_epoch();
        let document = toml::to_string(&clocked).unwrap();
        assert_eq!(toml::from_str(&document), Ok(clocked), "{document}");
    }
}
