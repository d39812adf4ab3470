//! A run that averages its weights is resumed to the bit, and averages what it says.

use std::fs;
use std::path::Path;

use burn::module::Module;
use burn::train::metric::LossMetric;
use burn_lr::scheduler::{Sequence, StepLr, SwaLr};
use burn_lr::training::average::{Average, Decay, Ema, ModelAverage, Rule, Statistics, merged};
use burn_lr::training::checkpoint::{CheckpointStore, KeepPolicy, MODEL};
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::optim::NonFinite;
use burn_lr::training::run::RunDirectory;
use burn_lr::training::storage::load_model;
use burn_lr::training::{Trained, Training, TrainingError};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::line::Slope;
use crate::engine::net::{BATCHES, EPOCHS, Net, outcome, run, stopped, values};
use crate::engine::noisy::Poisoned;

type Weights = Vec<Vec<f32>>;

/// The weights, those of the average, and the history as text.
fn ended(trained: Trained<Net>) -> (Weights, Weights, String) {
    let average = values(trained.average.as_ref().unwrap());
    let (weights, history) = outcome(trained);
    (weights, average, serde_json::to_string(&history).unwrap())
}

fn averages() -> Vec<(&'static str, Average)> {
    vec![
        ("ema", Average::ema(0.9)),
        (
            "ema, warmed up, every 3",
            Average::ema(Ema::new(0.9).with_warmup(2.0, 0.75)).every_updates(3),
        ),
        ("ema, every epoch", Average::ema(0.5).every_epochs(1)),
        ("swa", Average::swa()),
        ("swa, after 2", Average::swa().after_epochs(2)),
        ("swa, every 2", Average::swa().every_epochs(2)),
        (
            "swa, after 7 updates",
            Average::swa().after_updates(7).every_updates(4),
        ),
        (
            "swa, after an epoch",
            Average::swa().after_epochs(1).every_updates(2),
        ),
        ("wsm", Average::checkpoints(3, Decay::Cosine)),
    ]
}

fn averaging(directory: &Path, average: &Average) -> Training<Net> {
    run(directory)
        .average(average.clone())
        .keep(KeepPolicy::last(3))
        .strict(true)
}

#[test]
fn a_stop_after_any_epoch_changes_no_bit_of_weights_and_average() {
    for (name, average) in averages() {
        let whole = TempDir::new().unwrap();
        let expected = ended(averaging(whole.path(), &average).fit(Net::new(1)).unwrap());
        let file = |directory: &Path| fs::read(RunDirectory::new(directory).average_model());
        assert_ne!(expected.0, expected.1, "{name}");
        let each = TempDir::new().unwrap();
        for stop in 1..EPOCHS {
            let parts = TempDir::new().unwrap();
            stopped(averaging(parts.path(), &average), stop, Net::new(1));
            stopped(averaging(each.path(), &average), stop, Net::new(stop));
            let resumed = averaging(parts.path(), &average).fit(Net::new(2)).unwrap();
            assert_eq!(ended(resumed), expected, "{name}: after {stop}");
            let again = averaging(parts.path(), &average).fit(Net::new(3)).unwrap();
            assert_eq!(ended(again), expected, "{name}: when it is complete");
            let loaded = load_model(
                &RunDirectory::new(parts.path()).average_model(),
                Net::new(4),
            );
            assert_eq!(values(&loaded.unwrap()), expected.1, "{name}");
        }
        let resumed = averaging(each.path(), &average).fit(Net::new(2)).unwrap();
        assert_eq!(ended(resumed), expected, "{name}: after every epoch");
        assert!(!file(each.path()).unwrap().is_empty());
    }
}

#[test]
fn a_damaged_average_is_passed_over_with_its_checkpoint() {
    let average = Average::ema(0.9);
    let (whole, parts) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let expected = ended(averaging(whole.path(), &average).fit(Net::new(1)).unwrap());
    stopped(averaging(parts.path(), &average), 3, Net::new(1));
    for file in ["average.bpk", "average.json"] {
        let path = parts.path().join("checkpoint/epoch-0003").join(file);
        let mut bytes = fs::read(&path).unwrap();
        bytes[0] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    let resumed = averaging(parts.path(), &average).fit(Net::new(2)).unwrap();
    assert_eq!(ended(resumed), expected);
}

#[test]
fn the_model_is_trained_as_without_an_average() {
    let directories = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let plain = run(directories[0].path()).fit(Net::new(1)).unwrap();
    assert!(plain.average.is_none());
    let expected = outcome(plain).0;
    let averaged = run(directories[1].path()).average(Average::ema(0.9));
    assert_eq!(outcome(averaged.fit(Net::new(1)).unwrap()).0, expected);

    // And nothing of an average is to be found then.
    let run = directories[0].path();
    assert!(!RunDirectory::new(run).average_model().exists());
    assert!(!run.join("checkpoint/epoch-0004/average.bpk").exists());
    assert!(
        !fs::read_to_string(run.join("burn-lr.json"))
            .unwrap()
            .contains("average")
    );
}

/// The models at the end of each epoch.
fn models(directory: &Path) -> Vec<Net> {
    let store = CheckpointStore::open(directory.join("checkpoint"), &[MODEL]).unwrap();
    let model = |epoch: &usize| {
        let checkpoint = store.load(*epoch).unwrap();
        checkpoint.module(MODEL, Net::new(9)).unwrap()
    };
    store.epochs().iter().map(model).collect()
}

#[test]
fn it_is_the_average_of_the_models_of_the_epochs() {
    let averaged = |average: Average| {
        let directory = TempDir::new().unwrap();
        let training = averaging(directory.path(), &average).keep(KeepPolicy::all());
        let trained = training.fit(Net::new(1)).unwrap();
        (models(directory.path()), trained.average.unwrap())
    };
    let by_hand = |rule: Rule, models: &[Net]| {
        let mut average = ModelAverage::new(rule, Statistics::Averaged, &models[0]).unwrap();
        models.iter().for_each(|m| average.update(m).unwrap());
        values(&average.model())
    };
    let (models, found) = averaged(Average::swa());
    assert_eq!(values(&found), by_hand(Rule::Equal, &models));
    let (models, found) = averaged(Average::swa().after_epochs(2));
    assert_eq!(values(&found), by_hand(Rule::Equal, &models[2..]));
    let (models, found) = averaged(Average::swa().every_updates(2 * BATCHES));
    let even = [models[1].clone(), models[3].clone()];
    assert_eq!(values(&found), by_hand(Rule::Equal, &even));
    let (models, found) = averaged(Average::ema(0.3).every_epochs(1));
    assert_eq!(values(&found), by_hand(Ema::new(0.3).into(), &models));
    let (models, found) = averaged(Average::checkpoints(3, Decay::OneMinusSqrt));
    let coefficients = Decay::OneMinusSqrt.coefficients(3);
    let last = merged(models[1..].iter().cloned(), &coefficients).unwrap();
    assert_eq!(values(&found), values(&last));
}

/// What `average.json` of the last checkpoint says.
fn progress(directory: &Path) -> Value {
    let path = directory.join(format!("checkpoint/epoch-{EPOCHS:04}/average.json"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn it_hears_of_updates_not_of_batches_nor_of_those_that_were_skipped() {
    let directory = TempDir::new().unwrap();
    let accumulating = run(directory.path()).grads_accumulation(2);
    let average = Average::ema(0.9).after_updates(2);
    accumulating.average(average).fit(Net::new(1)).unwrap();
    let updates = EPOCHS as u64 * BATCHES.div_ceil(2);
    let said = progress(directory.path());
    assert_eq!(said["updates"], updates);
    assert_eq!(said["averaged"], updates - 2);

    let directory = TempDir::new().unwrap();
    // Sample 20 is in the third batch of the second epoch.
    let poisoned = Poisoned {
        index: 20,
        epochs: 2..3,
    };
    let valid = EpochLoader::new(Slope, 20);
    Training::<Net>::new(directory.path(), EpochLoader::new(poisoned, 8), valid)
        .metrics((LossMetric::new(),))
        .non_finite(NonFinite::Skip)
        .epochs(EPOCHS)
        .average(Average::ema(0.9))
        .fit(Net::new(1))
        .unwrap();
    assert_eq!(
        progress(directory.path())["averaged"],
        EPOCHS as u64 * BATCHES - 1
    );
}

#[test]
fn it_goes_with_the_schedule_of_stochastic_weight_averaging() {
    let schedule = || {
        let swa = SwaLr::new(0.005, 0.02).with_anneal_steps(1);
        let decay = StepLr::new(0.01, 1).with_gamma(0.5);
        Sequence::new([decay.into(), swa.into()], [2]).per_epoch()
    };
    let directory = TempDir::new().unwrap();
    let average = Average::swa().after_epochs(2);
    let training = run(directory.path()).schedule(schedule()).average(average);
    let trained = training.keep(KeepPolicy::all()).fit(Net::new(1)).unwrap();
    assert_eq!(trained.history.epochs[3].lr, 0.02);
    let models = models(directory.path());
    let mean = merged([models[2].clone(), models[3].clone()], &[0.5, 0.5]).unwrap();
    assert_eq!(values(&trained.average.unwrap()), values(&mean.valid()));
}

#[test]
fn the_checkpoints_of_any_run_can_be_averaged_afterwards() {
    let directory = TempDir::new().unwrap();
    let path = RunDirectory::new(directory.path());
    let missing = path.merged(1, Decay::Linear, Net::new(1));
    assert!(matches!(missing, Err(TrainingError::Damaged(_))));
    assert!(!path.checkpoints().exists());
    let training = run(directory.path()).keep(KeepPolicy::last(3));
    training.fit(Net::new(1)).unwrap();
    let models = models(directory.path());
    let expected = merged(models, &Decay::Cosine.coefficients(3)).unwrap();
    let found = path.merged(3, Decay::Cosine, Net::new(5)).unwrap();
    assert_eq!(values(&found), values(&expected));
    for (last, expected) in [(0, "checkpoints"), (4, "KeepPolicy::last")] {
        let refused = path.merged(last, Decay::Cosine, Net::new(5));
        let Err(TrainingError::Average(error)) = refused else {
            panic!("{refused:?}")
        };
        assert!(error.to_string().contains(expected), "{error}");
    }
}
