//! Records, and what has to be in them.

use std::collections::BTreeMap;

use burn_lr_scheduler::{
    Build, Clock, Closure, Constant, Curve, CustomSchedule, Run, Scaled, Schedule, ScheduleConfig,
    ScheduleError, Scheduler, Sequence,
};
use burn_optim::lr_scheduler::LrScheduler;
use serde::{Deserialize, Serialize};

use super::{AlsoHalf, Half, damped, sawtooth};
use crate::subjects::{Sawtooth, run};

/// What a scheduler of `now` says to the record of one of `before`.
fn load(
    before: impl Into<ScheduleConfig>,
    now: impl Into<ScheduleConfig>,
) -> Result<(), ScheduleError> {
    let mut saved = Scheduler::new(before, run()).unwrap();
    (0..7).for_each(|_| _ = saved.step());
    let mut resumed = Scheduler::new(now, run()).unwrap();
    resumed.try_load_record(&saved.to_record())?;
    assert_eq!(resumed.lr(), saved.lr());
    Ok(())
}

#[test]
fn a_record_is_refused_by_name_if_it_was_configured_otherwise() {
    let inverted = |inverted| Sawtooth {
        inverted,
        ..sawtooth()
    };
    load(damped(), damped()).unwrap();
    for (before, now, path, saved, current) in [
        (
            sawtooth(),
            Sawtooth::new(0.2, 10),
            "Sawtooth.peak",
            "0.1",
            "0.2",
        ),
        (
            sawtooth(),
            Sawtooth::new(0.1, 11),
            "Sawtooth.period",
            "10",
            "11",
        ),
        (
            sawtooth(),
            inverted(Some(false)),
            "Sawtooth.inverted",
            "unset",
            "false",
        ),
        (
            inverted(Some(false)),
            sawtooth(),
            "Sawtooth.inverted",
            "false",
            "unset",
        ),
        (
            inverted(Some(false)),
            inverted(Some(true)),
            "Sawtooth.inverted",
            "false",
            "true",
        ),
    ] {
        let changed = |path: String| {
            let (saved, current) = (saved.to_owned(), current.to_owned());
            Err(ScheduleError::Changed {
                path,
                saved,
                current,
            })
        };
        assert_eq!(load(before.clone(), now.clone()), changed(path.to_owned()));
        let nested =
            |schedule: Sawtooth| Sequence::new([Constant::new(0.1).into(), schedule.into()], [3]);
        assert_eq!(
            load(nested(before), nested(now)),
            changed(format!("Sequence.schedules[1].{path}"))
        );
    }
    let another = Err(ScheduleError::OtherSchedule { schedule: "Half" });
    assert_eq!(load(AlsoHalf {}, Half {}), another);
    load(Half {}, Half {}).unwrap();
    let scaled = |schedule: ScheduleConfig| Scaled::new(schedule, 0.5);
    let another = Err(ScheduleError::OtherSchedule { schedule: "Scaled" });
    assert_eq!(
        load(scaled(AlsoHalf {}.into()), scaled(Half {}.into())),
        another
    );
}

/// Falls to 0 at the end of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Countdown {}

impl Schedule for Countdown {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let total = build.run().total_steps().unwrap_or(1) as f64;
        Ok(Curve::new(move |step| 1.0 - step as f64 / total))
    }
}

impl CustomSchedule for Countdown {
    const NAME: &'static str = "Countdown";
}

#[test]
fn what_it_took_from_the_run_may_not_change() {
    let run = |epochs| Run::new(Clock::PerUpdate, 5).with_epochs(epochs);
    for (schedule, changed) in [
        (ScheduleConfig::from(Countdown {}), Some("run.epochs")),
        (sawtooth().into(), None),
    ] {
        let schedule = Scaled::new(schedule, 0.5);
        let saved = Scheduler::new(schedule.clone(), run(10)).unwrap();
        let mut longer = Scheduler::new(schedule, run(20)).unwrap();
        let found = match longer.try_load_record(&saved.to_record()) {
            Ok(()) => None,
            Err(ScheduleError::Changed { path, .. }) => Some(path),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(found.as_deref(), changed);
    }
}

/// Its keys are no texts, which JSON needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Table {
    rates: BTreeMap<(u64, u64), f64>,
}

impl Schedule for Table {
    fn build(&self, _: &Build<'_>) -> Result<Curve, ScheduleError> {
        let rates = self.rates.clone();
        Ok(Curve::new(move |step| {
            rates.get(&(step, step)).copied().unwrap_or(0.1)
        }))
    }
}

impl CustomSchedule for Table {
    const NAME: &'static str = "Table";
}

#[test]
fn what_cannot_be_recorded_is_refused_at_once() {
    let rates = BTreeMap::from([((1, 1), 0.5)]);
    assert!(matches!(
        Scheduler::new(Scaled::new(Table { rates }, 1.0), run()),
        Err(ScheduleError::Invalid { path, .. }) if path == "Scaled"
    ));
}

/// Any function, under a name of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Shaped {
    lr: f64,
    shape: Closure,
}

impl Schedule for Shaped {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let (lr, shape) = (build.non_negative("lr", self.lr)?, self.shape.clone());
        Ok(Curve::new(move |step| lr * shape.call(step)))
    }
}

impl CustomSchedule for Shaped {
    const NAME: &'static str = "Shaped";
}

#[test]
fn a_closure_inside_works_but_is_not_read() {
    let shape = Closure::from(|step| 1.0 / (1.0 + step as f64));
    let schedule = ScheduleConfig::from(Shaped { lr: 0.1, shape });
    assert_eq!(schedule.curve(&run()).unwrap().lr(1), 0.05);
    load(schedule.clone(), schedule.clone()).unwrap();
    assert!(
        matches!(schedule.to_json(), Err(ScheduleError::Document { reason, .. }) if reason.contains("closure"))
    );
}
