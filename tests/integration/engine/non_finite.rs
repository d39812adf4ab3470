//! Gradients that are not finite.

use std::path::Path;

use burn::data::dataset::DatasetError;
use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn::train::{InferenceStep, RegressionOutput, TrainOutput, TrainStep};
use burn_lr::training::loader::{BatchSource, EpochLoader, Sample};
use burn_lr::training::optim::{GradientClip, NonFinite};
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use super::net::{Net, values};
use super::noisy::Poisoned;
use crate::common::line::{Line, Points, Slope};

fn poisoned(directory: &Path, source: Poisoned, non_finite: NonFinite) -> Training<Net> {
    Training::new(
        directory,
        EpochLoader::new(source, 8),
        EpochLoader::new(Slope, 20),
    )
    .metrics((LossMetric::new(),))
    .schedule(0.01)
    .non_finite(non_finite)
    .epochs(3)
    .resume(true)
    .on_notice(|_| {})
}

/// Sample 20 is in the third batch.
fn third(epochs: std::ops::Range<u64>) -> Poisoned {
    Poisoned { index: 20, epochs }
}

#[test]
fn an_update_that_is_skipped_is_counted_and_the_run_goes_on() {
    let directory = TempDir::new().unwrap();
    let trained = poisoned(directory.path(), third(2..3), NonFinite::Skip)
        .fit(Net::new(1))
        .unwrap();
    assert!(
        values(&trained.model)
            .iter()
            .flatten()
            .all(|value| value.is_finite())
    );
    let epochs = &trained.history.epochs;
    let skipped: Vec<f64> = epochs
        .iter()
        .map(|epoch| epoch.train("skipped_updates"))
        .collect();
    assert_eq!(skipped, [0.0, 1.0, 0.0]);
    // The clock does not stop for it, the norm is that of the others.
    assert_eq!(epochs[2].updates, 15);
    assert!(
        epochs
            .iter()
            .all(|epoch| epoch.train("gradient_norm") > 0.0)
    );
    assert!(epochs[1].train("loss").is_nan() && epochs[1].valid("loss").is_finite());
    let csv = std::fs::read_to_string(directory.path().join("history.csv")).unwrap();
    assert!(csv.starts_with("epoch,updates,train_gradient_norm,train_loss,train_skipped_updates,"));
}

/// A norm over what the points are, before a line.
#[derive(Module, Debug)]
struct Normed {
    norm: BatchNorm,
    line: Line,
}

impl TrainStep for Normed {
    type Input = Points;
    type Output = RegressionOutput;

    fn step(&self, points: Points) -> TrainOutput<RegressionOutput> {
        let x = self.norm.forward(points.x);
        let step = TrainStep::step(&self.line, Points { x, y: points.y });
        TrainOutput {
            grads: step.grads,
            item: step.item,
        }
    }
}

impl InferenceStep for Normed {
    type Input = Points;
    type Output = RegressionOutput;

    fn step(&self, points: Points) -> RegressionOutput {
        let x = self.norm.forward(points.x);
        InferenceStep::step(&self.line, Points { x, y: points.y })
    }
}

/// A point that is no number, in the third batch of the first epoch.
struct Broken;

impl BatchSource<Points> for Broken {
    fn len(&self) -> usize {
        40
    }

    fn batch(&self, samples: &[Sample], device: &Device) -> Result<Points, DatasetError> {
        let points = third(1..2).batch(samples, device)?;
        let x = points.x + (points.y.clone() - points.y) * 0.0;
        Slope
            .batch(samples, device)
            .map(|points| Points { x, ..points })
    }
}

/// The limitation that the documentation names.
#[test]
fn a_skipped_update_leaves_running_statistics_spoilt() {
    let directory = TempDir::new().unwrap();
    let device = Device::flex();
    let model = Normed {
        norm: BatchNormConfig::new(1).init(&device),
        line: Line::new(&device),
    };
    let train = EpochLoader::new(Broken, 8);
    let ended = Training::new(directory.path(), train, EpochLoader::new(Slope, 20))
        .metrics((LossMetric::new(),))
        .non_finite(NonFinite::Skip)
        .fit(model);
    assert!(
        matches!(ended, Err(TrainingError::ValidationDiverged { epoch: 1, loss }) if loss.is_nan()),
        "{ended:?}"
    );
}

/// Every batch has its point.
struct All;

impl BatchSource<Points> for All {
    fn len(&self) -> usize {
        40
    }

    fn batch(&self, samples: &[Sample], device: &Device) -> Result<Points, DatasetError> {
        let points = Slope.batch(samples, device)?;
        let y = if samples[0].epoch == 2 {
            points.y * f32::NAN
        } else {
            points.y
        };
        Ok(Points { x: points.x, y })
    }
}

#[test]
fn a_run_all_of_whose_updates_are_skipped_stops() {
    for (size, expected) in [(8, 5), (40, 1)] {
        let directory = TempDir::new().unwrap();
        let stopped = Training::new(
            directory.path(),
            EpochLoader::new(All, size),
            EpochLoader::new(Slope, 20),
        )
        .metrics((LossMetric::new(),))
        .non_finite(NonFinite::Skip)
        .epochs(3)
        .fit(Net::new(1));
        let Err(TrainingError::AllSkipped { epoch, updates }) = &stopped else {
            panic!("{stopped:?}");
        };
        assert_eq!((*epoch, *updates), (2, expected));
        let said = stopped.unwrap_err().to_string();
        assert!(
            said.starts_with("every update of epoch 2 was skipped"),
            "{said}"
        );
    }
}

#[test]
fn a_gradient_that_is_not_finite_stops_the_run_if_asked_to() {
    for clip in [
        None,
        Some(GradientClip::norm(1.0)),
        Some(GradientClip::value(1.0)),
    ] {
        let directory = TempDir::new().unwrap();
        let training = poisoned(directory.path(), third(2..3), NonFinite::Stop);
        let stopped = match clip {
            Some(clip) => training.clip_gradients(clip),
            None => training,
        }
        .fit(Net::new(1));
        let Err(TrainingError::GradientDiverged {
            epoch,
            update,
            norm,
        }) = stopped
        else {
            panic!("{stopped:?}");
        };
        assert_eq!((epoch, update, norm.is_nan()), (2, 3, true));
        // What was completed can be looked at.
        let csv = std::fs::read_to_string(directory.path().join("history.csv")).unwrap();
        assert_eq!(csv.lines().count(), 2);
        assert!(
            directory
                .path()
                .join("checkpoint/epoch-0001/manifest.json")
                .exists()
        );
    }
}

#[test]
fn nothing_is_checked_unless_asked_for() {
    for clip in [None, Some(GradientClip::norm(1.0))] {
        let directory = TempDir::new().unwrap();
        let training = poisoned(directory.path(), third(2..3), NonFinite::Propagate);
        let diverged = match clip {
            Some(clip) => training.clip_gradients(clip),
            None => training,
        }
        .fit(Net::new(1));
        assert!(
            matches!(diverged, Err(TrainingError::Diverged { epoch: 2, iteration: Some(3), loss })
                if loss.is_nan()),
            "{diverged:?}"
        );
    }
}
