//! Burn's own loader, vouched for.

use std::path::Path;

use burn::data::dataloader::DataLoaderBuilder;
use burn::data::dataloader::batcher::Batcher;
use burn::tensor::{Device, Int, Tensor};
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::mnist::{Image, Mnist};
use burn_lr::model::ClassificationBatch;
use burn_lr::scheduler::StepLr;
use burn_lr::training::Training;
use burn_lr::training::device::Backend;
use burn_lr::training::loader::Loader;
use tempfile::TempDir;

use super::outcome;
use crate::common::model;

#[derive(Clone)]
struct ImageBatcher;

impl Batcher<Image, ClassificationBatch> for ImageBatcher {
    fn batch(&self, images: Vec<Image>, device: &Device) -> ClassificationBatch {
        let pixels: Vec<f32> = images
            .iter()
            .flat_map(|image| image.pixels.iter().map(|&pixel| f32::from(pixel) / 255.0))
            .collect();
        let labels: Vec<i64> = images.iter().map(|image| image.label.into()).collect();
        ClassificationBatch {
            inputs: Tensor::<1>::from_data(pixels.as_slice(), device).reshape([images.len(), 784]),
            targets: Tensor::<1, Int>::from_data(labels.as_slice(), device),
        }
    }
}

#[test]
fn burns_own_loader_with_accumulated_gradients_resumes_exactly() {
    let device = Backend::Flex.device().unwrap();
    let mnist = Mnist::bundled().unwrap();
    let run = |directory: &Path, epochs| {
        let loader = |images| {
            DataLoaderBuilder::new(ImageBatcher)
                .batch_size(32)
                .shuffle(7)
                .build(images)
        };
        let (train, valid) = (
            loader(mnist.train.first(200)),
            loader(mnist.test.first(100)),
        );
        let train = Loader::replayable(train).with_batches(7);
        let trained = Training::new(directory, train, valid)
            .schedule(StepLr::new(0.01, 2).with_gamma(0.5).per_epoch())
            .grads_accumulation(3)
            .metrics((LossMetric::new(), AccuracyMetric::new()))
            .epochs(epochs)
            .resume(true)
            .on_notice(|_| {})
            .fit(model(&device));
        outcome(trained.unwrap())
    };
    let (whole, parts) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let expected = run(whole.path(), 4);
    run(parts.path(), 1);
    run(parts.path(), 3);
    let resumed = run(parts.path(), 4);
    assert!(resumed.0 == expected.0);
    assert_eq!(resumed.1, expected.1);
}
