//! Metrics that are missing or not finite.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use burn::train::SupervisedTraining;
use burn::train::logger::FileMetricLogger;
use burn::train::metric::store::Split;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::training::TrainingError;
use burn_lr::training::feedback::PlateauObserver;
use burn_lr::training::loader::{BatchSource, EpochLoader, Sample};
use tempfile::TempDir;

use super::{LR, UPDATES, checkpoints, launch, plateau, training};
use crate::common::line::{Points, Slope, script, slope};

#[test]
fn a_metric_that_is_missing_stops_the_training_without_a_checkpoint() {
    // With the observer's logger it is known which metrics there are, and Burn's loss is otherwise.
    for logger in [false, true] {
        let directory = TempDir::new().unwrap();
        let (scheduler, feedback) = plateau(LR);
        let observer = PlateauObserver::new(feedback).metric(&AccuracyMetric::new(), Split::Valid);
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
                if metric == "valid_accuracy" && known == ["valid_loss"]
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
    let observer = PlateauObserver::new(feedback).metric(&LossMetric::new(), Split::Valid);
    let training = SupervisedTraining::new(directory.path(), slope(), script(&[1.0; 2]))
        .with_application_logger(None)
        .metric_train_numeric(LossMetric::new())
        .num_epochs(2);
    launch(observer.attach(training), scheduler);
    assert!(matches!(
        observer.result(),
        Err(TrainingError::MissingMetric { known, .. }) if known == ["train_loss"]
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
