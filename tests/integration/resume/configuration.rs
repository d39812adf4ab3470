//! What must not change when a run is resumed, and where it is written.

use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::mnist::Mnist;
use burn_lr::model::MlpConfig;
use burn_lr::scheduler::{Length, ReduceLrOnPlateau, StepLr, Warmup};
use burn_lr::training::device::Backend;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::optim::adam;
use burn_lr::training::{Damage, Training, TrainingError};
use tempfile::TempDir;

use super::{plateau, run};
use crate::common::{model, other_model, training};

#[test]
fn a_run_with_lengths_in_percent_is_not_stretched() {
    let device = Backend::Flex.device().unwrap();
    let directory = TempDir::new().unwrap();
    let fit = |epochs| {
        let schedule = StepLr::new(0.01, Length::Percent(50.0));
        training(directory.path(), schedule.per_epoch())
            .epochs(epochs)
            .resume(true)
            .on_notice(|_| {})
            .fit(model(&device))
    };
    let config = || std::fs::read(directory.path().join("burn-lr.json")).unwrap();
    fit(2).unwrap();
    let before = config();
    assert!(matches!(
        fit(4),
        Err(TrainingError::Extended { unit, .. }) if unit == "epochs"
    ));
    assert_eq!(config(), before);
}

#[test]
fn a_changed_configuration_is_refused_by_field() {
    let device = Backend::Flex.device().unwrap();
    let directory = TempDir::new().unwrap();
    run(directory.path()).epochs(1).fit(model(&device)).unwrap();
    let config = std::fs::read(directory.path().join("burn-lr.json")).unwrap();
    let data = |samples, batch| {
        let mnist = Mnist::bundled().unwrap();
        Training::new(
            directory.path(),
            EpochLoader::new(mnist.train.first(samples), batch).shuffled(42),
            EpochLoader::new(mnist.test.first(500), 64),
        )
        .schedule(plateau().per_update())
        .metrics((LossMetric::new(), AccuracyMetric::new()))
        .resume(true)
    };
    let wider = MlpConfig::new().with_hidden(64);
    let steeper = Warmup::new(ReduceLrOnPlateau::new(0.02), 8);
    let refused = [
        (
            run(directory.path())
                .schedule(steeper.per_update())
                .fit(model(&device)),
            "schedule.schedule.Warmup",
        ),
        (
            run(directory.path())
                .schedule(plateau().per_epoch())
                .fit(model(&device)),
            "schedule.clock",
        ),
        (
            run(directory.path())
                .optimizer(adam().with_beta_1(0.8))
                .fit(model(&device)),
            "optimizer.Adam.beta_1",
        ),
        (
            run(directory.path())
                .settings(serde_json::json!({"seed": 1}))
                .fit(model(&device)),
            "settings",
        ),
        (
            run(directory.path()).fit(other_model(&wider, &device)),
            "model",
        ),
        (data(500, 32).fit(model(&device)), "train.batch_size"),
        (data(400, 64).fit(model(&device)), "train.available"),
    ];
    for (result, expected) in refused {
        let Err(TrainingError::ConfigChanged {
            field,
            saved,
            current,
            ..
        }) = result
        else {
            panic!("{expected}: {result:?}");
        };
        assert!(field.starts_with(expected), "{field} is not {expected}");
        assert_ne!(saved, current);
    }
    let unasked = run(directory.path()).resume(false).fit(model(&device));
    assert!(matches!(unasked, Err(TrainingError::RunExists { .. })));
    assert_eq!(
        std::fs::read(directory.path().join("burn-lr.json")).unwrap(),
        config
    );
}

#[test]
fn a_configuration_that_is_lost_or_damaged_is_restored_from_the_checkpoint() {
    let device = Backend::Flex.device().unwrap();
    let directory = TempDir::new().unwrap();
    run(directory.path()).epochs(1).fit(model(&device)).unwrap();
    let file = directory.path().join("burn-lr.json");
    let intact = std::fs::read_to_string(&file).unwrap();
    for damaged in [
        None,
        Some(""),
        Some(&intact[..intact.len() / 2]),
        Some(&intact.replace("0.01", "0.05")),
    ] {
        match damaged {
            None => std::fs::remove_file(&file).unwrap(),
            Some(damaged) => std::fs::write(&file, damaged).unwrap(),
        }
        let other = other_model(&MlpConfig::new().with_hidden(64), &device);
        let refused = run(directory.path()).epochs(1).fit(other);
        assert!(
            matches!(refused, Err(TrainingError::ConfigChanged { field, .. }) if field == "model")
        );
        let unasked = run(directory.path()).resume(false).fit(model(&device));
        assert!(matches!(unasked, Err(TrainingError::RunExists { .. })));

        let (notices, said) = std::sync::mpsc::channel();
        run(directory.path())
            .epochs(1)
            .on_notice(move |notice| notices.send(notice.to_owned()).unwrap())
            .fit(model(&device))
            .unwrap();
        let said: Vec<String> = said.iter().collect();
        let told = said[0].contains("burn-lr.json") && said[0].contains("restored from");
        assert!(told, "{said:?}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), intact);
    }

    // Without a checkpoint there is nothing to restore it from.
    std::fs::remove_dir_all(directory.path().join("checkpoint")).unwrap();
    std::fs::write(&file, &intact[..intact.len() / 2]).unwrap();
    let lost = run(directory.path()).epochs(1).fit(model(&device));
    assert!(
        matches!(lost, Err(TrainingError::Damaged(Damage::Content { path, .. })) if path == file)
    );
}
