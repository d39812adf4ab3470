//! How many updates an epoch has, known, said, said wrongly, and not at all.

use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn_lr::scheduler::{Constant, CosineAnnealingLr, Length, StepLr};
use burn_lr::training::loader::{EpochLoader, Loader};
use burn_lr::training::metrics::History;
use burn_lr::training::optim::{Group, Select};
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use super::net::{EPOCHS, Net, outcome, run};
use crate::common::line::{Points, Slope};

/// Five batches an epoch, which nobody knows.
fn unknown() -> Arc<dyn DataLoader<Points>> {
    Arc::new(EpochLoader::new(Slope, 8).shuffled(1))
}

fn on(directory: &Path, train: impl Into<Loader<Points>>) -> Training<Net> {
    Training::new(directory, train, EpochLoader::new(Slope, 20))
        .metrics((LossMetric::new(),))
        .schedule(0.01)
        .epochs(EPOCHS)
        .resume(true)
        .on_notice(|_| {})
}

fn updates(history: &History) -> Vec<u64> {
    history.epochs.iter().map(|epoch| epoch.updates).collect()
}

#[test]
fn a_number_is_a_constant_rate() {
    let outcomes = [0.01.into(), Constant::new(0.01).per_update()].map(|schedule| {
        let directory = TempDir::new().unwrap();
        outcome(
            run(directory.path())
                .schedule(schedule)
                .fit(Net::new(1))
                .unwrap(),
        )
    });
    assert!(outcomes[0] == outcomes[1]);
    // The same run, too.
    let directory = TempDir::new().unwrap();
    run(directory.path())
        .schedule(1e-3)
        .epochs(1)
        .fit(Net::new(1))
        .unwrap();
    let again = run(directory.path()).schedule(Constant::new(1e-3).per_update());
    again.fit(Net::new(1)).unwrap();
}

#[test]
fn a_schedule_that_needs_the_number_is_refused_without_it() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let step = || StepLr::new(0.01, 2);
    let group = || Group::new("second", Select::prefix("second"));
    let per_epoch = [
        on(&path, unknown()).schedule(step().per_epoch()),
        on(&path, unknown()).group(group().schedule(step().per_epoch())),
    ];
    for training in per_epoch {
        let refused = training.fit(Net::new(1));
        let Err(TrainingError::Invalid { name, found, .. }) = &refused else {
            panic!("{refused:?}");
        };
        assert_eq!(*name, "batches of an epoch");
        assert!(found.contains("Loader::with_batches"), "{found}");
    }
    // How many batches one device makes says nothing about two.
    let two = Loader::new(unknown()).with_batches(5);
    let two = on(&path, two).devices(vec![Device::flex(); 2]);
    let refused = two.schedule(step().per_epoch()).check(&Net::new(1));
    let Err(TrainingError::Invalid { found, .. }) = &refused else {
        panic!("{refused:?}");
    };
    assert!(found.contains("Loader::with_batch_size"), "{found}");
    let said = Loader::new(unknown()).with_batch_size(8);
    let two = on(&path, said).devices(vec![Device::flex(); 2]);
    two.schedule(step().per_epoch())
        .check(&Net::new(1))
        .unwrap();
    for length in [Length::Epochs(2.0), Length::Percent(50.0)] {
        let refused = on(&path, unknown()).schedule(StepLr::new(0.01, length).per_update());
        let refused = refused.fit(Net::new(1));
        assert!(
            matches!(refused, Err(TrainingError::Schedule(_))),
            "{refused:?}"
        );
    }
    assert!(!path.exists());
}

#[test]
fn a_schedule_in_plain_updates_works_without_the_number() {
    let fit = |train: Loader<Points>| {
        let directory = TempDir::new().unwrap();
        let schedule = CosineAnnealingLr::new(0.01, 20).per_update();
        let group = Group::new("second", Select::prefix("second")).schedule(0.02);
        let training = on(directory.path(), train).schedule(schedule).group(group);
        outcome(training.fit(Net::new(1)).unwrap())
    };
    let found = fit(unknown().into());
    assert_eq!(updates(&found.1), [5, 10, 15, 20]);
    let known = fit(EpochLoader::new(Slope, 8).shuffled(1).into());
    assert!(found == known);
}

#[test]
fn a_wrong_number_ends_the_run_with_the_first_epoch() {
    let wrong = |directory: &Path, loader: Loader<Points>, accumulation| {
        let training = on(directory, loader).grads_accumulation(accumulation);
        let Err(TrainingError::UpdatesPerEpoch {
            epoch,
            expected,
            found,
        }) = training
            .schedule(StepLr::new(0.01, 2).per_epoch())
            .fit(Net::new(1))
        else {
            panic!("accepted");
        };
        assert!(!directory.join("history.csv").exists());
        let checkpoints = std::fs::read_dir(directory.join("checkpoint")).unwrap();
        assert_eq!(checkpoints.count(), 0);
        (epoch, expected, found)
    };
    let unknown = || Loader::from(unknown());
    for (loader, accumulation, expected, found) in [
        (unknown().with_batches(4), 1, 4, 5),
        (unknown().with_batches(6), 1, 6, 5),
        (unknown().with_batches(7), 3, 3, 2),
        (unknown().with_batch_size(16), 1, 3, 5),
        (unknown().with_batch_size(0), 1, 40, 5),
        (
            Loader::from(EpochLoader::new(Slope, 8)).with_batches(1),
            1,
            1,
            5,
        ),
    ] {
        let directory = TempDir::new().unwrap();
        let told = wrong(directory.path(), loader, accumulation);
        assert_eq!(told, (1, expected, found));
    }
    // Set right, the run begins.
    let directory = TempDir::new().unwrap();
    wrong(directory.path(), unknown().with_batches(4), 1);
    let right = on(directory.path(), unknown().with_batches(5));
    right.can_resume(&Net::new(1)).unwrap();
    assert_eq!(
        updates(&right.fit(Net::new(1)).unwrap().history),
        [5, 10, 15, 20]
    );
}

#[test]
fn what_is_said_rightly_or_known_is_counted_with() {
    let step = || StepLr::new(0.01, 1).with_gamma(0.5).per_epoch();
    let unknown = || Loader::from(unknown());
    for (loader, accumulation, expected) in [
        (unknown().with_batches(5), 1, 5),
        (unknown().with_batches(5), 3, 2),
        (unknown().with_batch_size(8), 1, 5),
        (EpochLoader::new(Slope, 8).into(), 1, 5),
        (EpochLoader::new(Slope, 16).into(), 1, 3),
        (EpochLoader::new(Slope, 16).drop_last().into(), 1, 2),
        (EpochLoader::new(Slope, 16).drop_last().into(), 2, 1),
        (EpochLoader::new(Slope, 0).into(), 1, 40),
        (EpochLoader::new(Slope, usize::MAX).into(), usize::MAX, 1),
    ] {
        let directory = TempDir::new().unwrap();
        let training = on(directory.path(), loader).grads_accumulation(accumulation);
        let history = training.schedule(step()).fit(Net::new(1)).unwrap().history;
        let made: Vec<u64> = (1..=EPOCHS as u64).map(|epoch| epoch * expected).collect();
        assert_eq!(updates(&history), made);
        let lrs: Vec<f64> = history.epochs.iter().map(|epoch| epoch.lr).collect();
        assert_eq!(lrs, [0.01, 0.005, 0.0025, 0.00125]);
    }
}
