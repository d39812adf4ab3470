//! A record is refused by every scheduler that was configured otherwise, and the difference is named.

use crate::subjects::{advance, bytes, run, scheduler, subjects};
use burn_lr_scheduler::{ScheduleConfig, ScheduleError, Scheduler};
use burn_optim::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use serde_json::{Value, json};

#[test]
fn the_record_of_any_other_schedule_is_refused() {
    let subjects = subjects();
    let mut schedulers: Vec<_> = subjects.iter().map(|(_, s)| scheduler(s)).collect();
    for scheduler in &mut schedulers {
        (0..20).for_each(|_| _ = advance(scheduler));
    }
    for (i, (title, schedule)) in subjects.iter().enumerate() {
        for (j, other) in schedulers.iter().enumerate() {
            let (record, other_title) = (other.to_record(), &subjects[j].0);
            let mut mine = scheduler(schedule);
            (0..7).for_each(|_| _ = advance(&mut mine));
            let before = bytes(&mine);
            let result = mine.try_load_record(&record);
            if i == j {
                result.unwrap();
                assert_eq!(mine.updates(), 20);
                continue;
            }
            let same_type = schedule.name() == subjects[j].1.name();
            match result {
                Err(ScheduleError::OtherSchedule { .. }) => {}
                Err(ScheduleError::Changed { .. }) if same_type => {}
                other => panic!("{title} took the record of {other_title}: {other:?}"),
            }
            assert_eq!(bytes(&mine), before, "{title} by {other_title}");
        }
    }
}

#[test]
fn a_refused_record_holds_the_rate_at_zero() {
    for (_, schedule) in ScheduleConfig::examples() {
        let mut scheduler = scheduler(&schedule);
        scheduler.load_record(LrSchedulerRecord::new());
        assert!(scheduler.refused_record().is_some());
        assert_eq!(scheduler.step(), 0.0);
    }
}

/// Every document that differs from `document` in one hyperparameter, with the path of that.
fn changed(document: &Value, path: &str) -> Vec<(String, Value)> {
    let within = |key: String, item: &Value, set: &dyn Fn(Value) -> Value| -> Vec<_> {
        let inner = changed(item, &key).into_iter();
        inner.map(|(path, item)| (path, set(item))).collect()
    };
    match document {
        Value::Null => vec![(path.to_owned(), json!(0.05)), (path.to_owned(), json!(5))],
        Value::Bool(flag) => vec![(path.to_owned(), json!(!flag))],
        Value::Number(number) => match number.as_u64() {
            Some(count) => vec![
                (path.to_owned(), json!(count + 1)),
                (path.to_owned(), json!("7 %")),
            ],
            None => {
                let number = number.as_f64().unwrap();
                let (half, next) = (number * 0.5, number.next_up());
                vec![
                    (path.to_owned(), json!(half)),
                    (path.to_owned(), json!(next)),
                ]
            }
        },
        Value::String(_) => vec![(path.to_owned(), json!(7))],
        Value::Array(items) => (0..items.len())
            .flat_map(|i| {
                within(format!("{path}[{i}]"), &items[i], &|item| {
                    let mut items = items.clone();
                    items[i] = item;
                    Value::Array(items)
                })
            })
            .collect(),
        Value::Object(fields) => fields
            .keys()
            .flat_map(|key| {
                let separator = if path.is_empty() { "" } else { "." };
                within(format!("{path}{separator}{key}"), &fields[key], &|field| {
                    let mut fields = fields.clone();
                    fields.insert(key.clone(), field);
                    Value::Object(fields)
                })
            })
            .collect(),
    }
}

#[test]
fn a_changed_hyperparameter_is_detected_and_named() {
    let mut tried = 0;
    for (title, schedule) in subjects() {
        let record = scheduler(&schedule).to_record();
        let document = serde_json::to_value(&schedule).unwrap();
        for (path, document) in changed(&document, "") {
            let Ok(schedule) = ScheduleConfig::from_json(&document.to_string()) else {
                continue;
            };
            let Ok(mut changed) = Scheduler::new(schedule, run()) else {
                continue;
            };
            tried += 1;
            match changed.try_load_record(&record) {
                Err(ScheduleError::Changed { path: named, .. }) => assert_eq!(named, path),
                // Half of 0 is no change.
                Ok(()) if changed.config() == scheduler(&subject(&title)).config() => {}
                other => panic!("{title}, {path}: {other:?}"),
            }
        }
    }
    assert!(tried > 200, "{tried}");
}

fn subject(title: &str) -> ScheduleConfig {
    let (_, schedule) = subjects().into_iter().find(|(t, _)| t == title).unwrap();
    schedule
}

#[test]
fn a_list_of_another_length_is_detected() {
    use burn_lr_scheduler::PiecewiseConstant;
    let values = |n: u64| PiecewiseConstant::new((0..=n).map(|v| v as f64), 1..=n);
    let short = Scheduler::new(values(2), run()).unwrap();
    let long = Scheduler::new(values(3), run()).unwrap();
    for (mut one, other) in [(short.clone(), &long), (long.clone(), &short)] {
        assert!(matches!(
            one.try_load_record(&other.to_record()),
            Err(ScheduleError::Changed { path, .. }) if path.ends_with(".length")
        ));
    }
}
