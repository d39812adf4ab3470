//! What is trained: everything but the schedule and the number of epochs.

use std::path::{Path, PathBuf};

use burn::data::dataset::Dataset;
use burn::tensor::Device;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::experiment::{BaseError, Setup};
use burn_lr::mnist::{ImageDataset, Mnist};
use burn_lr::model::{Mlp, MlpConfig};
use burn_lr::tracking::Follow;
use burn_lr::training::Training;
use burn_lr::training::average::Average;
use burn_lr::training::checkpoint::KeepPolicy;
use burn_lr::training::evaluate::evaluate;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::Metrics;
use serde_json::json;

use crate::options::{Options, Unfit};
use crate::terminal::Error;

const BATCH_SIZE: usize = 64;
const VALID_BATCH_SIZE: usize = 1000;

/// What an experiment is made on.
pub trait Base: Fn(&Setup) -> Result<(Training<Mlp>, Mlp), BaseError> + Sync {}

impl<F: Fn(&Setup) -> Result<(Training<Mlp>, Mlp), BaseError> + Sync> Base for F {}

/// The images and the device.
pub struct Task {
    pub train: ImageDataset,
    pub valid: ImageDataset,
    test: ImageDataset,
    device: Device,
    tensorboard: Option<PathBuf>,
}

impl Task {
    pub fn new(options: &Options) -> Result<Self, Error> {
        let mnist = match &options.data_dir {
            Some(directory) => Mnist::load(directory)?,
            None => Mnist::bundled()?,
        };
        let most = options.train_samples.map_or(usize::MAX, |n| n as usize);
        let mut train = mnist.train.first(most);
        let mut valid = mnist.test.clone();
        if let Some(held_out) = options.hold_out {
            let split = train.hold_out(held_out as usize, 0);
            let split = split.filter(|(left, _)| !left.labels().is_empty());
            (train, valid) = split.ok_or_else(|| {
                let images = train.len();
                Unfit(format!(
                    "--hold-out: expected less than {images} images, got {held_out}"
                ))
            })?;
        }
        Ok(Self {
            train,
            valid,
            test: mnist.test,
            device: options.backend.device()?,
            tensorboard: options.tensorboard.clone(),
        })
    }

    /// The training and the model for a seed.
    pub fn base(&self, setup: &Setup) -> Result<(Training<Mlp>, Mlp), BaseError> {
        let seed = setup.seed();
        let data = [&self.train, &self.valid].map(|set| format!("crc32 {:08x}", set.fingerprint()));
        let model = MlpConfig::new();
        let train = EpochLoader::new(self.train.clone(), BATCH_SIZE).shuffled(seed);
        let valid = EpochLoader::new(self.valid.clone(), VALID_BATCH_SIZE);
        let training = Training::new(setup.directory(), train, valid)
            .metrics((LossMetric::new(), AccuracyMetric::new()))
            .keep(KeepPolicy::last(1))
            .settings(json!({"seed": seed, "data": data, "model": model}));
        let average: Option<Average> = setup.setting_or("average", None)?;
        let training = match average {
            Some(average) => training.average(average),
            None => training,
        };
        let training = match &self.tensorboard {
            Some(board) => training.tensorboard(board.join(name(setup.directory()))),
            None => training,
        };
        self.device.seed(seed);
        Ok((training, model.init(&self.device)))
    }

    /// The accuracy of a model on the test set.
    pub fn test(&self, model: Mlp) -> Result<Metrics, BaseError> {
        let test = EpochLoader::new(self.test.clone(), VALID_BATCH_SIZE);
        Ok(evaluate(&model, &test, AccuracyMetric::new())?)
    }
}

/// How a trial is called beside those of other experiments, as `run-001/cosine/seed-1`.
fn name(trial: &Path) -> PathBuf {
    let path = std::path::absolute(trial).unwrap_or_else(|_| trial.to_owned());
    let parts: Vec<_> = path.iter().filter(|part| *part != "trials").collect();
    parts[parts.len().saturating_sub(3)..].iter().collect()
}
