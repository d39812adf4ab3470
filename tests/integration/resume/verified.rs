//! What is said of a run that nobody resumes yet.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use burn_lr::training::metrics::EpochRecord;
use burn_lr::training::run::{Lock, RunDirectory, Verification};
use burn_lr::training::{Damage, TrainingError};
use tempfile::TempDir;

use super::within::run;
use crate::engine::net::Net;

/// What a run that stopped after so many batches of 5 an epoch is found to be, and is then resumed as.
fn stopped(directory: &Path, batches: usize) -> Verification {
    let stopped = run(directory, batches).fit(Net::new(1));
    assert!(matches!(stopped, Err(TrainingError::Interrupted { .. })));
    RunDirectory::new(directory).verify().unwrap()
}

#[test]
fn a_run_is_resumed_within_an_epoch_where_that_was_saved_last() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    let seen = stopped(path, 3);
    assert!(seen.is_sound() && !seen.is_at_work && !seen.is_complete);
    assert_eq!((seen.resumes_after, seen.resumes_within), (None, Some(3)));
    let seen = stopped(path, 4);
    assert_eq!(
        (seen.resumes_after, seen.resumes_within),
        (Some(1), Some(7))
    );
    let launches = RunDirectory::new(path).launches().unwrap();
    let after: Vec<_> = launches
        .iter()
        .map(|launch| (launch.after_epoch, launch.after_update))
        .collect();
    assert_eq!(after, [(0, None), (0, Some(3))]);
    // A damaged one is named, and the run would go on at the epoch's.
    let state = path.join("within-epoch/update-0007/within.json");
    fs::write(&state, "{}").unwrap();
    let seen = RunDirectory::new(path).verify().unwrap();
    assert!(!seen.is_sound());
    assert_eq!((seen.resumes_after, seen.resumes_within), (Some(1), None));
}

#[test]
fn a_checkpoint_that_was_not_written_to_its_end_is_no_damage() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    stopped(path, 7);
    for unfinished in ["checkpoint/epoch-0002.tmp", "within-epoch/update-0008.tmp"] {
        fs::create_dir(path.join(unfinished)).unwrap();
    }
    let seen = RunDirectory::new(path).verify().unwrap();
    assert!(seen.is_sound(), "{:?}", seen.found);
    assert_eq!(seen.unfinished.len(), 2);
    // One under its name without a manifest is.
    fs::remove_file(path.join("checkpoint/epoch-0001/manifest.json")).unwrap();
    let seen = RunDirectory::new(path).verify().unwrap();
    let damaged = seen.found.iter().filter_map(|(_, damage)| damage.as_ref());
    let damaged: Vec<_> = damaged.collect();
    assert!(
        matches!(damaged[..], [Damage::Incomplete { .. }]),
        "{damaged:?}"
    );
}

#[test]
fn a_run_at_work_is_not_damaged_by_what_it_replaces() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let trained = path.clone();
    let seen_at_work = Arc::new(AtomicUsize::new(0));
    let seen_by_then = seen_at_work.clone();
    let at_work = std::thread::spawn(move || {
        // It does not end before it was seen.
        let wait = move |epoch: &EpochRecord| {
            let begin = Instant::now();
            let is_seen = || seen_by_then.load(Ordering::SeqCst) > 0;
            while epoch.epoch == 60 && !is_seen() && begin.elapsed() < Duration::from_secs(120) {
                std::thread::sleep(Duration::from_millis(2));
            }
        };
        let training = run(&trained, usize::MAX).epochs(60).on_epoch(wait);
        training.fit(Net::new(1)).unwrap();
    });
    let run = RunDirectory::new(&path);
    while !at_work.is_finished() {
        if run.history_json().exists() {
            let begin = Instant::now();
            let seen = run.verify().unwrap();
            // A slow disk may leave for longer than half a second what is being replaced.
            assert!(
                seen.is_sound() || begin.elapsed() >= Duration::from_millis(500),
                "{:?}",
                seen.found
            );
            let is_seen = seen.is_sound() && seen.is_at_work;
            seen_at_work.fetch_add(usize::from(is_seen), Ordering::SeqCst);
        }
    }
    at_work.join().unwrap();
    assert!(seen_at_work.load(Ordering::SeqCst) > 0);
    let seen = run.verify().unwrap();
    assert!(seen.is_sound() && seen.is_complete && !seen.is_at_work);
    // What stays wrong is damage, also of a run at work.
    fs::write(run.final_model(), "other").unwrap();
    let _lock = Lock::take(&run).unwrap();
    let seen = run.verify().unwrap();
    assert!(seen.is_at_work && !seen.is_sound());
}
