//! No result depends on how wide vectors are.

use burn::nn::attention::{MultiHeadAttentionConfig, generate_autoregressive_mask};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{BatchNormConfig, DropoutConfig};
use burn::tensor::{Device, Int, Tensor};

use super::dropout::GENERATOR;
use super::{mixed, numbers, outcome};
use crate::flex::in_each_width;

/// Around those of vectors, and more than are summed in single precision.
const LENGTHS: [usize; 10] = [1, 7, 8, 15, 16, 17, 33, 75, 1000, 2500];

fn assert_same_bits<T: PartialEq>(run: impl Fn() -> T) {
    let outcomes = in_each_width(run);
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]));
    #[cfg(target_arch = "x86_64")]
    assert!(outcomes.len() > usize::from(is_x86_feature_detected!("avx2")));
}

#[test]
fn of_gelu() {
    let device = Device::flex().autodiff();
    for length in LENGTHS {
        let input = mixed::<1>([length], &device);
        assert_same_bits(|| outcome(&input, crate::gelu));
    }
}

#[test]
fn of_dropout() {
    let _alone = GENERATOR.lock();
    let device = Device::flex().autodiff();
    let layer = DropoutConfig::new(0.3).init();
    for length in LENGTHS {
        let input = mixed::<1>([length], &device);
        assert_same_bits(|| {
            device.seed(9);
            outcome(&input, |x| crate::dropout(&layer, x))
        });
    }
}

#[test]
fn of_batch_norm() {
    let device = Device::flex().autodiff();
    for length in LENGTHS {
        let input = mixed::<3>([3, 2, length], &device);
        assert_same_bits(|| {
            let layer = BatchNormConfig::new(2).init(&device);
            let found = outcome(&input, |x| crate::batch_norm(&layer, x));
            let running = [&layer.running_mean, &layer.running_var];
            (found, running.map(|state| numbers(state.value_sync())))
        });
    }
}

#[test]
fn of_attention() {
    let _alone = GENERATOR.lock();
    let device = Device::flex().autodiff();
    let layer = MultiHeadAttentionConfig::new(8, 2).init(&device);
    for length in [1, 7, 16, 17, 33] {
        let input = mixed::<3>([2, length, 8], &device);
        let past = generate_autoregressive_mask(2, length, &device);
        assert_same_bits(|| {
            device.seed(9);
            outcome(&input, |x| {
                crate::attention(&layer, [x.clone(), x.clone(), x], Some(past.clone()))
            })
        });
    }
}

#[test]
fn of_cross_entropy() {
    let device = Device::flex().autodiff();
    let layer = CrossEntropyLossConfig::new().init(&device);
    for length in LENGTHS {
        let input = mixed::<2>([3, length], &device);
        let targets = Tensor::<1, Int>::zeros([3], &device);
        assert_same_bits(|| outcome(&input, |x| crate::cross_entropy(&layer, x, targets.clone())));
    }
}
