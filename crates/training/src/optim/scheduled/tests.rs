use burn::module::{Module, Param};
use burn::optim::lr_scheduler::LrScheduler;
use burn::optim::{AdaGradConfig, AdamWConfig, GradientsParams, MuonConfig, SgdConfig};
use burn::tensor::{Device, FloatDType, Tensor};
use burn_lr_scheduler::{
    Constant, CyclicLr, LinearLr, OneCycleLr, ReduceLrOnPlateau, Run, ScheduleConfig, Scheduler,
    Verdict,
};
use serde_json::Value;

use super::*;
use crate::device::Backend;
use crate::optim::{Hyperparameter, OptimError, OptimizerConfig, adamw};

/// Two parameters, as `hyperparameters.py` has them.
#[derive(Module, Debug)]
struct Two {
    first: Param<Tensor<1>>,
    second: Param<Tensor<1>>,
}

impl Two {
    fn new(device: &Device, float: FloatDType) -> Self {
        let param = |values: &[f32]| {
            let values = Tensor::<1>::from_data(values, &device.clone().inner());
            Param::from_tensor(Tensor::from_inner(values.cast(float)).require_grad())
        };
        Self {
            first: param(&[0.5, -0.25, 1.5, 0.0]),
            second: param(&[-1.0, 0.75]),
        }
    }

    /// The gradients of `hyperparameters.py`: the second parameter has none in every third update.
    fn grads(&self, update: u64) -> GradientsParams {
        let gradient = |i: usize| (0.7 * update as f64 + i as f64).sin() + 0.3;
        let weights = self.first.val();
        let options = (&weights.device().inner(), weights.dtype());
        let mut grads = GradientsParams::new();
        let of = |places: std::ops::Range<usize>| -> Tensor<1> {
            let values: Vec<f64> = places.map(gradient).collect();
            Tensor::from_data(&values[..], options)
        };
        grads.register(self.first.id, of(0..4));
        if update % 3 != 2 {
            grads.register(self.second.id, of(4..6));
        }
        grads
    }

    fn weights(&self) -> Vec<f64> {
        let values = [&self.first, &self.second].map(|of| of.val().into_data());
        values.iter().flat_map(|data| data.iter::<f64>()).collect()
    }
}

fn golden() -> Value {
    let golden: Value =
        serde_json::from_str(include_str!("../../../tests/golden/hyperparameters.json")).unwrap();
    assert!(golden["torch"].as_str().unwrap().starts_with("2.15.0"));
    golden
}

fn scheduler(document: &Value) -> Scheduler {
    let schedule = ScheduleConfig::from_json(&document.to_string()).unwrap();
    Scheduler::new(schedule, Run::per_update()).unwrap()
}

fn driver(case: &Value) -> Driver {
    let optimizer: OptimizerConfig = serde_json::from_value(case["optimizer"].clone()).unwrap();
    let driver = Driver::new(&optimizer, scheduler(&case["schedule"])).unwrap();
    let others = case["scheduled"].as_object().unwrap().iter();
    others.fold(driver, |driver, (name, document)| {
        let of = serde_json::from_value(Value::from(name.as_str())).unwrap();
        driver.with(of, scheduler(document)).unwrap()
    })
}

/// How far the weights of `case` are from PyTorch's, relative, after the updates whose weights are stored.
fn apart(case: &Value, stored: &[u64], device: &Device, float: FloatDType) -> f64 {
    let (mut optimizer, mut scheduler) = driver(case).build().unwrap();
    let mut model = Two::new(device, float);
    let mut expected = case["weights"].as_array().unwrap().iter();
    let mut furthest = 0.0_f64;
    for update in 0..100 {
        let lr = scheduler.step();
        let grads = model.grads(update);
        model = optimizer.step(lr, model, grads);
        if stored.contains(&(update + 1)) {
            let expected: Vec<f64> =
                serde_json::from_value(expected.next().unwrap().clone()).unwrap();
            let weights = model.weights();
            assert_eq!(weights.len(), expected.len());
            for (ours, theirs) in weights.iter().zip(&expected) {
                furthest = furthest.max((ours - theirs).abs() / theirs.abs().max(1.0));
            }
        }
    }
    furthest
}

#[test]
fn weights_are_pytorchs() {
    let golden = golden();
    let stored: Vec<u64> = serde_json::from_value(golden["stored"].clone()).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() >= 15);
    for backend in Backend::compiled() {
        let device = backend.device().unwrap().autodiff();
        for case in cases {
            let apart = apart(case, &stored, &device, FloatDType::F32);
            // What the rounding of single precision adds up to in a hundred updates.
            assert!(apart <= 4e-6, "{backend}, {apart}: {case}");
        }
    }
}

#[test]
fn in_double_precision_they_are_so_to_its_last_digits() {
    let golden = golden();
    let stored: Vec<u64> = serde_json::from_value(golden["stored"].clone()).unwrap();
    let mut compared = 0;
    for case in golden["cases"].as_array().unwrap() {
        let optimizer = &case["optimizer"];
        // What Burn has in single precision for any type: RMSprop, and Adam with its weight decay.
        if optimizer.get("RmsProp").is_some() || optimizer["Adam"]["weight_decay"].is_object() {
            continue;
        }
        let apart = apart(case, &stored, &Device::flex().autodiff(), FloatDType::F64);
        assert!(apart <= 1e-13, "{apart}: {case}");
        compared += 1;
    }
    assert!(compared >= 11, "{compared}");
}

#[test]
fn a_resumed_one_goes_on_to_the_bit() {
    let device = Device::flex().autodiff();
    for case in golden()["cases"].as_array().unwrap() {
        let run = |from: Option<u64>| {
            let (mut optimizer, mut scheduler) = driver(case).build().unwrap();
            let mut model = Two::new(&device, FloatDType::F32);
            for update in 0..60 {
                if from == Some(update) {
                    let record = optimizer.into_bytes().unwrap();
                    let schedulers = scheduler.to_record();
                    (optimizer, scheduler) = driver(case).build().unwrap();
                    optimizer = optimizer.from_bytes(record).unwrap();
                    scheduler.try_load_record(&schedulers).unwrap();
                }
                let lr = scheduler.step();
                let grads = model.grads(update);
                model = optimizer.step(lr, model, grads);
            }
            model.weights()
        };
        assert_eq!(run(None), run(Some(31)), "{case}");
    }
}

#[test]
fn what_an_optimizer_lacks_is_refused_by_name() {
    let rate = |schedule: ScheduleConfig| {
        Scheduler::new(schedule, Run::per_update().with_updates(10)).unwrap()
    };
    let constant = || rate(Constant::new(0.1).into());
    let sgd: OptimizerConfig = SgdConfig::new().into();
    for optimizer in [sgd.clone(), AdaGradConfig::new().into()] {
        for cycle in [
            OneCycleLr::new(0.1).into(),
            ScheduleConfig::from(CyclicLr::new(0.1, 0.2)),
        ] {
            let refused = Driver::new(&optimizer, rate(cycle));
            let expected = OptimError::NoMomentum {
                optimizer: optimizer.name(),
            };
            assert_eq!(refused.unwrap_err(), expected);
        }
        let still = OneCycleLr::new(0.1).with_cycle_momentum(false);
        Driver::new(&optimizer, rate(still.into())).unwrap();
    }
    for (optimizer, of) in [
        (sgd.clone(), Hyperparameter::Momentum),
        (sgd, Hyperparameter::WeightDecay),
        (MuonConfig::new().into(), Hyperparameter::Beta2),
        (
            OptimizerConfig::per_parameter(AdamWConfig::new().build(), r#"{"beta_2": 0.9}"#),
            Hyperparameter::Beta2,
        ),
    ] {
        let driver = Driver::new(&optimizer, constant()).unwrap();
        assert_eq!(
            driver.with(of, constant()).unwrap_err(),
            OptimError::NoHyperparameter {
                of: of.name(),
                optimizer: optimizer.name(),
            }
        );
    }
    let driver = Driver::new(&adamw().into(), rate(OneCycleLr::new(0.1).into())).unwrap();
    let twice = driver.with(Hyperparameter::Momentum, constant());
    assert_eq!(
        twice.unwrap_err(),
        OptimError::TwoSchedules { of: "momentum" }
    );
}

#[test]
fn schedules_that_leave_the_range_are_refused() {
    let rising = LinearLr::new(1.0)
        .with_start_factor(0.5)
        .with_total_iters(10);
    let run = |updates| Run::per_update().with_updates(updates);
    let with = |of, updates| {
        let scheduler = Scheduler::new(rising.clone(), run(updates)).unwrap();
        let rate = Scheduler::new(Constant::new(0.1), run(updates)).unwrap();
        let driver = Driver::new(&adamw().into(), rate).unwrap();
        driver.with(of, scheduler).map(drop)
    };
    for of in [Hyperparameter::Momentum, Hyperparameter::Beta2] {
        assert_eq!(with(of, 10), Ok(()));
        let expected = OptimError::Schedule {
            of: of.name(),
            expected: "in [0, 1)",
            update: 10,
            found: 1.0,
        };
        assert_eq!(with(of, 11), Err(expected));
    }
    assert_eq!(with(Hyperparameter::WeightDecay, 11), Ok(()));
}

#[test]
fn a_plateau_raises_the_weight_decay() {
    let plateau = ReduceLrOnPlateau::new(0.1)
        .with_factor(2.0)
        .with_max_lr(0.3)
        .with_patience(0);
    let rate = Scheduler::new(Constant::new(0.1), Run::per_update()).unwrap();
    let decay = Scheduler::new(plateau, Run::per_update()).unwrap();
    let driver = Driver::new(&adamw().into(), rate).unwrap();
    let (_, mut driver) = driver
        .with(Hyperparameter::WeightDecay, decay)
        .unwrap()
        .build()
        .unwrap();
    driver.step();
    assert_eq!(driver.value(Hyperparameter::WeightDecay), Some(0.1));
    driver.observe(1.0).unwrap();
    let of = Some(Hyperparameter::WeightDecay);
    let raised = (of, Verdict::Raised { from: 0.1, to: 0.2 });
    assert_eq!(driver.observe(1.0).unwrap(), [raised]);
    driver.step();
    assert_eq!(driver.value(Hyperparameter::WeightDecay), Some(0.2));
}

#[test]
fn what_cannot_be_is_not_set() {
    let dial = Dial::default();
    assert_eq!(dial.values(), Values::default());
    let knob = dial.knob(Hyperparameter::Momentum);
    knob.set(0.5);
    for impossible in [1.0, f64::NAN, -0.1, 1.0 - 1e-12] {
        knob.set(impossible);
        assert_eq!(dial.values().momentum, Some(0.5));
    }
}
