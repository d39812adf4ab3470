//! Which of model and average is validated, and which `best.bpk` holds.

use std::path::Path;

use burn::train::metric::LossMetric;
use burn_lr::training::average::{Average, Validate};
use burn_lr::training::checkpoint::{AVERAGE, CheckpointStore, KeepPolicy, MODEL};
use burn_lr::training::evaluate::evaluate;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::{Best, History, MetricKey, train, valid};
use burn_lr::training::run::RunDirectory;
use burn_lr::training::storage::load_model;
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use crate::common::line::Slope;
use crate::engine::net::{EPOCHS, Net, noted, outcome, run, values};

fn averaging(directory: &Path, validate: Validate) -> Training<Net> {
    let average = Average::ema(0.8).validate(validate);
    run(directory).average(average).keep(KeepPolicy::all())
}

fn history(validate: Validate) -> (TempDir, History) {
    let directory = TempDir::new().unwrap();
    let trained = averaging(directory.path(), validate).fit(Net::new(1));
    let history = outcome(trained.unwrap()).1;
    (directory, history)
}

fn column(history: &History, name: &str) -> Vec<f64> {
    let values = history.epochs.iter().map(|epoch| epoch.valid(name));
    values.collect()
}

/// The loss of that part of each checkpoint, on the points that runs are validated on.
fn losses(directory: &Path, part: &'static str) -> Vec<f64> {
    let store = CheckpointStore::open(directory.join("checkpoint"), &[part]).unwrap();
    let loss = |epoch: usize| {
        let checkpoint = store.load(epoch).unwrap();
        let model = checkpoint.module(part, Net::new(9)).unwrap();
        let loader = EpochLoader::new(Slope, 20);
        let metrics = evaluate(&model, &loader, LossMetric::new()).unwrap();
        metrics["loss"]
    };
    (1..=EPOCHS).map(loss).collect()
}

#[test]
fn metrics_are_of_what_they_say() {
    let (plain, average) = (TempDir::new().unwrap(), history(Validate::Average));
    let expected = outcome(run(plain.path()).fit(Net::new(1)).unwrap()).1;
    let (model, both) = (history(Validate::Model), history(Validate::Both));
    assert_eq!(column(&model.1, "loss"), column(&expected, "loss"));
    assert_eq!(column(&both.1, "loss"), column(&expected, "loss"));
    let of_average = column(&both.1, "average_loss");
    assert_eq!(column(&average.1, "loss"), of_average);
    assert_ne!(of_average, column(&expected, "loss"));
    for (part, values) in [(AVERAGE, of_average), (MODEL, column(&expected, "loss"))] {
        for (computed, said) in losses(both.0.path(), part).iter().zip(values) {
            assert!((computed - said).abs() < 1e-6, "{computed} for {said}");
        }
    }
    assert!(average.1.epochs[0].valid.keys().eq(["loss"]));
    assert!(both.1.epochs[0].valid.keys().eq(["average_loss", "loss"]));
    assert!(both.1.epochs[0].train.keys().eq(["loss"]));
}

/// The part of the best checkpoint by `metric` that `best.bpk` is.
fn best(validate: Validate, metric: MetricKey) -> &'static str {
    let directory = TempDir::new().unwrap();
    let keep = KeepPolicy::all().with_best(Best::min(metric.clone()));
    let training = averaging(directory.path(), validate).keep(keep);
    let history = training.fit(Net::new(1)).unwrap().history;
    let epoch = Best::min(metric).of(&history).unwrap().epoch;
    let best = RunDirectory::new(directory.path()).best_model();
    let best = values(&load_model(&best, Net::new(3)).unwrap());
    let store = CheckpointStore::open(directory.path().join("checkpoint"), &[MODEL, AVERAGE]);
    let checkpoint = store.unwrap().load(epoch).unwrap();
    let is = |part: &&str| values(&checkpoint.module(part, Net::new(3)).unwrap()) == best;
    let parts: Vec<&str> = [MODEL, AVERAGE]
        .into_iter()
        .filter(|part| is(part))
        .collect();
    let [part] = parts[..] else {
        panic!("{parts:?}")
    };
    part
}

#[test]
fn the_best_file_is_what_its_metric_is_of() {
    assert_eq!(best(Validate::Average, valid("loss")), AVERAGE);
    assert_eq!(best(Validate::Model, valid("loss")), MODEL);
    assert_eq!(best(Validate::Both, valid("loss")), MODEL);
    assert_eq!(best(Validate::Both, valid("average_loss")), AVERAGE);
    for validate in [Validate::Average, Validate::Model, Validate::Both] {
        assert_eq!(best(validate, train("loss")), MODEL);
    }
}

#[test]
fn a_resumed_run_may_have_the_other_ones_best_file() {
    let directory = TempDir::new().unwrap();
    let training = || averaging(directory.path(), Validate::Both);
    let by = |metric: &str| KeepPolicy::all().with_best(Best::min(valid(metric)));
    let best = || {
        let path = RunDirectory::new(directory.path()).best_model();
        values(&load_model(&path, Net::new(3)).unwrap())
    };
    training().keep(by("loss")).fit(Net::new(1)).unwrap();
    let of_model = best();
    let (training, said) = noted(training().keep(by("average_loss")));
    training.fit(Net::new(2)).unwrap();
    assert_ne!(best(), of_model);
    assert!(!said.iter().any(|notice| notice.contains("damaged")));
}

#[test]
fn an_averages_metric_is_known_only_where_there_is_one() {
    let asked = |validate, metric: &str| {
        let directory = TempDir::new().unwrap();
        let keep = KeepPolicy::all().with_best(Best::min(valid(metric)));
        let training = averaging(directory.path(), validate).keep(keep);
        training.fit(Net::new(1)).map(drop)
    };
    asked(Validate::Both, "average_loss").unwrap();
    let Err(TrainingError::UnknownMetric { metric, known, .. }) =
        asked(Validate::Average, "average_loss")
    else {
        panic!()
    };
    assert_eq!(metric, "valid_average_loss");
    assert_eq!(known, ["train_loss", "valid_loss"]);
    let Err(TrainingError::UnknownMetric { known, .. }) = asked(Validate::Both, "other") else {
        panic!()
    };
    assert_eq!(known, ["train_loss", "valid_loss", "valid_average_loss"]);
}

#[test]
fn the_last_model_of_a_metric_is_found() {
    let last = |directory: &Path, metric: MetricKey| {
        let last = RunDirectory::new(directory).last_model_of(&metric).unwrap();
        last.file_name().unwrap().to_owned()
    };
    for (validate, loss, average_loss) in [
        (Validate::Average, "average.bpk", "average.bpk"),
        (Validate::Model, "final.bpk", "final.bpk"),
        (Validate::Both, "final.bpk", "average.bpk"),
    ] {
        let (directory, _) = history(validate);
        assert_eq!(last(directory.path(), valid("loss")), loss);
        assert_eq!(last(directory.path(), train("loss")), "final.bpk");
        assert_eq!(last(directory.path(), valid("average_loss")), average_loss);
    }
    let directory = TempDir::new().unwrap();
    run(directory.path()).epochs(1).fit(Net::new(1)).unwrap();
    assert_eq!(last(directory.path(), valid("loss")), "final.bpk");
}
