//! Gradients without any engine.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use burn::train::TrainStep;
use burn_lr::training::loader::{BatchSource, Sample};

use super::net::Net;
use crate::common::line::{Points, Slope};

struct Visitor(GradientsParams, Vec<Vec<f32>>);

impl ModuleVisitor for Visitor {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let grad: Tensor<D> = self.0.get(param.id).unwrap();
        self.1.push(grad.into_data().iter().collect());
    }
}

/// The gradients of each parameter on all points, in the model's order.
pub fn gradients(net: &Net) -> Vec<Vec<f32>> {
    let samples: Vec<Sample> = (0..40).map(Sample::new).collect();
    gradients_on(net, &samples)
}

pub fn gradients_on(net: &Net, samples: &[Sample]) -> Vec<Vec<f32>> {
    let net = net.clone().train();
    let points: Points = Slope.batch(samples, &Device::flex().autodiff()).unwrap();
    let mut visitor = Visitor(TrainStep::step(&net, points).grads, Vec::new());
    net.visit(&mut visitor);
    visitor.1
}

/// The Euclidean norm of all of them.
pub fn norm(gradients: &[Vec<f32>]) -> f64 {
    let squares = gradients
        .iter()
        .flatten()
        .map(|&value| f64::from(value).powi(2));
    squares.sum::<f64>().sqrt()
}

pub fn assert_close(found: f64, expected: f64, tolerance: f64, title: &str) {
    let scale = expected.abs().max(tolerance);
    assert!(
        (found - expected).abs() <= tolerance * scale,
        "{title}: {found}, not {expected}"
    );
}
