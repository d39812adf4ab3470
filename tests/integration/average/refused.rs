//! Averages that make no sense, before anything is written, and those that are others than before.

use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn_lr::training::average::{Average, AverageError, Decay, Ema, Statistics, Validate};
use burn_lr::training::checkpoint::KeepPolicy;
use burn_lr::training::loader::{EpochLoader, Loader};
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use crate::common::line::{Points, Slope};
use crate::engine::net::{Net, run};
use crate::engine::tree::tree;

/// Refused by `check`, `can_resume` and `fit` alike, and no directory is made.
fn refusal(configured: impl Fn(&Path) -> Training<Net>) -> TrainingError {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let checked = configured(&path).check(&Net::new(1)).unwrap_err();
    let asked = configured(&path).can_resume(&Net::new(1)).unwrap_err();
    let refused = configured(&path).fit(Net::new(1)).unwrap_err();
    assert_eq!(format!("{checked:?}"), format!("{refused:?}"));
    assert_eq!(format!("{asked:?}"), format!("{refused:?}"));
    assert!(!path.exists(), "{refused}");
    refused
}

fn average(average: &Average) -> AverageError {
    match refusal(|path| run(path).average(average.clone())) {
        TrainingError::Average(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_average_that_makes_no_sense_is_refused_by_its_setting() {
    for (wrong, expected) in [
        (Average::ema(1.0), "decay"),
        (Average::ema(f64::NAN), "decay"),
        (
            Average::ema(Ema::new(0.9).with_warmup(0.0, 1.0)),
            "inv_gamma",
        ),
        (Average::ema(0.9).every_updates(0), "every"),
        (Average::checkpoints(0, Decay::Linear), "checkpoints"),
    ] {
        assert!(matches!(average(&wrong), AverageError::Setting { name, .. } if name == expected));
    }
    // Of 4 epochs of 5 updates.
    let late = average(&Average::swa().after_epochs(4));
    assert_eq!(
        late.to_string(),
        "average: start: expected the first weights after one of the 4 epochs of the run, got number 5"
    );
    assert_eq!(
        average(&Average::ema(0.9).after_updates(20)),
        AverageError::NeverBegins {
            unit: "updates",
            run: 20,
            first: 21
        }
    );
    // Of 17 updates in periods of 3, the last of which has 2.
    let in_updates = |average: Average| {
        let refused = refusal(|path| run(path).max_updates(17).every(3).average(average.clone()));
        refused.to_string()
    };
    let never = in_updates(Average::ema(0.9).after_updates(17));
    assert!(
        never.contains("the 17 updates of the run, got number 18"),
        "{never}"
    );
    let never = in_updates(Average::ema(0.9).after_epochs(5).every_updates(3));
    assert!(
        never.contains("the 17 updates of the run, got number 18"),
        "{never}"
    );
    let never = in_updates(Average::swa().after_updates(15).every_epochs(2));
    assert!(
        never.contains("the 6 epochs of the run, got number 7"),
        "{never}"
    );
    for last in [
        Average::ema(0.9).after_updates(16),
        Average::ema(0.9).after_epochs(5).every_updates(2),
        Average::swa().after_updates(16),
    ] {
        let directory = TempDir::new().unwrap();
        let training = run(directory.path()).max_updates(17).every(3).average(last);
        training.check(&Net::new(1)).unwrap();
    }
    // Two are kept by default.
    let more = Average::checkpoints(3, Decay::Linear);
    let expected = AverageError::TooFewKept { kept: 2, found: 3 };
    assert_eq!(average(&more), expected);
    let directory = TempDir::new().unwrap();
    let kept = run(directory.path())
        .keep(KeepPolicy::last(3))
        .average(more);
    kept.check(&Net::new(1)).unwrap();
}

#[test]
fn several_devices_are_refused() {
    let several = |path: &Path| {
        let devices = vec![Device::flex(); 2];
        run(path).devices(devices).average(Average::ema(0.9))
    };
    assert!(matches!(
        refusal(several),
        TrainingError::Invalid {
            name: "average",
            ..
        }
    ));
}

#[test]
fn statistics_are_not_recomputed_over_data_that_cannot_be_had_again() {
    let on = |train: Loader<Points>, path: &Path| -> Training<Net> {
        Training::new(path, train, EpochLoader::new(Slope, 20))
            .metrics((LossMetric::new(),))
            .average(Average::swa().statistics(Statistics::Recomputed))
    };
    let burns = || -> Arc<dyn DataLoader<Points>> { Arc::new(EpochLoader::new(Slope, 8)) };
    let once = |path: &Path| on(Loader::replayable(burns()), path);
    assert!(matches!(
        refusal(once),
        TrainingError::Invalid {
            name: "average: statistics",
            ..
        }
    ));
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let made = on(Loader::replayable_by(burns), &path);
    made.check(&Net::new(1)).unwrap();
}

#[test]
fn another_average_is_refused_when_a_run_is_resumed() {
    let directory = TempDir::new().unwrap();
    let begun = Average::ema(0.9);
    let begin = run(directory.path()).epochs(1).average(begun.clone());
    begin.fit(Net::new(1)).unwrap();
    let before = tree(directory.path());
    let field = |average: Option<Average>| {
        let again = || match &average {
            Some(average) => run(directory.path()).average(average.clone()),
            None => run(directory.path()),
        };
        let asked = again().can_resume(&Net::new(1));
        let fields = [asked, again().fit(Net::new(1)).map(drop)].map(|refused| match refused {
            Err(TrainingError::ConfigChanged { field, .. }) => field,
            other => panic!("{other:?}"),
        });
        assert!(tree(directory.path()) == before);
        assert_eq!(fields[0], fields[1]);
        let [field, _] = fields;
        field
    };
    let ema = "average.kind.running.ema";
    assert_eq!(field(Some(Average::ema(0.8))), format!("{ema}.decay"));
    let warm = Average::ema(Ema::new(0.9).with_warmup(1.0, 1.0));
    assert_eq!(field(Some(warm)), format!("{ema}.warmup"));
    let changes = [
        (Average::swa().every_updates(1), "average.kind.running"),
        (begun.clone().every_updates(2), "average.every.updates"),
        (
            begun.clone().after_updates(1),
            "average.start.after_updates",
        ),
        (
            begun.clone().statistics(Statistics::Copied),
            "average.statistics",
        ),
        (begun.clone().validate(Validate::Both), "average.validate"),
    ];
    for (changed, expected) in changes {
        assert_eq!(field(Some(changed)), expected);
    }
    assert_eq!(field(None), "average");
    // Also if only the checkpoint says what it was.
    std::fs::remove_file(directory.path().join("burn-lr.json")).unwrap();
    let gone = run(directory.path()).fit(Net::new(1));
    assert!(
        matches!(&gone, Err(TrainingError::ConfigChanged { field, .. }) if field == "average"),
        "{gone:?}"
    );
    run(directory.path())
        .average(begun)
        .fit(Net::new(1))
        .unwrap();

    let directory = TempDir::new().unwrap();
    run(directory.path()).epochs(1).fit(Net::new(1)).unwrap();
    let new = run(directory.path())
        .average(Average::swa())
        .fit(Net::new(1));
    assert!(
        matches!(&new, Err(TrainingError::ConfigChanged { field, .. }) if field == "average"),
        "{new:?}"
    );
}
