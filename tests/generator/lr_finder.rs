//! Range tests on the first images of MNIST: what they find, and what they leave as it was.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::common::parameters;
use crate::generator;
use burn::data::dataloader::batcher::Batcher;
use burn::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn::data::dataset::DatasetError;
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Distribution, Int, Tensor};
use burn::train::{ClassificationOutput, TrainOutput, TrainStep};
use burn_lr::mnist::{Image, ImageDataset, Mnist};
use burn_lr::model::{ClassificationBatch, Mlp, MlpConfig};
use burn_lr::training::draw_weights;
use burn_lr::training::loader::{BatchSource, EpochLoader, Sample};
use burn_lr::training::optim::adam;
use burn_lr::training::range_test::{LrFinder, LrFinderError, SweepEnd};

type Loader = Arc<dyn DataLoader<ClassificationBatch>>;

fn images() -> ImageDataset {
    Mnist::bundled().unwrap().train.first(320)
}

fn loader() -> Loader {
    Arc::new(EpochLoader::new(images(), 64).shuffled(42))
}

/// The model of `seed` with its weights still to be drawn.
fn lazy(seed: u64) -> Mlp {
    let device = Device::default();
    device.seed(seed);
    MlpConfig::new().init(&device)
}

fn random_numbers() -> Vec<f32> {
    let numbers = Tensor::<1>::random([16], Distribution::Default, &Device::default());
    numbers.into_data().try_into_vec().unwrap()
}

fn epoch(loader: &dyn DataLoader<ClassificationBatch>) -> Vec<Vec<i32>> {
    let targets = |batch: ClassificationBatch| batch.targets.into_data().try_into_vec();
    let readable = loader.iter().filter_map(Result::ok);
    readable.map(|batch| targets(batch).unwrap()).collect()
}

/// Images of which one cannot be read.
struct Damaged(ImageDataset);

impl BatchSource<ClassificationBatch> for Damaged {
    fn len(&self) -> usize {
        BatchSource::len(&self.0)
    }

    fn batch(
        &self,
        samples: &[Sample],
        device: &Device,
    ) -> Result<ClassificationBatch, DatasetError> {
        if samples.iter().any(|sample| sample.index == 200) {
            return Err(DatasetError::new(std::io::Error::other("image 200")));
        }
        self.0.batch(samples, device)
    }
}

#[test]
fn the_loss_falls_and_then_diverges() {
    let _alone = generator();
    // 60 updates of 5 batches: the data is repeated.
    let finder = LrFinder::new().with_num_updates(60).with_beta(0.9);
    let mut seen = Vec::new();
    let sweep = finder
        .sweep_with(&lazy(1), loader(), |point| seen.push(*point))
        .unwrap();
    assert_eq!(sweep.end, SweepEnd::Diverged);
    assert_eq!(sweep.points, seen);
    assert!(sweep.points.len() < 60);

    let first = &sweep.points[0];
    assert_eq!((first.lr, first.smoothed), (1e-7, first.loss));
    assert!((2.0..2.6).contains(&first.loss), "{}", first.loss);
    let least = sweep.points.iter().map(|point| point.smoothed);
    assert!(least.fold(f64::INFINITY, f64::min) < 1.5);
    for suggestion in [sweep.steepest(), sweep.valley(), sweep.minimum_over_ten()] {
        let lr = suggestion.unwrap();
        assert!((1e-5..0.2).contains(&lr), "{lr}");
    }
}

#[test]
fn a_sweep_that_does_not_diverge_makes_all_updates() {
    let _alone = generator();
    let finder = LrFinder::new().with_start_lr(1e-4).with_end_lr(1e-2);
    let sweep = finder
        .with_num_updates(12)
        .linear()
        .sweep(&lazy(1), loader())
        .unwrap();
    assert_eq!((sweep.end, sweep.points.len()), (SweepEnd::Completed, 12));
    assert_eq!(sweep.points[11].lr, 1e-2);
}

#[test]
fn nothing_is_changed_by_sweeps_that_complete_diverge_or_fail() {
    let _alone = generator();
    let model = lazy(7);
    draw_weights(&model);
    let undisturbed = (parameters(&model), random_numbers());
    let damaged = || Arc::new(EpochLoader::new(Damaged(images()), 64).shuffled(42)) as Loader;
    let finder = LrFinder::new().with_num_updates(20);
    let completing = finder.clone().with_end_lr(1e-2);
    let diverging = finder.clone().with_end_lr(1e6);

    let model = lazy(7);
    let train = loader();
    let sweep = completing.sweep(&model, train.clone()).unwrap();
    assert_eq!(sweep.end, SweepEnd::Completed);
    // The weights that the sweep drew are those that would have been drawn without it.
    assert_eq!((parameters(&model), random_numbers()), undisturbed);
    assert_eq!(epoch(&*train), epoch(&*loader()));

    let model = lazy(7);
    let train = loader();
    let sweep = diverging.sweep(&model, train.clone()).unwrap();
    assert_eq!(sweep.end, SweepEnd::Diverged);
    assert_eq!((parameters(&model), random_numbers()), undisturbed);
    assert_eq!(epoch(&*train), epoch(&*loader()));

    let model = lazy(7);
    let train = damaged();
    let error = finder.sweep(&model, train.clone()).unwrap_err();
    assert!(
        matches!(error, LrFinderError::Batch { update: 1..5, .. }),
        "{error}"
    );
    assert_eq!((parameters(&model), random_numbers()), undisturbed);
    assert_eq!(epoch(&*train), epoch(&*damaged()));
}

#[test]
fn the_optimizer_of_the_caller_is_copied() {
    let _alone = generator();
    let mut optimizer = adam().init();
    let mut model = lazy(3).train();
    for batch in loader().to_device(&model.devices()[0]).iter() {
        let step = TrainStep::step(&model, batch.unwrap());
        model = optimizer.step(0.01, model, step.grads);
    }
    let record = |optimizer: &burn::optim::ModuleOptimizer| {
        optimizer.to_record().into_bytes().unwrap().to_vec()
    };
    let (weights, state) = (parameters(&model), record(&optimizer));

    let finder = LrFinder::new().with_num_updates(12).with_end_lr(0.1);
    let fresh = finder.sweep(&model, loader()).unwrap();
    let warm = finder
        .with_optimizer(optimizer.clone())
        .sweep(&model, loader())
        .unwrap();
    assert!(record(&optimizer) == state, "the state has changed");
    assert_eq!(parameters(&model), weights);
    // Its moments are used.
    assert_eq!(fresh.points[0], warm.points[0]);
    assert_ne!(fresh.points[11], warm.points[11]);
}

/// A model that draws random numbers and keeps statistics while it trains.
#[derive(Module, Debug)]
struct Noisy {
    fc1: Linear,
    norm: BatchNorm,
    dropout: Dropout,
    fc2: Linear,
    panics: bool,
}

impl Noisy {
    fn new(panics: bool) -> Self {
        // With autodiff from the start, as a model in the middle of its training has it.
        let device = Device::default().autodiff();
        Self {
            fc1: LinearConfig::new(784, 16).init(&device),
            norm: BatchNormConfig::new(16).init(&device),
            dropout: DropoutConfig::new(0.3).init(),
            fc2: LinearConfig::new(16, 10).init(&device),
            panics,
        }
    }

    fn state(&self) -> Vec<u8> {
        self.clone().into_record().into_bytes().unwrap().to_vec()
    }
}

impl TrainStep for Noisy {
    type Input = ClassificationBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: ClassificationBatch) -> TrainOutput<ClassificationOutput> {
        let hidden = self.norm.forward(self.fc1.forward(batch.inputs));
        let logits = self.fc2.forward(self.dropout.forward(hidden));
        assert!(!self.panics, "as a step may do");
        let loss = CrossEntropyLossConfig::new()
            .init(&logits.device())
            .forward(logits.clone(), batch.targets.clone());
        let output = ClassificationOutput::new(loss.clone(), logits, batch.targets);
        TrainOutput::new(self, loss.backward(), output)
    }
}

#[test]
fn running_statistics_are_not_changed() {
    let _alone = generator();
    let model = Noisy::new(false);
    let before = model.state();
    let finder = LrFinder::new().with_num_updates(12).with_end_lr(0.1);
    finder.sweep(&model, loader()).unwrap();
    assert!(model.state() == before, "the statistics have changed");
}

#[test]
fn with_a_seed_random_numbers_go_on_from_it_whatever_happens() {
    let _alone = generator();
    let device = Device::default();
    device.seed(99);
    let after_seed = random_numbers();
    let finder = LrFinder::new()
        .with_num_updates(12)
        .with_end_lr(0.1)
        .with_seed(99);

    let model = Noisy::new(false);
    let sweep = finder.sweep(&model, loader()).unwrap();
    assert_eq!(random_numbers(), after_seed);
    // Dropout has drawn the same again.
    assert_eq!(finder.sweep(&model, loader()).unwrap(), sweep);

    let damaged = Arc::new(EpochLoader::new(Damaged(images()), 64));
    finder.sweep(&model, damaged).unwrap_err();
    assert_eq!(random_numbers(), after_seed);

    let model = Noisy::new(true);
    let panicked = catch_unwind(AssertUnwindSafe(|| finder.sweep(&model, loader())));
    assert!(panicked.is_err());
    assert_eq!(random_numbers(), after_seed);
}

#[test]
fn a_second_loader_of_burns_own_keeps_the_order_of_the_first() {
    #[derive(Clone)]
    struct Images;

    impl Batcher<Image, ClassificationBatch> for Images {
        fn batch(&self, images: Vec<Image>, device: &Device) -> ClassificationBatch {
            let pixels = images.iter().flat_map(|image| &image.pixels);
            let pixels: Vec<f32> = pixels.map(|&pixel| f32::from(pixel) / 255.0).collect();
            let labels: Vec<i32> = images.iter().map(|image| image.label.into()).collect();
            let inputs = Tensor::<1>::from_floats(&*pixels, device);
            ClassificationBatch {
                inputs: inputs.reshape([images.len(), 784]),
                targets: Tensor::<1, Int>::from_ints(&*labels, device),
            }
        }
    }

    let _alone = generator();
    let burns = || -> Loader {
        let builder = DataLoaderBuilder::new(Images).batch_size(64).shuffle(5);
        builder.build(images())
    };
    let finder = LrFinder::new().with_num_updates(10).with_end_lr(0.1);
    let (train, used) = (burns(), burns());
    finder.sweep(&lazy(1), used.clone()).unwrap();
    assert_eq!(epoch(&*train), epoch(&*burns()));
    // The limitation that the documentation names; if this fails, Burn has lifted it.
    assert_ne!(epoch(&*used), epoch(&*burns()));
}

#[test]
fn a_loader_without_batches_is_refused() {
    let _alone = generator();
    let empty = Arc::new(EpochLoader::new(images().first(0), 64));
    let error = LrFinder::new().sweep(&lazy(1), empty).unwrap_err();
    assert!(matches!(error, LrFinderError::Empty), "{error}");
}
