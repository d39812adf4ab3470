//! Runs that are measured in updates.

use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn_lr::scheduler::{CosineAnnealingLr, Length, ReduceLrOnPlateau, StepLr, Warmup};
use burn_lr::training::average::{Average, Validate};
use burn_lr::training::loader::{EpochLoader, Loader, Sampler};
use burn_lr::training::run::Period;
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use super::net::{BATCHES, Net, outcome, run, stopped};
use super::noisy::Noisy;
use crate::common::line::{Points, Slope};

type Configure = fn(Training<Net>) -> Training<Net>;

fn updates(training: Training<Net>) -> Training<Net> {
    training.max_updates(17).every(3)
}

/// Runs whose periods divide neither an epoch nor the run.
const CONFIGURATIONS: [(&str, usize, Configure); 6] = [
    ("updates", 6, |training| {
        updates(training).schedule(Warmup::new(CosineAnnealingLr::new(0.05, 13), 4).per_update())
    }),
    ("shares of an epoch, accumulated", 7, |training| {
        let plateau = ReduceLrOnPlateau::new(0.05)
            .with_patience(0)
            .with_factor(0.5);
        training
            .epochs(3)
            .every(Period::Epochs(0.4))
            .grads_accumulation(2)
            .schedule(plateau.per_epoch())
    }),
    ("samples", 7, |training| {
        training
            .max_samples(150)
            .every(Period::Samples(24))
            .schedule(StepLr::new(0.05, 1).with_gamma(0.5).per_epoch())
    }),
    ("more than an epoch", 3, |training| {
        training.max_updates(20).every(7).schedule(0.05)
    }),
    ("averaged", 6, |training| {
        updates(training).schedule(0.05).average(Average::ema(0.9))
    }),
    ("percent", 4, |training| {
        let cosine = CosineAnnealingLr::new(0.05, Length::Percent(100.0));
        training
            .max_updates(16)
            .every(4)
            .schedule(cosine.per_update())
    }),
];

#[test]
fn a_run_that_stopped_after_any_period_ends_with_the_same_bits() {
    for (name, periods, configure) in CONFIGURATIONS {
        let directory = TempDir::new().unwrap();
        let at = |stop: usize| configure(run(&directory.path().join(stop.to_string())));
        let whole = outcome(at(0).fit(Net::new(1)).unwrap());
        assert_eq!(whole.1.epochs.len(), periods, "{name}");
        for stop in 1..periods {
            stopped(at(stop), stop, Net::new(1));
            at(stop).can_resume(&Net::new(1)).unwrap();
            let resumed = outcome(at(stop).fit(Net::new(2)).unwrap());
            assert_eq!(resumed, whole, "{name}, stopped after {stop}");
        }
    }
}

#[test]
fn the_history_says_where_in_the_data_a_period_ends() {
    let directory = TempDir::new().unwrap();
    let trained = updates(run(directory.path())).fit(Net::new(1)).unwrap();
    let ends = trained.history.epochs.iter().map(|period| {
        let data = period.data.unwrap();
        (
            period.updates,
            data.epochs,
            data.batches,
            data.samples,
            data.epoch,
        )
    });
    let expected = [
        (3, 0, 3, 24, Some(0.6)),
        (6, 1, 1, 48, Some(1.2)),
        (9, 1, 4, 72, Some(1.8)),
        (12, 2, 2, 96, Some(2.4)),
        (15, 3, 0, 120, Some(3.0)),
        (17, 3, 2, 136, Some(3.4)),
    ];
    assert_eq!(ends.collect::<Vec<_>>(), expected);
    let csv = std::fs::read_to_string(directory.path().join("history.csv")).unwrap();
    assert!(
        csv.starts_with("epoch,updates,data_epoch,samples,train_loss,"),
        "{csv}"
    );
    assert!(csv.contains("\n2,6,1.2,48,"), "{csv}");
}

#[test]
fn periods_of_an_epoch_are_the_epochs_themselves() {
    for accumulation in [1, 2] {
        let directory = TempDir::new().unwrap();
        let of = |name: &str| {
            let plateau = ReduceLrOnPlateau::new(0.05).with_patience(0);
            run(&directory.path().join(name))
                .grads_accumulation(accumulation)
                .schedule(plateau.per_epoch())
        };
        let epochs = outcome(of("epochs").fit(Net::new(1)).unwrap());
        let mut periods = outcome(
            of("periods")
                .every(Period::Epochs(1.0))
                .fit(Net::new(1))
                .unwrap(),
        );
        for (number, period) in (1..).zip(&mut periods.1.epochs) {
            assert_eq!(period.data.take().unwrap().epochs, number);
        }
        assert_eq!(periods, epochs);
        // As long in updates is as long.
        let all = 4 * BATCHES.div_ceil(accumulation as u64);
        let mut updates = outcome(of("updates").max_updates(all).fit(Net::new(1)).unwrap());
        updates
            .1
            .epochs
            .iter_mut()
            .for_each(|period| period.data = None);
        assert_eq!(updates, epochs);
    }
}

#[test]
fn how_often_a_run_is_validated_changes_no_weight() {
    let directory = TempDir::new().unwrap();
    let weights = |every: u64| {
        let train = EpochLoader::new(Noisy, 8).shuffled(1);
        let path = directory.path().join(every.to_string());
        let training = Training::new(path, train, EpochLoader::new(Slope, 20))
            .metrics((LossMetric::new(),))
            .schedule(0.05)
            .max_updates(16);
        outcome(training.every(every).fit(Net::new(1)).unwrap()).0
    };
    let whole = weights(16);
    for every in [1, 3, 5, 7] {
        assert_eq!(weights(every), whole, "every {every}");
    }
}

#[test]
fn schedules_keep_their_clocks() {
    let directory = TempDir::new().unwrap();
    let step = StepLr::new(0.08, 1).with_gamma(0.5);
    let training = updates(run(directory.path())).schedule(step.per_epoch());
    let lrs = training.fit(Net::new(1)).unwrap().history.epochs;
    let lrs: Vec<f64> = lrs.iter().map(|period| period.lr).collect();
    // Updates 3, 6, 9, 12, 15 and 17 of epochs of 5.
    assert_eq!(lrs, [0.08, 0.04, 0.04, 0.02, 0.02, 0.01]);
}

/// Batches without an end, each a function of its number.
pub struct Endless;

struct Batches(usize, Device);

impl Iterator for Batches {
    type Item = Result<Points, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0 += 1;
        let sampler = Sampler::with_replacement(8, 3);
        let loader = EpochLoader::new(Slope, 8).sampler(sampler).unwrap();
        let loader = loader.starting_at(self.0 as u64).to_device(&self.1);
        loader.iter().next()
    }
}

impl DataLoaderIterator<Points> for Batches {
    fn progress(&self) -> Progress {
        Progress::new(8 * self.0, 0, None)
    }
}

impl DataLoader<Points> for Endless {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Points> + 'a> {
        Box::new(Batches(0, Device::flex()))
    }

    fn num_items(&self) -> usize {
        0
    }

    fn to_device(&self, _: &Device) -> Arc<dyn DataLoader<Points>> {
        Arc::new(Self)
    }

    fn slice(&self, _: usize, _: usize) -> Arc<dyn DataLoader<Points>> {
        Arc::new(Self)
    }
}

fn endless(directory: &Path) -> Training<Net> {
    let loader = Loader::replayable_by(|| Arc::new(Endless));
    Training::new(directory, loader, EpochLoader::new(Slope, 20))
        .metrics((LossMetric::new(),))
        .schedule(0.05)
        .resume(true)
        .on_notice(|_| {})
}

#[test]
fn a_stream_without_an_end_is_trained_on_and_resumed() {
    let directory = TempDir::new().unwrap();
    let of = |name: &str| {
        endless(&directory.path().join(name))
            .max_updates(11)
            .every(4)
    };
    let whole = outcome(of("whole").fit(Net::new(1)).unwrap());
    let data = whole.1.epochs[2].data.unwrap();
    assert_eq!((data.batches, data.samples, data.epoch), (11, 88, None));
    for stop in 1..3 {
        let name = stop.to_string();
        stopped(of(&name), stop, Net::new(1));
        assert_eq!(outcome(of(&name).fit(Net::new(1)).unwrap()), whole);
    }
    let name = directory.path().join("none");
    for (training, name) in [
        (endless(&name).max_updates(11), "every"),
        (endless(&name).epochs(2).every(3), "epochs"),
        (endless(&name).epochs(2), "training samples"),
        (endless(&name).max_samples(80).every(3), "max_samples"),
        (
            endless(&name)
                .max_updates(11)
                .every(4)
                .schedule(StepLr::new(0.1, 1).per_epoch()),
            "batches of an epoch",
        ),
    ] {
        assert_refused(training, name);
    }
    let percent = CosineAnnealingLr::new(0.05, Length::Percent(50.0)).per_update();
    let training = endless(&name).max_updates(12).every(4).schedule(percent);
    assert_eq!(training.fit(Net::new(1)).unwrap().history.epochs[1].lr, 0.0);
}

pub fn assert_refused(training: Training<Net>, expected: &str) {
    match training.check(&Net::new(1)) {
        Err(TrainingError::Invalid { name, .. }) => assert_eq!(name, expected),
        other => panic!("{expected}: {other:?}"),
    }
}

#[test]
fn a_validation_loader_that_differs_by_epoch_goes_on_for_both_models() {
    let directory = TempDir::new().unwrap();
    let of = |name: &str| {
        let train = EpochLoader::new(Slope, 8).shuffled(1);
        let valid = EpochLoader::new(Noisy, 20).shuffled(2);
        Training::new(directory.path().join(name), train, valid)
            .metrics((LossMetric::new(),))
            .schedule(0.05)
            .resume(true)
            .on_notice(|_| {})
            .max_updates(12)
            .every(3)
            .average(Average::ema(0.9).validate(Validate::Both))
    };
    let whole = outcome(of("whole").fit(Net::new(1)).unwrap());
    stopped(of("parts"), 2, Net::new(1));
    assert_eq!(outcome(of("parts").fit(Net::new(2)).unwrap()), whole);
}
