//! What a branch takes over from its parent, and how it knows it.

use std::path::Path;

use burn::optim::AdamWConfig;
use burn_lr::scheduler::{ReduceLrOnPlateau, ThresholdMode};
use burn_lr::training::TrainingError;
use burn_lr::training::optim::{Group, Select};
use burn_lr::training::run::Branch;
use tempfile::TempDir;

use super::branches::plateau;
use super::net::{EPOCHS, Net, noted, run, stopped, values};

#[test]
fn each_group_goes_on_with_its_own_plateau_or_with_none() {
    let directory = TempDir::new().unwrap();
    let cutting = || plateau().with_threshold(0.9, ThresholdMode::Rel);
    let patient = || ReduceLrOnPlateau::new(0.02).with_patience(1000);
    let group = |name: &str, prefix: &str| Group::new(name, Select::prefix(prefix));
    let parent = directory.path().join("parent");
    let of = |path: &Path, groups: [Group; 2]| run(path).schedule(0.01).groups(groups);
    let first = || group("layers.0", "first");
    let second = || group("second", "second").schedule(patient().per_epoch());
    let cut = first().schedule(cutting().per_epoch());
    of(&parent, [cut, second()]).fit(Net::new(1)).unwrap();
    let branch = |name: &str, groups: [Group; 2]| {
        let training = of(&directory.path().join(name), groups).epochs(EPOCHS + 1);
        let (training, said) = noted(training.branch(Branch::newest(&parent)));
        training.check(&Net::new(1)).unwrap();
        let history = training.fit(Net::new(1)).unwrap().history;
        let rates = history.epochs[EPOCHS].group_lrs.clone();
        (rates, said.try_iter().any(|notice| notice.contains("anew")))
    };
    // Without a schedule, a group has that of all; the other one's plateau is its own still.
    let (rates, anew) = branch("plain", [first().lr_scale(0.5), second()]);
    assert_eq!(
        (rates["layers.0"], rates["second"], anew),
        (0.005, 0.02, false)
    );
    // Another plateau in the place of one takes over what that has heard and cut, three times here.
    let scaled = group("second", "second").lr_scale(2.0);
    let (rates, anew) = branch("scaled", [first().schedule(patient().per_epoch()), scaled]);
    assert_eq!((rates["layers.0"], rates["second"]), (0.0025, 0.02));
    assert!(!anew);
}

#[test]
fn a_group_may_gain_a_rate_and_keeps_its_members() {
    let directory = TempDir::new().unwrap();
    let parent = directory.path().join("parent");
    let group = |name: &str, prefix: &str| {
        Group::new(name, Select::prefix(prefix)).optimizer(AdamWConfig::new())
    };
    run(&parent)
        .schedule(0.01)
        .group(group("a.optimizer", "second"))
        .fit(Net::new(1))
        .unwrap();
    let of = |name: &str, group: Group| {
        let training = run(&directory.path().join(name))
            .schedule(0.01)
            .group(group);
        training.epochs(EPOCHS + 1).branch(Branch::newest(&parent))
    };
    let scaled = of("scaled", group("a.optimizer", "second").lr_scale(0.5));
    let history = scaled.fit(Net::new(1)).unwrap().history;
    assert_eq!(history.epochs[EPOCHS].group_lrs["a.optimizer"], 0.005);
    let other = of("other", group("a.optimizer", "first")).check(&Net::new(1));
    assert!(
        matches!(other, Err(TrainingError::BranchChanged { .. })),
        "{other:?}"
    );
}

#[test]
fn a_run_that_ended_within_a_period_goes_on_as_a_branch() {
    let directory = TempDir::new().unwrap();
    let parent = directory.path().join("parent");
    let of = |path: &Path, updates| run(path).schedule(0.05).max_updates(updates).every(3);
    of(&parent, 8).fit(Net::new(1)).unwrap();
    let path = directory.path().join("branch");
    let branch = || of(&path, 14).branch(Branch::newest(&parent));
    stopped(branch(), 4, Net::new(1));
    let resumed = branch().fit(Net::new(2)).unwrap();
    let ends: Vec<u64> = resumed.history.epochs.iter().map(|of| of.updates).collect();
    assert_eq!(ends, [3, 6, 8, 9, 12, 14]);
    let whole = of(&directory.path().join("whole"), 14)
        .fit(Net::new(1))
        .unwrap();
    assert_eq!(values(&resumed.model), values(&whole.model));
}

#[test]
fn a_branch_is_known_by_its_checkpoint_wherever_that_is() {
    let directory = TempDir::new().unwrap();
    let [parent, path] = ["parent", "branch"].map(|name| directory.path().join(name));
    run(&parent).epochs(2).fit(Net::new(1)).unwrap();
    run(&path)
        .branch(Branch::newest(&parent))
        .fit(Net::new(1))
        .unwrap();
    let again = |of: &Path| run(&path).branch(Branch::newest(of)).check(&Net::new(1));
    again(&directory.path().join("./branch/../parent/")).unwrap();
    let moved = directory.path().join("moved");
    std::fs::rename(&parent, &moved).unwrap();
    again(&moved).unwrap();
    run(&parent).epochs(3).fit(Net::new(2)).unwrap();
    std::fs::remove_dir_all(&moved).unwrap();
    assert!(again(&path.join("elsewhere")).is_err());

    // Without any checkpoint it would begin at epoch 1, which a program must not do unasked.
    for checkpoint in std::fs::read_dir(path.join("checkpoint")).unwrap() {
        std::fs::remove_dir_all(checkpoint.unwrap().path()).unwrap();
    }
    match run(&path).fit(Net::new(1)) {
        Err(TrainingError::ConfigChanged { field, .. }) => assert_eq!(field, "branch"),
        other => panic!("{other:?}"),
    }
    // Nor does a branch take over another run, however damaged.
    let other = directory.path().join("other");
    run(&other).grads_accumulation(2).fit(Net::new(1)).unwrap();
    for checkpoint in std::fs::read_dir(other.join("checkpoint")).unwrap() {
        std::fs::write(checkpoint.unwrap().path().join("model.bpk"), b"damaged").unwrap();
    }
    let taken = run(&other).branch(Branch::newest(&parent));
    assert!(matches!(
        taken.fit(Net::new(1)),
        Err(TrainingError::ConfigChanged { .. })
    ));
}
