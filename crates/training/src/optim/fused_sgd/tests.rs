use burn::grad_clipping::GradientClippingConfig;
use burn::nn::Linear;
use burn::optim::GradientsParams;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::tensor::Device;

use super::*;
use crate::device::Backend;
use crate::optim::momentum;
use crate::optim::test_numbers::Numbers;

fn bits(linear: &Linear) -> Vec<u32> {
    let bias = linear.bias.as_ref().unwrap().val().into_data();
    let data = [linear.weight.val().into_data(), bias];
    let values = data.iter().flat_map(|data| data.iter::<f32>());
    values.map(f32::to_bits).collect()
}

/// The weights after every update, and the record after the last one.
fn trained(
    mut optimizer: ModuleOptimizer,
    linear: &Linear,
    inputs: &[Tensor<2>],
) -> (Vec<Vec<u32>>, ModuleOptimizer) {
    let mut linear = linear.clone();
    let mut all = Vec::new();
    for (number, input) in inputs.iter().enumerate() {
        let loss = linear.forward(input.clone()).powi_scalar(2).mean();
        let grads = GradientsParams::from_grads(loss.backward(), &linear);
        linear = optimizer.step(0.1 / (1 + number) as f64, linear, grads);
        all.push(bits(&linear));
    }
    (all, optimizer)
}

fn configs() -> Vec<SgdConfig> {
    let nesterov = MomentumConfig::new().with_nesterov(true);
    vec![
        SgdConfig::new(),
        SgdConfig::new().with_weight_decay(Some(WeightDecayConfig::new(0.1))),
        SgdConfig::new().with_momentum(Some(momentum(0.9))),
        // With Burn's dampening.
        SgdConfig::new().with_momentum(Some(MomentumConfig::new())),
        SgdConfig::new()
            .with_momentum(Some(nesterov))
            .with_weight_decay(Some(WeightDecayConfig::new(0.01))),
    ]
}

#[test]
fn it_gives_burns_updates_to_the_bit() {
    for backend in Backend::compiled() {
        let device = backend.device().unwrap().autodiff();
        let mut numbers = Numbers::new();
        let linear = numbers.linear([7, 5], &device);
        let inputs: Vec<Tensor<2>> = (0..20)
            .map(|_| numbers.tensor([4, 7], 2.0, &device))
            .collect();
        for config in configs() {
            let ours = FusedSgd::new(&config).unwrap();
            let (by_ours, ours) = trained(ours.into(), &linear, &inputs);
            let (by_burns, burns) = trained(config.init(), &linear, &inputs);
            assert_eq!(by_ours, by_burns, "{backend}: {config:?}");
            // Each goes on from the other's record.
            let from_burns = fused_sgd(&config).from_bytes(burns.into_bytes().unwrap());
            let from_ours = config.init().from_bytes(ours.into_bytes().unwrap());
            let again = [from_burns, from_ours].map(|from| {
                let (weights, _) = trained(from.unwrap(), &linear, &inputs[..3]);
                weights
            });
            assert_eq!(again[0], again[1], "{backend}: {config:?}");
            let anew = trained(config.init(), &linear, &inputs[..3]).0;
            let remembers = !serde_json::to_value(&config).unwrap()["momentum"].is_null();
            assert_eq!(again[0] != anew, remembers, "{config:?}");
        }
    }
}

#[test]
fn operations_and_one_pass_are_the_same() {
    let device = Device::flex();
    let mut numbers = Numbers::new();
    let mut random = || -> Tensor<2> { numbers.tensor([9, 5], 1.0, &device) };
    for config in configs() {
        let sgd = FusedSgd::new(&config).unwrap();
        for velocity in [None, Some(random())] {
            let velocity = velocity.filter(|_| sgd.0.momentum.is_some());
            let (tensor, grad) = (random(), random());
            let [one, many] = [
                sgd.one_pass(0.1, tensor.clone(), grad.clone(), velocity.clone()),
                sgd.by_operations(0.1, tensor, grad, velocity),
            ];
            one.0.into_data().assert_eq(&many.0.into_data(), true);
            assert_eq!(one.1.is_some(), many.1.is_some());
            if let (Some(one), Some(many)) = (one.1, many.1) {
                one.into_data().assert_eq(&many.into_data(), true);
            }
        }
    }
}

#[test]
fn velocities_do_not_become_subnormal() {
    let device = Device::flex();
    let sgd = FusedSgd::new(&SgdConfig::new().with_momentum(Some(momentum(0.9)))).unwrap();
    let tensor = |value: f32| Tensor::<1>::from_data([value], &device);
    let (updated, velocity) = sgd.one_pass(1.0, tensor(1e-30), tensor(0.0), Some(tensor(1.2e-38)));
    assert_eq!(velocity.unwrap().into_scalar::<f32>(), 0.0);
    assert_eq!(updated.into_scalar::<f32>(), 1e-30);
}

#[test]
fn burns_clipping_is_left_to_burn() {
    let clipping = Some(GradientClippingConfig::Value(0.1));
    assert!(FusedSgd::new(&SgdConfig::new().with_gradient_clipping(clipping)).is_none());
}

#[test]
fn this_version_of_burn_has_the_shape_that_is_known() {
    let config = configs().pop().unwrap();
    let settings = Settings::of(&config).unwrap().unwrap();
    let momentum = settings.momentum.unwrap();
    assert!(momentum.nesterov);
    assert_eq!((momentum.momentum, momentum.dampening), (0.9, 0.1));
    assert_eq!(settings.weight_decay.map(|decay| decay as f32), Some(0.01));
}
