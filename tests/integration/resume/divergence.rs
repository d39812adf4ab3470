//! Runs that diverge.

use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::mnist::Mnist;
use burn_lr::model::{ClassificationBatch, Mlp};
use burn_lr::scheduler::StepLr;
use burn_lr::training::checkpoint::{CheckpointStore, HISTORY, MODEL, OPTIM, SCHEDULER};
use burn_lr::training::device::Backend;
use burn_lr::training::loader::{BatchSource, EpochLoader, Sample};
use burn_lr::training::storage::load_model;
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use super::saved_history;
use crate::common::{halving, model, parameters};

/// The training images with one pixel that is not a number, from a batch on.
struct Poisoned(Mnist, AtomicUsize);

impl BatchSource<ClassificationBatch> for Poisoned {
    fn len(&self) -> usize {
        640
    }

    fn batch(
        &self,
        samples: &[Sample],
        device: &Device,
    ) -> Result<ClassificationBatch, DatasetError> {
        let mut batch = self.0.train.batch(samples, device)?;
        // 10 batches an epoch; the one after 24 is number 5 of epoch 3.
        if self.1.fetch_add(1, Ordering::Relaxed) >= 24 {
            batch.inputs = batch.inputs * f32::NAN;
        }
        Ok(batch)
    }
}

#[test]
fn divergence_stops_the_run_and_leaves_the_last_good_checkpoint() {
    let device = Backend::Flex.device().unwrap();
    let directory = TempDir::new().unwrap();
    let mnist = Mnist::bundled().unwrap();
    let valid = EpochLoader::new(mnist.test.first(100), 64);
    let train = EpochLoader::new(Poisoned(mnist, Default::default()), 64);
    let diverged = Training::<Mlp>::new(directory.path(), train, valid)
        .schedule(halving().per_epoch())
        .metrics((LossMetric::new(), AccuracyMetric::new()))
        .epochs(5)
        .fit(model(&device));
    let Err(TrainingError::Diverged {
        epoch,
        iteration,
        loss,
    }) = diverged
    else {
        panic!("{diverged:?}");
    };
    assert_eq!((epoch, iteration, loss.is_nan()), (3, Some(5), true));
    let store = CheckpointStore::open(
        directory.path().join("checkpoint"),
        &[MODEL, OPTIM, SCHEDULER, HISTORY],
    );
    assert_eq!(store.unwrap().newest_complete().0.unwrap().epoch, 2);
    let best = load_model(&directory.path().join("best.bpk"), model(&device)).unwrap();
    assert!(parameters(&best).iter().all(|weight| weight.is_finite()));
    assert_eq!(saved_history(directory.path()).epochs.len(), 2);
}

/// The last update of an epoch spoils the weights, when all its training losses were finite.
#[test]
fn spoilt_weights_are_not_saved_as_a_checkpoint() {
    let device = Backend::Flex.device().unwrap();
    let directory = TempDir::new().unwrap();
    let mnist = Mnist::bundled().unwrap();
    let train = EpochLoader::new(mnist.train.first(64), 64).shuffled(1);
    let valid = EpochLoader::new(mnist.test.first(64), 64);
    let spoilt = Training::<Mlp>::new(directory.path(), train, valid)
        .schedule(StepLr::new(1e30, 1).per_epoch())
        .metrics((LossMetric::new(), AccuracyMetric::new()))
        .epochs(3)
        .fit(model(&device));
    assert!(matches!(
        spoilt,
        Err(TrainingError::ValidationDiverged { epoch: 1, .. })
    ));
    assert!(!directory.path().join("best.bpk").exists());
    let store = CheckpointStore::open(directory.path().join("checkpoint"), &[MODEL]).unwrap();
    assert!(store.epochs().is_empty());
}
