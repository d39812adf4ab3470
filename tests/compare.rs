//! Experiments: candidates under several seeds, side by side.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use burn::train::Interrupter;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::model::{ClassificationBatch, Mlp, MlpConfig};
use burn_lr::scheduler::{Constant, ReduceLrOnPlateau, StepLr};
use burn_lr::training::evaluate::evaluate;
use burn_lr::training::loader::Sample;
use burn_lr::training::{
    At, Backend, BaseError, BatchSource, Budget, Candidate, EpochLoader, Experiment,
    ExperimentError, History, Measure, Mnist, Outcome, Report, Results, Search, Target, Training,
    TrainingError, catalogue, load_model,
};
use common::parameters;
use tempfile::TempDir;

type Base = Result<(Training<Mlp>, Mlp), BaseError>;

fn mnist() -> &'static Mnist {
    static MNIST: OnceLock<Mnist> = OnceLock::new();
    MNIST.get_or_init(|| Mnist::bundled().unwrap())
}

/// Tests share the generator: the weights are drawn by one of them at a time.
fn model(seed: u64, hidden: usize) -> Mlp {
    static GENERATOR: Mutex<()> = Mutex::new(());
    let _alone = GENERATOR.lock().unwrap();
    let device = Backend::Flex.device().unwrap();
    device.seed(seed);
    let model = MlpConfig::new().with_hidden(hidden).init(&device);
    parameters(&model);
    model
}

/// 300 images in batches of 50.
fn base(directory: &Path, seed: u64) -> Base {
    let mnist = mnist();
    let train = EpochLoader::new(mnist.train.first(300), 50).shuffled(seed);
    let valid = EpochLoader::new(mnist.test.first(200), 100);
    let training = Training::new(directory, Arc::new(train), Arc::new(valid), 50)
        .metrics((LossMetric::new(), AccuracyMetric::new()));
    Ok((training, model(seed, 16)))
}

fn candidates() -> Vec<Candidate> {
    vec![
        Candidate::new("constant", Constant::new(0.01), 3),
        Candidate::new("step", StepLr::new(0.01, 1), 3),
        Candidate::new("plateau", ReduceLrOnPlateau::new(0.05).with_patience(0), 4).per_update(),
    ]
}

fn timeless(history: &History) -> History {
    let mut history = history.clone();
    history
        .epochs
        .iter_mut()
        .for_each(|epoch| epoch.seconds = 0.0);
    history
}

fn histories(results: &Results) -> Vec<(usize, u64, History)> {
    let history = |trial: &burn_lr::training::Trial| timeless(trial.history().unwrap());
    let trials = results.trials().iter();
    trials
        .map(|trial| (trial.candidate, trial.seed, history(trial)))
        .collect()
}

fn weights(run: &Path) -> Vec<f32> {
    let device = Device::default();
    let model = MlpConfig::new().with_hidden(16).init(&device);
    parameters(&load_model(&run.join("final.bpk"), model).unwrap())
}

#[test]
fn trials_side_by_side_equal_the_same_runs_alone() {
    let directory = TempDir::new().unwrap();
    let results = Experiment::new(directory.path(), base)
        .candidates(candidates())
        .seeds([1, 2])
        .jobs(3)
        .run()
        .unwrap();
    assert_eq!(results.trials().len(), 6);
    for trial in results.trials() {
        let alone = TempDir::new().unwrap();
        let candidate = &candidates()[trial.candidate];
        let (training, model) = base(alone.path(), trial.seed).unwrap();
        let trained = training
            .schedule(candidate.schedule.clone(), candidate.clock)
            .epochs(candidate.epochs)
            .fit(model)
            .unwrap();
        assert_eq!(
            timeless(trial.history().unwrap()),
            timeless(&trained.history)
        );
        assert!(weights(&trial.directory) == weights(alone.path()));
    }
}

#[test]
fn summaries_are_means_and_spreads_of_the_histories() {
    let directory = TempDir::new().unwrap();
    let target = Target {
        min_valid_accuracy: 0.5,
        max_train_accuracy: 0.99,
    };
    let results = Experiment::new(directory.path(), base)
        .candidates(candidates())
        .seeds([1, 2, 3])
        .target(target)
        .run()
        .unwrap();
    let summary = &results.summaries()[1];
    let step: Vec<_> = results
        .trials()
        .iter()
        .filter(|trial| trial.candidate == 1)
        .collect();
    let losses: Vec<f64> = step
        .iter()
        .map(|t| t.last().unwrap().valid("loss"))
        .collect();
    let mean = losses.iter().sum::<f64>() / 3.0;
    let variance = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / 2.0;
    assert!((summary.last.valid_loss.mean - mean).abs() < 1e-12);
    assert!((summary.last.valid_loss.sd - variance.sqrt()).abs() < 1e-12);
    for (trial, &(seed, met)) in step.iter().zip(&summary.last.verdict.per_seed) {
        let last = trial.last().unwrap();
        assert_eq!(seed, trial.seed);
        assert_eq!(
            met,
            last.valid("accuracy") >= 0.5 && last.train("accuracy") < 0.99
        );
        assert!((last.lr - 1e-4).abs() < 1e-15);
        let best = results.summaries()[1].best.valid_loss.mean;
        assert!(best <= mean);
    }
    assert!((summary.final_lr.mean - 1e-4).abs() < 1e-15);

    let comparisons = results.comparisons(Measure::ValidLoss, At::Last);
    let constant: Vec<_> = results
        .trials()
        .iter()
        .filter(|trial| trial.candidate == 0)
        .collect();
    let difference: f64 = step
        .iter()
        .zip(constant)
        .map(|(a, b)| a.last().unwrap().valid("loss") - b.last().unwrap().valid("loss"))
        .sum();
    assert_eq!(comparisons.len(), 2);
    assert_eq!(
        (&*comparisons[0].candidate, &*comparisons[0].baseline),
        ("step", "constant")
    );
    assert!((comparisons[0].difference.mean - difference / 3.0).abs() < 1e-12);
    assert!(comparisons[0].interval.0 < comparisons[0].interval.1);

    results.write().unwrap();
    let csv = std::fs::read_to_string(directory.path().join("results.csv")).unwrap();
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{csv}");
    let column = rows[0]
        .iter()
        .position(|name| *name == "last_valid_loss")
        .unwrap();
    assert_eq!(
        rows[2][column].parse::<f64>().unwrap(),
        summary.last.valid_loss.mean
    );
    let json = std::fs::read_to_string(directory.path().join("results.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["trials"].as_array().unwrap().len(), 9);
    assert_eq!(json["summaries"][1]["last"]["valid_loss"]["n"], 3);
    assert_eq!(json["comparisons"].as_array().unwrap().len(), 16);
    assert_eq!(results.table().lines().count(), 4);
    Report::new(&results).write().unwrap();
    let page = std::fs::read_to_string(directory.path().join("report.html")).unwrap();
    // Seven figures of all candidates, and two of each.
    assert_eq!(page.matches("<svg").count(), 7 + 2 * 3);
    let mean = format!(
        "{:.4} ± {:.4}",
        summary.last.valid_loss.mean, summary.last.valid_loss.sd
    );
    assert!(page.contains(&mean), "no {mean}");
}

#[test]
fn an_interrupted_experiment_goes_on_where_it_stopped() {
    let whole = TempDir::new().unwrap();
    let undisturbed = Experiment::new(whole.path(), base)
        .candidates(candidates())
        .seeds([1, 2])
        .run()
        .unwrap();

    let directory = TempDir::new().unwrap();
    let interrupter = Interrupter::new();
    let handle = interrupter.clone();
    let stopped = Experiment::new(directory.path(), base)
        .candidates(candidates())
        .seeds([1, 2])
        .jobs(2)
        .interrupter(interrupter)
        .on_trial(move |_, _| handle.stop(Some("a test")))
        .run();
    let Err(ExperimentError::Interrupted {
        finished,
        trials,
        reason,
    }) = stopped
    else {
        panic!("{stopped:?}");
    };
    assert_eq!((trials, &*reason), (6, "a test"));
    assert!((1..6).contains(&finished), "{finished}");

    let trained = Arc::new(AtomicUsize::new(0));
    let counted = {
        let trained = trained.clone();
        move |directory: &Path, seed| {
            let (training, model) = base(directory, seed)?;
            let trained = trained.clone();
            Ok((
                training.configure(move |burns| {
                    trained.fetch_add(1, Ordering::Relaxed);
                    burns
                }),
                model,
            ))
        }
    };
    let run = || {
        let experiment = Experiment::new(directory.path(), &counted);
        experiment
            .candidates(candidates())
            .seeds([1, 2])
            .run()
            .unwrap()
    };
    assert_eq!(histories(&run()), histories(&undisturbed));
    // Trials that are complete do not reach the Learner again; one that was stopped may have been.
    let first = trained.load(Ordering::Relaxed);
    assert!((1..=6 - finished).contains(&first), "{first}");
    run();
    assert_eq!(trained.load(Ordering::Relaxed), first);
}

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

#[test]
fn a_trial_that_fails_is_recorded_and_the_others_go_on() {
    let base = |directory: &Path, seed: u64| {
        let mnist = mnist();
        let train = Spoilt(mnist.train.first(100), seed);
        let valid = EpochLoader::new(mnist.test.first(100), 100);
        let train = EpochLoader::new(train, 50).shuffled(seed);
        let training = Training::new(directory, Arc::new(train), Arc::new(valid), 50)
            .metrics((LossMetric::new(), AccuracyMetric::new()));
        Ok((training, model(seed, 16)))
    };
    let directory = TempDir::new().unwrap();
    let results = Experiment::new(directory.path(), base)
        .candidates([
            Candidate::new("diverges", Constant::new(1e30), 2),
            Candidate::new("sound", Constant::new(0.01), 2),
        ])
        .seeds([1, 2, 3])
        .run()
        .unwrap();
    let [diverges, sound] = results.summaries() else {
        panic!("{results:?}");
    };
    assert_eq!(
        (sound.seeds.as_slice(), sound.failed.len()),
        ([1, 3].as_slice(), 1)
    );
    assert!(
        sound.failed[0].1.contains("seed 2 is spoilt"),
        "{:?}",
        sound.failed
    );
    assert!(diverges.seeds.is_empty() && diverges.last.valid_loss.mean.is_nan());
    assert!(
        diverges.failed[0].1.contains("loss is"),
        "{:?}",
        diverges.failed
    );
    assert!(!diverges.last.verdict.every_seed);
    let failed = |trial: &&burn_lr::training::Trial| matches!(trial.outcome, Outcome::Failed(_));
    assert_eq!(results.trials().iter().filter(failed).count(), 4);
    assert_eq!(results.choose(At::Last).candidate, 1);
    // A seed that failed has not met the target, whatever the others did.
    let target = Target {
        min_valid_accuracy: 0.0,
        max_train_accuracy: 1.0,
    };
    let lenient = Experiment::new(directory.path(), base)
        .candidates([Candidate::new("sound", Constant::new(0.01), 2)])
        .seeds([1, 2, 3])
        .target(target)
        .run()
        .unwrap();
    let sound = &lenient.summaries()[0];
    assert!(sound.last.verdict.per_seed.iter().all(|&(_, met)| met) && sound.last.verdict.mean);
    assert!(!sound.last.verdict.every_seed && !sound.best.verdict.every_seed);
    assert!(sound.epochs_met.is_empty());
}

#[test]
fn what_is_wrong_is_said_before_anything_is_trained() {
    let directory = TempDir::new().unwrap();
    let run = |candidates: Vec<Candidate>, seeds: Vec<u64>| {
        let results = Experiment::new(directory.path(), base)
            .candidates(candidates)
            .seeds(seeds)
            .run();
        assert!(
            std::fs::read_dir(directory.path())
                .unwrap()
                .next()
                .is_none()
        );
        results.unwrap_err()
    };
    let good = || Candidate::new("good", Constant::new(0.01), 1);
    let bad = Candidate::new("bad", StepLr::new(0.01, 0), 1);
    let none = Candidate::new("none", Constant::new(0.01), 0);
    assert!(matches!(
        run(vec![good(), bad], vec![1]),
        ExperimentError::Candidate { name, source: TrainingError::Schedule(_) } if name == "bad"
    ));
    assert!(matches!(
        run(vec![good(), none], vec![1]),
        ExperimentError::Candidate { name, .. } if name == "none"
    ));
    let invalid = |error| match error {
        ExperimentError::Invalid { name, .. } => name,
        error => panic!("{error:?}"),
    };
    assert_eq!(
        invalid(run(vec![good(), good()], vec![1])),
        "candidates' names"
    );
    assert_eq!(invalid(run(vec![good()], vec![1, 1])), "seeds");
    assert_eq!(invalid(run(vec![], vec![1])), "candidates and seeds");
    assert_eq!(invalid(run(vec![good()], vec![])), "candidates and seeds");
    let two_lines = Candidate::new("a\nb", Constant::new(0.01), 1);
    assert_eq!(invalid(run(vec![two_lines], vec![1])), "candidate's name");
    let nameless = Candidate::new("?!", Constant::new(0.01), 1);
    assert_eq!(invalid(run(vec![nameless], vec![1])), "candidate's name");
}

#[test]
fn a_target_that_is_no_fraction_is_refused() {
    let directory = TempDir::new().unwrap();
    for (min_valid_accuracy, max_train_accuracy) in [(90.0, 0.95), (f64::NAN, 0.95), (0.9, -0.1)] {
        let refused = Experiment::new(directory.path(), base)
            .candidates(candidates())
            .target(Target {
                min_valid_accuracy,
                max_train_accuracy,
            })
            .run();
        assert!(matches!(refused, Err(ExperimentError::Invalid { .. })));
    }
}

#[test]
fn another_candidate_of_the_same_name_is_refused_before_anything_is_trained() {
    let directory = TempDir::new().unwrap();
    let run = |lr| {
        let candidate = Candidate::new("constant", Constant::new(lr), 1);
        Experiment::new(directory.path(), base)
            .candidates([candidate])
            .seeds([1])
            .run()
    };
    let first = histories(&run(0.01).unwrap());
    assert!(matches!(
        run(0.02),
        Err(ExperimentError::Candidate { name, source: TrainingError::ConfigChanged { field, .. } })
            if name == "constant" && field == "schedule.Constant.lr"
    ));
    assert_eq!(histories(&run(0.01).unwrap()), first);
}

#[test]
fn a_choice_is_tested_on_images_it_was_not_made_by() {
    let mnist = mnist();
    let (left, held_out) = mnist.train.first(400).hold_out(100, 7).unwrap();
    let base = |directory: &Path, seed: u64| {
        let train = EpochLoader::new(left.clone(), 50).shuffled(seed);
        let valid = EpochLoader::new(held_out.clone(), 100);
        let training = Training::new(directory, Arc::new(train), Arc::new(valid), 50)
            .metrics((LossMetric::new(), AccuracyMetric::new()));
        Ok((training, model(seed, 16)))
    };
    let directory = TempDir::new().unwrap();
    let experiment = Experiment::new(directory.path(), base)
        .candidates(candidates())
        .seeds([1, 2]);
    let mut results = experiment.run().unwrap();
    let unseen = EpochLoader::new(mnist.test.first(200), 100);
    for at in [At::Last, At::Best] {
        let choice = results.choose(at);
        let accuracy = |model: Mlp| Ok(evaluate(&model, &unseen, AccuracyMetric::new())?);
        let tested = experiment.test(&mut results, &choice, accuracy).unwrap();
        let seeds: Vec<u64> = tested.per_seed.iter().map(|(seed, _)| *seed).collect();
        assert_eq!(seeds, [1, 2]);
        assert!(
            tested
                .per_seed
                .iter()
                .all(|(_, metrics)| metrics["accuracy"] > 0.4),
            "{tested:?}"
        );
    }
}

#[test]
fn a_search_finds_the_same_for_the_same_seed_and_confirms_it_afresh() {
    let search = |directory: &Path| {
        let experiment = Experiment::new(directory, base)
            .candidates([Candidate::new("baseline", Constant::new(0.01), 4)])
            .target(Target {
                min_valid_accuracy: 0.5,
                max_train_accuracy: 0.9,
            });
        Search::new(experiment, catalogue(0.01, 1..=4))
            .seed(5)
            .budget(Budget::Trials(21))
            .confirmations(2)
            .run()
            .unwrap()
    };
    let [first, second] = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let (found, again) = (search(first.path()), search(second.path()));
    assert_eq!(found.candidate, again.candidate);
    assert_eq!(
        histories(&found.confirmation),
        histories(&again.confirmation)
    );
    // 9 under a seed, 3 under three, the best under nine.
    assert_eq!(found.trials.len(), 9 + 6 + 6);
    let seeds = |results: &Results| results.summaries()[0].seeds.clone();
    assert_eq!(seeds(&found.finalists), (5..14).collect::<Vec<_>>());
    assert_eq!(seeds(&found.confirmation), [14, 15]);
    let figures = &found.finalists.summaries()[0].last;
    let (train, valid) = (figures.train_accuracy.mean, figures.valid_accuracy.mean);
    assert!(train < 0.9 && valid >= 0.5, "{train} {valid}");
    let beside = &found.confirmation.summaries()[1];
    assert_eq!(
        (&*beside.candidate.name, beside.seeds.as_slice()),
        ("baseline", [14, 15].as_slice())
    );
    found.write().unwrap();
    let json = std::fs::read_to_string(first.path().join("search.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["found"]["name"], found.candidate.name);
    assert_eq!(json["trials"].as_array().unwrap().len(), found.trials.len());
    // The same search in the same directory has nothing left to train.
    assert_eq!(search(first.path()).candidate, found.candidate);
}

#[test]
fn a_search_by_time_ends() {
    let directory = TempDir::new().unwrap();
    let search = Search::new(
        Experiment::new(directory.path(), base),
        catalogue(0.01, 1..=2),
    );
    let found = search
        .budget(Budget::Time(Duration::from_millis(1)))
        .confirmations(1)
        .run();
    assert_eq!(found.unwrap().confirmation.trials().len(), 1);
}

/// Writes down whose batches are asked for.
struct Logged<S>(S, PathBuf, Arc<Mutex<Vec<PathBuf>>>);

impl<S: BatchSource<ClassificationBatch>> BatchSource<ClassificationBatch> for Logged<S> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn batch(
        &self,
        samples: &[Sample],
        device: &Device,
    ) -> Result<ClassificationBatch, DatasetError> {
        self.2.lock().unwrap().push(self.1.clone());
        std::thread::sleep(Duration::from_millis(2));
        self.0.batch(samples, device)
    }
}

/// How often the batches of one trial are followed by those of another.
fn changes_of_trial(seed: Option<u64>) -> usize {
    let log = Arc::new(Mutex::new(Vec::new()));
    let base = |directory: &Path, of: u64| {
        let mnist = mnist();
        let train = Logged(mnist.train.first(100), directory.to_owned(), log.clone());
        let valid = EpochLoader::new(mnist.test.first(10), 10);
        let train = EpochLoader::new(train, 10).shuffled(of);
        let training = Training::new(directory, Arc::new(train), Arc::new(valid), 10)
            .metrics((LossMetric::new(), AccuracyMetric::new()));
        let model = model(of, 16);
        Ok((
            match seed {
                Some(seed) => training.seed(seed),
                None => training,
            },
            model,
        ))
    };
    let directory = TempDir::new().unwrap();
    let results = Experiment::new(directory.path(), base)
        .candidates(candidates())
        .seeds([1])
        .jobs(3)
        .run()
        .unwrap();
    assert_eq!(results.trials().len(), 3);
    let log = log.lock().unwrap();
    assert_eq!(log.len(), 10 * (3 + 3 + 4));
    log.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

#[test]
fn trainings_that_draw_random_numbers_run_one_after_another() {
    assert_eq!(changes_of_trial(Some(1)), 2);
    assert!(changes_of_trial(None) > 2);
}
