//! Plateaus on Burn's own `SupervisedTraining`, beside strategies and parameter groups of the user.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use burn::data::dataset::DatasetError;
use burn::module::ParamGroup;
use burn::optim::lr_scheduler::LrScheduler;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::tensor::Device;
use burn::train::checkpoint::{
    ComposedCheckpointingStrategy, KeepLastNCheckpoints, MetricCheckpointingStrategy,
};
use burn::train::logger::FileMetricLogger;
use burn::train::metric::store::{Aggregate, Direction, EventStoreClient, Split};
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::{
    EarlyStoppingStrategy, ExecutionStrategy, Learner, LearnerModel, LearningResult,
    MetricEarlyStoppingStrategy, MultiDeviceOptim, StoppingCondition, SupervisedTraining,
};
use burn_lr::scheduler::{
    Constant, Mode, ReduceLrOnPlateau, Run, ScheduleConfig, Scheduler, StepLr, ThresholdMode,
    Warmup,
};
use burn_lr::training::loader::Sample;
use burn_lr::training::{
    BatchSource, EpochLoader, Feedback, FeedbackScheduler, LrState, Mnist, PlateauObserver,
    TrainingError, adam,
};
use common::line::{Line, Points, Slope, script, slope};
use common::model;
use tempfile::TempDir;

/// Too small to move the line from where the scripted losses are.
const LR: f64 = 1e-4;
/// 40 points in batches of 8.
const UPDATES: u64 = 5;

/// Halves the rate after every epoch that is not the best so far.
fn plateau(lr: f64) -> (FeedbackScheduler, Feedback) {
    let schedule = ReduceLrOnPlateau::new(lr).with_patience(0).with_factor(0.5);
    FeedbackScheduler::new(Scheduler::new(schedule, Run::per_epoch(UPDATES)).unwrap())
}

fn line() -> Line {
    Line::new(&Device::flex().autodiff())
}

/// Burn's training with checkpoints, over validation losses of `y` squared.
fn training(directory: &Path, ys: &[f32]) -> SupervisedTraining<Line> {
    SupervisedTraining::new(directory, slope(), script(ys))
        .with_application_logger(None)
        .with_default_checkpointers()
        .metrics((LossMetric::new(),))
        .num_epochs(ys.len())
}

fn launch(
    training: SupervisedTraining<Line>,
    scheduler: impl Into<ModuleLrScheduler>,
) -> LearningResult<Line> {
    let result = training.launch(Learner::new(line(), adam().init(), scheduler));
    assert!(result.error.is_none());
    result
}

/// The epochs that have a checkpoint.
fn checkpoints(directory: &Path) -> Vec<usize> {
    let epoch = |name: &str| {
        let number = name.strip_prefix("model-")?.strip_suffix(".bpk")?;
        number.parse().ok()
    };
    let files = std::fs::read_dir(directory.join("checkpoint")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut epochs: Vec<usize> = names.filter_map(|name| epoch(&name)).collect();
    epochs.sort_unstable();
    epochs
}

fn best() -> MetricCheckpointingStrategy {
    let loss = &LossMetric::new();
    MetricCheckpointingStrategy::new(loss, Aggregate::Mean, Direction::Lowest, Split::Valid)
}

fn no_better_for(n_epochs: usize) -> MetricEarlyStoppingStrategy {
    MetricEarlyStoppingStrategy::new(
        &LossMetric::new(),
        Aggregate::Mean,
        Direction::Lowest,
        Split::Valid,
        StoppingCondition::NoImprovementSince { n_epochs },
    )
}

#[test]
fn strategies_of_the_user_are_kept() {
    let directory = TempDir::new().unwrap();
    let (scheduler, feedback) = plateau(LR);
    let observer = PlateauObserver::new(feedback.clone());
    let keep = ComposedCheckpointingStrategy::builder()
        .add(KeepLastNCheckpoints::new(1))
        .add(best())
        .build();
    let training = training(directory.path(), &[3.0, 2.0, 1.0, 2.0, 2.5, 2.0, 0.5]);
    let training = observer.attach_with(training, keep, no_better_for(3));
    launch(training, scheduler);
    observer.result().unwrap();

    // Stopped 3 epochs after the third, before the seventh, which would have been the best.
    assert_eq!(checkpoints(directory.path()), [3, 6]);
    assert!(!directory.path().join("valid/epoch-7").exists());
    // Cut after each of those 3, and the last cut made no update any more.
    let lr = feedback.lr();
    assert_eq!((lr.lr, lr.next_lr), (LR / 4.0, LR / 8.0));

    // The checkpoint of epoch 6 holds the verdict on epoch 6.
    let (scheduler, feedback) = plateau(LR);
    let observer = PlateauObserver::new(feedback.clone());
    let training = training_after(directory.path(), 6, &[1.5]);
    launch(observer.attach(training), scheduler);
    let lr = feedback.lr();
    assert_eq!((lr.lr, lr.next_lr), (LR / 8.0, LR / 16.0));
}

/// The rest of a training that was stopped after `epoch`.
fn training_after(directory: &Path, epoch: usize, ys: &[f32]) -> SupervisedTraining<Line> {
    training(directory, ys)
        .checkpoint(epoch)
        .num_epochs(epoch + ys.len())
}

#[test]
fn one_strategy_of_the_user_goes_beside_burns_default() {
    let directory = TempDir::new().unwrap();
    let (scheduler, feedback) = plateau(LR);
    let observer = PlateauObserver::new(feedback.clone());
    let training = training(directory.path(), &[1.0, 2.0, 2.0, 2.0, 2.0, 2.0]);
    let training = observer
        .attach(training)
        .early_stopping(observer.early_stopping(no_better_for(4)));
    launch(training, scheduler);
    observer.result().unwrap();
    assert_eq!(checkpoints(directory.path()), [1, 4, 5]);
    assert_eq!(feedback.lr().next_lr, LR / 16.0);
}

#[test]
fn the_best_checkpoint_is_remembered_over_a_stop() {
    let directory = TempDir::new().unwrap();
    let (scheduler, feedback) = plateau(LR);
    let observer = PlateauObserver::new(feedback);
    launch(
        observer.attach(training(directory.path(), &[3.0])),
        scheduler,
    );
    assert_eq!(checkpoints(directory.path()), [1]);

    let (scheduler, feedback) = plateau(LR);
    let observer = PlateauObserver::new(feedback);
    let training = training_after(directory.path(), 1, &[1.0, 2.0, 2.0, 2.0, 2.0]);
    launch(observer.attach(training), scheduler);
    observer.result().unwrap();
    let kept = checkpoints(directory.path());
    // Burn never deletes the checkpoint that a training was resumed from.
    assert_eq!(kept, [1, 2, 5, 6]);
}

#[test]
fn parameter_groups_have_plateaus_of_their_own() {
    let directory = TempDir::new().unwrap();
    let ((base, base_end), (group, group_end)) = (plateau(LR), plateau(2.0 * LR));
    let scheduler =
        ModuleLrScheduler::new(base).with_group(ParamGroup::from_predicate("bias"), group);
    let observer = PlateauObserver::new(base_end.clone()).and(group_end.clone());
    // Without checkpointers, so that only one of the two hooks fires.
    let training = SupervisedTraining::new(directory.path(), slope(), script(&[1.0; 4]))
        .with_application_logger(None)
        .metrics((LossMetric::new(),))
        .num_epochs(4);
    launch(observer.attach(training), scheduler);
    observer.result().unwrap();
    assert_eq!(base_end.lr().next_lr, LR / 8.0);
    assert_eq!(group_end.lr().next_lr, LR / 4.0);
}

#[test]
fn a_metric_that_is_missing_stops_the_training_without_a_checkpoint() {
    // With the observer's logger it is known which metrics there are, and Burn's loss is otherwise.
    for logger in [false, true] {
        let directory = TempDir::new().unwrap();
        let (scheduler, feedback) = plateau(LR);
        let observer = PlateauObserver::new(feedback).metric("Accuracy", Split::Valid);
        let mut training = training(directory.path(), &[1.0; 4]);
        if logger {
            training = training
                .with_metric_logger(FileMetricLogger::new(directory.path()))
                .with_metric_logger(observer.metric_logger());
        }
        launch(observer.attach(training), scheduler);
        assert!(matches!(
            observer.result(),
            Err(TrainingError::MissingMetric { metric, epoch: 1, known, .. })
                if metric == "Accuracy" && known == ["Loss"]
        ));
        assert!(checkpoints(directory.path()).is_empty());
        assert!(directory.path().join("valid/epoch-1/Loss.log").exists());
    }
}

/// Points of which the third batch of the second epoch has no value.
#[derive(Default)]
struct Hole(AtomicU64);

impl BatchSource<Points> for Hole {
    fn len(&self) -> usize {
        Slope.len()
    }

    fn batch(&self, samples: &[Sample], device: &Device) -> Result<Points, DatasetError> {
        let mut points = Slope.batch(samples, device)?;
        if self.0.fetch_add(1, Ordering::Relaxed) == UPDATES + 2 {
            points.x = points.x * f32::NAN;
        }
        Ok(points)
    }
}

#[test]
fn divergence_stops_the_training_without_a_checkpoint() {
    // With the observer's logger it is seen at once.
    for (logger, expected) in [(false, None), (true, Some(3))] {
        let directory = TempDir::new().unwrap();
        let (scheduler, feedback) = plateau(LR);
        let observer = PlateauObserver::new(feedback);
        let train = Arc::new(EpochLoader::new(Hole::default(), 8));
        let mut training =
            SupervisedTraining::new(directory.path(), train, script(&[2.0, 1.0, 1.0]))
                .with_application_logger(None)
                .with_default_checkpointers()
                .metrics((LossMetric::new(),))
                .num_epochs(3);
        if logger {
            training = training.with_metric_logger(observer.metric_logger());
        }
        launch(observer.attach(training), scheduler);
        assert!(matches!(
            observer.result(),
            Err(TrainingError::Diverged { epoch: 2, iteration, loss })
                if iteration == expected && loss.is_nan()
        ));
        assert_eq!(checkpoints(directory.path()), [1]);
    }
}

#[test]
fn a_metric_of_the_other_split_is_named_with_it() {
    let directory = TempDir::new().unwrap();
    let (scheduler, feedback) = plateau(LR);
    let observer = PlateauObserver::new(feedback).metric("Loss", Split::Valid);
    let training = SupervisedTraining::new(directory.path(), slope(), script(&[1.0; 2]))
        .with_application_logger(None)
        .metric_train_numeric(LossMetric::new())
        .num_epochs(2);
    launch(observer.attach(training), scheduler);
    assert!(matches!(
        observer.result(),
        Err(TrainingError::MissingMetric { known, .. }) if known == ["Loss (train)"]
    ));
}

/// The last update of the second epoch spoils the weights, when all training losses were finite.
#[test]
fn spoilt_weights_stop_the_training_without_a_checkpoint() {
    let directory = TempDir::new().unwrap();
    let (scheduler, feedback) = plateau(LR);
    let observer = PlateauObserver::new(feedback);
    let training = training(directory.path(), &[2.0, f32::INFINITY, 1.0]);
    launch(observer.attach(training), scheduler);
    assert!(matches!(
        observer.result(),
        Err(TrainingError::ValidationDiverged { epoch: 2, loss }) if loss.is_infinite()
    ));
    assert_eq!(checkpoints(directory.path()), [1]);
}

/// Writes down the metric and the learning rates of every epoch, as a strategy of the user could.
#[derive(Clone)]
struct Witness {
    metric: (&'static str, Split),
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
    metric: (&'static str, Split),
) {
    let run = Run::per_update().with_updates_per_epoch(updates);
    let alone = Scheduler::new(schedule, run).unwrap();
    let (scheduler, feedback) = FeedbackScheduler::new(alone.clone());
    let observer = PlateauObserver::new(feedback.clone()).metric(metric.0, metric.1.clone());
    let witness = Witness {
        metric,
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
        let expected = LrState {
            lr: last,
            next_lr: alone.lr(),
        };
        assert_eq!(lr, expected, "{:?}", witness.metric);
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

const VALID_LOSS: (&str, Split) = ("Loss", Split::Valid);

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
            assert_heard(training, model, schedule, 5, (name, split.clone()));
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
        assert_heard(training, line(), schedule, UPDATES, VALID_LOSS);
    }
}

#[test]
fn accumulated_gradients_and_two_devices_are_heard() {
    let base = || demanding(StepLr::new(0.01, 3).with_gamma(0.9), Mode::Min);
    let directory = TempDir::new().unwrap();
    let training = real(directory.path()).grads_accumulation(2);
    assert_heard(training, line(), base(), 3, VALID_LOSS);

    // Each device has 20 of the 40 points: 3 batches.
    let directory = TempDir::new().unwrap();
    let devices = vec![Device::flex(); 2];
    let strategy = ExecutionStrategy::multi(devices, MultiDeviceOptim::OptimMainDevice);
    let training = real(directory.path()).with_training_strategy(strategy.into());
    assert_heard(training, line(), base(), 3, VALID_LOSS);
}
