//! Beside the authors' packages, which `tests/golden/no_schedule.py` has run.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::device::Backend;
use crate::optim::{LoopOptimizer, OptimizerConfig, ResolvedGroups};

#[derive(Module, Debug)]
struct Net {
    weight_1: Param<Tensor<2>>,
    bias_1: Param<Tensor<1>>,
    weight_2: Param<Tensor<2>>,
    bias_2: Param<Tensor<1>>,
}

#[derive(Deserialize)]
struct Golden {
    rates: BTreeMap<String, Vec<f64>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    optimizer: String,
    settings: Map<String, Value>,
    lr: f64,
    rates: String,
    skipped: Option<(usize, usize)>,
    single: [f64; 4],
    points: Vec<Point>,
}

#[derive(Deserialize)]
struct Point {
    update: usize,
    loss: f64,
    y: Vec<f64>,
    #[serde(default)]
    x: Vec<f64>,
    d: Option<f64>,
}

impl Case {
    /// With this crate's names of the settings.
    fn config(&self) -> OptimizerConfig {
        let mut settings = Map::new();
        for (name, value) in &self.settings {
            match name.as_str() {
                "betas" => {
                    settings.insert("beta_1".to_owned(), value[0].clone());
                    settings.insert("beta_2".to_owned(), value[1].clone());
                }
                "beta3" => drop(settings.insert("beta_3".to_owned(), value.clone())),
                "eps" => drop(settings.insert("epsilon".to_owned(), value.clone())),
                name => drop(settings.insert(name.to_owned(), value.clone())),
            }
        }
        let mut document = Map::new();
        document.insert(self.optimizer.clone(), settings.into());
        let config: OptimizerConfig = serde_json::from_value(document.into()).unwrap();
        config.check().unwrap();
        config
    }

    fn title(&self) -> String {
        format!("{} {:?} {}", self.optimizer, self.settings, self.rates)
    }
}

fn golden() -> Golden {
    let golden = include_str!("../../../tests/golden/no_schedule.json");
    serde_json::from_str(golden).unwrap()
}

/// Values by formula, rounded to single precision.
fn tensor<const D: usize>(
    values: impl Iterator<Item = f64>,
    shape: [usize; D],
    device: &Device,
    dtype: DType,
) -> Tensor<D> {
    let values: Vec<f64> = values.map(|value| f64::from(value as f32)).collect();
    Tensor::from_data(TensorData::new(values, shape), (device, dtype))
}

impl Net {
    fn new(device: &Device, dtype: DType) -> Self {
        fn drawn<const D: usize>(
            shape: [usize; D],
            offset: usize,
            scale: f64,
            (device, dtype): (&Device, DType),
        ) -> Param<Tensor<D>> {
            let count: usize = shape.iter().product();
            let values = (0..count).map(|i| (12.9898 * (i + 1 + offset) as f64).sin() * scale);
            Param::from_tensor(tensor(values, shape, device, dtype))
        }
        let on = (device, dtype);
        Self {
            weight_1: drawn([4, 8], 0, 0.5, on),
            bias_1: drawn([8], 50, 0.1, on),
            weight_2: drawn([8, 3], 100, 0.35, on),
            bias_2: drawn([3], 200, 0.1, on),
        }
    }

    fn loss(&self, (input, target): &(Tensor<2>, Tensor<2>)) -> Tensor<1> {
        let hidden = input.clone().matmul(self.weight_1.val()) + self.bias_1.val().unsqueeze();
        let output = hidden.tanh().matmul(self.weight_2.val()) + self.bias_2.val().unsqueeze();
        (output - target.clone()).square().mean()
    }

    fn values(&self) -> Vec<f64> {
        struct Values(Vec<f64>);
        impl ModuleVisitor for Values {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                self.0.extend(param.val().into_data().iter::<f64>());
            }
        }
        let mut values = Values(Vec::new());
        self.visit(&mut values);
        values.0
    }
}

fn batches(device: &Device, dtype: DType) -> Vec<(Tensor<2>, Tensor<2>)> {
    let batch = |number: usize| {
        let value = |i: usize| f64::from((78.233 * (number * 128 + i + 1) as f64).sin() as f32);
        let targets = (0..32).flat_map(|row| {
            let x = |column: usize| value(row * 4 + column);
            [x(0) * x(1), x(2) * x(2), x(3) - x(0)]
        });
        let targets: Vec<f64> = targets.collect();
        let targets = TensorData::new(targets, [32, 3]);
        (
            tensor((0..128).map(value), [32, 4], device, dtype),
            Tensor::from_data(targets, (device, dtype)),
        )
    };
    (0..8).map(batch).collect()
}

/// Calls `at` with the number of every update, its loss before it, and what it has led to.
fn run(
    case: &Case,
    rates: &[f64],
    (device, dtype): (&Device, DType),
    mut at: impl FnMut(usize, f64, &Net, &mut LoopOptimizer),
) {
    let mut net = Net::new(device, dtype);
    let config = case.config();
    let groups = ResolvedGroups::resolve(&config, &[], &net).unwrap();
    let mut optimizer = config.build_loop(&groups, &net).unwrap();
    let batches = batches(device, dtype);
    for (number, rate) in rates.iter().enumerate() {
        let loss = net.loss(&batches[number % 8]);
        let mut grads = GradientsParams::from_grads(loss.backward(), &net);
        if case
            .skipped
            .is_some_and(|(from, to)| (from..to).contains(&number))
        {
            drop(grads.remove::<1>(net.bias_1.id));
        }
        net = optimizer.step(case.lr * rate, net, grads);
        let loss = loss.into_data().iter::<f64>().next().unwrap();
        at(number + 1, loss, &net, &mut optimizer);
    }
}

/// How far apart they are, relative in the 2-norm.
fn apart(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let differences = &mut ours.iter().zip(theirs).map(|(a, b)| a - b);
    let apart = norm(differences) / norm(&mut theirs.iter().copied());
    assert!(apart.is_finite());
    apart
}

fn assert_golden(dtype: DType) {
    let golden = golden();
    assert_eq!(golden.cases.len(), 20);
    for backend in Backend::compiled() {
        // GPUs have no double precision.
        if dtype == DType::F64 && !matches!(backend, Backend::Flex | Backend::Ndarray) {
            continue;
        }
        let device = backend.device().unwrap().autodiff();
        // Others add up gradients in another order, of which Adam shows the last digits.
        let near = if backend == Backend::Flex { 1e-6 } else { 2e-6 };
        for case in &golden.cases {
            let mut points = case.points.iter().peekable();
            let mut worst = [0.0_f64; 4];
            run(
                case,
                &golden.rates[&case.rates],
                (&device, dtype),
                |update, loss, net, of| {
                    let Some(point) = points.next_if(|point| point.update == update) else {
                        return;
                    };
                    worst[0] = worst[0].max((loss - point.loss).abs());
                    worst[1] = worst[1].max(apart(&net.values(), &point.y));
                    let x = of.evaluated(net).values();
                    if point.x.is_empty() {
                        assert_eq!(x, net.values());
                    } else {
                        worst[2] = worst[2].max(apart(&x, &point.x));
                    }
                    assert_eq!(of.d().is_some(), point.d.is_some());
                    if let (Some(d), Some(expected)) = (of.d(), point.d) {
                        worst[3] = worst[3].max((d / expected - 1.0).abs());
                    }
                },
            );
            assert!(points.next().is_none());
            for (apart, single) in worst.into_iter().zip(case.single) {
                let limit = match dtype {
                    DType::F64 => 1e-9,
                    // Or far nearer than the package in single precision.
                    _ => f64::max(near, single / 20.0),
                };
                assert!(apart <= limit, "{backend}: {}: {worst:?}", case.title());
            }
        }
    }
}

#[test]
fn they_are_the_authors_in_double_precision() {
    assert_golden(DType::F64);
}

#[test]
fn they_are_the_authors_in_single_precision() {
    assert_golden(DType::F32);
}
