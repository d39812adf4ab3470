//! Records of older versions, and records that do not fit.

#![allow(clippy::unwrap_used, clippy::panic)]

mod subjects;

use std::collections::BTreeMap;
use std::path::Path;

use burn_lr_scheduler::{MultiplicativeLr, Run, ScheduleConfig, Scheduler, Sequence, StepLr};
use burn_optim::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use subjects::{combinations, metric, run};

/// The records of all examples and combinations after 20 updates as hexadecimal bytes, by title: made by
/// `print_records` before a record could lack a hyperparameter. Never to be made again: what they hold is
/// what users' checkpoints hold.
const FIRST: &str = include_str!("golden/records.json");

/// After 20 updates, with an observation after every third.
fn scheduler(schedule: &ScheduleConfig) -> Scheduler {
    let mut scheduler = Scheduler::new(schedule.clone(), run()).unwrap();
    for update in 1..=20 {
        scheduler.step();
        if update % 3 == 0 {
            scheduler.observe(metric(update / 3)).unwrap();
        }
    }
    scheduler
}

fn subjects() -> Vec<(&'static str, ScheduleConfig)> {
    ScheduleConfig::examples()
        .into_iter()
        .chain(combinations())
        .collect()
}

fn bytes(scheduler: &Scheduler) -> Vec<u8> {
    scheduler.to_record().into_bytes().unwrap().to_vec()
}

fn from_hex(text: &str) -> Vec<u8> {
    let byte = |i| u8::from_str_radix(&text[i..i + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

#[test]
fn the_first_records_still_load() {
    let first: BTreeMap<String, String> = serde_json::from_str(FIRST).unwrap();
    let subjects: BTreeMap<_, _> = subjects().into_iter().collect();
    assert!(first.len() > 50, "{}", first.len());
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("first.record");
    for (title, hex) in first {
        let advanced = scheduler(&subjects[title.as_str()]);
        let mut resumed = Scheduler::new(advanced.config().clone(), run()).unwrap();
        std::fs::write(&file, from_hex(&hex)).unwrap();
        let record = LrSchedulerRecord::load(&file).unwrap();
        resumed.try_load_record(&record).unwrap();
        assert_eq!(
            (resumed.updates(), resumed.lr()),
            (20, advanced.lr()),
            "{title}"
        );
        assert_eq!(bytes(&resumed), bytes(&advanced), "{title}");
    }
}

#[test]
fn a_running_product_in_a_sequence_restores_at_every_step() {
    let schedule = Sequence::new(
        [
            StepLr::new(0.1, 2).into(),
            MultiplicativeLr::new(0.5, |step| 1.0 - 1.0 / (step + 10) as f64).into(),
        ],
        [3],
    );
    let fresh = || Scheduler::new(schedule.clone(), Run::per_update()).unwrap();
    let mut whole = fresh();
    for step in 0..20 {
        let mut resumed = fresh();
        resumed.try_load_record(&whole.to_record()).unwrap();
        assert_eq!(resumed.step(), whole.step(), "{step}");
    }
}

#[test]
#[ignore = "made the fixture"]
fn print_records() {
    let hex = |bytes: Vec<u8>| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
    let records: BTreeMap<_, _> = subjects()
        .into_iter()
        .map(|(title, schedule)| (title, hex(bytes(&scheduler(&schedule)))))
        .collect();
    println!("{}", serde_json::to_string_pretty(&records).unwrap());
}
