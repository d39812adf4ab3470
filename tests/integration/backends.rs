//! The same training on every backend that is compiled in, flex being the reference.
//!
//! Backends add up the same numbers in another order, so results differ by rounding.

use std::path::Path;

use crate::common::{model, other_model, parameters, training};
use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::optim::lr_scheduler::LrScheduler;
use burn::tensor::{Device, Tensor};
use burn::train::TrainStep;
use burn_lr::mnist::Mnist;
use burn_lr::model::{Mlp, MlpConfig};
use burn_lr::scheduler::{ReduceLrOnPlateau, Run, Scheduler, StepLr, ThresholdMode, Warmup};
use burn_lr::training::Training;
use burn_lr::training::device::Backend;
use burn_lr::training::loader::{BatchSource, EpochLoader, Sample};
use burn_lr::training::metrics::History;
use burn_lr::training::optim::{GradientNorm, adam, fused_adam};
use burn_lr::training::storage::{load_model, save_model};
use tempfile::TempDir;

const UPDATES: usize = 50;

/// How far losses and logits may be from flex's. A logit is a sum of 128 products over hidden units
/// that are sums of 784, so it is rounded in about its sixth digit. Measured on x86-64 with AVX-512,
/// after up to 50 updates: losses 1.9e-6 (ndarray) and 2.7e-7 (wgpu on Mesa's lavapipe), logits 4.7e-6
/// and 6.7e-6. The tolerance leaves other processors room, and none for a wrong rate: one that is 1 %
/// too high gives losses that differ by 0.014.
const TOLERANCE: f64 = 1e-4;

fn flex() -> Device {
    Backend::Flex.device().unwrap()
}

fn others() -> impl Iterator<Item = (Backend, Device)> {
    let others = Backend::compiled().into_iter();
    others
        .filter(|backend| *backend != Backend::Flex)
        .map(|backend| (backend, backend.device().unwrap()))
}

/// The model of the file, on `device`.
fn loaded(file: &Path, device: &Device) -> Mlp {
    load_model(file, other_model(&MlpConfig::new(), device)).unwrap()
}

/// What the model says of 200 test images.
fn logits(model: &Mlp, device: &Device) -> Vec<f32> {
    let images: Vec<Sample> = (0..200).map(Sample::new).collect();
    let batch = Mnist::bundled().unwrap().test.batch(&images, device);
    let logits = model.forward(batch.unwrap().inputs).into_data();
    logits.try_into_vec::<f32>().unwrap()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

/// The losses and learning rates of 50 updates from the weights in `file`, and the model they give.
fn updates(file: &Path, device: &Device) -> (Vec<f64>, Vec<f64>, Mlp) {
    let mut model = loaded(file, device).train();
    let mut optimizer = fused_adam(&adam());
    let schedule = Warmup::new(StepLr::new(0.01, 20).with_gamma(0.5), 10);
    let mut scheduler = Scheduler::new(schedule, Run::per_update()).unwrap();
    let images = Mnist::bundled().unwrap().train.first(64 * UPDATES);
    let batches = EpochLoader::new(images, 64)
        .shuffled(42)
        .to_device(&device.clone().autodiff());

    let (mut losses, mut rates) = (Vec::new(), Vec::new());
    for batch in batches.iter() {
        let output = TrainStep::step(&model, batch.unwrap());
        losses.push(output.item.loss.mean().into_scalar::<f64>());
        rates.push(scheduler.step());
        model = optimizer.step(rates[rates.len() - 1], model, output.grads);
    }
    (losses, rates, model.valid())
}

#[test]
fn fifty_updates_from_the_same_weights_give_the_losses_and_rates_of_flex() {
    let directory = TempDir::new().unwrap();
    let (before, after) = (directory.path().join("0"), directory.path().join("50"));
    save_model(&before, &model(&flex())).unwrap();
    let (losses, rates, trained) = updates(&before, &flex());
    save_model(&after, &trained).unwrap();
    assert_eq!(losses.len(), UPDATES);
    assert!(losses[UPDATES - 1] < losses[0] / 3.0, "{losses:?}");

    for (backend, device) in others() {
        let (other_losses, other_rates, other) = updates(&before, &device);
        assert_eq!(other_rates, rates, "{backend}");
        let differences = losses.iter().zip(&other_losses).map(|(a, b)| (a - b).abs());
        let loss = differences.fold(0.0, f64::max);
        // The same weights before the first update and after the last one.
        let same = [&before, &after].map(|file| {
            let [flex, other] = [&flex(), &device].map(|on| logits(&loaded(file, on), on));
            largest_difference(&flex, &other)
        });
        let own = largest_difference(&logits(&trained, &flex()), &logits(&other, &device));
        println!(
            "{backend}: largest differences: losses {loss:.1e}, logits of the same weights \
             {:.1e} and {:.1e}, of its own weights after {UPDATES} updates {own:.1e}",
            same[0], same[1]
        );
        assert!(loss < TOLERANCE, "{backend}: {loss}");
        for logits in [same[0], same[1], own] {
            assert!(f64::from(logits) < TOLERANCE, "{backend}: {logits}");
        }
    }
}

/// Cuts after every epoch but the first, over a base that moves with every update.
fn plateau() -> ReduceLrOnPlateau {
    ReduceLrOnPlateau::over(StepLr::new(0.01, 3).with_gamma(0.9))
        .with_patience(0)
        .with_factor(0.5)
        .with_threshold(100.0, ThresholdMode::Abs)
}

fn plateau_run(directory: &Path, epochs: usize) -> Training<Mlp> {
    training(directory, plateau().per_update())
        .epochs(epochs)
        .resume(true)
        .on_notice(|_| {})
}

fn rates(history: &History) -> Vec<(f64, f64)> {
    let epochs = history.epochs.iter();
    epochs.map(|epoch| (epoch.lr, epoch.next_lr)).collect()
}

#[test]
fn a_plateau_cuts_as_on_flex_and_a_resumed_run_goes_on() {
    let directory = TempDir::new().unwrap();
    let reference = plateau_run(directory.path(), 3)
        .fit(model(&flex()))
        .unwrap();
    let cuts = |history: &History| -> Vec<usize> {
        let epochs = history.epochs.iter();
        epochs.map(|epoch| epoch.cuts.len()).collect()
    };
    assert_eq!(cuts(&reference.history), [0, 1, 1]);
    for (backend, device) in others() {
        let (whole, parts) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let whole = plateau_run(whole.path(), 3).fit(model(&device)).unwrap();
        assert_eq!(
            rates(&whole.history),
            rates(&reference.history),
            "{backend}"
        );
        assert_eq!(cuts(&whole.history), [0, 1, 1], "{backend}");

        plateau_run(parts.path(), 1).fit(model(&device)).unwrap();
        let other = other_model(&MlpConfig::new(), &device);
        let resumed = plateau_run(parts.path(), 3).fit(other).unwrap();
        assert_eq!(rates(&resumed.history), rates(&whole.history), "{backend}");
        let weights = [&whole.model, &resumed.model].map(parameters);
        let difference = largest_difference(&weights[0], &weights[1]);
        println!("{backend}: weights of a resumed run differ by {difference:.1e}");
        assert!(difference < 1e-4, "{backend}: {difference}");
    }
}

#[test]
fn what_a_backend_has_saved_predicts_the_same_on_flex() {
    for (backend, device) in others() {
        let directory = TempDir::new().unwrap();
        let halving = StepLr::new(0.01, 1).with_gamma(0.5);
        let trained = training(directory.path(), halving.per_epoch())
            .epochs(3)
            .fit(model(&device))
            .unwrap();
        let expected = [(0.01, 0.005), (0.005, 0.0025), (0.0025, 0.00125)];
        assert_eq!(rates(&trained.history), expected, "{backend}");
        let [first, .., last] = trained.history.epochs.as_slice() else {
            panic!("{backend}: {:?}", trained.history);
        };
        assert!(last.train("loss") < first.train("loss") / 2.0, "{backend}");

        let on_flex = loaded(&directory.path().join("final.bpk"), &flex());
        assert_eq!(parameters(&on_flex), parameters(&trained.model));
        let [theirs, flexs] = [(&trained.model, &device), (&on_flex, &flex())]
            .map(|(model, device)| logits(model, device));
        let difference = largest_difference(&theirs, &flexs);
        assert!(f64::from(difference) < TOLERANCE, "{backend}: {difference}");
        let digits = |logits: &[f32]| -> Vec<usize> {
            let largest = |of: &[f32]| (0..10).max_by(|&a, &b| of[a].total_cmp(&of[b])).unwrap();
            logits.chunks(10).map(largest).collect()
        };
        assert_eq!(digits(&theirs), digits(&flexs), "{backend}");
    }
}

/// Two workers on the backend's device: an epoch is an epoch, observed once.
#[test]
fn a_plateau_on_two_workers_cuts_once_an_epoch() {
    for (backend, device) in others() {
        let directory = TempDir::new().unwrap();
        let trained = plateau_run(directory.path(), 3)
            .devices([device.clone(), device.clone()])
            .fit(model(&device))
            .unwrap();
        // 250 of the 500 samples for each, in batches of 64: 4 updates an epoch.
        let mut scheduler =
            Scheduler::new(plateau(), Run::per_update().with_updates_per_epoch(4)).unwrap();
        let expected = trained.history.epochs.iter().map(|epoch| {
            let last = (0..4).map(|_| scheduler.step()).last().unwrap();
            scheduler.observe(epoch.valid("loss")).unwrap();
            (last, scheduler.lr())
        });
        let expected: Vec<(f64, f64)> = expected.collect();
        assert_eq!(rates(&trained.history), expected, "{backend}");
    }
}

/// Burn's own sum over a tensor may add atomically on a GPU, in whatever order its threads come.
#[test]
fn the_norm_of_gradients_has_the_same_bits_each_time() {
    for (backend, device) in others() {
        let device = device.autodiff();
        let model = model(&device);
        let norms: Vec<f64> = (0..200)
            .map(|_| {
                let rows = Tensor::<2>::ones([64, 784], &device);
                let loss = model.forward(rows).exp().sum_dim(1).mean();
                let grads = GradientsParams::from_grads(loss.backward(), &model);
                GradientNorm::of(&grads, &model).value()
            })
            .collect();
        let differing = norms.iter().filter(|norm| **norm != norms[0]).count();
        assert_eq!(differing, 0, "{backend}: of {}", norms.len());
    }
}
