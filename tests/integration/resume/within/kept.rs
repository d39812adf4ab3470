//! Which of them is gone on from, and how long it is kept.

use std::fs;

use burn::train::metric::{LearningRateMetric, LossMetric};
use burn_lr::training::Training;
use burn_lr::training::checkpoint::KeepPolicy;
use burn_lr::training::loader::EpochLoader;
use tempfile::TempDir;

use super::{EPOCHS, NEVER, assert_stopped, ended, found, run};
use crate::common::line::Slope;
use crate::common::stopping::stopping_after;
use crate::engine::net::{Net, noted};

#[test]
fn the_newest_is_kept_until_its_epoch_is_over() {
    let directory = TempDir::new().unwrap();
    assert_stopped(run(directory.path(), 8).fit(Net::new(1)));
    assert_eq!(found(directory.path()), ["update-0008"]);
    // Of a process that was killed while it wrote.
    fs::create_dir(directory.path().join("within-epoch/update-0010.tmp")).unwrap();
    run(directory.path(), NEVER).fit(Net::new(1)).unwrap();
    assert!(found(directory.path()).is_empty());

    // Nothing of it is to be found in a run that makes none.
    let (train, _) = stopping_after(NEVER);
    let other = TempDir::new().unwrap();
    Training::new(other.path(), train, EpochLoader::new(Slope, 20))
        .metrics((LossMetric::new(),))
        .fit(Net::new(1))
        .unwrap();
    assert!(!other.path().join("within-epoch").exists());
}

#[test]
fn what_a_killed_process_had_no_time_to_delete_after_the_last_epoch_is_deleted() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    let checkpoints = || fs::read_dir(path.join("checkpoint")).unwrap().count();
    let all = run(path, NEVER).keep(KeepPolicy::last(EPOCHS));
    all.fit(Net::new(1)).unwrap();
    for left in ["update-0014.deleted", "update-0016.tmp"] {
        fs::create_dir(path.join("within-epoch").join(left)).unwrap();
    }
    let fewer = || run(path, NEVER).keep(KeepPolicy::last(1));
    // A complete run keeps what it has.
    fewer().fit(Net::new(1)).unwrap();
    assert_eq!(checkpoints(), EPOCHS);
    fs::remove_file(path.join("final.bpk")).unwrap();
    fewer().fit(Net::new(1)).unwrap();
    assert_eq!(checkpoints(), 1);
    assert!(found(path).is_empty());
}

#[test]
fn a_run_goes_on_from_it_also_where_no_more_are_made_and_leaves_none() {
    let root = TempDir::new().unwrap();
    let expected = ended(
        run(&root.path().join("whole"), NEVER)
            .fit(Net::new(1))
            .unwrap(),
    );
    let path = root.path().join("run");
    assert_stopped(run(&path, 8).fit(Net::new(1)));
    let (train, _) = stopping_after(NEVER);
    let (training, said) = noted(
        Training::new(&path, train, EpochLoader::new(Slope, 20))
            .metrics((LossMetric::new(), LearningRateMetric::new()))
            .schedule(0.05)
            .epochs(EPOCHS)
            .resume(true),
    );
    assert_eq!(ended(training.fit(Net::new(2)).unwrap()), expected);
    let said: Vec<String> = said.iter().collect();
    assert_eq!(said, ["resuming within epoch 2, after update 8"]);
    assert!(found(&path).is_empty());
}

#[test]
fn a_damaged_one_is_passed_over_for_that_of_the_epoch() {
    let root = TempDir::new().unwrap();
    let expected = ended(
        run(&root.path().join("whole"), NEVER)
            .fit(Net::new(1))
            .unwrap(),
    );
    for (stop, before) in [
        (3, "no complete checkpoint: starting at epoch 1"),
        (8, "resuming after epoch 1"),
    ] {
        for file in [
            "model.bpk",
            "optim.bpk",
            "within.json",
            "history.json",
            "manifest.json",
        ] {
            let path = root.path().join(format!("{stop}-{file}"));
            assert_stopped(run(&path, stop).fit(Net::new(1)));
            let damaged = path
                .join(format!("within-epoch/update-{stop:04}"))
                .join(file);
            let mut bytes = fs::read(&damaged).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&damaged, bytes).unwrap();
            let (training, said) = noted(run(&path, NEVER));
            // From the first epoch on, the model is what it is begun with.
            assert_eq!(
                ended(training.fit(Net::new(1)).unwrap()),
                expected,
                "{file}"
            );
            let said: Vec<String> = said.iter().collect();
            let skipped = format!("skipped the checkpoint within an epoch, after update {stop}: ");
            assert!(said[0].starts_with(&skipped), "{said:?}");
            assert_eq!(said[1], before);
        }
    }
}

#[test]
fn one_that_is_older_than_that_of_its_epoch_is_of_no_use() {
    let root = TempDir::new().unwrap();
    let (path, kept) = (root.path().join("run"), root.path().join("kept"));
    assert_stopped(run(&path, 8).fit(Net::new(1)));
    fs::rename(path.join("within-epoch"), &kept).unwrap();
    assert_stopped(run(&path, 7).fit(Net::new(1)));
    // As if the process had been killed before it was deleted.
    fs::remove_dir_all(path.join("within-epoch")).unwrap();
    fs::rename(&kept, path.join("within-epoch")).unwrap();
    let (training, said) = noted(run(&path, NEVER));
    training.fit(Net::new(2)).unwrap();
    let said: Vec<String> = said.iter().collect();
    assert_eq!(said, ["resuming after epoch 2"]);
    assert!(found(&path).is_empty());
}

#[test]
fn a_run_that_is_made_shorter_does_not_go_on_there() {
    let root = TempDir::new().unwrap();
    let of = |name: &str, batches| run(&root.path().join(name), batches);
    let expected = ended(of("short", NEVER).epochs(1).fit(Net::new(1)).unwrap());
    assert_stopped(of("run", 8).fit(Net::new(1)));
    let (training, said) = noted(of("run", NEVER).epochs(1));
    assert_eq!(ended(training.fit(Net::new(2)).unwrap()), expected);
    let said: Vec<String> = said.iter().collect();
    assert!(
        said[0].starts_with("the run does not go on after update 8, within epoch 2"),
        "{said:?}"
    );

    let updates = |name, batches, updates| of(name, batches).max_updates(updates).every(5);
    let expected = ended(updates("seven", NEVER, 7).fit(Net::new(1)).unwrap());
    assert_stopped(updates("updates", 8, 15).fit(Net::new(1)));
    let shorter = updates("updates", NEVER, 7).fit(Net::new(2)).unwrap();
    assert_eq!(ended(shorter), expected);
    // And one that is made longer does.
    let expected = ended(updates("ten", NEVER, 10).fit(Net::new(1)).unwrap());
    assert_stopped(updates("longer", 6, 7).fit(Net::new(1)));
    let (training, said) = noted(updates("longer", NEVER, 10));
    assert_eq!(ended(training.fit(Net::new(2)).unwrap()), expected);
    assert!(
        said.iter()
            .any(|said| said == "resuming within epoch 2, after update 6")
    );
}
