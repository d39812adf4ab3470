//! Where branches between runs in epochs and in updates end, and what they cannot be.

use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::{DataLoader, DataLoaderIterator};
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn_lr::training::checkpoint::KeepPolicy;
use burn_lr::training::loader::{EpochLoader, Loader};
use burn_lr::training::run::Branch;
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use super::net::{Net, run, values};
use crate::common::line::{Points, Slope};

/// Points by a loader that does not count its samples.
struct Uncounted(Arc<dyn DataLoader<Points>>);

impl DataLoader<Points> for Uncounted {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Points> + 'a> {
        self.0.iter()
    }

    fn num_items(&self) -> usize {
        0
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Points>> {
        Arc::new(Self(self.0.to_device(device)))
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Points>> {
        Arc::new(Self(self.0.slice(start, end)))
    }
}

fn points() -> Arc<dyn DataLoader<Points>> {
    Arc::new(EpochLoader::new(Slope, 8).shuffled(1))
}

fn on(directory: &Path, train: Loader<Points>) -> Training<Net> {
    Training::new(directory, train, EpochLoader::new(Slope, 20))
        .metrics((LossMetric::new(),))
        .schedule(0.05)
        .keep(KeepPolicy::all())
        .resume(true)
        .on_notice(|_| {})
}

/// That `training`, in the directory `path`, is refused by both before anything is written.
fn refused(path: &Path, training: impl Fn() -> Training<Net>) -> TrainingError {
    let checked = training().check(&Net::new(1)).unwrap_err();
    let error = training().fit(Net::new(1)).unwrap_err();
    assert_eq!(checked.to_string(), error.to_string());
    assert!(!path.exists(), "{error}");
    error
}

#[test]
fn epochs_after_updates_take_a_loader_that_tells_its_batches_by_then() {
    let root = TempDir::new().unwrap();
    let [parent, path] = ["parent", "branch"].map(|name| root.path().join(name));
    let unknown = || Loader::replayable_by(points);
    let parents = on(&parent, unknown()).max_updates(7).every(3);
    let parents = parents.fit(Net::new(1)).unwrap().history;
    let place = parents.epochs[2].data.unwrap();
    assert_eq!((place.epochs, place.batches, place.epoch), (1, 2, None));
    let of = |loader: Loader<Points>| {
        let training = on(&path, loader).epochs(3);
        training.branch(Branch::newest(&parent))
    };
    let error = refused(&path, || of(unknown()));
    assert!(
        matches!(&error, TrainingError::Invalid { name: "epochs", .. }),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("Loader::with_batches"),
        "{error}"
    );
    let error = refused(&path, || of(unknown().with_batches(4)));
    assert!(
        matches!(
            &error,
            TrainingError::Invalid {
                name: "batches of an epoch",
                ..
            }
        ),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .contains("4 updates an epoch, of which 1 and 2 batches were 7")
    );
    let told = of(unknown().with_batches(5)).fit(Net::new(2)).unwrap();
    let whole = run(&root.path().join("whole")).schedule(0.05).epochs(3);
    let whole = whole.fit(Net::new(1)).unwrap();
    assert_eq!(values(&told.model), values(&whole.model));
    let changes = told.history.branches[0].changes.iter();
    let fields: Vec<_> = changes.map(|of| &*of.field).collect();
    assert_eq!(fields, ["every", "train.batches", "updates_per_epoch"]);
}

#[test]
fn updates_after_epochs_take_a_loader_that_counts_its_samples() {
    let root = TempDir::new().unwrap();
    let [parent, path] = ["parent", "branch"].map(|name| root.path().join(name));
    let uncounted = || {
        let loader = Loader::replayable_by(|| Arc::new(Uncounted(points())));
        loader.with_batches(5)
    };
    on(&parent, uncounted()).epochs(2).fit(Net::new(1)).unwrap();
    let of = |loader: Loader<Points>| on(&path, loader).branch(Branch::newest(&parent));
    let error = refused(&path, || of(uncounted()).max_updates(13).every(2));
    assert!(
        matches!(
            &error,
            TrainingError::Invalid {
                name: "training samples",
                ..
            }
        ),
        "{error:?}"
    );
    let epochs = of(uncounted()).epochs(3).fit(Net::new(2)).unwrap();

    // How many batches an epoch has need not be known.
    let unknown = || Loader::replayable_by(points);
    let parent = root.path().join("unknown");
    on(&parent, unknown()).epochs(2).fit(Net::new(1)).unwrap();
    let branch = on(&root.path().join("updates"), unknown())
        .max_updates(15)
        .every(4);
    let branch = branch
        .branch(Branch::newest(&parent))
        .fit(Net::new(2))
        .unwrap();
    assert_eq!(values(&branch.model), values(&epochs.model));
    let ends = branch.history.epochs.iter().map(|period| {
        let data = period.data.unwrap();
        (period.updates, data.samples, data.epoch)
    });
    let expected = [
        (5, 40, None),
        (10, 80, None),
        (12, 96, None),
        (15, 120, None),
    ];
    assert_eq!(ends.collect::<Vec<_>>(), expected);
}

#[test]
fn a_branch_that_would_end_before_it_begins_is_told_what_there_is() {
    let root = TempDir::new().unwrap();
    let [epochs, updates, path] =
        ["epochs", "updates", "branch"].map(|name| root.path().join(name));
    let of = |path: &Path| run(path).schedule(0.05).keep(KeepPolicy::all());
    let parents = of(&epochs).epochs(2).fit(Net::new(1)).unwrap();
    of(&updates)
        .max_updates(7)
        .every(3)
        .fit(Net::new(1))
        .unwrap();
    let off = |parent: &Path| of(&path).branch(Branch::newest(parent));
    for (error, expected) in [
        (
            refused(&path, || off(&epochs).max_updates(9)),
            ("updates", 9, "10"),
        ),
        (
            refused(&path, || off(&epochs).max_samples(70).every(3)),
            ("samples", 70, "80"),
        ),
        (
            refused(&path, || off(&updates).epochs(1)),
            ("epochs", 1, "1.4"),
        ),
        (
            refused(&path, || off(&updates).epochs(1).every(4)),
            ("epochs", 1, "1.4"),
        ),
    ] {
        assert!(error.to_string().contains("Branch::update"), "{error}");
        match error {
            TrainingError::TooShort { unit, asked, done } => {
                assert_eq!((unit, asked, &*done), expected);
            }
            other => panic!("{other:?}"),
        }
    }
    let several = || off(&updates).epochs(4).devices(vec![Device::flex(); 2]);
    refused(&path, several);

    // One that ends where it begins is over at once, and an earlier one is another run.
    let trained = off(&epochs)
        .max_updates(10)
        .every(4)
        .fit(Net::new(2))
        .unwrap();
    assert_eq!(values(&trained.model), values(&parents.model));
    assert_eq!(trained.history.epochs.len(), 2);
    assert!(path.join("final.bpk").exists());
    let earlier = of(&root.path().join("earlier")).epochs(1);
    let earlier = earlier
        .branch(Branch::update(&updates, 3))
        .fit(Net::new(2))
        .unwrap();
    let ends: Vec<_> = earlier
        .history
        .epochs
        .iter()
        .map(|epoch| epoch.updates)
        .collect();
    assert_eq!(ends, [3, 5]);
}
