use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{DType, Device, Tensor};

use super::{mixed, numbers};
use crate::dropout;

/// Flex has one generator, so tests that seed it run one after another.
pub(super) struct Generator(Mutex<()>);

pub(super) static GENERATOR: Generator = Generator(Mutex::new(()));

impl Generator {
    pub(super) fn lock(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn layer(prob: f64) -> Dropout {
    DropoutConfig::new(prob).init()
}

/// What is left of ones, and the gradient.
fn of_ones(prob: f64, count: usize, device: &Device) -> [Vec<f64>; 2] {
    let ones = Tensor::<1>::ones([count], device).require_grad();
    let output = dropout(&layer(prob), ones.clone());
    let gradients = output.clone().sum().backward();
    [numbers(output), numbers(ones.grad(&gradients).unwrap())]
}

#[test]
fn the_chance_is_what_was_asked_for() {
    let _alone = GENERATOR.lock();
    let device = Device::flex().autodiff();
    device.seed(1);
    for prob in [1e-3, 0.1, 0.5, 0.9] {
        let count = 1_000_000;
        let [output, gradient] = of_ones(prob, count, &device);
        assert_eq!(output, gradient);
        let kept = f64::from((1.0 / (1.0 - prob)) as f32);
        assert!(output.iter().all(|x| [0.0, kept].contains(x)));
        let dropped = output.iter().filter(|x| **x == 0.0).count() as f64;
        let deviation = (count as f64 * prob * (1.0 - prob)).sqrt();
        assert!(
            (dropped - count as f64 * prob).abs() < 4.0 * deviation,
            "{prob}: {dropped}"
        );
        // Neighbours, and those at the same place of the next block, know nothing of each other.
        for distance in [1, 128, 512] {
            let pairs = output.iter().zip(&output[distance..]);
            let both = pairs.filter(|(a, b)| **a == 0.0 && **b == 0.0).count() as f64;
            let expected = (count - distance) as f64 * prob * prob;
            assert!(
                (both - expected).abs() < 5.0 * expected.sqrt().max(1.0),
                "{prob}: {both}"
            );
        }
    }
}

#[test]
fn it_follows_from_the_seed() {
    let _alone = GENERATOR.lock();
    for device in [
        Device::flex().autodiff(),
        Device::flex().autodiff().gradient_checkpointing(),
    ] {
        let calls = |seed| {
            device.seed(seed);
            [(); 3].map(|()| of_ones(0.5, 777, &device))
        };
        let first = calls(7);
        assert!(first == calls(7));
        assert!(first != calls(8));
        assert!(first[0] != first[1] && first[1] != first[2]);
        assert!(first.iter().all(|[output, gradient]| output == gradient));
    }
}

#[test]
fn computed_again_it_drops_the_same() {
    let _alone = GENERATOR.lock();
    let gradients = [
        Device::flex().autodiff(),
        Device::flex().autodiff().gradient_checkpointing(),
    ]
    .map(|device| {
        device.seed(5);
        let input = mixed::<1>([900], &device).require_grad();
        // What is around it may be computed again.
        let output = dropout(&layer(0.4), input.clone().exp()).exp().sin();
        numbers(input.grad(&output.sum().backward()).unwrap())
    });
    assert!(gradients[0] == gradients[1]);
}

#[test]
fn the_order_in_memory_does_not_matter() {
    let _alone = GENERATOR.lock();
    let device = Device::flex().autodiff();
    let seeded = |x: Tensor<2>| {
        device.seed(2);
        numbers(dropout(&layer(0.5), x))
    };
    let turned = mixed::<2>([9, 8], &device).swap_dims(0, 1);
    let copied = Tensor::<2>::from_data(turned.to_data(), &device);
    assert_eq!(seeded(turned), seeded(copied));
    assert!(numbers(dropout(&layer(0.5), mixed::<2>([0, 3], &device))).is_empty());
}

#[test]
fn zero_times_infinity_is_no_number() {
    let _alone = GENERATOR.lock();
    let device = Device::flex().autodiff();
    device.seed(1);
    let edges = [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -0.0];
    for edge in edges {
        let output = numbers(dropout(&layer(0.5), Tensor::<1>::full([64], edge, &device)));
        let is_burns = |x: &f64| match edge {
            -0.0 => *x == 0.0 && x.is_sign_negative(),
            _ => x.is_nan() || *x == f64::from(edge),
        };
        assert!(output.iter().all(is_burns), "{edge}: {output:?}");
        assert_eq!(edge == 0.0, output.iter().all(|x| !x.is_nan()));
    }
}

#[test]
fn it_does_nothing_where_burns_does_nothing() {
    let training = Device::flex().autodiff();
    let unchanged = |layer: &Dropout, device: &Device| {
        let input = mixed::<1>([100], device);
        numbers(dropout(layer, input.clone())) == numbers(input)
    };
    assert!(unchanged(&layer(0.5), &Device::flex()));
    assert!(unchanged(&layer(0.5).freeze(), &training));
    assert!(unchanged(&layer(0.0), &training));
    assert!(!unchanged(&layer(0.5), &training));
}

#[test]
fn of_other_numbers_it_is_burns() {
    let _alone = GENERATOR.lock();
    let device = Device::flex().autodiff();
    for other in [DType::F64, DType::F16] {
        let input = mixed::<1>([100], &device).cast(other);
        device.seed(4);
        let found = numbers(dropout(&layer(0.5), input.clone()));
        device.seed(4);
        assert_eq!(found, numbers(layer(0.5).forward(input)));
    }
}
