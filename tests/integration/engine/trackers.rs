//! What follows a run.

use std::sync::{Arc, Mutex};

use burn_lr::scheduler::StepLr;
use burn_lr::training::metrics::EpochRecord;
use burn_lr::training::optim::{Group, Select};
use burn_lr::training::track::{RunStart, Tracker, TrackerError, UpdateRecord};
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use super::net::{BATCHES, EPOCHS, Net, noted, outcome, run, stopped};

/// What a tracker was told; clones share it.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Events>>);

#[derive(Default)]
struct Events {
    /// Epochs and updates before, epochs and updates of the whole run.
    begun: Vec<(usize, u64, usize, Option<u64>)>,
    updates: Vec<UpdateRecord>,
    epochs: Vec<EpochRecord>,
    ends: Vec<Option<String>>,
    /// Fails at this epoch.
    fails_at: Option<usize>,
}

impl Tracker for Told {
    fn begin(&mut self, run: &RunStart<'_>) -> Result<(), TrackerError> {
        assert_eq!(run.config["fixed"]["train"]["batch_size"], 8);
        assert!(run.directory.join("burn-lr.json").exists());
        let done = run.history.epochs.len();
        let begun = (done, run.updates_before, run.epochs, run.updates);
        self.0.lock().unwrap().begun.push(begun);
        Ok(())
    }

    fn update(&mut self, update: &UpdateRecord) -> Result<(), TrackerError> {
        self.0.lock().unwrap().updates.push(update.clone());
        Ok(())
    }

    fn epoch(&mut self, epoch: &EpochRecord) -> Result<(), TrackerError> {
        let mut events = self.0.lock().unwrap();
        events.epochs.push(epoch.clone());
        match events.fails_at {
            Some(at) if at == epoch.epoch => Err("the disk is full".into()),
            _ => Ok(()),
        }
    }

    fn end(&mut self, error: Option<&TrainingError>) -> Result<(), TrackerError> {
        let error = error.map(ToString::to_string);
        self.0.lock().unwrap().ends.push(error);
        Ok(())
    }
}

type Configure = fn(Training<Net>) -> Training<Net>;

/// Runs with the updates that are made of an epoch or period.
const CONFIGURATIONS: [(&str, u64, Configure); 3] = [
    ("epochs", BATCHES, |training| training),
    ("accumulated", BATCHES.div_ceil(2), |training| {
        training.grads_accumulation(2)
    }),
    ("periods", 3, |training| training.max_updates(12).every(3)),
];

fn followed(training: Training<Net>, told: &Told) -> Training<Net> {
    let schedule = StepLr::new(0.05, 2).with_gamma(0.5).per_update();
    let head = Group::new("head", Select::prefix("second")).lr_scale(0.1);
    let training = training.schedule(schedule).group(head);
    training.track(told.clone()).track_every(1)
}

#[test]
fn every_update_and_epoch_is_told_with_its_rates_and_metrics() {
    for (name, updates, configure) in CONFIGURATIONS {
        let directory = TempDir::new().unwrap();
        let told = Told::default();
        let training = followed(configure(run(directory.path())), &told);
        let history = training.fit(Net::new(1)).unwrap().history;
        let events = told.0.lock().unwrap();
        let all = updates * EPOCHS as u64;
        assert_eq!(events.begun, [(0, 0, EPOCHS, Some(all))], "{name}");
        assert_eq!(events.epochs, history.epochs, "{name}");
        assert_eq!(events.ends, [None], "{name}");
        let numbers: Vec<u64> = events.updates.iter().map(|update| update.update).collect();
        assert_eq!(numbers, Vec::from_iter(1..=all), "{name}");
        for update in &events.updates {
            let lr = 0.05 * 0.5_f64.powi((update.update as i32 - 1) / 2);
            assert!((update.lr - lr).abs() < 1e-12, "{name}: {update:?}");
            assert!((update.group_lrs["head"] - 0.1 * lr).abs() < 1e-12);
            assert!(update.gradient_norm > 0.0 && update.metrics["loss"] > 0.0);
            assert_eq!(update.epoch as u64, (update.update - 1) / updates + 1);
        }
        // An update of one batch has its loss, and their mean is the epoch's.
        if name != "accumulated" {
            let of_first = &events.updates[..updates as usize];
            let sum: f64 = of_first.iter().map(|update| update.metrics["loss"]).sum();
            let mean = sum / updates as f64;
            assert!(
                (mean - history.epochs[0].train("loss")).abs() < 1e-6,
                "{name}"
            );
        }
    }
}

#[test]
fn a_run_that_is_resumed_tells_no_epoch_twice_and_is_not_changed_by_whoever_follows() {
    for (name, updates, configure) in CONFIGURATIONS {
        let directory = TempDir::new().unwrap();
        let alone = directory.path().join("alone");
        let nobody = Told::default();
        let mut training = followed(configure(run(&alone)), &nobody);
        let expected = outcome(training.fit(Net::new(1)).unwrap());

        let told = Told::default();
        let parts = directory.path().join("parts");
        stopped(followed(configure(run(&parts)), &told), 2, Net::new(1));
        training = followed(configure(run(&parts)), &told).track_every(3);
        assert_eq!(
            outcome(training.fit(Net::new(2)).unwrap()),
            expected,
            "{name}"
        );
        let unfollowed = directory.path().join("unfollowed");
        let schedule = StepLr::new(0.05, 2).with_gamma(0.5).per_update();
        let head = Group::new("head", Select::prefix("second")).lr_scale(0.1);
        let training = configure(run(&unfollowed)).schedule(schedule).group(head);
        assert_eq!(
            outcome(training.fit(Net::new(1)).unwrap()),
            expected,
            "{name}"
        );

        let events = told.0.lock().unwrap();
        let epochs: Vec<usize> = events.epochs.iter().map(|epoch| epoch.epoch).collect();
        assert_eq!(epochs, [1, 2, 3, 4], "{name}");
        let resumed = events.begun[1];
        assert_eq!((resumed.0, resumed.1), (2, 2 * updates), "{name}");
        assert!(events.ends[0].as_ref().unwrap().contains("a test"));
        assert_eq!(events.ends[1..], [None], "{name}");
        let after: Vec<u64> = events.updates.iter().map(|update| update.update).collect();
        let after = &after[after
            .iter()
            .position(|&update| update > 2 * updates + 1)
            .unwrap()..];
        assert!(
            after.iter().all(|update| update.is_multiple_of(3)),
            "{after:?}"
        );
    }
}

#[test]
fn a_tracker_that_fails_is_told_of_and_costs_the_run_nothing() {
    let directory = TempDir::new().unwrap();
    let (failing, sound) = (Told::default(), Told::default());
    failing.0.lock().unwrap().fails_at = Some(2);
    let (training, said) = noted(run(directory.path()));
    let training = training.track(failing.clone()).track(sound.clone());
    training.fit(Net::new(1)).unwrap();
    assert_eq!(failing.0.lock().unwrap().epochs.len(), 2);
    assert!(failing.0.lock().unwrap().ends.is_empty());
    assert_eq!(sound.0.lock().unwrap().epochs.len(), EPOCHS);
    let told = said
        .try_iter()
        .filter(|said| said.contains("the disk is full"));
    assert_eq!(told.count(), 1);
}

#[test]
fn what_is_refused_is_not_followed() {
    let directory = TempDir::new().unwrap();
    let told = Told::default();
    let path = directory.path().join("run");
    let refused = followed(run(&path), &told).track_every(0).fit(Net::new(1));
    assert!(matches!(
        refused,
        Err(TrainingError::Invalid { name: "track_every", found, .. }) if found == "0"
    ));
    assert!(!path.exists());
    let events = told.0.lock().unwrap();
    assert!(events.begun.is_empty() && events.ends.is_empty());
}

#[test]
fn a_run_says_when_and_by_what_it_was_started() {
    let directory = TempDir::new().unwrap();
    stopped(run(directory.path()), 2, Net::new(1));
    run(directory.path()).fit(Net::new(1)).unwrap();
    let launches = burn_lr::training::run::RunDirectory::new(directory.path())
        .launches()
        .unwrap();
    let after: Vec<usize> = launches.iter().map(|launch| launch.after_epoch).collect();
    assert_eq!(after, [0, 2]);
    let arguments: Vec<String> = std::env::args().collect();
    assert!(launches.iter().all(|launch| launch.command == arguments));
}

#[test]
fn a_run_that_goes_on_within_an_epoch_tells_each_update_once() {
    let directory = TempDir::new().unwrap();
    let told = Told::default();
    let handle = burn::train::Interrupter::new();
    let stopping = handle.clone();
    let by_then = told.clone();
    // Stopped by whoever follows, in the middle of the second epoch.
    struct Stopping(burn::train::Interrupter);
    impl Tracker for Stopping {
        fn begin(&mut self, _: &RunStart<'_>) -> Result<(), TrackerError> {
            Ok(())
        }

        fn update(&mut self, update: &UpdateRecord) -> Result<(), TrackerError> {
            if update.update == BATCHES + 2 {
                self.0.stop(Some("a test"));
            }
            Ok(())
        }

        fn epoch(&mut self, _: &EpochRecord) -> Result<(), TrackerError> {
            Ok(())
        }
    }
    let by_time = |training: Training<Net>| training.checkpoint_every(std::time::Duration::ZERO);
    let training = by_time(followed(run(directory.path()), &by_then));
    let stopped = training
        .track(Stopping(stopping))
        .interrupter(handle)
        .fit(Net::new(1));
    assert!(matches!(stopped, Err(TrainingError::Interrupted { .. })));
    let made = told.0.lock().unwrap().updates.len() as u64;
    let (training, said) = noted(by_time(followed(run(directory.path()), &told)));
    training.fit(Net::new(2)).unwrap();
    let said: Vec<String> = said.try_iter().collect();
    let events = told.0.lock().unwrap();
    let resumed = events.begun[1];
    assert_eq!(resumed.0, 1);
    assert!(
        resumed.1 > BATCHES && resumed.1 <= made,
        "{resumed:?} {made} {said:?}"
    );
    let after: Vec<u64> = events.updates[made as usize..]
        .iter()
        .map(|update| update.update)
        .collect();
    assert_eq!(
        after,
        Vec::from_iter(resumed.1 + 1..=BATCHES * EPOCHS as u64)
    );
    assert!(
        events
            .updates
            .iter()
            .all(|update| update.metrics["loss"] > 0.0)
    );
}
