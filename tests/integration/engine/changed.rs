//! Settings that have changed when a run is resumed.

use std::path::Path;

use burn::module::Module;
use burn::optim::{AdamWConfig, SgdConfig};
use burn::train::metric::LossMetric;
use burn_lr::scheduler::StepLr;
use burn_lr::training::checkpoint::{CheckpointStore, Snapshot};
use burn_lr::training::loader::{EpochLoader, Loader, Sampler};
use burn_lr::training::metrics::train;
use burn_lr::training::optim::{GradientClip, Group, NonFinite, Select, adam, layer_decay};
use burn_lr::training::{Training, TrainingError};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::net::{Net, noted, run};
use super::tree::tree;
use crate::common::line::{Points, Slope};

type Change = fn(Training<Net>) -> Training<Net>;

fn second() -> Group {
    Group::new("second", Select::prefix("second")).lr_scale(0.5)
}

fn configured(training: Training<Net>) -> Training<Net> {
    training
        .optimizer(adam())
        .schedule(StepLr::new(0.01, 2).per_epoch())
        .clip_gradients(GradientClip::norm(1.0))
        .non_finite(NonFinite::Skip)
        .seed(3)
}

fn whole(directory: &Path) -> Training<Net> {
    configured(run(directory)).group(second())
}

/// Refused in that field by `can_resume` and `fit`, and nothing on the disk has changed.
fn assert_refused(directory: &Path, again: impl Fn() -> Training<Net>, expected: &str) {
    let before = tree(directory);
    let asked = again().can_resume(&Net::new(1));
    for refused in [asked, again().fit(Net::new(1)).map(drop)] {
        let Err(TrainingError::ConfigChanged {
            path,
            field,
            saved,
            current,
        }) = refused
        else {
            panic!("{expected}: {refused:?}");
        };
        assert_eq!(field, expected);
        assert_ne!(saved, current);
        assert_eq!(path, directory.join("burn-lr.json"));
    }
    assert!(tree(directory) == before, "{expected}");
}

#[test]
fn every_setting_that_decides_the_bits_is_refused_by_its_name() {
    let directory = TempDir::new().unwrap();
    whole(directory.path()).epochs(1).fit(Net::new(1)).unwrap();
    let changes: [(Change, &str); 15] = [
        (
            |run| run.optimizer(adam().with_beta_1(0.8)),
            "optimizer.Adam.beta_1",
        ),
        (|run| run.optimizer(AdamWConfig::new()), "optimizer.Adam"),
        (
            |run| run.schedule(StepLr::new(0.02, 2).per_epoch()),
            "schedule.schedule.StepLr.initial_lr",
        ),
        (
            |run| run.schedule(StepLr::new(0.01, 2).per_update()),
            "schedule.clock",
        ),
        (|run| run.schedule(0.01), "schedule.clock"),
        (
            |run| run.clip_gradients(GradientClip::norm(2.0)),
            "clip_gradients.norm",
        ),
        (
            |run| run.clip_gradients(GradientClip::value(1.0)),
            "clip_gradients.norm",
        ),
        (|run| run.non_finite(NonFinite::Stop), "non_finite"),
        (|run| run.seed(4), "seed"),
        (|run| run.unseeded(), "seed"),
        (|run| run.grads_accumulation(2), "grads_accumulation"),
        (|run| run.observe(train("loss")), "observed"),
        (|run| run.settings(json!({"data": 2})), "settings"),
        (
            |run| run.group(Group::new("vectors", Select::vectors()).lr_scale(2.0)),
            "groups.vectors",
        ),
        (
            |run| run.group(Group::new("first", Select::prefix("first")).lr_scale(1.0)),
            "groups.first",
        ),
    ];
    for (change, field) in changes {
        assert_refused(directory.path(), || change(whole(directory.path())), field);
    }
    let groups = [
        (second().lr_scale(0.25), "groups.second.lr_scale"),
        (
            second().optimizer(SgdConfig::new()),
            "groups.second.optimizer",
        ),
        (second().schedule(0.01), "groups.second.schedule"),
        (
            Group::new("other", Select::prefix("second")).lr_scale(0.5),
            "groups.second",
        ),
        (
            Group::new("second", Select::prefix("second.weight")).lr_scale(0.5),
            "groups.second.paths",
        ),
    ];
    for (group, field) in groups {
        let again = || configured(run(directory.path())).group(group.clone());
        assert_refused(directory.path(), again, field);
    }
    assert_refused(
        directory.path(),
        || configured(run(directory.path())),
        "groups.second",
    );
    // The same parameters by other words.
    let same = Group::new("second", Select::paths(["second.weight", "second.bias"])).lr_scale(0.5);
    let again = || configured(run(directory.path())).group(same.clone());
    again().can_resume(&Net::new(2)).unwrap();
    again().fit(Net::new(2)).unwrap();
}

#[test]
fn a_setting_that_is_new_or_gone_is_refused() {
    let directory = TempDir::new().unwrap();
    run(directory.path()).epochs(1).fit(Net::new(1)).unwrap();
    let changes: [(Change, &str); 4] = [
        (
            |run| run.clip_gradients(GradientClip::norm(2.0)),
            "clip_gradients",
        ),
        (|run| run.seed(0), "seed"),
        (|run| run.settings(json!(1)), "settings"),
        (|run| run.group(second()), "groups.second"),
    ];
    for (change, field) in changes {
        assert_refused(directory.path(), || change(run(directory.path())), field);
    }
}

fn on(
    directory: &Path,
    train: impl Into<Loader<Points>>,
    valid: EpochLoader<Points>,
) -> Training<Net> {
    Training::new(directory, train, valid)
        .metrics((LossMetric::new(),))
        .epochs(2)
        .resume(true)
        .on_notice(|_| {})
}

#[test]
fn other_data_are_refused_by_what_is_different() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    let slope = || EpochLoader::new(Slope, 8).shuffled(1);
    let valid = || EpochLoader::new(Slope, 20);
    let told = |text: &str| Loader::from(slope()).with_fingerprint(text);
    on(path, told("slope"), valid())
        .epochs(1)
        .fit(Net::new(1))
        .unwrap();
    let replaced = Sampler::with_replacement(40, 1);
    let changes: [(EpochLoader<Points>, &str); 7] = [
        (EpochLoader::new(Slope, 4).shuffled(1), "train.batch_size"),
        (EpochLoader::new(Slope, 8).shuffled(2), "train.sampler.seed"),
        (EpochLoader::new(Slope, 8), "train.sampler.kind"),
        (
            EpochLoader::new(Slope, 8).sampler(replaced).unwrap(),
            "train.sampler.kind",
        ),
        (slope().drop_last(), "train.drop_last"),
        (slope().starting_at(2), "train.first_epoch"),
        (slope().sample_seed(2), "train.sample_seed"),
    ];
    let changed: Vec<_> = changes
        .into_iter()
        .map(|(loader, field)| (Loader::from(loader).with_fingerprint("slope"), field))
        .chain([(told("another slope"), "train.fingerprint")])
        .collect();
    for (loader, field) in changed {
        assert_refused(path, || on(path, loader.clone(), valid()), field);
    }
    let other = || on(path, told("slope"), EpochLoader::new(Slope, 10));
    assert_refused(path, other, "valid.batch_size");
    // Threads change nothing.
    let threads = Loader::from(slope().workers(2)).with_fingerprint("slope");
    on(path, threads, valid()).fit(Net::new(2)).unwrap();
}

#[test]
fn the_setting_of_a_groups_optimizer_is_named() {
    let directory = TempDir::new().unwrap();
    let decayed = |decay: f32| {
        let own = AdamWConfig::new().with_weight_decay(decay);
        let head = Group::new("head", Select::prefix("second")).optimizer(own);
        run(directory.path())
            .groups(layer_decay(0.5, ["first", "norm"]))
            .group(head)
    };
    decayed(0.1).epochs(1).fit(Net::new(1)).unwrap();
    let field = "groups.head.optimizer.AdamW.weight_decay";
    assert_refused(directory.path(), || decayed(0.2), field);
}

#[test]
fn a_parameter_that_is_frozen_or_not_is_part_of_what_a_run_is() {
    let frozen = || {
        let mut net = Net::new(1);
        net.first = net.first.no_grad();
        net
    };
    let directory = TempDir::new().unwrap();
    run(directory.path()).epochs(1).fit(frozen()).unwrap();
    let refused = run(directory.path()).can_resume(&Net::new(1)).unwrap_err();
    let said = refused.to_string();
    let expected = r#"parameters.first.bias was "frozen" and is "trained" now"#;
    assert!(said.contains(expected), "{said}");
    run(directory.path()).epochs(2).fit(frozen()).unwrap();

    // A run that was made before this was kept goes on, and keeps it from then on.
    let directory = TempDir::new().unwrap();
    run(directory.path()).epochs(1).fit(frozen()).unwrap();
    let store = directory.path().join("checkpoint");
    let parts = [
        "burn-lr.json",
        "history.json",
        "model.bpk",
        "optim.bpk",
        "scheduler.bpk",
    ];
    let store = CheckpointStore::open(store, &parts).unwrap();
    let mut snapshot = Snapshot::new();
    for (name, bytes) in store.newest_complete().0.unwrap().parts {
        let mut bytes = bytes;
        if name == "burn-lr.json" {
            let mut config: Value = serde_json::from_slice(&bytes).unwrap();
            config["fixed"]
                .as_object_mut()
                .unwrap()
                .remove("parameters")
                .unwrap();
            bytes = serde_json::to_vec(&config).unwrap();
        }
        snapshot = snapshot.bytes(&name, bytes).unwrap();
    }
    std::fs::remove_dir_all(store.directory()).unwrap();
    let store = CheckpointStore::open(store.directory(), &parts).unwrap();
    store.save(1, snapshot).unwrap();
    // Twice, as when it is killed before its next checkpoint.
    for _ in 0..2 {
        let (training, said) = noted(run(directory.path()).epochs(1));
        training.fit(frozen()).unwrap();
        assert_eq!(said.iter().collect::<Vec<_>>(), ["resuming after epoch 1"]);
    }
    run(directory.path()).epochs(2).fit(frozen()).unwrap();
    assert!(run(directory.path()).can_resume(&Net::new(1)).is_err());
}
