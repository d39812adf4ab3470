//! Records of older forms of a schedule, and of other schedules.

use serde_json::{Value, json};

use super::*;
use crate::build::RunUse;
use crate::{
    Build, LambdaLr, OneCycleLr, PiecewiseConstant, ReduceLrOnPlateau, Run, ScheduleConfig,
    Sequence, StepLr, Warmup, complete_as_it_ran,
};

fn run() -> Run {
    Run::per_update().with_updates_per_epoch(5).with_epochs(10)
}

/// The record that a scheduler wrote when its document was `document`.
fn record_of(document: &Value) -> LrSchedulerRecord {
    let hyperparameters =
        Hyperparameters::of_document(document.clone(), &run(), &RunUse::default());
    write(&hyperparameters, &Curve::new(|_| 0.1), 7)
}

/// What `schedule` makes of a record from when its document was `document`.
fn load(document: &Value, schedule: impl Into<ScheduleConfig>) -> Result<(), ScheduleError> {
    let (schedule, uses, run) = (schedule.into(), RunUse::default(), run());
    schedule.build(&Build::root(&run, &uses)).unwrap();
    let hyperparameters = Hyperparameters::new(&schedule, &run, &uses).unwrap();
    let record = record_of(document);
    let updates = read(
        &record,
        schedule.name(),
        &hyperparameters,
        &mut Curve::new(|_| 0.1),
    )?;
    assert_eq!(updates, 7);
    Ok(())
}

fn document(schedule: impl Into<ScheduleConfig>) -> Value {
    serde_json::to_value(schedule.into()).unwrap()
}

/// `document` without the field at `pointer`.
fn without(mut document: Value, pointer: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let fields = document
        .pointer_mut(parent)
        .and_then(Value::as_object_mut)
        .unwrap();
    fields.remove(name).unwrap();
    document
}

fn is_other(result: Result<(), ScheduleError>) -> bool {
    matches!(result, Err(ScheduleError::OtherSchedule { .. }))
}

#[test]
fn every_field_with_a_default_may_be_missing() {
    let (mut accepted, mut changed, mut refused) = (0, 0, 0);
    for (title, schedule) in ScheduleConfig::examples() {
        let name = schedule.name();
        let now = document(schedule.clone());
        for field in now[name].as_object().unwrap().keys() {
            let old = without(now.clone(), &format!("/{name}/{field}"));
            let result = load(&old, schedule.clone());
            let title = format!("{title}, {field}: {result:?}");
            let mut meant = old.clone();
            complete_as_it_ran(&mut meant);
            match ScheduleConfig::from_json(&meant.to_string()) {
                // Without a default, or with a closure.
                Err(_) => {
                    assert!(is_other(result), "{title}");
                    refused += 1;
                }
                Ok(default) if default == schedule => {
                    assert!(result.is_ok(), "{title}");
                    accepted += 1;
                }
                Ok(_) => {
                    let expected = format!("{name}.{field}");
                    assert!(
                        matches!(result, Err(ScheduleError::Changed { path, .. }) if path == expected),
                        "{title}"
                    );
                    changed += 1;
                }
            }
        }
    }
    assert!(
        accepted > 50 && changed > 25 && refused > 50,
        "{accepted} {changed} {refused}"
    );
}

#[test]
fn a_field_may_be_missing_anywhere_in_the_tree() {
    let schedule = |gamma, patience| {
        let plateau = ReduceLrOnPlateau::over(LambdaLr::new(0.1, |_| 1.0)).with_patience(patience);
        let step = StepLr::new(0.1, 3).with_gamma(gamma);
        Sequence::new([step.into(), Warmup::new(plateau, 2).into()], [4])
    };
    let mut old = document(schedule(0.1, 10));
    for pointer in [
        "/Sequence/schedules/0/StepLr/gamma",
        "/Sequence/schedules/1/Warmup/base/ReduceLrOnPlateau/patience",
        "/Sequence/schedules/1/Warmup/base/ReduceLrOnPlateau/counting",
    ] {
        old = without(old, pointer);
        assert_eq!(load(&old, schedule(0.1, 10)), Ok(()), "{pointer}");
    }
    for (gamma, patience, path, saved, current) in [
        (0.5, 10, "Sequence.schedules[0].StepLr.gamma", "0.1", "0.5"),
        (
            0.1,
            3,
            "Sequence.schedules[1].Warmup.base.ReduceLrOnPlateau.patience",
            "10",
            "3",
        ),
    ] {
        let (path, saved, current) = (path.to_owned(), saved.to_owned(), current.to_owned());
        let changed = ScheduleError::Changed {
            path,
            saved,
            current,
        };
        assert_eq!(load(&old, schedule(gamma, patience)), Err(changed));
    }
    // A closure's own fields cannot be told to have their defaults.
    let pointer = "/Sequence/schedules/1/Warmup/base/ReduceLrOnPlateau/base/LambdaLr/initial_lr";
    assert!(is_other(load(&without(old, pointer), schedule(0.1, 10))));
}

#[test]
fn what_the_record_does_hold_must_be_equal() {
    let old = without(document(StepLr::new(0.1, 3)), "/StepLr/gamma");
    assert!(matches!(
        load(&old, StepLr::new(0.2, 3)),
        Err(ScheduleError::Changed { path, .. }) if path == "StepLr.initial_lr"
    ));
}

#[test]
fn the_run_that_a_new_length_needs_is_not_asked_of_an_old_record() {
    let old = without(document(OneCycleLr::new(0.1)), "/OneCycleLr/total_steps");
    assert_eq!(load(&old, OneCycleLr::new(0.1)), Ok(()));
}

#[test]
fn a_removed_field_another_tree_or_another_item_is_another_schedule() {
    let step = || StepLr::new(0.1, 3);
    let mut more = document(step());
    more["StepLr"]["slope"] = json!(1.0);
    assert!(is_other(load(&more, step())));
    // One that is there and one that is not, at once.
    assert!(is_other(load(&without(more, "/StepLr/gamma"), step())));

    let sequence = |n: u64| {
        let schedules = (0..n).map(|_| StepLr::new(0.1, 3).into());
        Sequence::new(schedules, (1..n).map(|i| 10 * i))
    };
    for (old, now) in [
        (document(sequence(1)), sequence(2)),
        (document(sequence(2)), sequence(1)),
        (document(sequence(3)), sequence(2)),
    ] {
        assert!(is_other(load(&old, now)));
    }
    assert!(is_other(load(&document(0.1), step())));
    assert!(is_other(load(&document(step()), Warmup::new(step(), 3))));
    assert!(is_other(load(&document(Warmup::new(step(), 3)), step())));
    assert!(is_other(load(&json!({}), step())));
    let points = |n: u64| PiecewiseConstant::new((0..=n).map(|v| v as f64), 1..=n);
    assert!(matches!(
        load(&document(points(2)), points(3)),
        Err(ScheduleError::Changed { path, .. }) if path == "PiecewiseConstant.boundaries.length"
    ));
}

#[test]
fn an_optional_schedule_and_a_list_may_be_new() {
    use crate::{CustomSchedule, Schedule};
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Grown {
        lr: f64,
        #[serde(default)]
        after: Option<Box<ScheduleConfig>>,
        #[serde(default)]
        bumps: Vec<f64>,
    }

    impl Schedule for Grown {
        fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
            let lr = build.non_negative("lr", self.lr)?;
            Ok(Curve::new(move |_| lr))
        }
    }

    impl CustomSchedule for Grown {
        const NAME: &'static str = "Grown";
    }

    let old = json!({"Grown": {"lr": 0.1}});
    let grown = |after: Option<ScheduleConfig>, bumps: &[f64]| Grown {
        lr: 0.1,
        after: after.map(Box::new),
        bumps: bumps.to_vec(),
    };
    assert_eq!(load(&old, grown(None, &[])), Ok(()));
    for (now, place) in [
        (grown(Some(0.1.into()), &[]), "Grown.after"),
        (grown(None, &[0.5]), "Grown.bumps"),
    ] {
        assert!(matches!(
            load(&old, now),
            Err(ScheduleError::Changed { path, .. }) if path == place
        ));
    }
}
