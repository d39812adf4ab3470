//! A plateau on Burn's own training whose observer was displaced.

use std::path::Path;

use burn::data::dataset::DatasetError;
use burn::module::Module;
use burn::tensor::Device;
use burn::train::checkpoint::KeepLastNCheckpoints;
use burn::train::metric::LossMetric;
use burn::train::metric::store::{Aggregate, Direction, Split};
use burn::train::{
    Interrupter, Learner, MetricEarlyStoppingStrategy, StoppingCondition, SupervisedTraining,
};
use burn_lr::scheduler::{Constant, ReduceLrOnPlateau, Run, ScheduleConfig, Scheduler};
use burn_lr::training::TrainingError;
use burn_lr::training::feedback::{FeedbackScheduler, PlateauObserver};
use burn_lr::training::loader::{BatchSource, EpochLoader, Sample};
use burn_lr::training::optim::adam;
use tempfile::TempDir;

use super::net::{BATCHES, Net};
use crate::common::line::{Points, Slope};

/// Stops the training at a point of an epoch.
struct Stopping(Interrupter, Option<(u64, usize)>);

impl BatchSource<Points> for Stopping {
    fn len(&self) -> usize {
        40
    }

    fn batch(&self, samples: &[Sample], device: &Device) -> Result<Points, DatasetError> {
        let here = samples.iter().map(|sample| (sample.epoch, sample.index));
        if here.into_iter().any(|here| Some(here) == self.1) {
            self.0.stop(Some("a test"));
        }
        Slope.batch(samples, device)
    }
}

fn training(directory: &Path, stop: Option<(u64, usize)>) -> SupervisedTraining<Net> {
    let interrupter = Interrupter::new();
    let train = EpochLoader::new(Stopping(interrupter.clone(), stop), 8);
    let valid = EpochLoader::new(Slope, 20);
    SupervisedTraining::new(
        directory,
        std::sync::Arc::new(train),
        std::sync::Arc::new(valid),
    )
    .with_application_logger(None)
    .with_default_checkpointers()
    .with_interrupter(interrupter)
    .metrics((LossMetric::new(),))
    .num_epochs(2)
}

type Attach = fn(&PlateauObserver, SupervisedTraining<Net>) -> SupervisedTraining<Net>;

fn attached(
    observer: &PlateauObserver,
    training: SupervisedTraining<Net>,
) -> SupervisedTraining<Net> {
    observer.attach(training)
}

/// Both of its places are taken.
fn displaced(
    observer: &PlateauObserver,
    training: SupervisedTraining<Net>,
) -> SupervisedTraining<Net> {
    let stopping = MetricEarlyStoppingStrategy::new(
        &LossMetric::new(),
        Aggregate::Mean,
        Direction::Lowest,
        Split::Valid,
        StoppingCondition::NoImprovementSince { n_epochs: 5 },
    );
    let training = observer.attach(training).early_stopping(stopping);
    training.with_checkpointing_strategy(KeepLastNCheckpoints::new(1))
}

/// One of its places is taken.
fn half(observer: &PlateauObserver, training: SupervisedTraining<Net>) -> SupervisedTraining<Net> {
    observer
        .attach(training)
        .with_checkpointing_strategy(KeepLastNCheckpoints::new(1))
}

fn result(
    schedule: impl Into<ScheduleConfig>,
    attach: Attach,
    stop: Option<(u64, usize)>,
) -> Result<(), TrainingError> {
    result_of_epochs(BATCHES, schedule, attach, stop)
}

/// As if an epoch had so many updates.
fn result_of_epochs(
    updates: u64,
    schedule: impl Into<ScheduleConfig>,
    attach: Attach,
    stop: Option<(u64, usize)>,
) -> Result<(), TrainingError> {
    let directory = TempDir::new().unwrap();
    let scheduler = Scheduler::new(schedule, Run::per_epoch(updates)).unwrap();
    let (scheduler, feedback) = FeedbackScheduler::new(scheduler);
    let observer = PlateauObserver::new(feedback);
    let training = attach(&observer, training(directory.path(), stop));
    observer.result().unwrap();
    training.launch(Learner::new(Net::new(1).train(), adam().init(), scheduler));
    observer.result()
}

#[test]
fn an_observer_that_was_displaced_says_so() {
    let plateau = || ReduceLrOnPlateau::new(0.01);
    result(plateau(), attached, None).unwrap();
    result(plateau(), half, None).unwrap();
    let never = result(plateau(), displaced, None);
    assert!(
        matches!(never, Err(TrainingError::NeverObserved)),
        "{never:?}"
    );
    // In the second epoch the first should have been observed.
    let never = result(plateau(), displaced, Some((2, 20)));
    assert!(
        matches!(never, Err(TrainingError::NeverObserved)),
        "{never:?}"
    );
    // An epoch that has fewer updates than were said, even than the whole training has.
    for updates in [BATCHES + 1, 10 * BATCHES] {
        let never = result_of_epochs(updates, plateau(), displaced, None);
        assert!(
            matches!(never, Err(TrainingError::NeverObserved)),
            "{never:?}"
        );
        result_of_epochs(updates, plateau(), attached, None).unwrap();
    }
    // A constant rate has nothing to observe.
    result(Constant::new(0.01), displaced, None).unwrap();
}

#[test]
fn a_training_that_was_stopped_in_its_first_epoch_had_nothing_to_observe() {
    for attach in [attached as Attach, half, displaced] {
        for place in [0, 20, 39] {
            result(ReduceLrOnPlateau::new(0.01), attach, Some((1, place))).unwrap();
        }
    }
}
