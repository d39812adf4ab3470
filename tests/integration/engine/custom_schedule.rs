//! A schedule of the user's own through a run.

use burn_lr::scheduler::{Build, Clocked, Curve, CustomSchedule, Schedule, ScheduleError, Warmup};
use burn_lr::training::TrainingError;
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
