//! Branches of them, from them and to them.

use std::path::Path;

use burn::optim::SgdConfig;
use burn_lr::training::checkpoint::{AVERAGE, CheckpointStore, KeepPolicy, MODEL};
use burn_lr::training::metrics::{Best, valid};
use burn_lr::training::optim::{
    OptimError, OptimizerConfig, ProdigyConfig, ScheduleFreeAdamWConfig, ScheduleFreeSgdConfig,
    adam,
};
use burn_lr::training::run::{Branch, RunDirectory};
use burn_lr::training::storage::load_model;
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use crate::engine::net::{Net, outcome, run, stopped, values};

/// The epoch after which branches begin.
const AT: usize = 2;

fn with(directory: &Path, optimizer: impl Into<OptimizerConfig>) -> Training<Net> {
    let keep = KeepPolicy::all().with_best(Best::min(valid("loss")));
    run(directory).optimizer(optimizer).schedule(0.1).keep(keep)
}

fn free() -> ScheduleFreeSgdConfig {
    ScheduleFreeSgdConfig::new()
}

#[test]
fn a_branch_that_changes_nothing_goes_on_as_its_parent() {
    let root = TempDir::new().unwrap();
    let parent = root.path().join("parent");
    let expected = outcome(with(&parent, free()).fit(Net::new(1)).unwrap());
    let branch = |name: &str| {
        let path = root.path().join(name);
        with(&path, free()).branch(Branch::epoch(&parent, AT))
    };
    branch("whole").check(&Net::new(2)).unwrap();
    let whole = outcome(branch("whole").fit(Net::new(2)).unwrap());
    assert_eq!(whole.0, expected.0);
    assert_eq!(whole.1.epochs, expected.1.epochs);
    stopped(branch("parts"), AT + 1, Net::new(3));
    let resumed = outcome(branch("parts").fit(Net::new(4)).unwrap());
    assert_eq!(resumed.0, expected.0);
    let best = |path: &Path| {
        let best = RunDirectory::new(path).best_model();
        values(&load_model(&best, Net::new(3)).unwrap())
    };
    assert_eq!(best(&root.path().join("whole")), best(&parent));
}

#[test]
fn the_average_begins_at_a_branch_off_plain_sgd() {
    let root = TempDir::new().unwrap();
    let parent = root.path().join("parent");
    with(&parent, SgdConfig::new()).fit(Net::new(1)).unwrap();
    let path = root.path().join("branch");
    let branch = || with(&path, free()).branch(Branch::epoch(&parent, AT));
    branch().check(&Net::new(2)).unwrap();
    let trained = branch().fit(Net::new(2)).unwrap();
    let store = |path: &Path| CheckpointStore::open(path.join("checkpoint"), &[MODEL]).unwrap();
    let of = |path: &Path, epoch, part| {
        let checkpoint = store(path).load(epoch).unwrap();
        values(&checkpoint.module(part, Net::new(3)).unwrap())
    };
    assert_eq!(of(&path, AT, AVERAGE), of(&parent, AT, MODEL));
    let last = trained.history.epochs.len();
    assert_eq!(values(&trained.model), of(&path, last, AVERAGE));
    assert_ne!(values(&trained.model), of(&path, last, MODEL));
}

#[test]
fn a_branch_whose_state_would_be_lost_or_mean_something_else_is_refused() {
    let root = TempDir::new().unwrap();
    let parents = root.path().join("free");
    with(&parents, free()).fit(Net::new(1)).unwrap();
    let of_adam = root.path().join("adam");
    with(&of_adam, adam()).fit(Net::new(1)).unwrap();
    let refused = |parent: &Path, optimizer: OptimizerConfig| {
        let path = root.path().join("branch");
        let branch = || with(&path, optimizer.clone()).branch(Branch::epoch(parent, AT));
        let checked = branch().check(&Net::new(1)).unwrap_err();
        let error = branch().fit(Net::new(1)).unwrap_err();
        assert_eq!(checked.to_string(), error.to_string());
        assert!(!path.exists());
        error
    };
    for (parent, optimizer) in [
        (&parents, SgdConfig::new().into()),
        (&parents, adam().into()),
        (&parents, ScheduleFreeAdamWConfig::new().into()),
        (&of_adam, OptimizerConfig::from(free())),
        (&of_adam, ScheduleFreeAdamWConfig::new().into()),
    ] {
        let error = refused(parent, optimizer);
        assert!(
            matches!(error, TrainingError::Optim(OptimError::StateLost { .. })),
            "{error:?}"
        );
    }
    match refused(&parents, free().with_momentum(0.8).into()) {
        TrainingError::BranchChanged { change, .. } => {
            assert_eq!(change.field, "optimizer.ScheduleFreeSgd.momentum");
        }
        other => panic!("{other:?}"),
    }
    // Another weight decay is a branch's to have.
    let path = root.path().join("decayed");
    let decayed = with(&path, free().with_weight_decay(0.1)).branch(Branch::epoch(&parents, AT));
    decayed.fit(Net::new(2)).unwrap();
}

#[test]
fn prodigy_goes_on_with_its_step_size() {
    let root = TempDir::new().unwrap();
    let parent = root.path().join("parent");
    let prodigy = ProdigyConfig::new().with_d0(1e-4);
    let of = |path: &Path, prodigy: ProdigyConfig| with(path, prodigy).schedule(1.0);
    let expected = outcome(of(&parent, prodigy).fit(Net::new(1)).unwrap());
    let path = root.path().join("branch");
    let branch = of(&path, prodigy).branch(Branch::epoch(&parent, AT));
    assert_eq!(outcome(branch.fit(Net::new(2)).unwrap()).0, expected.0);
    let path = root.path().join("other");
    let other = of(&path, prodigy.with_d0(1e-5)).branch(Branch::epoch(&parent, AT));
    assert!(matches!(
        other.fit(Net::new(2)),
        Err(TrainingError::BranchChanged { change, .. }) if change.field == "optimizer.Prodigy.d0"
    ));
}
