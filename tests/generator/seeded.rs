//! What dropout is seeded with: by update, as all runs are now, or by epoch, as one that an earlier version has
//! begun.

use std::fs;
use std::path::Path;
use std::time::Duration;

use burn::train::Interrupter;
use burn::train::metric::LossMetric;
use burn_lr::training::checkpoint::KeepPolicy;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::run::Branch;
use burn_lr::training::{Training, TrainingError};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::line::Slope;
use crate::dropout::{EPOCHS, Forgetful, outcome};
use crate::generator;

fn run(directory: &Path) -> Training<Forgetful> {
    crate::dropout::run(directory).keep(KeepPolicy::all())
}

/// Stops `training` after that epoch.
fn stopped(training: Training<Forgetful>, stop: usize) {
    let interrupter = Interrupter::new();
    let handle = interrupter.clone();
    let training = training.interrupter(interrupter).on_epoch(move |epoch| {
        if epoch.epoch == stop {
            handle.stop(Some("a test"));
        }
    });
    let stopped = training.fit(Forgetful::new(0.5));
    assert!(matches!(stopped, Err(TrainingError::Interrupted { .. })));
}

fn config(directory: &Path) -> Value {
    let json = fs::read(directory.join("burn-lr.json")).unwrap();
    serde_json::from_slice(&json).unwrap()
}

/// Has the run in `directory`, which is yet to begin, be one that an earlier version has begun as `like`.
fn make_old(directory: &Path, like: &Path) {
    let mut config = config(like);
    let fixed = config["fixed"].as_object_mut().unwrap();
    assert_eq!(fixed.remove("seeded"), Some(Value::from("every_update")));
    fs::create_dir_all(directory).unwrap();
    fs::write(directory.join("burn-lr.json"), config.to_string()).unwrap();
}

#[test]
fn a_run_that_an_earlier_version_began_keeps_to_its_seeds() {
    let _alone = generator();
    let root = TempDir::new().unwrap();
    let path = |name: &str| root.path().join(name);
    let of = |name: &str| run(&path(name));
    let new = outcome(of("new").fit(Forgetful::new(0.5)).unwrap());
    let old = |name: &str| {
        make_old(&path(name), &path("new"));
        of(name)
    };
    let whole = outcome(old("old").fit(Forgetful::new(0.5)).unwrap());
    assert_ne!(whole, new);
    for stop in 1..EPOCHS {
        let name = format!("old-{stop}");
        stopped(old(&name), stop);
        of(&name).can_resume(&Forgetful::new(2.0)).unwrap();
        // The checkpoint says what it is too.
        fs::remove_file(path(&name).join("burn-lr.json")).unwrap();
        let (notices, said) = std::sync::mpsc::channel();
        let training = of(&name).checkpoint_every(Duration::ZERO);
        let training = training.on_notice(move |notice| notices.send(notice.to_owned()).unwrap());
        let resumed = outcome(training.fit(Forgetful::new(2.0)).unwrap());
        assert_eq!(resumed, whole, "after {stop}");
        assert!(config(&path(&name))["fixed"]["seeded"].is_null());
        assert!(said.iter().any(|said| said.contains("an earlier version")));
    }

    // A branch in epochs keeps to them too; one in updates is seeded by them, which is recorded.
    let branch = |name: &str| of(name).branch(Branch::epoch(path("old"), 2));
    let (weights, mut history) = outcome(branch("epochs").fit(Forgetful::new(3.0)).unwrap());
    assert!(history.branches.pop().unwrap().changes.is_empty());
    assert_eq!((weights, history), whole);
    let updates = |name: &str| branch(name).max_updates(14).every(3);
    let (weights, history) = outcome(updates("updates").fit(Forgetful::new(3.0)).unwrap());
    let changes = history.branches[0].changes.iter();
    let fields: Vec<_> = changes.map(|change| &*change.field).collect();
    assert_eq!(fields, ["every", "seeded"]);
    for stop in 3..4 {
        let name = format!("updates-{stop}");
        stopped(updates(&name), stop);
        let resumed = outcome(updates(&name).fit(Forgetful::new(5.0)).unwrap());
        assert_eq!(resumed, (weights, history.clone()));
    }
}

#[test]
fn by_epochs_of_one_update_and_by_updates_are_the_same() {
    let _alone = generator();
    let root = TempDir::new().unwrap();
    let path = |name: &str| root.path().join(name);
    let of = |name: &str| {
        let train = EpochLoader::new(Slope, 40).shuffled(1);
        Training::new(path(name), train, EpochLoader::new(Slope, 20))
            .metrics((LossMetric::new(),))
            .schedule(0.05)
            .epochs(3)
            .resume(true)
            .on_notice(|_| {})
    };
    let new = outcome(of("new").fit(Forgetful::new(0.5)).unwrap());
    make_old(&path("old"), &path("new"));
    assert_eq!(outcome(of("old").fit(Forgetful::new(0.5)).unwrap()), new);
    assert!(config(&path("old"))["fixed"]["seeded"].is_null());
}

#[test]
fn branches_between_epochs_and_updates_draw_what_the_whole_run_draws() {
    let _alone = generator();
    let root = TempDir::new().unwrap();
    let path = |name: &str| root.path().join(name);
    let of = |name: &str| run(&path(name));
    let (whole, _) = outcome(of("whole").fit(Forgetful::new(0.5)).unwrap());
    of("epochs").epochs(1).fit(Forgetful::new(0.5)).unwrap();
    let updates = of("updates").max_updates(7).every(2);
    let updates = updates.branch(Branch::newest(path("epochs")));
    let (_, history) = outcome(updates.fit(Forgetful::new(2.0)).unwrap());
    let fields = history.branches[0].changes.iter();
    assert!(fields.map(|change| &*change.field).eq(["every"]));
    let back = |name: &str| of(name).branch(Branch::newest(path("updates")));
    let (weights, history) = outcome(back("back").fit(Forgetful::new(3.0)).unwrap());
    assert_eq!(weights, whole);
    let fields = history.branches[1].changes.iter();
    assert!(fields.map(|change| &*change.field).eq(["every"]));
    stopped(back("parts"), 4);
    let (weights, _) = outcome(back("parts").fit(Forgetful::new(5.0)).unwrap());
    assert_eq!(weights, whole);
    assert_eq!(config(&path("parts"))["fixed"]["seeded"], "every_update");
}
