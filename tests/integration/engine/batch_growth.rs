//! Updates of more and more batches.

use std::path::Path;

use burn::optim::SgdConfig;
use burn_lr::scheduler::{CosineAnnealingLr, Length, StepLr};
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::run::{BatchGrowth, Period};
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use super::net::{BATCHES, EPOCHS, Net, assert_resumes, on_points, outcome, run};
use crate::common::line::Slope;

fn updates(training: Training<Net>) -> Vec<u64> {
    let history = training.fit(Net::new(1)).unwrap().history;
    history.epochs.iter().map(|epoch| epoch.updates).collect()
}

#[test]
fn runs_resume_exactly() {
    // 5 batches of 8 in an epoch: the 3rd and the 4th have one update of 3 and one of 2.
    let by_updates = |directory: &Path| {
        run(directory).grow_batch(BatchGrowth::by_updates([(0, 1), (6, 2), (8, 3)]))
    };
    let (_, history) = assert_resumes("by updates", by_updates);
    let ends: Vec<u64> = history.epochs.iter().map(|epoch| epoch.updates).collect();
    assert_eq!(ends, [5, 8, 10, 12]);
    let by_samples = |directory: &Path| {
        run(directory).grow_batch(BatchGrowth::by_samples([(0, 1), (41, 2), (100, 4)]))
    };
    let (_, history) = assert_resumes("by samples", by_samples);
    let ends: Vec<u64> = history.epochs.iter().map(|epoch| epoch.updates).collect();
    // At 40 samples an update of 1, then of 2, 2; at 80 of 2 and 2, then 4 each.
    assert_eq!(ends, [5, 8, 11, 13]);
    let in_updates = |directory: &Path| {
        let training = run(directory).max_updates(12).every(3);
        let growth = BatchGrowth::by_samples([(0, 1), (41, 2), (100, 4)]);
        training
            .schedule(CosineAnnealingLr::new(0.01, Length::Percent(100.0)).per_update())
            .grow_batch(growth)
    };
    let (_, history) = assert_resumes("in updates", in_updates);
    let samples: Vec<u64> = history
        .epochs
        .iter()
        .map(|epoch| epoch.data.unwrap().samples)
        .collect();
    // Of the third epoch one batch is left for the update before the last.
    assert_eq!(samples, [24, 48, 96, 152]);
}

#[test]
fn an_update_has_the_mean_of_its_batches() {
    let weights = |training: Training<Net>| {
        let training = training.optimizer(SgdConfig::new()).schedule(0.1);
        outcome(training.fit(Net::new(1)).unwrap()).0.concat()
    };
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    let twice = BatchGrowth::by_updates([(0, 2)]);
    // 32 of 40 points in batches of 8: an update of 2 batches is one of 16 points.
    let grown = {
        let train = EpochLoader::new(Slope, 8).shuffled(1).drop_last();
        let valid = EpochLoader::new(Slope, 20);
        Training::<Net>::new(path("grown"), train, valid)
            .grow_batch(twice)
            .epochs(1)
    };
    let large = {
        let train = EpochLoader::new(Slope, 16).shuffled(1);
        let valid = EpochLoader::new(Slope, 20);
        Training::<Net>::new(path("large"), train, valid).epochs(1)
    };
    let (grown, large) = (weights(grown), weights(large));
    let apart = grown.iter().zip(&large).map(|(a, b)| (a - b).abs());
    assert!(apart.fold(0.0, f32::max) < 1e-6, "{grown:?} {large:?}");
    // One batch an update is what there is without.
    let one = run(&path("one")).grow_batch(BatchGrowth::by_updates([(0, 1)]));
    assert_eq!(weights(one), weights(run(&path("none"))));
}

#[test]
fn what_it_cannot_be_with_is_refused_before_anything_is_written() {
    let growth = || BatchGrowth::ramp(1, 1, 3, 100);
    let refused = |configured: &dyn Fn(Training<Net>) -> Training<Net>| {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("run");
        let training = configured(on_points(&path).grow_batch(growth()));
        let error = training.fit(Net::new(1)).unwrap_err();
        assert!(!path.exists(), "{error}");
        error
    };
    let cases: [&dyn Fn(Training<Net>) -> Training<Net>; 7] = [
        &|run| run.grads_accumulation(2),
        &|run| run.schedule(StepLr::new(0.1, 1).per_epoch()),
        &|run| run.max_samples(100),
        &|run| run.max_updates(10),
        &|run| run.max_updates(10).every(Period::Epochs(0.5)),
        &|run| run.max_updates(10).every(Period::Samples(20)),
        &|run| run.every(3),
    ];
    for configured in cases {
        let error = refused(configured);
        assert!(
            matches!(
                &error,
                TrainingError::Invalid {
                    name: "batch growth",
                    ..
                }
            ),
            "{error}"
        );
    }
    let error = refused(&|run| {
        let schedule = StepLr::new(0.1, Length::Epochs(1.0));
        run.schedule(schedule.per_update())
    });
    assert!(matches!(&error, TrainingError::Schedule(_)), "{error}");
    let error = refused(&|run| run.grow_batch(BatchGrowth::by_updates([(3, 1)])));
    assert!(matches!(&error, TrainingError::Invalid { .. }), "{error}");
}

#[test]
fn a_run_is_not_resumed_with_another_growth() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    let grown = |batches| {
        let growth = BatchGrowth::by_updates([(0, 1), (5, batches)]);
        run(path).grow_batch(growth)
    };
    assert_eq!(updates(grown(2).epochs(2)), [BATCHES, BATCHES + 3]);
    let error = grown(3).epochs(EPOCHS).fit(Net::new(1)).unwrap_err();
    assert!(
        matches!(
            &error,
            TrainingError::ConfigChanged { field, .. } if field.starts_with("batch_growth")
        ),
        "{error}"
    );
    assert_eq!(updates(grown(2)), [5, 8, 11, 14]);
}
