//! A choice on images that it was not made by.

use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::experiment::results::{At, Choice};
use burn_lr::experiment::{Experiment, ExperimentError, Objective, Setup};
use burn_lr::model::Mlp;
use burn_lr::training::Training;
use burn_lr::training::average::{Average, Validate};
use burn_lr::training::evaluate::evaluate;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::{Best, train, valid};
use tempfile::TempDir;

use super::{base, candidates, constant, mnist, model};

#[test]
fn a_choice_is_tested_on_images_it_was_not_made_by() {
    let mnist = mnist();
    let (left, held_out) = mnist.train.first(400).hold_out(100, 7).unwrap();
    let base = |setup: &Setup| {
        let train = EpochLoader::new(left.clone(), 50).shuffled(setup.seed());
        let valid = EpochLoader::new(held_out.clone(), 100);
        let training = Training::new(setup.directory(), train, valid)
            .metrics((LossMetric::new(), AccuracyMetric::new()));
        Ok((training, model(setup.seed(), 16)))
    };
    let directory = TempDir::new().unwrap();
    let experiment = Experiment::new(directory.path(), base)
        .candidates(candidates())
        .seeds([1, 2]);
    let mut results = experiment.run().unwrap();
    let unseen = EpochLoader::new(mnist.test.first(200), 100);
    let accuracy = |model: Mlp| Ok(evaluate(&model, &unseen, AccuracyMetric::new())?);
    for at in [At::Last, At::Best] {
        let choice = results.choose(at);
        let tested = experiment.test(&mut results, choice, accuracy).unwrap();
        let seeds: Vec<u64> = tested.per_seed.iter().map(|(seed, _)| *seed).collect();
        assert_eq!(seeds, [1, 2]);
        let worst = tested
            .per_seed
            .iter()
            .map(|(_, metrics)| metrics["accuracy"]);
        assert!(worst.fold(1.0, f64::min) > 0.4, "{tested:?}");
        assert_eq!(results.tested(), Some(&tested));
    }
    // Judged by another objective, whose best epochs were not kept.
    let greatest = Objective::max(train("loss"));
    let judged = experiment.objective(greatest);
    let mut results = judged.run().unwrap();
    let choice = results.choose(At::Best);
    let refused = judged.test(&mut results, choice, accuracy);
    assert!(
        matches!(&refused, Err(ExperimentError::NotKept { epoch: 1, .. })),
        "{refused:?}"
    );
    let choice = results.choose(At::Last);
    judged.test(&mut results, choice, accuracy).unwrap();
    let none = Choice::new(3, At::Last);
    let refused = judged.test(&mut results, none, accuracy);
    assert!(matches!(
        refused,
        Err(ExperimentError::Invalid { name: "choice", .. })
    ));
}

#[test]
fn the_best_model_is_that_of_the_epoch_that_the_experiment_calls_the_best() {
    let directory = TempDir::new().unwrap();
    // The first epoch is the best by this, and another by the objective.
    let experiment = Experiment::new(directory.path(), base)
        .candidates([constant("constant", 0.01, 3)])
        .objective(Objective::max(valid("accuracy")))
        .best(Best::max(train("loss")))
        .seeds([1]);
    let mut results = experiment.run().unwrap();
    let seen = EpochLoader::new(mnist().test.first(200), 100);
    let accuracy = |model: Mlp| Ok(evaluate(&model, &seen, AccuracyMetric::new())?);
    let choice = results.choose(At::Best);
    let tested = experiment.test(&mut results, choice, accuracy).unwrap();
    let first = &results.trials()[0].history().unwrap().epochs[0];
    let (_, metrics) = &tested.per_seed[0];
    assert!((metrics["accuracy"] - first.valid("accuracy")).abs() < 1e-6);
}

#[test]
fn the_average_is_tested_where_it_was_what_was_validated() {
    let directory = TempDir::new().unwrap();
    let averaging = |setup: &Setup| {
        let (training, model) = base(setup)?;
        let validate = setup.setting("validate")?;
        let average = Average::ema(0.9).validate(validate);
        Ok((training.average(average), model))
    };
    let candidates = [Validate::Average, Validate::Model].map(|validate| {
        let name = format!("{validate:?}");
        let candidate = constant(&name, 0.01, 3);
        candidate.setting("validate", serde_json::to_value(validate).unwrap())
    });
    let objective = Objective::max(valid("accuracy"));
    let experiment = Experiment::new(directory.path(), averaging)
        .candidates(candidates)
        .objective(objective)
        .seeds([1, 2]);
    let mut results = experiment.run().unwrap();
    let seen = EpochLoader::new(mnist().test.first(200), 100);
    let accuracy = |model: Mlp| Ok(evaluate(&model, &seen, AccuracyMetric::new())?);
    for candidate in [0, 1] {
        let choice = Choice::new(candidate, At::Last);
        let tested = experiment.test(&mut results, choice, accuracy).unwrap();
        let trials = results.trials().iter();
        let trials = trials.filter(|trial| trial.candidate == candidate);
        for (trial, (_, metrics)) in trials.zip(&tested.per_seed) {
            let last = trial.history().unwrap().epochs.last().unwrap();
            let expected = last.valid("accuracy");
            assert!((metrics["accuracy"] - expected).abs() < 1e-9);
        }
    }
    let histories: Vec<_> = results.trials().iter().map(|t| t.history()).collect();
    let losses = |n: usize| histories[n].unwrap().epochs[2].valid("loss");
    assert_ne!(losses(0), losses(1));
}
