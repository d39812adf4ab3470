//! A schedule of the user's own through a run.

use std::sync::atomic::{AtomicBool, Ordering};

use burn_lr::scheduler::{Build, Clocked, Curve, CustomSchedule, Schedule, ScheduleError, Warmup};
use burn_lr::training::TrainingError;
use burn_lr::training::optim::{Group, Select};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::net::{BATCHES, Net, assert_resumes, run};

/// `lr(t) = initial_lr / (1 + rate * t)`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Harmonic {
    initial_lr: f64,
    rate: f64,
}

impl Schedule for Harmonic {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let rate = build.non_negative("rate", self.rate)?;
        Ok(Curve::new(move |step| {
            initial_lr / (1.0 + rate * step as f64)
        }))
    }
}

impl CustomSchedule for Harmonic {
    const NAME: &'static str = "Harmonic";
}

#[test]
fn a_schedule_of_the_users_own() {
    let harmonic = |rate| Harmonic {
        initial_lr: 0.01,
        rate,
    };
    let (_, history) = assert_resumes("per update", |directory| {
        let schedule = Warmup::new(harmonic(0.5), BATCHES);
        run(directory).schedule(schedule.per_update())
    });
    // Its own steps begin when the warmup ends.
    let lrs = [&history.epochs[0], &history.epochs[1]].map(|epoch| epoch.next_lr);
    assert_eq!(lrs, [0.01, 0.01 / (1.0 + 0.5 * 5.0)]);
    let (_, history) = assert_resumes("per epoch", |directory| {
        run(directory).schedule(Clocked::per_epoch(harmonic(1.0)))
    });
    let lrs: Vec<f64> = history.epochs.iter().map(|epoch| epoch.lr).collect();
    assert_eq!(lrs, [0.01, 0.01 / 2.0, 0.01 / 3.0, 0.01 / 4.0]);

    let directory = TempDir::new().unwrap();
    let fit = |rate, epochs| {
        let schedule = Clocked::per_epoch(harmonic(rate));
        run(directory.path())
            .schedule(schedule)
            .epochs(epochs)
            .fit(Net::new(1))
    };
    fit(1.0, 1).unwrap();
    let changed = fit(2.0, 2);
    let Err(TrainingError::ConfigChanged {
        field,
        saved,
        current,
        ..
    }) = changed
    else {
        panic!("{changed:?}");
    };
    assert_eq!(field, "schedule.schedule.Harmonic.rate");
    assert_eq!((saved.as_str(), current.as_str()), ("1.0", "2.0"));
    let invalid = fit(-1.0, 2);
    assert!(
        matches!(invalid, Err(TrainingError::Schedule(_))),
        "{invalid:?}"
    );
}

/// A schedule that has gained a setting; as it was written before, and as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Grown {
    lr: f64,
    #[serde(default, skip_serializing_if = "as_before")]
    floor: f64,
}

static AS_BEFORE: AtomicBool = AtomicBool::new(true);

fn as_before(_: &f64) -> bool {
    AS_BEFORE.load(Ordering::SeqCst)
}

impl Schedule for Grown {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let lr = build.non_negative("lr", self.lr)?;
        let floor = build.non_negative("floor", self.floor)?;
        Ok(Curve::new(move |_| lr.max(floor)))
    }
}

impl CustomSchedule for Grown {
    const NAME: &'static str = "Grown";
}

#[test]
fn a_schedule_that_gains_a_setting_with_a_default_is_the_same() {
    let directory = TempDir::new().unwrap();
    let grown = |floor| {
        let schedule = || Clocked::per_update(Grown { lr: 0.01, floor });
        let head = Group::new("head", Select::prefix("second")).schedule(schedule());
        run(directory.path()).schedule(schedule()).group(head)
    };
    grown(0.0).epochs(1).fit(Net::new(1)).unwrap();
    AS_BEFORE.store(false, Ordering::SeqCst);
    let refused = grown(0.5).can_resume(&Net::new(1)).unwrap_err().to_string();
    let expected = "groups.head.schedule.schedule.Grown.floor was 0.0 and is 0.5 now";
    assert!(refused.contains(expected), "{refused}");
    grown(0.0).can_resume(&Net::new(1)).unwrap();
    grown(0.0).epochs(2).fit(Net::new(1)).unwrap();
}
