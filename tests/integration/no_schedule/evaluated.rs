//! What is validated, kept as the best and given at the end is the average; what is trained is in the checkpoint.

use std::path::Path;

use burn::module::Module;
use burn::tensor::Bytes;
use burn::train::metric::LossMetric;
use burn_lr::scheduler::{ReduceLrOnPlateau, ThresholdMode};
use burn_lr::training::Training;
use burn_lr::training::average::Decay;
use burn_lr::training::checkpoint::{AVERAGE, CheckpointStore, KeepPolicy, MODEL, OPTIM};
use burn_lr::training::evaluate::evaluate;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::{Best, valid};
use burn_lr::training::optim::{OptimizerConfig, ResolvedGroups, ScheduleFreeSgdConfig};
use burn_lr::training::run::RunDirectory;
use burn_lr::training::storage::load_model;
use tempfile::TempDir;

use crate::average::statistics::Normed;
use crate::common::line::Slope;
use crate::engine::net::{EPOCHS, Net, on_points, outcome, run, values};

fn free() -> OptimizerConfig {
    ScheduleFreeSgdConfig::new().into()
}

fn configured(directory: &Path) -> Training<Net> {
    let keep = KeepPolicy::all().with_best(Best::min(valid("loss")));
    run(directory).optimizer(free()).schedule(0.1).keep(keep)
}

fn loss(model: &Net) -> f64 {
    let loader = EpochLoader::new(Slope, 20);
    evaluate(model, &loader, LossMetric::new()).unwrap()["loss"]
}

#[test]
fn validation_files_and_result_are_of_the_average() {
    let directory = TempDir::new().unwrap();
    let trained = configured(directory.path()).fit(Net::new(1)).unwrap();
    assert!(trained.average.is_none());
    let result = values(&trained.model);
    let history = outcome(trained).1;
    let store = CheckpointStore::open(
        directory.path().join("checkpoint"),
        &[MODEL, AVERAGE, OPTIM],
    );
    let store = store.unwrap();
    for epoch in &history.epochs {
        let checkpoint = store.load(epoch.epoch).unwrap();
        let [y, x] = [MODEL, AVERAGE].map(|part| checkpoint.module(part, Net::new(9)).unwrap());
        assert!((epoch.valid("loss") - loss(&x)).abs() < 1e-6);
        assert!((epoch.valid("loss") - loss(&y)).abs() > 1e-4);
        // And x is what follows from the optimizer's state.
        let y = y.train();
        let groups = ResolvedGroups::resolve(&free(), &[], &y).unwrap();
        let optimizer = free().build_loop(&groups, &y).unwrap();
        let state = Bytes::from_bytes_vec(checkpoint.parts[OPTIM].clone());
        let evaluated = optimizer.from_bytes(state).unwrap().evaluated(&y);
        assert_eq!(values(&evaluated), values(&x));
    }
    let files = RunDirectory::new(directory.path());
    let load = |path: &Path| values(&load_model(path, Net::new(3)).unwrap());
    let average = |epoch| {
        values(
            &store
                .load(epoch)
                .unwrap()
                .module(AVERAGE, Net::new(3))
                .unwrap(),
        )
    };
    assert_eq!(result, average(EPOCHS));
    assert_eq!(load(&files.final_model()), result);
    assert_eq!(
        files.last_model_of(&valid("loss")).unwrap(),
        files.final_model()
    );
    let best = Best::min(valid("loss")).of(&history).unwrap().epoch;
    assert_eq!(load(&files.best_model()), average(best));
    assert!(!files.average_model().exists());

    let merged = files.merged(1, Decay::Linear, Net::new(3)).unwrap();
    assert_eq!(values(&merged), average(EPOCHS));

    // When it is complete, the same is given again.
    let again = configured(directory.path()).fit(Net::new(4)).unwrap();
    assert_eq!(values(&again.model), result);
    assert!(again.average.is_none());
}

#[test]
fn plateaus_hear_of_the_average() {
    let directory = TempDir::new().unwrap();
    let plateau = ReduceLrOnPlateau::new(0.1)
        .with_patience(0)
        .with_factor(0.5)
        .with_threshold(0.3, ThresholdMode::Rel);
    let training = configured(directory.path()).schedule(plateau.per_epoch());
    let history = outcome(training.epochs(8).fit(Net::new(1)).unwrap()).1;
    let (mut best, mut cuts) = (f64::INFINITY, 0);
    for epoch in &history.epochs {
        let loss = epoch.valid("loss");
        let improved = loss < best * (1.0 - 0.3);
        assert_eq!(epoch.cuts.is_empty(), improved, "{}", epoch.epoch);
        best = if improved { loss } else { best };
        cuts += epoch.cuts.len();
    }
    assert!(cuts > 0 && cuts < 8, "{cuts}");
}

#[test]
fn running_statistics_are_those_of_the_average_over_the_training_data() {
    let directory = TempDir::new().unwrap();
    let training: Training<Normed> = on_points(directory.path());
    let training = training.optimizer(free()).schedule(0.02).strict(true);
    let trained = training.fit(Normed::new(1)).unwrap();
    let layer = &trained.model.first;
    let weight = layer
        .weight
        .val()
        .into_data()
        .try_into_vec::<f32>()
        .unwrap();
    let bias = layer.bias.as_ref().unwrap().val().into_data();
    let bias = bias.try_into_vec::<f32>().unwrap();
    // The points are those from -1 to 1, in batches of equal size.
    let mean_x = (0..40).map(|i| i as f32 / 20.0 - 1.0).sum::<f32>() / 40.0;
    for (feature, mean) in trained.model.statistics()[..4].iter().enumerate() {
        let expected = weight[feature] * mean_x + bias[feature];
        assert!((mean - expected).abs() < 1e-5, "{mean} for {expected}");
    }
}
