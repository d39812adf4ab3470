//! Schedules of a user's own, as another crate would write them.

mod records;
use crate::subjects::{Damped, Sawtooth, metric, run, wrapped};
use burn_lr_scheduler::{
    Build, Clock, Clocked, Constant, Curve, CustomSchedule, MAX_DEPTH, ReduceLrOnPlateau, Run,
    Scaled, Schedule, ScheduleConfig, ScheduleError, Scheduler, Warmup,
};
use burn_optim::lr_scheduler::LrScheduler;
use serde::{Deserialize, Serialize};

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
                crate::exercise::exercise(&schedule, &run(), &steps, &metrics),
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
            "number of steps",
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
