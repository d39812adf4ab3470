//! What every registered schedule must hold, checked over all examples, alone and combined.

use std::collections::HashSet;

use crate::subjects::{advance, bytes, metric, nested, run, scheduler, subjects, wrapped};
use burn_lr_scheduler::{
    Constant, CosineAnnealingLr, CosineAnnealingWarmRestarts, CosineDecayCycles, CyclicLr,
    MAX_DEPTH, PolynomialDecayCycles, Run, Scaled, ScheduleConfig, ScheduleError, Scheduler,
    TanhDecay,
};
use burn_optim::lr_scheduler::{LrScheduler, LrSchedulerRecord};

const STEPS: u64 = 400;

/// Those whose definition says that step 0 is `initial_lr`.
const START_AT_INITIAL_LR: &[&str] = &[
    "StepLr",
    "MultiStepLr",
    "ExponentialLr",
    "PolynomialLr",
    "CosineAnnealingLr",
    "CosineAnnealingWarmRestarts",
    "InverseTimeDecay",
    "ExponentialDecay",
    "FlatCosine",
    "CosineDecayCycles",
    "PolynomialDecayCycles",
];

#[test]
fn every_schedule_has_examples_with_titles_of_their_own() {
    let examples = ScheduleConfig::examples();
    let names: HashSet<_> = examples
        .iter()
        .map(|(_, schedule)| schedule.name())
        .collect();
    assert_eq!(names, ScheduleConfig::NAMES.iter().copied().collect());
    let titles: HashSet<_> = examples.iter().map(|(title, _)| title).collect();
    assert_eq!(titles.len(), examples.len());
}

#[test]
fn rates_are_finite_and_never_negative() {
    let far = [1 << 24, 1 << 31, 1 << 32, 1 << 53, (1 << 53) + 1];
    let end = [u64::MAX / 2, u64::MAX / 2 + 1, u64::MAX - 1, u64::MAX];
    for (title, schedule) in subjects() {
        for schedule in std::iter::once(schedule.clone()).chain(wrapped(&schedule)) {
            let mut curve = schedule.curve(&run()).unwrap();
            for step in (0..1000).chain(far).chain(end) {
                let lr = curve.lr(step);
                assert!(lr.is_finite() && lr >= 0.0, "{title} at {step}: {lr}");
                curve.observe(step, metric(step)).unwrap();
            }
        }
    }
}

#[test]
fn cycles_of_whole_steps_are_counted_exactly() {
    const CYCLE: u64 = 258;
    let schedules: [ScheduleConfig; 6] = [
        CosineAnnealingLr::new(0.1, CYCLE / 2)
            .with_mirrored(true)
            .into(),
        CosineAnnealingWarmRestarts::new(0.1, CYCLE).into(),
        CosineDecayCycles::new(0.1, CYCLE).into(),
        CyclicLr::new(0.1, 0.2).with_step_size_up(CYCLE / 2).into(),
        PolynomialDecayCycles::new(0.1, CYCLE).into(),
        TanhDecay::new(0.1, CYCLE).with_cycle_limit(u64::MAX).into(),
    ];
    for schedule in schedules {
        let curve = schedule.curve(&run()).unwrap();
        let first: Vec<f64> = (0..CYCLE).map(|step| curve.lr(step)).collect();
        for start in [1 << 31, 1 << 53, 1 << 63, u64::MAX - CYCLE] {
            for step in start..=start + CYCLE {
                let (lr, name) = (curve.lr(step), schedule.name());
                assert_eq!(lr, first[(step % CYCLE) as usize], "{name} at {step}");
            }
        }
    }
}

#[test]
fn step_0_is_the_initial_rate_to_the_bit() {
    for (title, schedule) in ScheduleConfig::examples() {
        if START_AT_INITIAL_LR.contains(&schedule.name()) {
            let document = serde_json::to_value(&schedule).unwrap();
            let initial_lr = document[schedule.name()]["initial_lr"].as_f64().unwrap();
            assert_eq!(schedule.curve(&run()).unwrap().lr(0), initial_lr, "{title}");
        }
    }
}

#[test]
fn documents_round_trip() {
    for (title, schedule) in subjects() {
        for schedule in std::iter::once(schedule.clone()).chain(wrapped(&schedule)) {
            if serde_json::to_string(&schedule)
                .unwrap()
                .contains("\"closure\"")
            {
                // What could not be read back is not written.
                let error = schedule.to_json();
                assert!(
                    matches!(error, Err(ScheduleError::Document { .. })),
                    "{title}"
                );
                continue;
            }
            let json = schedule.to_json().unwrap();
            assert_eq!(
                ScheduleConfig::from_json(&json).unwrap(),
                schedule,
                "{title}"
            );
            #[cfg(feature = "toml")]
            {
                let toml = schedule.to_toml().unwrap();
                assert_eq!(
                    ScheduleConfig::from_toml(&toml).unwrap(),
                    schedule,
                    "{title}"
                );
            }
        }
    }
}

#[test]
fn a_fresh_scheduler_continues_from_every_step() {
    for (title, schedule) in subjects() {
        let (mut records, mut lrs) = (Vec::new(), Vec::new());
        let mut uninterrupted = scheduler(&schedule);
        for _ in 0..STEPS {
            records.push(uninterrupted.to_record());
            lrs.push(advance(&mut uninterrupted));
        }
        let last = bytes(&uninterrupted);
        for (saved_at, record) in records.into_iter().enumerate() {
            let mut resumed = scheduler(&schedule);
            let stored = record.into_bytes().unwrap();
            resumed
                .try_load_record(&LrSchedulerRecord::from_bytes(stored).unwrap())
                .unwrap();
            for (step, lr) in lrs.iter().enumerate().skip(saved_at) {
                let resumed = advance(&mut resumed);
                assert_eq!(
                    resumed.to_bits(),
                    lr.to_bits(),
                    "{title}: {saved_at}, {step}"
                );
            }
            assert_eq!(bytes(&resumed), last, "{title}: {saved_at}");
        }
    }
}

#[test]
fn every_schedule_resumes_inside_every_combinator() {
    for (title, schedule) in ScheduleConfig::examples() {
        for schedule in wrapped(&schedule) {
            let mut uninterrupted = scheduler(&schedule);
            for step in 0..STEPS {
                if step % 37 == 5 {
                    let mut resumed = scheduler(&schedule);
                    resumed.load_record(uninterrupted.to_record());
                    for ahead in step..step + 40 {
                        let mut expected = uninterrupted.clone();
                        (step..ahead).for_each(|_| _ = advance(&mut expected));
                        let name = schedule.name();
                        assert_eq!(resumed.lr(), expected.lr(), "{title} in {name}: {ahead}");
                        advance(&mut resumed);
                    }
                }
                advance(&mut uninterrupted);
            }
        }
    }
}

#[test]
fn per_epoch_each_rate_lasts_an_epoch_also_when_resumed_within_it() {
    let run = Run::per_epoch(3).with_epochs(400);
    for (title, schedule) in ScheduleConfig::examples() {
        let curve = schedule.curve(&run).unwrap();
        let mut saved = Scheduler::new(schedule.clone(), run).unwrap();
        for update in 0..STEPS {
            let mut resumed = Scheduler::new(schedule.clone(), run).unwrap();
            resumed.try_load_record(&saved.to_record()).unwrap();
            let lr = curve.lr(update / 3);
            assert_eq!(
                (saved.step(), resumed.step()),
                (lr, lr),
                "{title}: {update}"
            );
        }
    }
}

#[test]
fn a_clone_goes_its_own_way() {
    for (title, schedule) in subjects() {
        let mut original = scheduler(&schedule);
        (0..50).for_each(|_| _ = advance(&mut original));
        let before = bytes(&original);
        let mut clone = original.clone();
        assert_eq!(bytes(&clone), before);
        (0..100).for_each(|_| _ = advance(&mut clone));
        assert_eq!(bytes(&original), before, "{title}");
        (0..100).for_each(|_| _ = advance(&mut original));
        assert_eq!(bytes(&original), bytes(&clone), "{title}");
    }
}

#[test]
fn nesting_is_limited_and_the_limit_is_usable() {
    let deepest = nested(MAX_DEPTH - 1);
    let mut scheduler = Scheduler::new(deepest.clone(), run()).unwrap();
    (0..300).for_each(|_| _ = advance(&mut scheduler));
    let mut resumed = Scheduler::new(deepest, run()).unwrap();
    resumed.try_load_record(&scheduler.to_record()).unwrap();
    assert_eq!(resumed.lr(), scheduler.lr());
    assert!(resumed.plateaus()[0].cuts > 0);

    assert!(matches!(
        nested(MAX_DEPTH + 1).curve(&run()),
        Err(ScheduleError::Invalid { .. })
    ));
    let mut scaled: ScheduleConfig = Constant::new(0.1).into();
    for _ in 0..=MAX_DEPTH {
        scaled.curve(&Run::per_update()).unwrap();
        scaled = Scaled::new(scaled, 1.0).into();
    }
    assert!(scaled.curve(&Run::per_update()).is_err());
}
