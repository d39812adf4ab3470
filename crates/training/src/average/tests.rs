use burn::module::{Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::{DType, Device, FloatDType, Int, Tensor};

use super::*;

fn device() -> Device {
    Device::flex().autodiff()
}

#[derive(Module, Debug)]
struct Mixed {
    trained: Param<Tensor<1>>,
    frozen: Param<Tensor<1>>,
    steps: Param<Tensor<1, Int>>,
    norm: BatchNorm,
}

impl Mixed {
    fn new(value: f32) -> Self {
        let device = device();
        let param = || Param::from_tensor(Tensor::full([3], value, &device));
        let norm = BatchNormConfig::new(1).init(&device);
        norm.running_mean.update(Tensor::full([1], value, &device));
        Self {
            trained: param(),
            frozen: param().set_require_grad(false),
            steps: Param::initialized(
                burn::module::ParamId::new(),
                Tensor::full([1], value as i64, &device),
            ),
            norm,
        }
    }

    fn numbers(&self) -> [f32; 4] {
        let first = |tensor: Tensor<1>| tensor.narrow(0, 0, 1).into_scalar::<f32>();
        [
            first(self.trained.val()),
            first(self.frozen.val()),
            self.steps.val().into_scalar::<i64>() as f32,
            first(self.norm.running_mean.value()),
        ]
    }
}

#[test]
fn what_is_frozen_and_integers_are_the_models_newest() {
    for (statistics, mean) in [(Statistics::Averaged, 2.0), (Statistics::Copied, 3.0)] {
        let models = [1.0, 3.0].map(Mixed::new);
        let mut average = ModelAverage::new(Rule::Equal, statistics, &models[0]).unwrap();
        assert_eq!(average.model().numbers(), [1.0; 4]);
        for model in &models {
            average.update(model).unwrap();
        }
        // A frozen one that is another one all the same is averaged with the statistics.
        assert_eq!(average.model().numbers(), [2.0, mean, 3.0, mean]);
        assert_eq!(average.averaged(), 2);
        // Nor does the average share statistics with the models.
        assert_eq!(models.map(|model| model.numbers()), [[1.0; 4], [3.0; 4]]);
    }
}

#[test]
fn what_is_infinite_in_both_stays_so() {
    for infinite in [f32::NEG_INFINITY, f32::INFINITY] {
        let models = [1.0, 2.0, 4.0].map(|value| {
            let mut model = Mixed::new(value);
            // As the mask of an attention.
            let mask = Tensor::from_floats([infinite, 0.0, infinite], &device());
            model.frozen = Param::from_tensor(mask).set_require_grad(false);
            model
        });
        let mask = |model: &Mixed| {
            let mask = model.frozen.val().into_data();
            mask.try_into_vec::<f32>().unwrap()
        };
        for ema in [0.9, 0.1] {
            let mut average = ModelAverage::ema(ema, &models[0]).unwrap();
            models
                .iter()
                .for_each(|model| average.update(model).unwrap());
            assert_eq!(mask(&average.model()), [infinite, 0.0, infinite]);
        }
        let mean = merged(models, &[0.25, 0.0, 0.75]).unwrap();
        assert_eq!(mask(&mean), [infinite, 0.0, infinite]);
    }
}

#[test]
fn until_weights_are_averaged_it_follows_the_model() {
    let mut average = ModelAverage::ema(0.5, &Mixed::new(1.0)).unwrap();
    average.follow(&Mixed::new(7.0)).unwrap();
    assert_eq!(
        (average.model().numbers(), average.averaged()),
        ([7.0; 4], 0)
    );
    average.update(&Mixed::new(2.0)).unwrap();
    average.follow(&Mixed::new(9.0)).unwrap();
    assert_eq!(average.model().numbers(), [2.0; 4]);
}

#[test]
fn a_restored_average_goes_on_with_the_same_bits() {
    let linear = |value: f32| -> Linear {
        let mut linear = LinearConfig::new(5, 3).init(&device());
        linear.weight = linear.weight.map(|old| Tensor::full_like(&old, value));
        linear.bias = None;
        linear
    };
    let models: Vec<Linear> = (0..9).map(|n| linear((n as f32).sin())).collect();
    for rule in [Rule::Equal, Rule::Ema(Ema::new(0.9).with_warmup(2.0, 0.7))] {
        let all = |average: &mut ModelAverage<Linear>, models: &[Linear]| {
            models.iter().for_each(|m| average.update(m).unwrap());
            average.model().weight.val().into_data()
        };
        let begun = || ModelAverage::new(rule, Statistics::Averaged, &models[0]).unwrap();
        let expected = all(&mut begun(), &models);
        for stop in 0..9 {
            let mut first = begun();
            all(&mut first, &models[..stop]);
            let record = first.model().into_record().into_bytes().unwrap();
            let saved = burn::store::ModuleRecord::from_bytes(record).unwrap();
            let mut second = begun();
            let model = second.model().load_record(saved);
            second.restore(model, first.averaged()).unwrap();
            assert_eq!(all(&mut second, &models[stop..]), expected, "{stop}");
        }
    }
}

#[test]
fn the_pass_over_f32_rounds_as_tensors_do() {
    let values = |phase: f32, dtype| {
        let values: Vec<f32> = (0..1000).map(|i| (phase + i as f32).sin()).collect();
        let tensor = Tensor::<1>::from_floats(&values[..], &Device::flex()).cast(dtype);
        Param::from_tensor(tensor)
    };
    for decay in [0.3, 0.999] {
        let averaged = |dtype| {
            let mut average = ModelAverage::ema(decay, &values(0.0, dtype)).unwrap();
            for phase in 0..20 {
                average.update(&values(phase as f32 / 10.0, dtype)).unwrap();
            }
            average.model().val().into_data().try_into_vec_as::<f64>()
        };
        let pass = averaged(FloatDType::F32).unwrap();
        let tensors = averaged(FloatDType::F64).unwrap();
        for (pass, tensors) in pass.iter().zip(&tensors) {
            assert!((pass - tensors).abs() < 5e-7, "{pass} for {tensors}");
        }
    }
}

#[test]
fn another_model_is_refused_and_leaves_the_average_alone() {
    let linear = |inputs| -> Linear { LinearConfig::new(inputs, 2).init(&device()) };
    let model = linear(3);
    let mut average = ModelAverage::equal(&model).unwrap();
    average.update(&model).unwrap();
    let refused = average.update(&linear(4));
    let expected = AverageError::OtherModel {
        parameter: 0,
        expected: vec![3, 2],
        found: vec![4, 2],
    };
    assert_eq!(refused, Err(expected.clone()));
    assert_eq!(average.restore(linear(4), 3), Err(expected));
    assert_eq!(average.averaged(), 1);
    let mut unbiased = model.clone();
    unbiased.bias = None;
    assert!(matches!(
        average.update(&unbiased),
        Err(AverageError::OtherModel { parameter: 1, found, .. }) if found.is_empty()
    ));
    let weights = model.weight.val().into_data();
    assert_eq!(average.model().weight.val().into_data(), weights);
}

#[test]
fn weights_of_16_bits_are_refused_if_they_are_trained() {
    let tensor = Tensor::<1>::ones([2], &Device::flex()).cast(FloatDType::BF16);
    let param = Param::from_tensor(tensor);
    assert!(matches!(
        ModelAverage::equal(&param),
        Err(AverageError::Coarse {
            found: DType::BF16,
            ..
        })
    ));
    let frozen = param.set_require_grad(false);
    let mut average = ModelAverage::equal(&frozen).unwrap();
    average.update(&frozen).unwrap();
    assert_eq!(average.model().val().dtype(), DType::BF16);
}

#[test]
fn settings_outside_their_range_are_named() {
    let setting = |average: Average| match average.check(10, Some(5), 3) {
        Err(AverageError::Setting { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    for decay in [-0.1, 1.0, 1.5, f64::NAN, f64::INFINITY] {
        assert_eq!(setting(Average::ema(decay)), "decay");
    }
    for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let warm = |a, b| Average::ema(Ema::new(0.9).with_warmup(a, b));
        assert_eq!(setting(warm(value, 1.0)), "inv_gamma");
        assert_eq!(setting(warm(1.0, value)), "power");
    }
    assert_eq!(setting(Average::ema(0.9).every_updates(0)), "every");
    assert_eq!(setting(Average::swa().every_epochs(0)), "every");
    let wsm = |last| Average::checkpoints(last, Decay::Linear);
    assert_eq!(setting(wsm(0)), "checkpoints");
    assert_eq!(setting(wsm(2).every_updates(5)), "every");
    assert_eq!(setting(wsm(2).after_epochs(1)), "start");
    assert_eq!(
        wsm(4).check(10, None, 3),
        Err(AverageError::TooFewKept { kept: 3, found: 4 })
    );
    for (late, unit, run, first) in [
        (Average::swa().after_epochs(10), "epochs", 10, 11),
        (
            Average::swa().after_epochs(9).every_epochs(3),
            "epochs",
            10,
            12,
        ),
        (Average::swa().after_updates(50), "epochs", 10, 11),
        (
            Average::swa().after_epochs(u64::MAX),
            "epochs",
            10,
            u64::MAX,
        ),
        (Average::ema(0.9).after_updates(50), "updates", 50, 51),
        (Average::ema(0.9).after_epochs(10), "updates", 50, 51),
        (Average::ema(0.9).every_updates(60), "updates", 50, 60),
    ] {
        assert_eq!(
            late.check(10, Some(5), 3),
            Err(AverageError::NeverBegins { unit, run, first })
        );
    }
    // What is not known is not refused.
    Average::ema(0.9)
        .after_updates(50)
        .check(10, None, 3)
        .unwrap();
    for sound in [
        Average::ema(0.0),
        Average::swa().after_epochs(9),
        Average::swa().after_updates(49),
        wsm(3),
    ] {
        sound.check(10, Some(5), 3).unwrap();
    }
}

#[test]
fn coefficients_add_up_to_1_and_fit_the_models() {
    for decay in [Decay::Linear, Decay::Cosine, Decay::OneMinusSqrt] {
        for checkpoints in 1..20 {
            let coefficients = decay.coefficients(checkpoints);
            let sum: f64 = coefficients.iter().sum();
            assert!((sum - 1.0).abs() < 1e-12, "{decay:?}, {checkpoints}");
            assert!(coefficients.iter().all(|&c| c > 0.0));
        }
        assert!(decay.coefficients(0).is_empty());
    }
    let models = |count| vec![Mixed::new(1.0); count];
    for (count, coefficients) in [
        (0, &[][..]),
        (2, &[1.0]),
        (1, &[0.5, 0.5]),
        (2, &[0.5, 0.6]),
        (2, &[1.5, -0.5]),
        (1, &[f64::NAN]),
    ] {
        assert!(matches!(
            merged(models(count), coefficients),
            Err(AverageError::Weights { .. })
        ));
    }
    let mean = merged([1.0, 2.0, 4.0].map(Mixed::new), &[0.0, 0.5, 0.5]);
    assert_eq!(mean.unwrap().numbers(), [3.0, 3.0, 4.0, 3.0]);
}

#[test]
fn a_norm_that_takes_no_part_keeps_its_statistics() {
    #[derive(Module, Debug)]
    struct Norms {
        used: BatchNorm,
        frozen: BatchNorm,
        unused: BatchNorm,
    }
    let norm = || -> BatchNorm {
        let norm = BatchNormConfig::new(1).init(&device());
        norm.running_mean.update(Tensor::full([1], 9.0, &device()));
        norm
    };
    let norms = Norms {
        used: norm(),
        frozen: norm().freeze(),
        unused: norm(),
    };
    let batches = || [1.0, 2.0, 6.0].map(|x| Tensor::<2>::full([4, 1], x, &device()));
    let forward = |norms: &Norms, x: Tensor<2>| {
        norms.used.forward(norms.frozen.forward(x + 9.0));
    };
    let recomputed = recomputed_statistics(&norms, batches, forward).unwrap();
    let mean = |norm: &BatchNorm| norm.running_mean.value().into_scalar::<f32>();
    assert!((mean(&recomputed.used) - 3.0).abs() < 1e-4);
    assert_eq!([&recomputed.frozen, &recomputed.unused].map(mean), [9.0; 2]);
    assert_eq!(mean(&norms.used.valid()), 9.0);

    let none = recomputed_statistics(&norms, Vec::new, forward);
    assert!(matches!(none, Err(AverageError::NoBatch)));
    // Without any statistics there is nothing to be computed.
    let linear: Linear = LinearConfig::new(1, 1).init(&device());
    let weights = linear.weight.val().into_data();
    let same = recomputed_statistics(&linear, batches, |linear, x| drop(linear.forward(x)));
    assert_eq!(same.unwrap().weight.val().into_data(), weights);
}
