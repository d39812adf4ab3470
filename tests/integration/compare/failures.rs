//! Trials that fail.

use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::experiment::results::{At, Outcome, Trial};
use burn_lr::experiment::{Experiment, ExperimentError, Objective, Setup};
use burn_lr::model::ClassificationBatch;
use burn_lr::training::Training;
use burn_lr::training::loader::{BatchSource, EpochLoader, Sample};
use burn_lr::training::metrics::{Best, valid};
use tempfile::TempDir;

use super::{Base, base, constant, fitting, mnist, model};

/// Panics under seed 2, as tensors that do not fit do.
struct Spoilt<S>(S, u64);

impl<S: BatchSource<ClassificationBatch>> BatchSource<ClassificationBatch> for Spoilt<S> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn batch(
        &self,
        samples: &[Sample],
        device: &Device,
    ) -> Result<ClassificationBatch, DatasetError> {
        assert!(self.1 != 2, "seed 2 is spoilt");
        self.0.batch(samples, device)
    }
}

fn spoilt(setup: &Setup) -> Base {
    let mnist = mnist();
    let train = Spoilt(mnist.train.first(100), setup.seed());
    let valid = EpochLoader::new(mnist.test.first(100), 100);
    let train = EpochLoader::new(train, 50).shuffled(setup.seed());
    let training = Training::new(setup.directory(), train, valid)
        .metrics((LossMetric::new(), AccuracyMetric::new()));
    Ok((training, model(setup.seed(), 16)))
}

#[test]
fn a_trial_that_fails_is_recorded_and_the_others_go_on() {
    let directory = TempDir::new().unwrap();
    let results = Experiment::new(directory.path(), spoilt)
        .candidates([constant("diverges", 1e30, 2), constant("sound", 0.01, 2)])
        .seeds([1, 2, 3])
        .run()
        .unwrap();
    let [diverges, sound] = results.summaries() else {
        panic!("{results:?}");
    };
    assert_eq!((&*sound.seeds, sound.failed.len()), (&[1, 3][..], 1));
    let error = &sound.failed[0].1;
    assert!(error.contains("seed 2 is spoilt"), "{error}");
    assert!(diverges.seeds.is_empty());
    assert!(diverges.last.stat(&valid("loss")).mean.is_nan());
    let error = &diverges.failed[0].1;
    assert!(error.contains("loss is"), "{error}");
    let failed = |trial: &&Trial| matches!(trial.outcome, Outcome::Failed(_));
    assert_eq!(results.trials().iter().filter(failed).count(), 4);
    assert_eq!(results.choose(At::Last).candidate, 1);
    // A seed that failed is not within the bounds, whatever the others did.
    let lenient = Experiment::new(directory.path(), spoilt)
        .candidates([constant("sound", 0.01, 2)])
        .seeds([1, 2, 3])
        .objective(fitting(0.0, 1.5))
        .best(Best::min(valid("loss")))
        .run()
        .unwrap();
    let sound = &lenient.summaries()[0];
    for figures in [&sound.last, &sound.best] {
        let verdict = figures.verdict.as_ref().unwrap();
        assert!(verdict.per_seed.iter().all(|&(_, met)| met) && verdict.mean);
        assert!(!verdict.every_seed);
    }
    assert!(sound.epochs_met.is_empty());
}

#[test]
fn an_experiment_ends_if_there_is_no_such_metric() {
    for (objective, best) in [
        (
            Objective::min(valid("perplexity")),
            Best::min(valid("loss")),
        ),
        (Objective::default(), Best::max(valid("perplexity"))),
        (
            Objective::default().below(valid("perplexity"), 9.0),
            Best::min(valid("loss")),
        ),
    ] {
        let directory = TempDir::new().unwrap();
        let error = Experiment::new(directory.path(), base)
            .candidates([constant("a", 0.01, 50), constant("b", 0.01, 50)])
            .objective(objective)
            .best(best)
            .run()
            .unwrap_err();
        let ExperimentError::MissingMetric { metric, known, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(metric, "valid_perplexity");
        assert!(
            known.iter().any(|known| known.contains("accuracy")),
            "{known:?}"
        );
    }
}
