//! Runs that begin at a checkpoint of another.

use std::path::Path;

use burn::optim::{AdamWConfig, SgdConfig};
use burn::train::metric::LossMetric;
use burn_lr::scheduler::{
    Cooldown, CosineAnnealingLr, ReduceLrOnPlateau, StepLr, Warmup, WsdDecay,
};
use burn_lr::training::average::{Average, Decay, Validate};
use burn_lr::training::checkpoint::KeepPolicy;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::{Best, EarlyStopping, valid};
use burn_lr::training::optim::{GradientClip, Group, OptimError, Select};
use burn_lr::training::run::{Branch, Period};
use burn_lr::training::{Trained, Training, TrainingError};
use tempfile::TempDir;

use super::net::{EPOCHS, Net, noted, outcome, run, stopped, values};
use crate::common::line::Slope;

pub fn plateau() -> ReduceLrOnPlateau {
    ReduceLrOnPlateau::new(0.05)
        .with_patience(0)
        .with_factor(0.5)
}

/// A run that keeps all its checkpoints.
fn kept(directory: &Path) -> Training<Net> {
    let schedule = Warmup::new(plateau(), 4).per_update();
    let keep = KeepPolicy::all().with_best(Best::min(valid("loss")));
    run(directory).keep(keep).schedule(schedule)
}

/// The files of a directory, and what they hold.
fn files(directory: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut left = vec![directory.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                files.push((path.clone(), std::fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn a_branch_that_changes_nothing_is_its_parents_continuation() {
    type Configure = fn(Training<Net>) -> Training<Net>;
    let configurations: [(usize, Configure); 5] = [
        (EPOCHS, |training| training),
        (6, |training| training.max_updates(17).every(3)),
        (EPOCHS, |training| {
            training.average(Average::ema(0.9).validate(Validate::Both))
        }),
        (EPOCHS, |training| {
            training.average(Average::checkpoints(3, Decay::Cosine))
        }),
        (7, |training| {
            training
                .epochs(3)
                .every(Period::Epochs(0.4))
                .grads_accumulation(2)
        }),
    ];
    for (periods, configured) in configurations {
        let directory = TempDir::new().unwrap();
        let at = |name: &str| configured(kept(&directory.path().join(name)));
        let parent = directory.path().join("parent");
        let whole = at("parent").fit(Net::new(1)).unwrap();
        let before = files(&parent);
        let of_average = |trained: &Trained<Net>| trained.average.as_ref().map(values);
        let average = of_average(&whole);
        let whole = outcome(whole);
        for epoch in 1..periods {
            let name = format!("branch-{epoch}");
            let branch = || at(&name).branch(Branch::epoch(&parent, epoch));
            branch().check(&Net::new(2)).unwrap();
            let trained = branch().fit(Net::new(2)).unwrap();
            assert_eq!(of_average(&trained), average, "{name}");
            let (weights, mut history) = outcome(trained);
            let lineage = history.branches.pop().unwrap();
            assert_eq!((lineage.epoch, lineage.changes.len()), (epoch, 0));
            assert_eq!(lineage.updates, history.epochs[epoch - 1].updates);
            assert!(lineage.parent.ends_with("parent") && lineage.sha256.len() == 64);
            assert_eq!((weights, history), whole);
            for file in ["best.bpk", "final.bpk"] {
                let [ours, theirs] = [&name[..], "parent"]
                    .map(|name| std::fs::read(directory.path().join(name).join(file)).unwrap());
                assert!(ours == theirs, "{file} of {name}");
            }
        }
        assert!(files(&parent) == before);
    }
}

#[test]
fn a_branch_is_stopped_resumed_and_branched_again() {
    let directory = TempDir::new().unwrap();
    let [parent, first, second] =
        ["parent", "first", "second"].map(|name| directory.path().join(name));
    kept(&parent).epochs(2).fit(Net::new(1)).unwrap();
    let cooldown = |end| Cooldown::new(Warmup::new(plateau(), 4), 10, end).per_update();
    let branched = |path: &Path| {
        let branch = Branch::newest(&parent);
        kept(path).schedule(cooldown(10)).epochs(4).branch(branch)
    };
    let whole = outcome(branched(&first).fit(Net::new(2)).unwrap());
    assert_eq!(
        whole.1.branches[0].changes[0].field,
        "schedule.schedule.Cooldown"
    );

    let parts = directory.path().join("parts");
    stopped(branched(&parts), 3, Net::new(3));
    // Where the parent has gone makes no difference any more.
    let moved = directory.path().join("moved");
    std::fs::rename(&parent, &moved).unwrap();
    assert_eq!(outcome(branched(&parts).fit(Net::new(4)).unwrap()), whole);
    // Nor does a program that no longer says where it began.
    let unsaid = kept(&parts).schedule(cooldown(10)).epochs(4);
    assert_eq!(outcome(unsaid.fit(Net::new(4)).unwrap()), whole);

    let again = kept(&second)
        .schedule(cooldown(5))
        .epochs(4)
        .branch(Branch::update(&first, 15));
    let history = again.fit(Net::new(5)).unwrap().history;
    let epochs: Vec<_> = history.branches.iter().map(|of| of.epoch).collect();
    assert_eq!(epochs, [2, 3]);
    let config = std::fs::read_to_string(second.join("burn-lr.json")).unwrap();
    assert!(config.contains("\"branches\"") && config.contains("\"sha256\""));
    let other = kept(&second).schedule(cooldown(5)).epochs(4);
    match other.branch(Branch::epoch(&first, 2)).check(&Net::new(1)) {
        Err(TrainingError::ConfigChanged { field, .. }) => assert_eq!(field, "branch"),
        other => panic!("{other:?}"),
    }
}

fn rates(trained: &Trained<Net>) -> Vec<f64> {
    trained
        .history
        .epochs
        .iter()
        .map(|epoch| epoch.lr)
        .collect()
}

#[test]
fn a_cooldown_begins_at_the_rate_that_the_plateau_has_left() {
    let directory = TempDir::new().unwrap();
    let parent = directory.path().join("parent");
    // Cuts after every epoch from the second on.
    let cutting = || plateau().with_threshold(0.9, burn_lr::scheduler::ThresholdMode::Rel);
    let trained = run(&parent)
        .schedule(cutting().per_epoch())
        .fit(Net::new(1))
        .unwrap();
    let last = trained.history.epochs[3].next_lr;
    assert!(last < 0.05, "{last}");
    let cooldown = Cooldown::new(cutting(), 4, 2)
        .with_kind(WsdDecay::Linear)
        .per_epoch();
    let branch = run(&directory.path().join("branch"))
        .schedule(cooldown)
        .epochs(6)
        .branch(Branch::newest(&parent));
    let found = rates(&branch.fit(Net::new(1)).unwrap());
    assert_eq!(found[..4], rates(&trained)[..]);
    assert_eq!(found[4..], [last, last / 2.0]);

    // A schedule without a plateau begins with nothing cut, and says so where there was one.
    let constant = run(&directory.path().join("constant"))
        .schedule(0.02)
        .epochs(5)
        .branch(Branch::newest(&parent));
    let (constant, said) = noted(constant);
    assert_eq!(rates(&constant.fit(Net::new(1)).unwrap())[4], 0.02);
    let said: Vec<String> = said.try_iter().collect();
    assert!(
        said.iter().any(|notice| notice.contains("plateaus")),
        "{said:?}"
    );
}

#[test]
fn what_was_set_otherwise_is_recorded() {
    let directory = TempDir::new().unwrap();
    let parent = directory.path().join("parent");
    let adamw = |decay| AdamWConfig::new().with_weight_decay(decay);
    let group = |scale| Group::new("second", Select::prefix("second")).lr_scale(scale);
    let of = |path: &Path, decay, scale| {
        let training = run(path).optimizer(adamw(decay)).group(group(scale));
        training.schedule(StepLr::new(0.05, 2).per_epoch())
    };
    of(&parent, 0.25, 0.5).epochs(2).fit(Net::new(1)).unwrap();
    let branch = of(&directory.path().join("branch"), 0.5, 0.25)
        .clip_gradients(GradientClip::norm(1.0))
        .branch(Branch::newest(&parent));
    let history = branch.fit(Net::new(2)).unwrap().history;
    let changes = history.branches[0].changes.iter();
    let changes = changes.map(|of| (&*of.field, &*of.from, &*of.to));
    let changes: Vec<_> = changes.collect();
    assert_eq!(changes[0].0, "clip_gradients");
    assert_eq!(changes[1], ("groups.second.lr_scale", "0.5", "0.25"));
    assert_eq!(changes[2], ("optimizer.AdamW.weight_decay", "0.25", "0.5"));
    assert_eq!(changes.len(), 3);
}

#[test]
fn what_a_branch_cannot_be_is_refused_before_anything_is_written() {
    let directory = TempDir::new().unwrap();
    let parent = directory.path().join("parent");
    run(&parent).fit(Net::new(1)).unwrap();
    let path = directory.path().join("branch");
    let branch = || run(&path).branch(Branch::newest(&parent));
    let refused = |training: Training<Net>| {
        let checked = training.check(&Net::new(1)).unwrap_err();
        let error = training.fit(Net::new(1)).unwrap_err();
        assert_eq!(checked.to_string(), error.to_string());
        assert!(!path.exists());
        error
    };
    let other_data = EpochLoader::new(Slope, 4).shuffled(1);
    let other_data = Training::new(&path, other_data, EpochLoader::new(Slope, 20))
        .metrics((LossMetric::new(),))
        .epochs(EPOCHS)
        .resume(true)
        .on_notice(|_| {})
        .branch(Branch::newest(&parent));
    for (training, expected) in [
        (branch().grads_accumulation(2), "grads_accumulation"),
        (
            branch().group(Group::new("second", Select::prefix("second")).lr_scale(0.5)),
            "groups.second",
        ),
        (branch().seed(3), "seed"),
        (other_data, "train.batch_size"),
    ] {
        match refused(training) {
            TrainingError::BranchChanged { change, .. } => assert_eq!(change.field, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
    // Not even in the parent's own directory, by whatever name.
    let before = files(&parent);
    for path in [parent.clone(), parent.join("../parent")] {
        let own = || run(&path).schedule(0.02).branch(Branch::newest(&parent));
        for refused in [own().check(&Net::new(1)), own().fit(Net::new(1)).map(drop)] {
            assert!(
                matches!(&refused, Err(TrainingError::Invalid { name: "branch", .. })),
                "{refused:?}"
            );
        }
    }
    assert!(files(&parent) == before);
    for (branch, found) in [
        (Branch::epoch(&parent, 9), "found those of epochs "),
        (Branch::update(&parent, 7), "expected that of update 7"),
        (
            Branch::newest(directory.path().join("nothing")),
            "found none",
        ),
    ] {
        let error = refused(run(&path).branch(branch));
        assert!(matches!(&error, TrainingError::NoCheckpoint { .. }));
        assert!(error.to_string().contains(found), "{error}");
    }
    assert!(matches!(
        refused(branch().epochs(2)),
        TrainingError::TooShort { unit: "epochs", .. }
    ));
    let error = refused(branch().optimizer(SgdConfig::new()));
    assert!(
        matches!(&error, TrainingError::Optim(OptimError::StateLost { .. })),
        "{error:?}"
    );

    // A parent that was damaged: its newest checkpoint is passed over, the other one refused by name.
    let newest = parent.join(format!("checkpoint/epoch-{EPOCHS:04}/model.bpk"));
    std::fs::write(&newest, b"damaged").unwrap();
    let error = refused(run(&path).branch(Branch::epoch(&parent, EPOCHS)));
    assert!(matches!(&error, TrainingError::Damaged(_)), "{error:?}");
    branch().fit(Net::new(1)).unwrap();
    let history = std::fs::read_to_string(path.join("history.json")).unwrap();
    assert!(history.contains("\"branches\""));
    // There is a run now.
    let fresh = branch().resume(false);
    assert!(matches!(
        fresh.fit(Net::new(1)),
        Err(TrainingError::RunExists { .. })
    ));
}

#[test]
fn a_branch_with_another_rate_has_its_patience_before_it() {
    let directory = TempDir::new().unwrap();
    let parent = directory.path().join("parent");
    let of = |path: &Path, rate: f64| {
        let stopping = EarlyStopping::new(2);
        run(path).schedule(rate).epochs(20).early_stopping(stopping)
    };
    let parents = of(&parent, 3.0).fit(Net::new(1)).unwrap().history.epochs;
    assert!(parents.len() < 20);
    let refused = of(&parent, 0.001).fit(Net::new(1)).unwrap_err();
    assert!(
        refused.to_string().contains("Training::branch"),
        "{refused}"
    );
    let at = |name: &str, rate| {
        let path = directory.path().join(name);
        of(&path, rate).branch(Branch::newest(&parent))
    };
    let epochs = |training: Training<Net>| training.fit(Net::new(1)).unwrap().history.epochs.len();
    assert!(epochs(at("another", 0.001)) >= parents.len() + 2);
    // What changes nothing ends where its parent does.
    assert_eq!(epochs(at("same", 3.0)), parents.len());
}

#[test]
fn a_branch_may_go_on_longer_where_its_parent_was_counted_in_percent() {
    use burn_lr::scheduler::Length::Percent;
    let directory = TempDir::new().unwrap();
    let parent = directory.path().join("parent");
    let of = |path: &Path| {
        let cosine = CosineAnnealingLr::new(0.05, Percent(100.0));
        run(path).schedule(cosine.per_epoch())
    };
    let trained = of(&parent).epochs(2).fit(Net::new(1)).unwrap();
    let longer = of(&parent).epochs(4).fit(Net::new(1)).unwrap_err();
    assert!(longer.to_string().contains("Training::branch"), "{longer}");
    let path = directory.path().join("branch");
    let branch = of(&path).epochs(4).branch(Branch::newest(&parent));
    let history = branch.fit(Net::new(1)).unwrap().history;
    assert_eq!(history.epochs[..2], trained.history.epochs[..]);
    assert_eq!(history.epochs.len(), 4);
    assert_ne!(values(&trained.model), values(&Net::new(1)));
}
