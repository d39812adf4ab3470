//! Plateaus and resume on several devices, and the training strategies that are refused.

use std::path::Path;
use std::sync::Arc;

use crate::common::{halving, model, parameters, training};
use burn::optim::lr_scheduler::LrScheduler;
use burn::tensor::Device;
use burn::tensor::distributed::{DistributedConfig, DistributedContext, ReduceOperation};
use burn::train::MultiDeviceOptim::{OptimMainDevice, OptimSharded};
use burn::train::{
    ExecutionStrategy, Learner, LearnerModel, MultiDeviceOptim, SupervisedLearningStrategy,
    SupervisedTrainingEventProcessor, TrainLoader, TrainingComponents, TrainingStrategy,
    ValidLoader,
};
use burn_lr::model::Mlp;
use burn_lr::scheduler::{ReduceLrOnPlateau, Run, Scheduler, StepLr, ThresholdMode};
use burn_lr::training::device::Backend;
use burn_lr::training::metrics::History;
use burn_lr::training::{Trained, Training, TrainingError};
use tempfile::TempDir;

const EPOCHS: usize = 4;

/// Cuts after every epoch but the first, over a base that moves with every update.
fn plateau() -> ReduceLrOnPlateau {
    ReduceLrOnPlateau::over(StepLr::new(0.01, 3).with_gamma(0.9))
        .with_patience(0)
        .with_factor(0.5)
        .with_threshold(100.0, ThresholdMode::Abs)
}

struct Case {
    devices: usize,
    optim: MultiDeviceOptim,
    accumulation: usize,
    /// 500 samples by devices, in batches of 64, by accumulation.
    updates: u64,
}

const CASES: [Case; 6] = [
    case(2, OptimMainDevice, 1, 4),
    case(2, OptimMainDevice, 3, 2),
    case(3, OptimMainDevice, 1, 3),
    case(3, OptimMainDevice, 2, 2),
    case(2, OptimSharded, 1, 4),
    case(3, OptimSharded, 2, 2),
];

const fn case(devices: usize, optim: MultiDeviceOptim, accumulation: usize, updates: u64) -> Case {
    Case {
        devices,
        optim,
        accumulation,
        updates,
    }
}

impl Case {
    fn training(&self, directory: &Path) -> Training<Mlp> {
        let devices = vec![Device::flex(); self.devices];
        training(directory, plateau().per_update())
            .strategy(ExecutionStrategy::multi(devices, self.optim))
            .grads_accumulation(self.accumulation)
            .resume(true)
            .on_notice(|_| {})
    }

    fn fit(&self, directory: &Path, epochs: usize) -> Trained<Mlp> {
        let training = self.training(directory).epochs(epochs);
        training.fit(model(&Device::flex())).unwrap()
    }

    /// Whether Burn adds up numbers in the same order in every run.
    fn is_deterministic(&self) -> bool {
        self.devices == 2 && (self.accumulation == 1 || matches!(self.optim, OptimSharded))
    }
}

/// The rates of the schedule, told the metrics of that history once an epoch.
fn expected(history: &History, updates: u64) -> Vec<(f64, f64)> {
    let run = Run::per_update().with_updates_per_epoch(updates);
    let mut scheduler = Scheduler::new(plateau(), run).unwrap();
    let rates = history.epochs.iter().map(|epoch| {
        let last = (0..updates).map(|_| scheduler.step()).last().unwrap();
        scheduler.observe(epoch.valid("loss")).unwrap();
        (last, scheduler.lr())
    });
    rates.collect()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

#[test]
fn every_epoch_is_observed_once_and_a_resumed_run_ends_like_an_undisturbed_one() {
    for case in CASES {
        let (whole, parts) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let whole = case.fit(whole.path(), EPOCHS);
        let rates = |history: &History| -> Vec<(f64, f64)> {
            history.epochs.iter().map(|e| (e.lr, e.next_lr)).collect()
        };
        assert_eq!(
            rates(&whole.history),
            expected(&whole.history, case.updates)
        );
        let cuts = whole.history.epochs.iter().map(|epoch| epoch.cuts.len());
        assert_eq!(cuts.collect::<Vec<_>>(), [0, 1, 1, 1]);

        case.fit(parts.path(), 2);
        let resumed = case.fit(parts.path(), EPOCHS);
        assert_eq!(rates(&resumed.history), rates(&whole.history));
        let weights = [&whole.model, &resumed.model].map(parameters);
        let difference = largest_difference(&weights[0], &weights[1]);
        if case.is_deterministic() {
            assert_eq!(difference, 0.0, "{} devices", case.devices);
        } else {
            assert!(difference < 1e-4, "{} devices: {difference}", case.devices);
        }
    }
}

#[test]
fn the_optimizer_may_be_sharded_without_changing_what_is_learnt() {
    let [main, sharded] = [OptimMainDevice, OptimSharded].map(|optim| {
        let directory = TempDir::new().unwrap();
        let trained = case(2, optim, 1, 4).fit(directory.path(), 2);
        parameters(&trained.model)
    });
    assert!(largest_difference(&main, &sharded) < 1e-4);

    let directory = TempDir::new().unwrap();
    case(2, OptimMainDevice, 1, 4).fit(directory.path(), 1);
    let changed = case(2, OptimSharded, 1, 4)
        .training(directory.path())
        .fit(model(&Device::flex()));
    assert!(matches!(
        changed,
        Err(TrainingError::ConfigChanged { field, .. }) if field == "multi_device_optim"
    ));
}

struct Custom;

impl<M: LearnerModel> SupervisedLearningStrategy<M> for Custom {
    fn fit(
        &self,
        _: TrainingComponents<M>,
        _: Learner<M>,
        _: TrainLoader<M>,
        _: ValidLoader<M>,
        _: usize,
    ) -> (M, SupervisedTrainingEventProcessor<M>) {
        panic!("must not be called");
    }
}

#[test]
fn strategies_that_cannot_be_supported_are_refused_before_anything_is_written() {
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("run");
    let device = Device::flex();
    let config = DistributedConfig {
        all_reduce_op: ReduceOperation::Mean,
    };
    // With devices, Burn would panic here: flex has no collectives.
    let context = DistributedContext::init(Vec::new(), config);
    let ddp = ExecutionStrategy::DistributedDataParallel {
        devices: vec![device.clone(); 2],
        context,
    };
    for strategy in [TrainingStrategy::Custom(Arc::new(Custom)), ddp.into()] {
        let refused = training(&directory, halving().per_epoch())
            .strategy(strategy)
            .fit(model(&device));
        assert!(matches!(
            refused,
            Err(TrainingError::Invalid {
                name: "training strategy",
                ..
            })
        ));
    }
    assert!(!directory.exists());
}

#[test]
fn what_fit_decides_cannot_be_changed_by_the_way() {
    let directory = TempDir::new().unwrap();
    let device = Device::flex();
    let devices = vec![device.clone(); 2];
    let history = training(
        directory.path(),
        StepLr::new(0.01, 1).with_gamma(0.5).per_update(),
    )
    .configure(move |training| {
        training
            .with_training_strategy(ExecutionStrategy::multi(devices, OptimMainDevice).into())
            .grads_accumulation(2)
            .num_epochs(7)
    })
    .fit(model(&device))
    .unwrap()
    .history;
    // 8 updates, as one device makes of 500 samples.
    let next: Vec<f64> = history.epochs.iter().map(|epoch| epoch.next_lr).collect();
    assert_eq!(next, [0.01 * 0.5f64.powi(8)]);
}

#[test]
fn data_parallel_training_needs_collectives_unless_there_is_one_device() {
    let parent = TempDir::new().unwrap();
    let (several, one) = (parent.path().join("several"), parent.path().join("one"));
    for backend in Backend::compiled() {
        if backend == Backend::Cuda {
            continue;
        }
        let device = backend.device().unwrap();
        let refused = training(&several, halving().per_epoch())
            .data_parallel([device.clone(), device.clone()])
            .fit(model(&device));
        assert!(matches!(
            refused,
            Err(TrainingError::Invalid {
                name: "data-parallel training",
                ..
            })
        ));
        assert!(!several.exists());
    }
    training(&one, halving().per_epoch())
        .data_parallel([Device::flex()])
        .fit(model(&Device::flex()))
        .unwrap();
}
