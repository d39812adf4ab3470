//! Checkpoints within an epoch: a run that was stopped after any batch ends with the same bits.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use burn::module::Module;
use burn::tensor::{Device, TensorReadError};
use burn::train::metric::{
    LearningRateMetric, LossInput, LossMetric, Metric, MetricMetadata, MetricName, Numeric,
    NumericEntry, SerializedEntry,
};
use burn::train::{InferenceStep, LearnerModel, RegressionOutput, TrainStep};
use burn_lr::scheduler::{CosineAnnealingLr, ReduceLrOnPlateau, StepLr, Warmup};
use burn_lr::training::average::{Average, Decay, Ema, Statistics, Validate};
use burn_lr::training::checkpoint::KeepPolicy;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::optim::{GradientClip, NonFinite};
use burn_lr::training::run::Period;
use burn_lr::training::{Trained, Training, TrainingError};
use tempfile::TempDir;

use crate::average::statistics::Normed;
use crate::common::line::{Points, Slope};
use crate::common::stopping::stopping_after;
use crate::engine::net::{Net, noted, outcome, values};

const EPOCHS: usize = 3;
/// 40 points in batches of 8.
const BATCHES: usize = 5;
const ALL: usize = EPOCHS * BATCHES;
const NEVER: usize = usize::MAX;

/// A run with a checkpoint after every update that stops after so many batches.
fn run<M>(directory: &Path, batches: usize) -> Training<M>
where
    M: LearnerModel
        + TrainStep<Input = Points, Output = RegressionOutput>
        + InferenceStep<Input = Points, Output = RegressionOutput>,
{
    let (train, interrupter) = stopping_after(batches);
    Training::new(directory, train, EpochLoader::new(Slope, 20))
        .metrics((LossMetric::new(), LearningRateMetric::new()))
        .schedule(0.05)
        .epochs(EPOCHS)
        .resume(true)
        .checkpoint_every(Duration::ZERO)
        .interrupter(interrupter)
        .on_notice(|_| {})
}

type Configure = fn(Training<Net>) -> Training<Net>;

fn plateau() -> Warmup {
    let plateau = ReduceLrOnPlateau::new(0.05)
        .with_patience(0)
        .with_factor(0.5);
    Warmup::new(plateau, 4)
}

/// Each with how many batches make an update, at most.
const CONFIGURATIONS: [(&str, usize, Configure); 10] = [
    ("epochs", 1, |training| {
        training.schedule(plateau().per_update())
    }),
    ("accumulated, per epoch", 2, |training| {
        let schedule = StepLr::new(0.05, 1).with_gamma(0.5).per_epoch();
        training.grads_accumulation(2).schedule(schedule)
    }),
    ("clipped", 1, |training| {
        training
            .clip_gradients(GradientClip::norm(0.1))
            .non_finite(NonFinite::Skip)
    }),
    ("clipped, unread", 1, |training| {
        training.clip_gradients(GradientClip::norm(0.1))
    }),
    ("ema", 1, |training| {
        let ema = Ema::new(0.9).with_warmup(2.0, 0.75);
        training.average(Average::ema(ema).every_updates(2).after_updates(3))
    }),
    ("swa, both", 1, |training| {
        let swa = Average::swa().after_epochs(1).every_updates(2);
        training.average(swa.validate(Validate::Both))
    }),
    ("wsm", 1, |training| {
        training
            .average(Average::checkpoints(2, Decay::Cosine))
            .keep(KeepPolicy::last(2))
    }),
    ("periods", 1, |training| {
        let cosine = CosineAnnealingLr::new(0.05, 13);
        training
            .max_updates(ALL as u64)
            .every(4)
            .schedule(cosine.per_update())
    }),
    ("periods, accumulated", 2, |training| {
        training
            .every(Period::Epochs(0.8))
            .grads_accumulation(2)
            .schedule(plateau().per_epoch())
    }),
    ("samples, averaged", 1, |training| {
        training
            .max_samples(110)
            .every(Period::Samples(24))
            .average(Average::ema(0.9))
    }),
];

type Weights = Vec<Vec<f32>>;

/// The weights, those of the average if there is one, and the history as text.
fn ended<M: Module>(trained: Trained<M>) -> (Weights, Option<Weights>, String) {
    let average = trained.average.as_ref().map(values);
    let (weights, history) = outcome(trained);
    (weights, average, serde_json::to_string(&history).unwrap())
}

fn assert_stopped<T: std::fmt::Debug>(result: Result<T, TrainingError>) {
    assert!(
        matches!(result, Err(TrainingError::Interrupted { .. })),
        "{result:?}"
    );
}

#[test]
fn a_run_that_stopped_after_any_batch_ends_with_the_same_bits_and_history() {
    for (name, accumulation, configure) in CONFIGURATIONS {
        let root = TempDir::new().unwrap();
        let at = |stop: &str, batches| configure(run(&root.path().join(stop), batches));
        let expected = ended(at("whole", NEVER).fit(Net::new(1)).unwrap());
        // That there are such checkpoints makes no difference either.
        let (train, _) = stopping_after(NEVER);
        let without = Training::new(
            root.path().join("without"),
            train,
            EpochLoader::new(Slope, 20),
        )
        .metrics((LossMetric::new(), LearningRateMetric::new()))
        .schedule(0.05)
        .epochs(EPOCHS)
        .on_notice(|_| {});
        assert_eq!(
            ended(configure(without).fit(Net::new(1)).unwrap()),
            expected,
            "{name}, without"
        );

        // After one update each time, from another model.
        let mut within = 0;
        let mut processes = 0;
        let resumed = loop {
            let (training, said) = noted(at("each", accumulation));
            training.can_resume(&Net::new(2)).unwrap();
            let result = training.fit(Net::new(1 + 10 * processes));
            within += said
                .iter()
                .filter(|said| said.starts_with("resuming within"))
                .count();
            processes += 1;
            assert!(processes < 30, "{name}");
            match result {
                Ok(trained) => break trained,
                stopped => assert_stopped(stopped),
            }
        };
        assert!(within >= 5, "{name}: {within} of {processes}");
        assert_eq!(ended(resumed), expected, "{name}, stopped after each");

        // And by itself in the second epoch.
        for stop in BATCHES..=2 * BATCHES {
            let directory = stop.to_string();
            assert_stopped(at(&directory, stop).fit(Net::new(1)));
            let resumed = at(&directory, NEVER).fit(Net::new(2)).unwrap();
            assert_eq!(ended(resumed), expected, "{name}, stopped after {stop}");
        }
    }
}

#[test]
fn running_statistics_are_continued() {
    for statistics in [
        Statistics::Averaged,
        Statistics::Copied,
        Statistics::Recomputed,
    ] {
        let root = TempDir::new().unwrap();
        let at = |stop: usize, batches| {
            let average = Average::ema(0.8).statistics(statistics);
            run::<Normed>(&root.path().join(stop.to_string()), batches).average(average)
        };
        let all = |trained: Trained<Normed>| {
            let statistics = [
                trained.model.statistics(),
                trained.average.as_ref().unwrap().statistics(),
            ];
            (statistics, ended(trained))
        };
        let expected = all(at(0, NEVER).fit(Normed::new(1)).unwrap());
        for stop in [1, 3, 7, 12] {
            assert_stopped(at(stop, stop).fit(Normed::new(1)));
            let resumed = at(stop, NEVER).fit(Normed::new(2)).unwrap();
            assert_eq!(all(resumed), expected, "{statistics:?}, {stop}");
        }
    }
}

/// The checkpoints within epochs.
fn found(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory.join("within-epoch")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn the_newest_is_kept_until_its_epoch_is_over() {
    let directory = TempDir::new().unwrap();
    assert_stopped(run(directory.path(), 8).fit(Net::new(1)));
    assert_eq!(found(directory.path()), ["update-0008"]);
    // Of a process that was killed while it wrote.
    fs::create_dir(directory.path().join("within-epoch/update-0010.tmp")).unwrap();
    run(directory.path(), NEVER).fit(Net::new(1)).unwrap();
    assert!(found(directory.path()).is_empty());

    // Nothing of it is to be found in a run that makes none.
    let (train, _) = stopping_after(NEVER);
    let other = TempDir::new().unwrap();
    Training::new(other.path(), train, EpochLoader::new(Slope, 20))
        .metrics((LossMetric::new(),))
        .fit(Net::new(1))
        .unwrap();
    assert!(!other.path().join("within-epoch").exists());
}

#[test]
fn a_run_goes_on_from_it_also_where_no_more_are_made_and_leaves_none() {
    let root = TempDir::new().unwrap();
    let expected = ended(
        run(&root.path().join("whole"), NEVER)
            .fit(Net::new(1))
            .unwrap(),
    );
    let path = root.path().join("run");
    assert_stopped(run(&path, 8).fit(Net::new(1)));
    let (train, _) = stopping_after(NEVER);
    let (training, said) = noted(
        Training::new(&path, train, EpochLoader::new(Slope, 20))
            .metrics((LossMetric::new(), LearningRateMetric::new()))
            .schedule(0.05)
            .epochs(EPOCHS)
            .resume(true),
    );
    assert_eq!(ended(training.fit(Net::new(2)).unwrap()), expected);
    let said: Vec<String> = said.iter().collect();
    assert_eq!(said, ["resuming within epoch 2, after update 8"]);
    assert!(found(&path).is_empty());
}

#[test]
fn a_damaged_one_is_passed_over_for_that_of_the_epoch() {
    let root = TempDir::new().unwrap();
    let expected = ended(
        run(&root.path().join("whole"), NEVER)
            .fit(Net::new(1))
            .unwrap(),
    );
    for (stop, before) in [
        (3, "no complete checkpoint: starting at epoch 1"),
        (8, "resuming after epoch 1"),
    ] {
        for file in [
            "model.bpk",
            "optim.bpk",
            "within.json",
            "history.json",
            "manifest.json",
        ] {
            let path = root.path().join(format!("{stop}-{file}"));
            assert_stopped(run(&path, stop).fit(Net::new(1)));
            let damaged = path
                .join(format!("within-epoch/update-{stop:04}"))
                .join(file);
            let mut bytes = fs::read(&damaged).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&damaged, bytes).unwrap();
            let (training, said) = noted(run(&path, NEVER));
            // From the first epoch on, the model is what it is begun with.
            assert_eq!(
                ended(training.fit(Net::new(1)).unwrap()),
                expected,
                "{file}"
            );
            let said: Vec<String> = said.iter().collect();
            let skipped = format!("skipped the checkpoint within an epoch, after update {stop}: ");
            assert!(said[0].starts_with(&skipped), "{said:?}");
            assert_eq!(said[1], before);
        }
    }
}

#[test]
fn one_that_is_older_than_that_of_its_epoch_is_of_no_use() {
    let root = TempDir::new().unwrap();
    let (path, kept) = (root.path().join("run"), root.path().join("kept"));
    assert_stopped(run(&path, 8).fit(Net::new(1)));
    fs::rename(path.join("within-epoch"), &kept).unwrap();
    assert_stopped(run(&path, 7).fit(Net::new(1)));
    // As if the process had been killed before it was deleted.
    fs::remove_dir_all(path.join("within-epoch")).unwrap();
    fs::rename(&kept, path.join("within-epoch")).unwrap();
    let (training, said) = noted(run(&path, NEVER));
    training.fit(Net::new(2)).unwrap();
    let said: Vec<String> = said.iter().collect();
    assert_eq!(said, ["resuming after epoch 2"]);
    assert!(found(&path).is_empty());
}

#[test]
fn a_run_that_is_made_shorter_does_not_go_on_there() {
    let root = TempDir::new().unwrap();
    let of = |name: &str, batches| run(&root.path().join(name), batches);
    let expected = ended(of("short", NEVER).epochs(1).fit(Net::new(1)).unwrap());
    assert_stopped(of("run", 8).fit(Net::new(1)));
    let (training, said) = noted(of("run", NEVER).epochs(1));
    assert_eq!(ended(training.fit(Net::new(2)).unwrap()), expected);
    let said: Vec<String> = said.iter().collect();
    assert!(
        said[0].starts_with("the run does not go on after update 8, within epoch 2"),
        "{said:?}"
    );

    let updates = |name, batches, updates| of(name, batches).max_updates(updates).every(5);
    let expected = ended(updates("seven", NEVER, 7).fit(Net::new(1)).unwrap());
    assert_stopped(updates("updates", 8, 15).fit(Net::new(1)));
    let shorter = updates("updates", NEVER, 7).fit(Net::new(2)).unwrap();
    assert_eq!(ended(shorter), expected);
    // And one that is made longer does.
    let expected = ended(updates("ten", NEVER, 10).fit(Net::new(1)).unwrap());
    assert_stopped(updates("longer", 6, 7).fit(Net::new(1)));
    let (training, said) = noted(updates("longer", NEVER, 10));
    assert_eq!(ended(training.fit(Net::new(2)).unwrap()), expected);
    assert!(
        said.iter()
            .any(|said| said == "resuming within epoch 2, after update 6")
    );
}

#[test]
fn another_configuration_is_refused_as_after_an_epoch() {
    let directory = TempDir::new().unwrap();
    assert_stopped(run(directory.path(), 3).fit(Net::new(1)));
    let changed = run(directory.path(), NEVER)
        .grads_accumulation(2)
        .fit(Net::new(1));
    assert!(
        matches!(&changed, Err(TrainingError::ConfigChanged { field, .. }) if field == "grads_accumulation"),
        "{changed:?}"
    );
    let anew = run(directory.path(), NEVER).resume(false).fit(Net::new(1));
    assert!(matches!(anew, Err(TrainingError::RunExists { .. })));
    fs::remove_file(directory.path().join("burn-lr.json")).unwrap();
    let anew = run(directory.path(), NEVER).resume(false).fit(Net::new(1));
    assert!(matches!(anew, Err(TrainingError::RunExists { .. })));
}

#[test]
fn on_several_devices_it_is_refused_before_anything_is_written() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let refused = run(&path, NEVER)
        .devices(vec![Device::flex(); 2])
        .fit(Net::new(1));
    assert!(
        matches!(&refused, Err(TrainingError::Invalid { name: "checkpoint_every", found, .. })
            if found == "checkpoints by time on 2 devices"),
        "{refused:?}"
    );
    assert!(!path.exists());
}

/// The largest loss of an epoch.
#[derive(Clone, Default)]
struct Largest(LossMetric, f64);

impl Metric for Largest {
    type Input = LossInput;

    fn name(&self) -> MetricName {
        Arc::new("Largest".to_owned())
    }

    fn update(
        &mut self,
        input: &LossInput,
        metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let entry = self.0.update(input, metadata)?;
        let value = self.0.value().map_or(f64::NAN, |value| value.current());
        self.1 = self.1.max(value);
        Ok(entry)
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        self.0.compute()
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Numeric for Largest {
    fn value(&self) -> Option<NumericEntry> {
        Some(NumericEntry::Value(self.1))
    }

    fn running_value(&self) -> Option<NumericEntry> {
        self.value()
    }

    fn final_value(&self) -> NumericEntry {
        NumericEntry::Final(self.1)
    }
}

#[test]
fn a_metric_that_is_no_mean_has_none_made_which_is_told_once() {
    let root = TempDir::new().unwrap();
    let of =
        |name: &str, batches| run(&root.path().join(name), batches).metrics((Largest::default(),));
    let expected = ended(of("whole", NEVER).fit(Net::new(1)).unwrap());
    let (training, said) = noted(of("run", 8));
    assert_stopped(training.fit(Net::new(1)));
    let said: Vec<String> = said.iter().collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].starts_with("no checkpoints within epochs: metric \"Largest\" is no mean"),
        "{said:?}"
    );
    assert!(found(&root.path().join("run")).is_empty());
    let (training, said) = noted(of("run", NEVER));
    assert_eq!(ended(training.fit(Net::new(2)).unwrap()), expected);
    assert_eq!(said.iter().next().unwrap(), "resuming after epoch 1");
}

#[test]
fn a_metric_that_is_new_within_an_epoch_is_told_to_be_of_its_rest() {
    let directory = TempDir::new().unwrap();
    assert_stopped(run(directory.path(), 8).fit(Net::new(1)));
    let (training, said) = noted(run(directory.path(), NEVER).metrics((Largest::default(),)));
    training.fit(Net::new(2)).unwrap();
    let partial = "metric \"Largest\" of epoch 2 is of what";
    assert!(said.iter().any(|said| said.starts_with(partial)));
}
