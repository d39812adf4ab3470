//! The experiment on a few hundred real images, through the Learner.

use crate::common::{SAMPLES, halving, model, other_model, parameters, training};
use burn_lr::mnist::Mnist;
use burn_lr::model::MlpConfig;
use burn_lr::scheduler::{ReduceLrOnPlateau, ScheduleConfig, StepLr};
use burn_lr::training::device::Backend;
use burn_lr::training::metrics::History;
use burn_lr::training::storage::load_model;
use burn_lr::training::{Trained, TrainingError};
use tempfile::TempDir;

#[test]
fn it_learns_with_the_configured_learning_rates() {
    for backend in Backend::compiled() {
        let device = backend.device().unwrap();
        let directory = TempDir::new().unwrap();
        let Trained { model, history, .. } = training(directory.path(), halving().per_epoch())
            .epochs(7)
            .fit(crate::common::model(&device))
            .unwrap();

        let rates: Vec<(f64, f64)> = history.epochs.iter().map(|e| (e.lr, e.next_lr)).collect();
        let (a, b, c) = (0.01, 0.005, 0.0025);
        assert_eq!(
            rates,
            [(a, a), (a, a), (a, b), (b, b), (b, b), (b, c), (c, c)]
        );

        let (first, last) = (&history.epochs[0], &history.epochs[6]);
        assert!(
            last.train("loss") < first.train("loss") / 4.0,
            "{history:?}"
        );
        assert!(last.valid("accuracy") > 0.8, "{history:?}");
        assert!(
            last.train("accuracy") > last.valid("accuracy"),
            "{history:?}"
        );

        let loaded = other_model(&MlpConfig::new(), &device);
        let loaded = load_model(&directory.path().join("final.bpk"), loaded).unwrap();
        assert_eq!(parameters(&loaded), parameters(&model));
    }
}

/// Validation metrics by hand, every sample counting once, against the ones the Learner reported.
#[test]
fn every_sample_counts_once_in_the_validation_metrics() {
    use burn::nn::loss::CrossEntropyLossConfig;
    use burn_lr::training::loader::{BatchSource, Sample};

    let device = Backend::Flex.device().unwrap();
    let directory = TempDir::new().unwrap();
    let Trained { model, history, .. } = training(directory.path(), halving().per_epoch())
        .fit(crate::common::model(&device))
        .unwrap();

    let all: Vec<Sample> = (0..SAMPLES).map(Sample::new).collect();
    let batch = Mnist::bundled().unwrap().test.batch(&all, &device).unwrap();
    let logits = model.forward(batch.inputs);
    let right = logits
        .clone()
        .argmax(1)
        .flatten::<1>(0, 1)
        .equal(batch.targets.clone());
    let accuracy = right.int().sum().into_scalar::<i64>() as f64 / SAMPLES as f64;
    let loss = CrossEntropyLossConfig::new()
        .init(&device)
        .forward(logits, batch.targets)
        .into_scalar::<f64>();

    let epoch = &history.epochs[0];
    assert!((epoch.valid("accuracy") - accuracy).abs() < 1e-12);
    assert!(
        (epoch.valid("loss") - loss).abs() < 1e-6,
        "{} {loss}",
        epoch.valid("loss")
    );
}

#[test]
fn equal_seeds_give_equal_bits() {
    for backend in Backend::compiled() {
        let run = || {
            let directory = TempDir::new().unwrap();
            let device = backend.device().unwrap();
            let mut trained = training(directory.path(), halving().per_epoch())
                .epochs(3)
                .fit(model(&device))
                .unwrap();
            for epoch in &mut trained.history.epochs {
                epoch.seconds = 0.0;
            }
            (parameters(&trained.model), trained.history)
        };
        let (first, second) = (run(), run());
        assert!(first.0 == second.0, "the weights differ on {backend}");
        assert_eq!(first.1, second.1, "{backend}");
    }
}

#[test]
fn per_update_schedules_step_with_every_update() {
    let device = Backend::Flex.device().unwrap();
    // 500 samples in batches of 64 are 8 batches: 8 updates, or 3 with 3 batches each.
    for (accumulation, updates) in [(1, 8), (3, 3)] {
        let directory = TempDir::new().unwrap();
        let schedule = StepLr::new(1e-3, 1).with_gamma(0.5);
        let history = training(directory.path(), schedule.per_update())
            .grads_accumulation(accumulation)
            .epochs(2)
            .fit(model(&device))
            .unwrap()
            .history;
        for (epoch, record) in (1..).zip(&history.epochs) {
            assert_eq!(record.next_lr, 1e-3 * 0.5f64.powi(epoch * updates));
            assert_eq!(record.lr, 2.0 * record.next_lr);
        }
    }
}

#[test]
fn a_plateau_hears_the_validation_loss() {
    let device = Backend::Flex.device().unwrap();
    let directory = TempDir::new().unwrap();
    // No loss is ever better than the first by more than 100 of them.
    let plateau = ReduceLrOnPlateau::new(0.01)
        .with_factor(0.5)
        .with_patience(1)
        .with_threshold(100.0, burn_lr::scheduler::ThresholdMode::Abs);
    let history: History = training(directory.path(), plateau.per_epoch())
        .epochs(5)
        .fit(model(&device))
        .unwrap()
        .history;
    let next: Vec<f64> = history.epochs.iter().map(|epoch| epoch.next_lr).collect();
    assert_eq!(next, [0.01, 0.01, 0.005, 0.005, 0.0025]);
}

#[test]
fn the_directory_tells_what_was_run() {
    let device = Backend::Flex.device().unwrap();
    let directory = TempDir::new().unwrap();
    let trained = training(directory.path(), halving().per_epoch())
        .epochs(2)
        .settings(serde_json::json!({ "seed": 42 }))
        .fit(model(&device))
        .unwrap();

    let read = |name| std::fs::read_to_string(directory.path().join(name)).unwrap();
    let config: serde_json::Value = serde_json::from_str(&read("burn-lr.json")).unwrap();
    assert_eq!(config["fixed"]["settings"]["seed"], 42);
    assert_eq!(config["fixed"]["optimizer"]["Adam"]["epsilon"], 1e-8);
    assert_eq!(config["fixed"]["updates_per_epoch"], 8);
    let schedule =
        ScheduleConfig::from_json(&config["fixed"]["schedule"]["schedule"].to_string()).unwrap();
    assert_eq!(schedule, halving().into());

    let history: History = serde_json::from_str(&read("history.json")).unwrap();
    assert_eq!(history, trained.history);
    assert_eq!(read("history.csv"), trained.history.to_csv());
}

#[test]
fn settings_that_make_no_sense_are_refused_before_anything_is_written() {
    let device = Backend::Flex.device().unwrap();
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("run");
    let none = training(&directory, halving().per_epoch())
        .epochs(0)
        .fit(model(&device));
    assert!(matches!(
        none,
        Err(TrainingError::Invalid { name: "epochs", .. })
    ));
    let negative = training(&directory, StepLr::new(-1.0, 3).per_epoch()).fit(model(&device));
    assert!(matches!(negative, Err(TrainingError::Schedule(_))));
    assert!(!directory.exists());

    std::fs::write(&directory, "a file").unwrap();
    let blocked = training(&directory, halving().per_epoch()).fit(model(&device));
    assert!(matches!(blocked, Err(TrainingError::File { .. })));
}
