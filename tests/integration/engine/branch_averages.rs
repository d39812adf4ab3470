//! Averages of branches: they go on, begin, begin anew or end there.

use std::path::Path;

use burn_lr::training::average::{Average, AverageError, Decay, Ema, Validate, merged};
use burn_lr::training::checkpoint::{CheckpointStore, KeepPolicy, MODEL};
use burn_lr::training::metrics::{Best, valid};
use burn_lr::training::run::Branch;
use burn_lr::training::storage::load_model;
use burn_lr::training::{Trained, Training, TrainingError};
use tempfile::TempDir;

use super::net::{EPOCHS, Net, noted, run, stopped, values};

/// The epoch after which branches begin.
const AT: usize = 2;

fn kept(directory: &Path) -> Training<Net> {
    run(directory).schedule(0.05).keep(KeepPolicy::all())
}

fn average(trained: &Trained<Net>) -> Vec<Vec<f32>> {
    values(trained.average.as_ref().unwrap())
}

/// A parent that averages as that says, if it does, and its directory.
fn parent(root: &Path, name: &str, average: Option<Average>) -> std::path::PathBuf {
    let path = root.join(name);
    let training = kept(&path);
    let training = match average {
        Some(average) => training.average(average),
        None => training,
    };
    training.fit(Net::new(1)).unwrap();
    path
}

#[test]
fn an_average_that_a_branch_begins_is_one_that_leaves_out_what_was_before() {
    let root = TempDir::new().unwrap();
    let plain = parent(root.path(), "plain", None);
    let other = parent(
        root.path(),
        "other",
        Some(Average::checkpoints(3, Decay::Linear)),
    );
    let updates = 5 * AT as u64;
    let warm = Average::ema(Ema::new(0.9).with_warmup(2.0, 0.75)).every_updates(2);
    let cases = [
        (warm.clone(), warm.after_updates(updates)),
        (
            Average::ema(0.9).after_updates(13),
            Average::ema(0.9).after_updates(13),
        ),
        (Average::swa(), Average::swa().after_epochs(AT as u64)),
        (
            Average::swa().validate(Validate::Both),
            Average::swa().after_epochs(AT as u64),
        ),
    ];
    for (number, (begun, equal)) in cases.into_iter().enumerate() {
        let whole = kept(&root.path().join(format!("whole-{number}"))).average(equal);
        let whole = whole.fit(Net::new(1)).unwrap();
        for (name, parent, is_anew) in [("plain", &plain, false), ("other", &other, true)] {
            let path = root.path().join(format!("{name}-{number}"));
            let branch = |path: &Path| {
                let branch = Branch::epoch(parent, AT);
                kept(path).average(begun.clone()).branch(branch)
            };
            branch(&path).check(&Net::new(2)).unwrap();
            let (training, said) = noted(branch(&path));
            let trained = training.fit(Net::new(2)).unwrap();
            assert_eq!(values(&trained.model), values(&whole.model));
            assert_eq!(average(&trained), average(&whole), "{begun:?}, {name}");
            let anew = said
                .iter()
                .any(|said| said.contains("the average begins anew"));
            assert_eq!(anew, is_anew, "{begun:?}");
            let fields = trained.history.branches[0].changes.iter();
            let mut fields = fields.map(|change| change.field.as_str());
            assert!(fields.all(|field| field.starts_with("average")));

            let parts = root.path().join(format!("parts-{name}-{number}"));
            stopped(branch(&parts), AT + 1, Net::new(3));
            let resumed = branch(&parts).fit(Net::new(4)).unwrap();
            assert_eq!(average(&resumed), average(&whole), "{begun:?}, resumed");
        }
    }
}

#[test]
fn an_average_of_the_same_kind_goes_on_under_other_constants() {
    let root = TempDir::new().unwrap();
    let parent = parent(root.path(), "parent", Some(Average::ema(0.9)));
    let half = kept(&root.path().join("half")).average(Average::ema(0.5));
    let half = half.fit(Net::new(1)).unwrap();
    let branch = kept(&root.path().join("branch"))
        .average(Average::ema(0.5))
        .branch(Branch::epoch(&parent, AT));
    let trained = branch.fit(Net::new(2)).unwrap();
    let change = &trained.history.branches[0].changes[0];
    assert!(change.field.starts_with("average.kind") && change.field.ends_with("decay"));
    assert_eq!((&*change.from, &*change.to), ("0.9", "0.5"));

    // By hand, from what the parent's was.
    let store = CheckpointStore::open(parent.join("checkpoint"), &[MODEL]).unwrap();
    let begun = store.load(AT).unwrap();
    let begun = begun.module("average.bpk", Net::new(3)).unwrap();
    let far = |a: &[Vec<f32>], b: &[Vec<f32>]| {
        let pairs = a.iter().flatten().zip(b.iter().flatten());
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    // After ten updates at a decay of one half nothing is left of how the average began.
    let rest = far(&average(&trained), &average(&half));
    assert!(
        rest > 0.0 && rest < 2e-3 * far(&values(&begun), &average(&half)),
        "{rest}"
    );
}

#[test]
fn a_mean_of_checkpoints_goes_on_with_the_parents_and_with_those_of_a_parents_parent() {
    let root = TempDir::new().unwrap();
    let wsm = |last| Average::checkpoints(last, Decay::Linear);
    let parent = parent(root.path(), "parent", Some(wsm(4)));
    let at = |name: &str, average: &Average, branch| {
        let path = root.path().join(name);
        kept(&path).average(average.clone()).branch(branch)
    };
    let models = |path: &Path, epochs: std::ops::RangeInclusive<usize>| {
        let store = CheckpointStore::open(path.join("checkpoint"), &[MODEL]).unwrap();
        let model = |epoch| {
            store
                .load(epoch)
                .unwrap()
                .module(MODEL, Net::new(5))
                .unwrap()
        };
        epochs.map(model).collect::<Vec<Net>>()
    };
    let mean = |epochs: std::ops::RangeInclusive<usize>| {
        let count = epochs.clone().count();
        let mean = merged(models(&parent, epochs), &Decay::Linear.coefficients(count)).unwrap();
        values(&mean)
    };
    let first = root.path().join("first");
    for (name, average_of, expected) in [
        ("same", wsm(4), mean(1..=EPOCHS)),
        ("fewer", wsm(2), mean(3..=EPOCHS)),
        ("more", wsm(5), mean(1..=EPOCHS)),
    ] {
        let trained = at(name, &average_of, Branch::epoch(&parent, AT));
        assert_eq!(
            average(&trained.fit(Net::new(2)).unwrap()),
            expected,
            "{name}"
        );
    }
    at("first", &wsm(4), Branch::epoch(&parent, AT))
        .fit(Net::new(2))
        .unwrap();
    let again = at("again", &wsm(4), Branch::epoch(&first, AT + 1));
    assert_eq!(average(&again.fit(Net::new(2)).unwrap()), mean(1..=EPOCHS));
    stopped(
        at("parts", &wsm(4), Branch::epoch(&first, AT)),
        AT + 1,
        Net::new(3),
    );
    let resumed = at("parts", &wsm(4), Branch::epoch(&first, AT));
    assert_eq!(
        average(&resumed.fit(Net::new(4)).unwrap()),
        mean(1..=EPOCHS)
    );

    // Begun by a branch, it is of the branch's own.
    let plain = self::parent(root.path(), "plain", None);
    let begun = || at("begun", &wsm(3), Branch::epoch(&plain, AT));
    stopped(begun(), AT + 1, Net::new(3));
    assert_eq!(
        average(&begun().fit(Net::new(2)).unwrap()),
        mean(3..=EPOCHS)
    );
}

#[test]
fn an_average_may_end_with_a_branch() {
    let root = TempDir::new().unwrap();
    let parent = parent(
        root.path(),
        "parent",
        Some(Average::ema(0.9).validate(Validate::Model)),
    );
    let path = root.path().join("branch");
    let branch = kept(&path).branch(Branch::epoch(&parent, AT));
    let trained = branch.fit(Net::new(2)).unwrap();
    assert!(trained.average.is_none() && !path.join("average.bpk").exists());
    let last = load_model(&parent.join("final.bpk"), Net::new(3)).unwrap();
    assert_eq!(values(&trained.model), values(&last));
    assert_eq!(trained.history.branches[0].changes[0].to, "null");
}

#[test]
fn the_best_file_begins_anew_where_its_metric_is_of_other_weights() {
    let root = TempDir::new().unwrap();
    let ema = || Average::ema(0.9);
    let plain = parent(root.path(), "plain", None);
    let averaged = parent(root.path(), "averaged", Some(ema()));
    let kept = |name: &str, parent: &Path| {
        let best = KeepPolicy::all().with_best(Best::min(valid("loss")));
        let training = kept(&root.path().join(name)).keep(best);
        // So high a rate that nothing is better than what the parent had.
        let branch = Branch::epoch(parent, EPOCHS);
        training.schedule(3.0).epochs(EPOCHS + 2).branch(branch)
    };
    let begun = kept("begun", &plain).average(ema());
    let ended = kept("ended", &averaged);
    for (name, training, part) in [("begun", begun, "average.bpk"), ("ended", ended, MODEL)] {
        let path = root.path().join(name);
        let (training, said) = noted(training);
        let epochs = training.fit(Net::new(2)).unwrap().history.epochs;
        let loss = |epoch: usize| epochs[epoch - 1].valid["loss"];
        let best = if loss(EPOCHS + 1) <= loss(EPOCHS + 2) {
            EPOCHS + 1
        } else {
            EPOCHS + 2
        };
        let of_best = path.join(format!("checkpoint/epoch-{best:04}")).join(part);
        let file = std::fs::read(path.join("best.bpk")).unwrap();
        assert!(file == std::fs::read(of_best).unwrap(), "{name}");
        assert!(
            said.iter()
                .any(|said| said.contains("best.bpk begins anew"))
        );
    }
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_written() {
    let root = TempDir::new().unwrap();
    let plain = parent(root.path(), "plain", None);
    let path = root.path().join("branch");
    let refused = |training: Training<Net>| {
        let checked = training.check(&Net::new(1)).unwrap_err();
        let error = training.fit(Net::new(1)).unwrap_err();
        assert_eq!(checked.to_string(), error.to_string());
        assert!(!path.exists());
        error
    };
    // There are two more epochs.
    let late = kept(&path)
        .average(Average::swa().every_epochs(3))
        .branch(Branch::epoch(&plain, AT));
    let error = refused(late);
    assert!(
        matches!(
            &error,
            TrainingError::Average(AverageError::NeverBegins {
                unit: "epochs",
                run: 4,
                first: 5
            })
        ),
        "{error:?}"
    );
    // The parent has kept the last two, of which the earlier one has none before it.
    let wsm = || run(&root.path().join("wsm")).average(Average::checkpoints(2, Decay::Linear));
    wsm().fit(Net::new(1)).unwrap();
    let gone = wsm()
        .in_directory(&path)
        .branch(Branch::epoch(root.path().join("wsm"), 3));
    let error = refused(gone);
    assert!(
        matches!(&error, TrainingError::NoCheckpoint { kept, .. } if kept == &[3, 4]),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .contains("expected that of epoch 2, for the mean"),
        "{error}"
    );
}
