//! What is refused before anything is written, and what is said of schedules.

use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn_lr::scheduler::{Clocked, CosineAnnealingLr, CosineAnnealingWarmRestarts, Length, Warmup};
use burn_lr::training::average::Average;
use burn_lr::training::loader::{EpochLoader, Loader};
use burn_lr::training::optim::{
    Group, OptimError, OptimizerConfig, ProdigyConfig, ScheduleFreeAdamWConfig,
    ScheduleFreeSgdConfig, Select,
};
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use crate::average::statistics::Normed;
use crate::common::line::{Points, Slope};
use crate::engine::net::{Net, noted, run};

/// Refused by `check` and `fit` alike, and no directory is made.
fn refusal(configured: impl Fn(&Path) -> Training<Net>) -> TrainingError {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let checked = configured(&path).check(&Net::new(1)).unwrap_err();
    let refused = configured(&path).fit(Net::new(1)).unwrap_err();
    assert_eq!(format!("{checked:?}"), format!("{refused:?}"));
    assert!(!path.exists(), "{refused}");
    refused
}

fn name(error: &TrainingError) -> &str {
    match error {
        TrainingError::Invalid { name, .. } => name,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_average_beside_the_optimizers_is_refused() {
    let sgd = || OptimizerConfig::from(ScheduleFreeSgdConfig::new());
    let twice = |path: &Path| run(path).optimizer(sgd()).average(Average::ema(0.9));
    assert_eq!(name(&refusal(twice)), "average");
    let second = |path: &Path| {
        let second = Group::new("second", Select::prefix("second")).optimizer(sgd());
        run(path).group(second).average(Average::swa())
    };
    assert_eq!(name(&refusal(second)), "average");
    // Prodigy keeps none.
    let directory = TempDir::new().unwrap();
    let prodigy = run(directory.path())
        .optimizer(ProdigyConfig::new())
        .schedule(1.0);
    prodigy.average(Average::swa()).check(&Net::new(1)).unwrap();
}

#[test]
fn several_devices_are_refused() {
    for (optimizer, lr) in [
        (OptimizerConfig::from(ScheduleFreeSgdConfig::new()), 0.1),
        (ProdigyConfig::new().into(), 1.0),
    ] {
        let error = refusal(|path| {
            let training = run(path).optimizer(optimizer.clone()).schedule(lr);
            training.devices([Device::flex(), Device::flex()])
        });
        assert_eq!(name(&error), "optimizer");
    }
}

#[test]
fn rates_that_are_not_for_prodigy_are_refused() {
    let prodigy = |path: &Path, lr: f64| run(path).optimizer(ProdigyConfig::new()).schedule(lr);
    for lr in [1e-3, 0.0, 11.0] {
        let error = refusal(|path| prodigy(path, lr));
        let TrainingError::Optim(OptimError::ProdigyRate { found }) = error else {
            panic!("{error:?}");
        };
        assert_eq!(found, lr);
    }
    let scaled = |path: &Path| {
        let second = Group::new("second", Select::prefix("second")).lr_scale(0.1);
        prodigy(path, 1.0).group(second)
    };
    assert!(matches!(
        refusal(scaled),
        TrainingError::Optim(OptimError::ProdigyGroupRate { .. })
    ));
}

#[test]
fn batch_norms_need_their_data_again() {
    let directory = TempDir::new().unwrap();
    let on = |train: Loader<Points>| -> Training<Normed> {
        Training::new(
            directory.path().join("run"),
            train,
            EpochLoader::new(Slope, 20),
        )
        .metrics((LossMetric::new(),))
        .optimizer(ScheduleFreeSgdConfig::new())
    };
    let burns = || -> Arc<dyn DataLoader<Points>> { Arc::new(EpochLoader::new(Slope, 8)) };
    let error = on(Loader::replayable(burns()))
        .check(&Normed::new(1))
        .unwrap_err();
    assert_eq!(name(&error), "average: statistics");
    on(Loader::replayable_by(burns))
        .check(&Normed::new(1))
        .unwrap();
}

/// What is said of the schedule, by the words that matter.
fn said(optimizer: impl Into<OptimizerConfig>, schedule: impl Into<Clocked>) -> Vec<String> {
    let directory = TempDir::new().unwrap();
    let training = run(directory.path())
        .optimizer(optimizer)
        .schedule(schedule);
    let (training, said) = noted(training);
    training.fit(Net::new(1)).unwrap();
    said.iter().collect()
}

#[test]
fn schedules_that_are_not_needed_or_mislead_are_told_by_name() {
    let cosine = || CosineAnnealingLr::new(1.0, Length::Percent(100.0));
    let restarts = || CosineAnnealingWarmRestarts::new(1.0, 7).per_update();
    let warmup = || Warmup::new(cosine(), 5).per_update();
    let prodigy = ProdigyConfig::new();
    assert!(said(prodigy, 1.0).is_empty());
    assert!(said(prodigy, cosine().per_update()).is_empty());
    let told = said(prodigy, restarts());
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("CosineAnnealingWarmRestarts rises again"),
        "{told:?}"
    );
    let told = said(prodigy, warmup());
    assert!(told[0].contains("Warmup rises at first"), "{told:?}");
    for schedule in [restarts(), warmup()] {
        assert!(said(prodigy.with_safeguard_warmup(true), schedule).is_empty());
    }

    let free = ScheduleFreeAdamWConfig::new();
    assert!(said(free, 0.01).is_empty());
    assert!(
        said(
            free,
            Warmup::new(burn_lr::scheduler::Constant::new(0.01), 5).per_update()
        )
        .is_empty()
    );
    let told = said(free, CosineAnnealingLr::new(0.01, 20).per_update());
    assert_eq!(told.len(), 1, "{told:?}");
    let named = "ScheduleFreeAdamW needs no rate that falls, and has that of CosineAnnealingLr";
    assert!(told[0].starts_with(named), "{told:?}");
}

#[test]
fn of_a_group_the_schedule_of_its_own_is_told() {
    let said = |of_run: Clocked, of_group: Clocked| {
        let directory = TempDir::new().unwrap();
        let group = Group::new("first", Select::prefix("first"))
            .optimizer(ScheduleFreeSgdConfig::new())
            .schedule(of_group);
        let (training, said) = noted(run(directory.path()).schedule(of_run).group(group));
        training.fit(Net::new(1)).unwrap();
        said.iter().collect::<Vec<String>>()
    };
    let cosine = || CosineAnnealingLr::new(0.01, 20).per_update();
    let told = said(0.01.into(), cosine());
    assert_eq!(told.len(), 1, "{told:?}");
    let named = "ScheduleFreeSgd needs no rate that falls, and has that of CosineAnnealingLr";
    assert!(told[0].starts_with(named), "{told:?}");
    assert!(said(cosine(), 0.01.into()).is_empty());
}
