//! Settings that have changed when a run is resumed.

use std::path::Path;

use burn::optim::{AdamWConfig, SgdConfig};
use burn::train::metric::LossMetric;
use burn_lr::scheduler::StepLr;
use burn_lr::training::loader::{EpochLoader, Loader, Sampler};
use burn_lr::training::metrics::train;
use burn_lr::training::optim::{GradientClip, Group, NonFinite, Select, adam};
use burn_lr::training::{Training, TrainingError};
use serde_json::json;
use tempfile::TempDir;

use super::net::{Net, run};
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
            |run| run.group(Group::new("vectors", Select::vectors())),
            "groups",
        ),
        (
            |run| run.group(Group::new("first", Select::prefix("first")).lr_scale(1.0)),
            "groups",
        ),
    ];
    for (change, field) in changes {
        assert_refused(directory.path(), || change(whole(directory.path())), field);
    }
    let groups = [
        second().lr_scale(0.25),
        second().optimizer(SgdConfig::new()),
        second().schedule(0.01),
        second().observe(train("loss")),
        Group::new("other", Select::prefix("second")).lr_scale(0.5),
        Group::new("second", Select::prefix("second.weight")).lr_scale(0.5),
    ];
    for group in groups {
        let again = || configured(run(directory.path())).group(group.clone());
        assert_refused(directory.path(), again, "groups");
    }
    assert_refused(
        directory.path(),
        || configured(run(directory.path())),
        "groups",
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
        (|run| run.group(second()), "groups"),
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
