//! Schedules of a user's own, as another crate would write them.

#![allow(clippy::unwrap_used, clippy::panic)]

mod exercise;
mod subjects;

use std::collections::BTreeMap;

use burn_lr_scheduler::{
    Build, Clock, Clocked, Closure, Constant, Curve, CustomSchedule, MAX_DEPTH, ReduceLrOnPlateau,
    Run, Scaled, Schedule, ScheduleConfig, ScheduleError, Scheduler, Sequence, Warmup,
};
use burn_optim::lr_scheduler::LrScheduler;
use serde::{Deserialize, Serialize};
use subjects::{Damped, Sawtooth, metric, run, wrapped};

fn sawtooth() -> Sawtooth {
    Sawtooth::new(0.1, 10)
}

fn damped() -> Damped {
    Damped::over(ReduceLrOnPlateau::over(sawtooth()).with_patience(1))
}

/// A schedule around one without hyperparameters of its own.
macro_rules! unit {
    ($schedule:ident, $name:literal) => {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        struct $schedule {}

        impl Schedule for $schedule {
            fn build(&self, _: &Build<'_>) -> Result<Curve, ScheduleError> {
                Ok(Curve::new(|_| 0.5))
            }
        }

        impl CustomSchedule for $schedule {
            const NAME: &'static str = $name;
        }
    };
}

unit!(Half, "Half");
unit!(AlsoHalf, "AlsoHalf");
unit!(Never, "NeverMade");
unit!(Impostor, "StepLr");
unit!(Namesake, "Sawtooth");
unit!(Nameless, "");
unit!(Dotted, "my.schedule");

#[test]
fn it_is_used_like_one_of_ours() {
    let mut scheduler = Scheduler::new(sawtooth(), Run::per_update()).unwrap();
    let lrs: Vec<f64> = (0..11).map(|_| scheduler.step()).collect();
    assert_eq!((lrs[0], lrs[5], lrs[10]), (0.1, 0.05, 0.1));

    let config = ScheduleConfig::from(sawtooth());
    assert_eq!(config.name(), "Sawtooth");
    assert_eq!(
        (config.clone(), format!("{config:?}")),
        (sawtooth().into(), format!("Custom({:?})", sawtooth()))
    );
    assert_ne!(config, Sawtooth::new(0.2, 10).into());
    assert_ne!(config, Half {}.into());
    let ScheduleConfig::Custom(custom) = &config else {
        panic!("{config:?}");
    };
    assert_eq!(custom.downcast_ref(), Some(&sawtooth()));
    assert_eq!(custom.downcast_ref::<Half>(), None);

    let clocked = Clocked::per_epoch(sawtooth());
    assert_eq!(
        (clocked.clock, &clocked.schedule),
        (Clock::PerEpoch, &config)
    );
    let document = serde_json::to_string(&clocked).unwrap();
    assert_eq!(serde_json::from_str::<Clocked>(&document).unwrap(), clocked);
}

#[test]
fn it_holds_what_every_schedule_holds() {
    let steps = [0, 1, 9, 10, 1 << 40, u64::MAX];
    let metrics: Vec<f64> = (0..40).map(metric).collect();
    for schedule in [
        sawtooth().into(),
        damped().into(),
        ScheduleConfig::from(Half {}),
    ] {
        for schedule in std::iter::once(schedule.clone()).chain(wrapped(&schedule)) {
            assert!(
                exercise::exercise(&schedule, &run(), &steps, &metrics),
                "{schedule:?}"
            );
        }
    }
}

#[test]
fn documents_hold_it_in_ours_and_ours_in_it() {
    ScheduleConfig::register::<Sawtooth>().unwrap();
    ScheduleConfig::register::<Damped>().unwrap();
    let schedule = ScheduleConfig::from(Warmup::new(damped(), 5));
    let json = r#"{"Warmup": {"length": 5, "base": {"Damped": {
        "base": {"ReduceLrOnPlateau": {"base": {"Sawtooth": {"peak": 0.1, "period": 10}}, "patience": 1}}
    }}}}"#;
    assert_eq!(ScheduleConfig::from_json(json).unwrap(), schedule);
    #[cfg(feature = "toml")]
    {
        let toml = "
            [Warmup]
            length = 5
            [Warmup.base.Damped.base.ReduceLrOnPlateau]
            patience = 1
            [Warmup.base.Damped.base.ReduceLrOnPlateau.base.Sawtooth]
            peak = 0.1
            period = 10";
        assert_eq!(ScheduleConfig::from_toml(toml).unwrap(), schedule);
        assert_eq!(
            ScheduleConfig::from_toml(&schedule.to_toml().unwrap()),
            Ok(schedule)
        );
    }
}

#[test]
fn errors_in_documents_and_of_building_name_the_place() {
    ScheduleConfig::register::<Sawtooth>().unwrap();
    let document = |name: &str, fields: &str| {
        format!(
            r#"{{"Sequence": {{"schedules": [{{"Constant": {{"lr": 1}}}}, {{"{name}": {{{fields}}}}}], "milestones": [5]}}}}"#
        )
    };
    for (name, fields, path, reason) in [
        (
            "Sawtooth",
            r#""peak": "high", "period": 3"#,
            "Sequence.schedules[1].Sawtooth.peak",
            "invalid type",
        ),
        (
            "Sawtooth",
            r#""peak": 0.1, "period": -3"#,
            "Sequence.schedules[1].Sawtooth.period",
            "whole number",
        ),
        (
            "Sawtooth",
            r#""peak": 0.1, "teeth": 3"#,
            "Sequence.schedules[1].Sawtooth.teeth",
            "unknown field",
        ),
        (
            "Sawtooth",
            r#""peak": 0.1"#,
            "Sequence.schedules[1].Sawtooth",
            "missing field `period`",
        ),
        (
            "SawTeeth",
            "",
            "Sequence.schedules[1]",
            "unknown schedule `SawTeeth`; did you mean `Sawtooth`?",
        ),
        ("Adam", "", "Sequence.schedules[1]", ", Sawtooth"),
    ] {
        let Err(ScheduleError::Document {
            path: found,
            reason: said,
        }) = ScheduleConfig::from_json(&document(name, fields))
        else {
            panic!("{name} {fields}");
        };
        assert_eq!(found, path, "{said}");
        assert!(said.contains(reason), "{said}");
    }
    let negative = document("Sawtooth", r#""peak": -0.1, "period": 3"#);
    assert!(matches!(
        ScheduleConfig::from_json(&negative).unwrap().curve(&run()),
        Err(ScheduleError::Invalid { path, .. }) if path == "Sequence.schedules[1].Sawtooth.peak"
    ));
}

#[test]
fn a_document_needs_the_name_registered() {
    let document = r#"{"NeverMade": {}}"#;
    let Err(ScheduleError::Document { reason, .. }) = ScheduleConfig::from_json(document) else {
        panic!("known");
    };
    assert!(reason.contains("unknown schedule `NeverMade`"), "{reason}");
    assert!(reason.contains("has to be registered first"), "{reason}");
    for _ in 0..2 {
        ScheduleConfig::register::<Never>().unwrap();
    }
    assert_eq!(ScheduleConfig::from_json(document), Ok(Never {}.into()));
}

#[test]
fn a_name_that_is_taken_or_malformed_is_refused() {
    ScheduleConfig::register::<Sawtooth>().unwrap();
    let taken = |name: &'static str, by: &'static str| Err(ScheduleError::NameTaken { name, by });
    assert_eq!(
        ScheduleConfig::register::<Impostor>(),
        taken("StepLr", "burn-lr-scheduler")
    );
    let by = std::any::type_name::<Sawtooth>();
    assert_eq!(
        ScheduleConfig::register::<Namesake>(),
        taken("Sawtooth", by)
    );
    for refused in [
        ScheduleConfig::register::<Nameless>(),
        ScheduleConfig::register::<Dotted>(),
    ] {
        assert!(
            matches!(refused, Err(ScheduleError::Invalid { .. })),
            "{refused:?}"
        );
    }

    // Nor do they come in unregistered.
    let build =
        |schedule: ScheduleConfig| Scheduler::new(Scaled::new(schedule, 1.0), run()).map(|_| ());
    assert_eq!(
        build(Impostor {}.into()),
        taken("StepLr", "burn-lr-scheduler")
    );
    assert_eq!(build(Namesake {}.into()), taken("Sawtooth", by));
    assert!(matches!(
        build(Dotted {}.into()),
        Err(ScheduleError::Invalid { .. })
    ));
    // And the one that was there first is still there.
    assert!(ScheduleConfig::from_json(r#"{"Sawtooth": {"peak": 1, "period": 2}}"#).is_ok());
}

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

#[test]
fn nesting_is_limited_through_it_as_well() {
    let nested = |depth| {
        (0..depth).fold(ScheduleConfig::from(Constant::new(0.1)), |base, _| {
            Damped::over(base).into()
        })
    };
    nested(MAX_DEPTH).curve(&run()).unwrap();
    assert!(matches!(
        nested(MAX_DEPTH + 1).curve(&run()),
        Err(ScheduleError::Invalid { .. })
    ));
}
