use burn::grad_clipping::GradientClippingConfig;
use burn::nn::Linear;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Tensor};

use super::adamw::FusedAdamW;
use super::*;
use crate::device::Backend;
use crate::optim::test_numbers::Numbers;
use crate::optim::{adam, adamw};

fn values(linear: &Linear) -> Vec<f32> {
    let weight = linear
        .weight
        .val()
        .into_data()
        .try_into_vec::<f32>()
        .unwrap();
    let bias = linear.bias.as_ref().unwrap().val().into_data();
    [weight, bias.try_into_vec::<f32>().unwrap()].concat()
}

fn layer(device: &Device) -> Linear {
    Numbers::new().linear([7, 5], device)
}

/// Batches of four, with numbers of up to `bound`.
fn inputs(count: usize, bound: f32, device: &Device) -> Vec<Tensor<2>> {
    let mut numbers = Numbers::new();
    (0..count)
        .map(|_| numbers.tensor([4, 7], bound, device))
        .collect()
}

fn trained(mut optimizer: ModuleOptimizer, linear: &Linear, inputs: &[Tensor<2>]) -> Vec<Vec<f32>> {
    let mut linear = linear.clone();
    let step = |(number, input): (usize, &Tensor<2>)| {
        let loss = linear.forward(input.clone()).powi_scalar(2).mean();
        let grads = GradientsParams::from_grads(loss.backward(), &linear);
        linear = optimizer.step(0.01 / (1 + number) as f64, linear.clone(), grads);
        values(&linear)
    };
    inputs.iter().enumerate().map(step).collect()
}

/// Whether weights are equal but for the bias corrections of Burn's, which are single precision, over a few
/// updates of at most a hundredth.
fn nearly(found: &[f32], expected: &[f32]) -> bool {
    // Without an epsilon both may be NaN.
    let equal = |(a, b): (&f32, &f32)| (a - b).abs() <= 3e-6 || a.to_bits() == b.to_bits();
    found.len() == expected.len() && found.iter().zip(expected).all(equal)
}

#[test]
fn it_gives_burns_updates_on_every_cpu_backend() {
    for backend in Backend::compiled() {
        let device = backend.device().unwrap().autodiff();
        let inputs = inputs(20, 2.0, &device);
        let linear = layer(&device);
        let equal = |ours: ModuleOptimizer, burns: ModuleOptimizer| {
            let (ours, burns) = (
                trained(ours, &linear, &inputs),
                trained(burns, &linear, &inputs),
            );
            assert!(nearly(&ours.concat(), &burns.concat()), "{backend}");
        };
        for config in [
            adam(),
            AdamConfig::new().with_beta_1(0.5).with_epsilon(1e-3),
        ] {
            assert!(FusedAdam::new(&config).is_some());
            equal(fused_adam(&config), config.init());
        }
        for config in [
            adamw(),
            AdamWConfig::new().with_beta_1(0.5).with_weight_decay(2.0),
            adamw()
                .with_weight_decay(2.0)
                .with_cautious_weight_decay(true),
        ] {
            assert!(FusedAdamW::new(&config).is_some());
            equal(fused_adamw(&config), config.init());
        }
    }
}

#[test]
fn updates_are_those_of_double_precision() {
    let settings = Settings {
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.1,
        cautious: false,
    };
    let (lr, mut weight, mut moments, mut exact) = (0.01, 0.5_f32, [0.0_f32; 2], [0.0_f64; 2]);
    // Later, what the moments' own rounding has added up is more than what this is about.
    for time in 1..=100 {
        let grad = (f64::from(time).sin() + 0.3) as f32;
        let g = f64::from(grad);
        exact = [
            exact[0] * 0.9 + g * (1.0 - 0.9),
            exact[1] * 0.999 + g * g * (1.0 - 0.999),
        ];
        let corrected = [
            exact[0] / (1.0 - 0.9_f64.powi(time)),
            exact[1] / (1.0 - 0.999_f64.powi(time)),
        ];
        let expected = corrected[0] / (corrected[1].sqrt() + 1e-8);
        let factors = settings.factors(lr, time as usize).single();
        let [first, second] = &mut moments;
        let (mut same_first, mut same_second) = (*first, *second);
        // Of a weight of 0 the update alone is left, to its last digits.
        let step = -factors.updated(0.0, grad, &mut same_first, &mut same_second);
        let apart = (f64::from(step) / lr - expected).abs();
        assert!(apart <= 1e-6, "{time}: {apart}");
        let updated = factors.updated(weight, grad, first, second);
        let decayed = f64::from(weight) * (1.0 - lr * 0.1) - f64::from(step);
        let apart = (f64::from(updated) - decayed).abs();
        assert!(apart <= 2e-7 * decayed.abs().max(0.1), "{time}: {apart}");
        weight = updated;
    }
}

#[test]
fn its_record_is_burns() {
    let device = Backend::Flex.device().unwrap().autodiff();
    let linear = layer(&device);
    let input = inputs(1, 1.0, &device).remove(0);
    let grads = |linear: &Linear| {
        let loss = linear.forward(input.clone()).powi_scalar(2).mean();
        GradientsParams::from_grads(loss.backward(), linear)
    };
    let mut ours = fused_adam(&adam());
    let once = ours.step(0.01, linear.clone(), grads(&linear));
    let record = ours.into_bytes().unwrap();
    let mut burns = adam().init().from_bytes(record).unwrap();
    let by_ours = ours.step(0.01, once.clone(), grads(&once));
    let by_burns = burns.step(0.01, once.clone(), grads(&once));
    assert!(nearly(&values(&by_ours), &values(&by_burns)));
    let back = fused_adam(&adam()).from_bytes(burns.into_bytes().unwrap());
    let by_ours = back.unwrap().step(0.01, by_ours.clone(), grads(&by_ours));
    let by_burns = burns.step(0.01, by_burns.clone(), grads(&by_burns));
    assert!(nearly(&values(&by_ours), &values(&by_burns)));
}

#[test]
fn the_record_with_weight_decay_is_burns_too() {
    let device = Backend::Flex.device().unwrap().autodiff();
    let linear = layer(&device);
    let inputs = inputs(3, 1.0, &device);
    let record = |mut optimizer: ModuleOptimizer| {
        let loss = linear.forward(inputs[0].clone()).powi_scalar(2).mean();
        let grads = GradientsParams::from_grads(loss.backward(), &linear);
        optimizer.step(0.01, linear.clone(), grads);
        optimizer.into_bytes().unwrap()
    };
    let (ours, burns) = (fused_adamw(&adamw()), adamw().init());
    let (ours, burns) = (record(ours), record(burns));
    let by_ours = fused_adamw(&adamw()).from_bytes(burns).unwrap();
    let by_burns = adamw().init().from_bytes(ours).unwrap();
    let (by_ours, by_burns) = (
        trained(by_ours, &linear, &inputs),
        trained(by_burns, &linear, &inputs),
    );
    assert!(nearly(&by_ours.concat(), &by_burns.concat()));
    // With what it remembers the updates are others than without.
    let anew = trained(fused_adamw(&adamw()), &linear, &inputs);
    assert!(!nearly(&by_ours.concat(), &anew.concat()));
}

#[test]
fn moments_do_not_become_subnormal() {
    let factors = Settings {
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.0,
        cautious: false,
    }
    .factors(0.01, 1000)
    .single();
    let (mut moment_1, mut moment_2) = (1.2e-38, 1.17e-38);
    let weight = factors.updated(1.0, 0.0, &mut moment_1, &mut moment_2);
    assert_eq!((weight, moment_1, moment_2), (1.0, 0.0, 0.0));
}

#[test]
fn tiny_gradients_give_burns_weights() {
    let device = Backend::Flex.device().unwrap().autodiff();
    let linear = layer(&device);
    for scale in [1e-8, 1e-13, 1e-14, 1e-20, 1e-25] {
        let inputs = inputs(5, scale, &device);
        for epsilon in [1e-8, 1e-12, 1e-16, 0.0] {
            let config = adam().with_epsilon(epsilon);
            let ours = trained(fused_adam(&config), &linear, &inputs);
            let burns = trained(config.init(), &linear, &inputs);
            assert!(
                nearly(&ours.concat(), &burns.concat()),
                "{scale}, epsilon {epsilon}"
            );
        }
    }
}

#[test]
fn only_a_weight_next_to_0_shows_that_a_moment_became_0() {
    let device = Backend::Flex.device().unwrap().autodiff();
    for (weight, scale, equal) in [
        (0.0, 1e-38, false),
        (1e-21, 1e-38, true),
        (1e-3, 1e-18, true),
    ] {
        for epsilon in [1e-8, 2e-10, 1e-12] {
            let config = adam().with_epsilon(epsilon);
            let mut linear = layer(&device);
            linear.weight = linear.weight.map(|old| Tensor::full_like(&old, weight));
            let updated = |mut optimizer: ModuleOptimizer| -> Vec<f32> {
                let grad = Tensor::<2>::full(linear.weight.dims(), scale, &device);
                let mut grads = GradientsParams::new();
                grads.register(linear.weight.id, grad.inner());
                let updated = optimizer.step(1e-3, linear.clone(), grads);
                updated.weight.val().into_data().iter().collect()
            };
            let (ours, burns) = (updated(fused_adam(&config)), updated(config.init()));
            let title = format!("{weight}, {scale}, epsilon {epsilon}");
            assert_eq!(ours == burns, equal || epsilon < 1e-10, "{title}");
            let bound = 1e-3 * 1.2e-37 / f64::from(epsilon);
            for (ours, burns) in ours.iter().zip(&burns) {
                assert!(
                    (f64::from(*ours) - f64::from(*burns)).abs() <= bound,
                    "{title}"
                );
            }
        }
    }
}

#[test]
fn what_is_more_than_adam_is_left_to_burn() {
    let decay = WeightDecayConfig::new(0.1);
    let clipping = GradientClippingConfig::Value(0.1);
    assert!(FusedAdam::new(&adam().with_grad_clipping(Some(clipping))).is_none());
    assert!(FusedAdam::new(&adam().with_epsilon(1e-10)).is_none());
    assert!(FusedAdam::new(&adam().with_epsilon(1e-9)).is_some());
    assert!(FusedAdam::new(&adam().with_epsilon(1e-9).with_beta_2(0.999_999)).is_none());
    assert!(FusedAdam::new(&adam().with_weight_decay(Some(decay))).is_none());
    assert!(FusedAdam::new(&adam().with_amsgrad(true)).is_none());
    let clipping = GradientClippingConfig::Value(0.1);
    assert!(FusedAdamW::new(&adamw().with_grad_clipping(Some(clipping))).is_none());
    assert!(FusedAdamW::new(&adamw().with_epsilon(1e-10)).is_none());
    assert!(FusedAdamW::new(&adamw().with_amsgrad(true)).is_none());
    assert!(FusedAdamW::new(&adamw().with_cautious_weight_decay(true)).is_some());
    let device = Backend::Flex.device().unwrap().autodiff();
    let inputs = [Tensor::ones([4, 7], &device)];
    let linear = layer(&device);
    let config = adam().with_amsgrad(true);
    let ours = trained(fused_adam(&config), &linear, &inputs);
    assert_eq!(ours, trained(config.init(), &linear, &inputs));
}
