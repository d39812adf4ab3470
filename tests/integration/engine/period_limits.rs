//! What runs that are measured in updates refuse.

use std::sync::Arc;

use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn_lr::scheduler::{CosineAnnealingLr, Length};
use burn_lr::training::loader::{BatchSource, EpochLoader, Loader, Sample};
use burn_lr::training::run::Period;
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use super::net::{Net, run, stopped};
use super::periods::assert_refused;
use crate::common::line::{Points, Slope};

#[test]
fn what_cannot_be_is_refused_before_anything_is_written() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    for (training, name) in [
        (run(&path).max_updates(0), "max_updates"),
        (run(&path).max_samples(0), "max_samples"),
        (run(&path).every(0), "every"),
        (run(&path).every(Period::Epochs(0.0)), "every"),
        (run(&path).every(Period::Epochs(0.1)), "every"),
        (run(&path).every(Period::Samples(7)), "every"),
        (run(&path).epochs(0).every(3), "epochs"),
        (
            run(&path).every(3).devices(vec![Device::flex(); 2]),
            "every",
        ),
    ] {
        assert_refused(training, name);
    }
    assert!(!path.exists());
}

#[test]
fn a_run_in_updates_may_be_longer_from_the_end_of_a_period() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let of = |updates| run(&path).schedule(0.05).max_updates(updates).every(4);
    of(8).fit(Net::new(1)).unwrap();
    of(10).fit(Net::new(1)).unwrap();
    // The third period was cut short.
    assert_refused(of(13), "length of the run");
    match of(7).check(&Net::new(1)) {
        Err(TrainingError::TooShort {
            unit: "updates",
            asked: 7,
            done,
        }) => assert_eq!(done, "10"),
        other => panic!("{other:?}"),
    }
    of(10).check(&Net::new(1)).unwrap();
    for (training, field) in [
        (of(10).every(5), "every.updates"),
        (run(&path).schedule(0.05).epochs(2), "every"),
    ] {
        match training.check(&Net::new(1)) {
            Err(TrainingError::ConfigChanged { field: found, .. }) => assert_eq!(found, field),
            other => panic!("{other:?}"),
        }
    }
    let percent = |updates| {
        let cosine = CosineAnnealingLr::new(0.05, Length::Percent(100.0));
        let training = run(&directory.path().join("percent")).schedule(cosine.per_update());
        training.max_updates(updates).every(4)
    };
    percent(8).fit(Net::new(1)).unwrap();
    let longer = percent(12).check(&Net::new(1));
    assert!(
        matches!(&longer, Err(TrainingError::Extended { unit, .. }) if unit == "updates"),
        "{longer:?}"
    );
}

#[test]
fn a_loader_that_a_run_has_had_is_refused_in_updates_too() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let loader = Loader::replayable(Arc::new(EpochLoader::new(Slope, 8).shuffled(1)));
    let of = |loader: &Loader<Points>| {
        Training::new(&path, loader.clone(), EpochLoader::new(Slope, 20))
            .metrics((LossMetric::new(),))
            .resume(true)
            .on_notice(|_| {})
            .max_updates(12)
            .every(4)
    };
    stopped(of(&loader), 2, Net::new(1));
    for refused in [
        of(&loader).check(&Net::new(1)),
        of(&loader).fit(Net::new(1)).map(drop),
    ] {
        assert!(
            matches!(refused, Err(TrainingError::Loader(_))),
            "{refused:?}"
        );
    }
}

#[test]
fn another_unit_of_a_length_that_percent_are_of_is_refused_by_its_name() {
    let directory = TempDir::new().unwrap();
    let of = || {
        let cosine = CosineAnnealingLr::new(0.05, Length::Percent(100.0));
        run(directory.path()).schedule(cosine.per_update()).every(5)
    };
    of().epochs(4).fit(Net::new(1)).unwrap();
    for training in [
        of().max_updates(30),
        of().max_updates(20),
        of().max_samples(240),
    ] {
        let refused = training.check(&Net::new(1)).unwrap_err();
        assert!(
            matches!(&refused, TrainingError::Extended { .. }),
            "{refused:?}"
        );
        assert!(
            refused.to_string().contains("Training::branch"),
            "{refused}"
        );
    }
}

/// A source that is shorter or longer than its loader was said to be.
struct Lying;

impl BatchSource<Points> for Lying {
    fn len(&self) -> usize {
        Slope.len()
    }

    fn batch(&self, samples: &[Sample], device: &Device) -> Result<Points, DatasetError> {
        Slope.batch(samples, device)
    }
}

#[test]
fn other_batches_than_were_said_end_the_run() {
    for said in [3, 8] {
        let directory = TempDir::new().unwrap();
        let loader = Loader::from(EpochLoader::new(Lying, 8)).with_batches(said);
        let training = Training::new(directory.path(), loader, EpochLoader::new(Slope, 20))
            .metrics((LossMetric::new(),))
            .on_notice(|_| {})
            .max_updates(20)
            .every(2);
        let ended = training.fit(Net::new(1));
        assert!(
            matches!(ended, Err(TrainingError::BatchesPerEpoch { epoch: 1, expected, found })
                if expected == said as u64 && found == if said == 3 { 4 } else { 5 }),
            "{ended:?}"
        );
    }
}
