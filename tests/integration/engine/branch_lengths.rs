//! Branches between runs in epochs and runs that are measured in updates.

use std::path::{Path, PathBuf};

use burn_lr::scheduler::{CosineAnnealingLr, Length, StepLr, Warmup};
use burn_lr::training::average::{Average, Decay, Validate};
use burn_lr::training::checkpoint::KeepPolicy;
use burn_lr::training::metrics::{EpochRecord, History};
use burn_lr::training::run::{Branch, Period};
use burn_lr::training::{Trained, Training, TrainingError};
use tempfile::TempDir;

use super::net::{Net, outcome, run, stopped, values};

type Configure = fn(Training<Net>) -> Training<Net>;

pub fn kept(directory: &Path) -> Training<Net> {
    let schedule = Warmup::new(CosineAnnealingLr::new(0.05, 20), 4);
    let keep = KeepPolicy::all();
    run(directory).keep(keep).schedule(schedule.per_update())
}

pub type Weights = Vec<Vec<f32>>;

/// The weights, those of the average if there is one, and the history without where it comes from.
fn ended(trained: Trained<Net>) -> (Weights, Option<Weights>, History) {
    let average = trained.average.as_ref().map(values);
    let (weights, mut history) = outcome(trained);
    history.branches.clear();
    (weights, average, history)
}

pub fn updates(history: &History) -> Vec<u64> {
    history.epochs.iter().map(|epoch| epoch.updates).collect()
}

/// Epochs of the data until the end of each period, and samples.
fn data(history: &History) -> Vec<(f64, u64)> {
    let data = history.epochs.iter().map(|epoch| epoch.data.unwrap());
    data.map(|data| (data.epoch.unwrap(), data.samples))
        .collect()
}

/// What of a record does not depend on where its period began, nor on its number.
fn at_its_end(record: &EpochRecord) -> EpochRecord {
    let mut record = record.clone();
    record.epoch = 0;
    record.train.clear();
    record
}

/// That those of `history` which end where one of `whole` does have ended as that.
fn assert_met(history: &History, whole: &History, expected: usize) {
    let mut met = 0;
    for record in &history.epochs {
        let mut of_whole = whole.epochs.iter();
        if let Some(other) = of_whole.find(|other| other.updates == record.updates) {
            let mut other = at_its_end(other);
            other.data = other.data.or(record.data);
            assert_eq!(at_its_end(record), other);
            met += 1;
        }
    }
    assert_eq!(met, expected, "{:?}", updates(history));
}

/// That `branch`, which begins after epoch `from`, ends with the same bits when it is stopped after any.
pub fn assert_resumes(
    root: &Path,
    name: &str,
    from: usize,
    branch: &dyn Fn(PathBuf) -> Training<Net>,
) -> (Weights, Option<Weights>, History) {
    branch(root.join("unwritten")).check(&Net::new(2)).unwrap();
    let whole = ended(branch(root.join(name)).fit(Net::new(2)).unwrap());
    let all = whole.2.epochs.len();
    for stop in from + 1..all {
        let parts = root.join(format!("{name}-{stop}"));
        stopped(branch(parts.clone()), stop, Net::new(3));
        branch(parts.clone()).can_resume(&Net::new(4)).unwrap();
        let resumed = ended(branch(parts).fit(Net::new(4)).unwrap());
        assert_eq!(resumed, whole, "{name}, stopped after {stop}");
    }
    whole
}

#[test]
fn a_branch_in_updates_off_a_run_in_epochs_is_as_one_in_updates_from_the_start() {
    let configurations: [(&str, Configure, Configure, &[u64]); 5] = [
        (
            "updates",
            |training| training,
            |training| training.max_updates(17).every(3),
            &[5, 10, 12, 15, 17],
        ),
        (
            "averaged, by percent, accumulated",
            |training| {
                let average = Average::ema(0.9).validate(Validate::Both);
                training.grads_accumulation(2).average(average)
            },
            |training| {
                let cosine = CosineAnnealingLr::new(0.05, Length::Percent(100.0));
                let training = training.schedule(cosine.per_update());
                training.epochs(4).every(Period::Epochs(0.7))
            },
            &[3, 6, 7, 9, 11, 12],
        ),
        (
            "samples, per epoch",
            |training| training.schedule(StepLr::new(0.05, 1).with_gamma(0.5).per_epoch()),
            |training| training.max_samples(150).every(Period::Samples(24)),
            &[5, 10, 12, 15, 18, 19],
        ),
        (
            "the last checkpoints",
            |training| training.average(Average::checkpoints(2, Decay::Linear)),
            |training| training.max_updates(17).every(5),
            &[5, 10, 15, 17],
        ),
        (
            "longer than the run",
            |training| training,
            |training| training.max_updates(12).every(100),
            &[5, 10, 12],
        ),
    ];
    for (name, base, in_updates, ends) in configurations {
        let root = TempDir::new().unwrap();
        let parent = root.path().join("parent");
        let of = |path: &Path| in_updates(base(kept(path)));
        let percent = name.contains("percent");
        // Where percent are of the run's updates, both have as many.
        let parents = if percent {
            let cosine = CosineAnnealingLr::new(0.05, 12);
            base(kept(&parent)).schedule(cosine.per_update())
        } else {
            base(kept(&parent))
        };
        let parents = parents.epochs(2).fit(Net::new(1)).unwrap().history;
        let whole = ended(of(&root.path().join("whole")).fit(Net::new(1)).unwrap());
        let branch = |path: PathBuf| of(&path).branch(Branch::epoch(&parent, 2));
        let (weights, average, history) = assert_resumes(root.path(), name, 2, &branch);
        assert_eq!(weights, whole.0, "{name}");
        if name != "the last checkpoints" {
            assert_eq!(average, whole.1, "{name}");
        }
        assert_eq!(updates(&history), ends, "{name}");
        let places = data(&history);
        assert_eq!(places[..2], [(1.0, 40), (2.0, 80)], "{name}");
        assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(places.last(), data(&whole.2).last(), "{name}");
        // At least where the run ends.
        let met = history
            .epochs
            .iter()
            .filter(|record| updates(&whole.2).contains(&record.updates));
        if name != "the last checkpoints" {
            assert_met(&history, &whole.2, met.count());
        }
        for (ours, theirs) in history.epochs.iter().zip(&parents.epochs[..2]) {
            let mut ours = ours.clone();
            (ours.data, ours.seconds) = (theirs.data, theirs.seconds);
            assert_eq!(&ours, theirs, "{name}");
        }
    }
}

#[test]
fn a_branch_in_epochs_off_a_run_in_updates_finishes_the_epoch_first() {
    let configurations: [(&str, Configure, Configure, &[u64]); 5] = [
        (
            "by percent",
            |training| {
                let cosine = CosineAnnealingLr::new(0.05, Length::Percent(100.0));
                training.schedule(cosine.per_update())
            },
            |training| {
                let cosine = CosineAnnealingLr::new(0.05, 20);
                let training = training.schedule(cosine.per_update());
                training.max_updates(7).every(3)
            },
            &[3, 6, 7, 10, 15, 20],
        ),
        (
            "within an epoch",
            |training| training,
            |training| training.max_updates(7).every(3),
            &[3, 6, 7, 10, 15, 20],
        ),
        (
            "at the end of one",
            |training| training,
            |training| training.max_updates(10).every(4),
            &[4, 8, 10, 15, 20],
        ),
        (
            "averaged, accumulated",
            |training| {
                let average = Average::ema(0.9).validate(Validate::Both);
                training.grads_accumulation(2).average(average)
            },
            |training| training.max_samples(100).every(Period::Samples(30)),
            &[2, 5, 7, 8, 9, 12],
        ),
        (
            "per epoch, more than one at once",
            |training| training.schedule(StepLr::new(0.05, 1).with_gamma(0.5).per_epoch()),
            |training| training.max_updates(14).every(7),
            &[7, 14, 15, 20],
        ),
    ];
    for (name, base, in_updates, ends) in configurations {
        let root = TempDir::new().unwrap();
        let parent = root.path().join("parent");
        let parents = in_updates(base(kept(&parent))).fit(Net::new(1)).unwrap();
        let begun = parents.history.epochs.len();
        let of = |path: &Path| base(kept(path)).epochs(4);
        let whole = ended(of(&root.path().join("whole")).fit(Net::new(1)).unwrap());
        let branch = |path: PathBuf| of(&path).branch(Branch::newest(&parent));
        let (weights, average, history) = assert_resumes(root.path(), name, begun, &branch);
        assert_eq!((weights, average), (whole.0, whole.1), "{name}");
        assert_eq!(updates(&history), ends, "{name}");
        assert_met(
            &history,
            &whole.2,
            ends.iter()
                .filter(|end| updates(&whole.2).contains(end))
                .count(),
        );
        let places = data(&history);
        assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(places.last(), Some(&(4.0, 160)), "{name}");

        if name == "by percent" {
            continue;
        }
        // It may be longer later, but not shorter than it is.
        let longer = of(&root.path().join(name)).epochs(5);
        let longer = longer.fit(Net::new(5)).unwrap();
        let more = of(&root.path().join("more"))
            .epochs(5)
            .fit(Net::new(1))
            .unwrap();
        assert_eq!(values(&longer.model), values(&more.model), "{name}");
        let shorter = of(&root.path().join("shorter"))
            .epochs(1)
            .branch(Branch::newest(&parent));
        let refused = shorter.check(&Net::new(1));
        assert!(
            matches!(refused, Err(TrainingError::TooShort { unit: "epochs", .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn branches_of_branches_go_from_one_to_the_other_and_back() {
    let root = TempDir::new().unwrap();
    let at = |name: &str| kept(&root.path().join(name)).average(Average::ema(0.8));
    let whole = ended(at("whole").fit(Net::new(1)).unwrap());
    at("first")
        .max_updates(4)
        .every(3)
        .fit(Net::new(1))
        .unwrap();
    let off = |of: &str| Branch::newest(root.path().join(of));
    let second = at("second").epochs(2).branch(off("first"));
    assert_eq!(
        updates(&second.fit(Net::new(2)).unwrap().history),
        [3, 4, 5, 10]
    );
    let third = at("third").max_updates(16).every(4).branch(off("second"));
    let third = third.fit(Net::new(3)).unwrap().history;
    assert_eq!(updates(&third), [3, 4, 5, 10, 12, 16]);
    let fourth = |path: PathBuf| at("").in_directory(path).branch(off("third"));
    let (weights, average, history) = assert_resumes(root.path(), "fourth", 6, &fourth);
    assert_eq!((weights, average), (whole.0, whole.1));
    assert_eq!(updates(&history), [3, 4, 5, 10, 12, 16, 20]);
    let samples = data(&history).into_iter().map(|(_, samples)| samples);
    assert!(samples.eq(updates(&history).into_iter().map(|updates| 8 * updates)));
    let branches = third.branches.iter().map(|of| (of.epoch, of.updates));
    assert_eq!(branches.collect::<Vec<_>>(), [(2, 4), (4, 10)]);
    for (branch, from, to) in [
        (&third.branches[0], r#"{"updates":3}"#, "null"),
        (&third.branches[1], "null", r#"{"updates":4}"#),
    ] {
        let changes: Vec<_> = branch
            .changes
            .iter()
            .map(|of| (&*of.field, &*of.from, &*of.to))
            .collect();
        assert_eq!(changes, [("every", from, to)]);
    }
}
