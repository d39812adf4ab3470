//! Every metric, schedule and strategy is heard as if it were alone.

use std::path::Path;
use std::sync::{Arc, Mutex};

use burn::optim::lr_scheduler::LrScheduler;
use burn::tensor::Device;
use burn::train::checkpoint::KeepLastNCheckpoints;
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};
use burn::train::metric::{AccuracyMetric, LossMetric, Metric};
use burn::train::{
    EarlyStoppingStrategy, ExecutionStrategy, Learner, LearnerModel, MultiDeviceOptim,
    SupervisedTraining,
};
use burn_lr::mnist::Mnist;
use burn_lr::scheduler::{
    Constant, Mode, ReduceLrOnPlateau, Run, ScheduleConfig, Scheduler, StepLr, ThresholdMode,
    Warmup,
};
use burn_lr::training::feedback::{Feedback, FeedbackScheduler, LrState, PlateauObserver};
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::optim::adam;
use tempfile::TempDir;

use super::{UPDATES, line};
use crate::common::line::{Line, slope};
use crate::common::model;

/// Writes down the metric and the learning rates of every epoch, as a strategy of the user could.
#[derive(Clone)]
struct Witness {
    metric: (String, Split),
    feedback: Feedback,
    epochs: Arc<Mutex<Vec<(f64, LrState)>>>,
}

impl EarlyStoppingStrategy for Witness {
    fn should_stop(&mut self, epoch: usize, store: &EventStoreClient) -> bool {
        let (name, split) = &self.metric;
        let metric = store.find_metric(name, epoch, Aggregate::Mean, split);
        let mut epochs = self.epochs.lock().unwrap();
        epochs.push((metric.unwrap(), self.feedback.lr()));
        false
    }
}

/// Trains with `schedule`, and expects the rates that it has alone when it is told the metric of
/// every epoch.
fn assert_heard<M: LearnerModel>(
    training: SupervisedTraining<M>,
    model: M,
    schedule: impl Into<ScheduleConfig>,
    updates: u64,
    metric: &impl Metric,
    split: Split,
) {
    let run = Run::per_update().with_updates_per_epoch(updates);
    let alone = Scheduler::new(schedule, run).unwrap();
    let (scheduler, feedback) = FeedbackScheduler::new(alone.clone());
    let observer = PlateauObserver::new(feedback.clone()).metric(metric, split.clone());
    let witness = Witness {
        metric: (metric.name().to_string(), split),
        feedback,
        epochs: Arc::default(),
    };
    let training = training.with_application_logger(None).num_epochs(EPOCHS);
    let training = observer.attach_with(training, KeepLastNCheckpoints::new(1), witness.clone());
    let result = training.launch(Learner::new(model, adam().init(), scheduler));
    assert!(result.error.is_none());
    observer.result().unwrap();

    let epochs = witness.epochs.lock().unwrap();
    assert_eq!(epochs.len(), EPOCHS);
    let mut alone = alone;
    for &(metric, lr) in epochs.iter() {
        let last = (0..updates).map(|_| alone.step()).last().unwrap();
        alone.observe(metric).unwrap();
        let expected = (last, alone.lr());
        assert_eq!((lr.lr, lr.next_lr), expected, "{:?}", witness.metric);
    }
    let cuts: u64 = alone.plateaus().iter().map(|plateau| plateau.cuts).sum();
    assert!(cuts > 0, "{:?} was never cut", witness.metric);
}

const EPOCHS: usize = 4;

/// Cuts after every epoch that does not make the metric ten times better.
fn demanding(base: impl Into<ScheduleConfig>, mode: Mode) -> ReduceLrOnPlateau {
    ReduceLrOnPlateau::over(base)
        .with_mode(mode)
        .with_patience(0)
        .with_factor(0.5)
        .with_threshold(0.9, ThresholdMode::Rel)
}

fn real(directory: &Path) -> SupervisedTraining<Line> {
    SupervisedTraining::new(directory, slope(), slope()).metrics((LossMetric::new(),))
}

#[test]
fn either_metric_of_either_split_is_heard() {
    let images = Mnist::bundled().unwrap().train.first(300);
    for split in [Split::Train, Split::Valid] {
        for (name, mode) in [("Accuracy", Mode::Max), ("Loss", Mode::Min)] {
            let directory = TempDir::new().unwrap();
            let loader = || Arc::new(EpochLoader::new(images.clone(), 64));
            let training = SupervisedTraining::new(directory.path(), loader(), loader())
                .metrics((LossMetric::new(), AccuracyMetric::new()));
            let schedule = demanding(Constant::new(0.01), mode);
            let model = model(&Device::flex().autodiff());
            if name == "Loss" {
                assert_heard(
                    training,
                    model,
                    schedule,
                    5,
                    &LossMetric::new(),
                    split.clone(),
                );
            } else {
                let accuracy = AccuracyMetric::new();
                assert_heard(training, model, schedule, 5, &accuracy, split.clone());
            }
        }
    }
}

#[test]
fn warmups_before_and_schedules_under_a_plateau_are_heard() {
    let cut = demanding(Constant::new(0.01), Mode::Min);
    let schedules: [ScheduleConfig; 3] = [
        Warmup::new(cut, 8).into(),
        demanding(Warmup::new(Constant::new(0.01), 8), Mode::Min).into(),
        demanding(StepLr::new(0.01, 3).with_gamma(0.9), Mode::Min).into(),
    ];
    for schedule in schedules {
        let directory = TempDir::new().unwrap();
        let training = real(directory.path());
        assert_heard(
            training,
            line(),
            schedule,
            UPDATES,
            &LossMetric::new(),
            Split::Valid,
        );
    }
}

#[test]
fn accumulated_gradients_and_two_devices_are_heard() {
    let base = || demanding(StepLr::new(0.01, 3).with_gamma(0.9), Mode::Min);
    let directory = TempDir::new().unwrap();
    let training = real(directory.path()).grads_accumulation(2);
    assert_heard(
        training,
        line(),
        base(),
        3,
        &LossMetric::new(),
        Split::Valid,
    );

    // Each device has 20 of the 40 points: 3 batches.
    let directory = TempDir::new().unwrap();
    let devices = vec![Device::flex(); 2];
    let strategy = ExecutionStrategy::multi(devices, MultiDeviceOptim::OptimMainDevice);
    let training = real(directory.path()).with_training_strategy(strategy.into());
    assert_heard(
        training,
        line(),
        base(),
        3,
        &LossMetric::new(),
        Split::Valid,
    );
}
