use burn::module::{Module, Param};
use burn::optim::MultiGradientsParams;
use burn::tensor::{Device, FloatDType, Tensor};
use serde_json::Value;

use super::*;
use crate::device::Backend;

#[derive(Module, Debug)]
struct Layer {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

fn layer(device: &Device) -> Layer {
    Layer {
        weight: Param::from_tensor(Tensor::zeros([3, 2], device)),
        bias: Param::from_tensor(Tensor::zeros([2], device)),
    }
}

fn grads(layer: &Layer, weight: &[f32], bias: &[f32], device: &Device) -> GradientsParams {
    let mut grads = GradientsParams::new();
    let tensor = |values: &[f32]| Tensor::<1>::from_floats(values, device);
    grads.register(layer.weight.id, tensor(weight).reshape([3, 2]));
    grads.register(layer.bias.id, tensor(bias));
    grads
}

fn values(layer: &Layer, grads: &GradientsParams) -> Vec<f32> {
    let weight = grads.get::<2>(layer.weight.id).unwrap().into_data();
    let bias = grads.get::<1>(layer.bias.id).unwrap().into_data();
    weight.iter::<f32>().chain(bias.iter()).collect()
}

/// All numbers in `json`, in whatever lists; those that are not finite are strings.
fn numbers(json: &Value) -> Vec<f32> {
    match json {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        Value::String(text) => vec![text.parse().unwrap()],
        number => vec![number.as_f64().unwrap() as f32],
    }
}

fn assert_close(ours: &[f32], theirs: &[f32], case: &str) {
    assert_eq!(ours.len(), theirs.len());
    for (our, their) in ours.iter().zip(theirs) {
        let close = (our - their).abs() <= 1e-6 * their.abs();
        let same = our == their || our.is_nan() && their.is_nan();
        assert!(close || same, "{case}: {ours:?} and {theirs:?}");
    }
}

#[test]
fn it_clips_as_pytorch_does_on_every_backend() {
    let golden = include_str!("../../../tests/golden/clip_grad.json");
    let golden: Value = serde_json::from_str(golden).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 88);
    for device in Backend::compiled()
        .iter()
        .map(|backend| backend.device().unwrap())
    {
        for case in cases {
            let layer = layer(&device);
            let [weight, bias] = ["weight", "bias"].map(|name| numbers(&case[name]));
            let mut grads = grads(&layer, &weight, &bias, &device);
            let limit = case["limit"].as_f64().unwrap();
            let clip = if case["kind"] == "norm" {
                GradientClip::norm(limit)
            } else {
                GradientClip::value(limit)
            };
            let label = format!("{clip:?} of {weight:?} {bias:?} on {device:?}");
            let norm = clip.clip(&mut grads, &layer);
            assert_close(&[norm.value() as f32], &numbers(&case["norm"]), &label);
            assert_eq!(norm.is_finite(), !case["norm"].is_string(), "{label}");
            let theirs = ["clipped_weight", "clipped_bias"].map(|name| numbers(&case[name]));
            assert_close(&values(&layer, &grads), &theirs.concat(), &label);
        }
    }
}

/// What a GPU computes, here on a CPU.
#[test]
fn a_factor_on_the_device_clips_as_one_that_was_read() {
    let device = Backend::Flex.device().unwrap();
    for scale in [0.01, 1.0, 100.0, f32::NAN, f32::INFINITY] {
        let layer = layer(&device);
        let make = || grads(&layer, &[scale; 6], &[scale, -scale], &device);
        let (mut read, mut unread) = (make(), make());
        let norm = GradientClip::norm(1.0).clip(&mut read, &layer);
        let tensor = norm.coefficient_tensor(1.0).unwrap();
        layer.visit(&mut Scale::new(&mut unread, Limit::Factor(tensor)));
        assert_close(
            &values(&layer, &read),
            &values(&layer, &unread),
            &scale.to_string(),
        );
    }
}

#[test]
fn half_precision_is_computed_in_single() {
    let device = Backend::Flex.device().unwrap();
    let layer = layer(&device);
    for dtype in [FloatDType::F16, FloatDType::BF16] {
        let mut grads = GradientsParams::new();
        // Squares beyond f16.
        let grad = Tensor::<1>::from_floats([600.0, 800.0], &device).cast(dtype);
        grads.register(layer.bias.id, grad);
        let norm = GradientClip::norm(10.0).clip(&mut grads, &layer);
        assert!((norm.value() - 1000.0).abs() < 5.0);
        let clipped = grads.get::<1>(layer.bias.id).unwrap();
        assert_eq!(clipped.dtype(), dtype.into());
        let clipped: Vec<f32> = clipped.into_data().iter().collect();
        assert!(
            (clipped[0] - 6.0).abs() < 0.05 && (clipped[1] - 8.0).abs() < 0.05,
            "{clipped:?}"
        );
    }
}

#[test]
fn gradients_of_several_devices_are_clipped_as_their_sum() {
    let device = Backend::Flex.device().unwrap();
    let layer = layer(&device);
    let half = || {
        grads(
            &layer,
            &[1.5, 0.0, 0.0, 0.0, 0.0, 0.0],
            &[0.0, 2.0],
            &device,
        )
    };
    let mut multi = MultiGradientsParams {
        grads: vec![(half(), device.clone()), (half(), device.clone())],
    };
    assert_eq!(GradientNorm::of_multi(&mut multi, &layer).value(), 5.0);
    assert_eq!(
        GradientClip::norm(1.0)
            .clip_multi(&mut multi, &layer)
            .value(),
        5.0
    );
    let weight: Vec<f32> = multi
        .remove::<2>(layer.weight.id)
        .unwrap()
        .0
        .into_data()
        .iter()
        .collect();
    let bias: Vec<f32> = multi
        .remove::<1>(layer.bias.id)
        .unwrap()
        .0
        .into_data()
        .iter()
        .collect();
    assert!((weight[0] - 0.6).abs() < 1e-6 && (bias[1] - 0.8).abs() < 1e-6);
}

#[test]
fn without_gradients_the_norm_is_0() {
    let device = Backend::Flex.device().unwrap();
    let layer = layer(&device);
    let mut grads = GradientsParams::new();
    let norm = GradientClip::norm(1.0).clip(&mut grads, &layer);
    assert!(norm.value() == 0.0 && norm.is_finite() && norm.tensor().is_none());
    assert!(grads.is_empty());
}

#[test]
fn measuring_changes_nothing() {
    let device = Backend::Flex.device().unwrap();
    let layer = layer(&device);
    let grads = grads(&layer, &[3.0; 6], &[4.0; 2], &device);
    let before = values(&layer, &grads);
    assert!((GradientNorm::of(&grads, &layer).value() - 86f64.sqrt()).abs() < 1e-6);
    assert_eq!(values(&layer, &grads), before);
}

#[test]
fn limits_are_above_0() {
    for limit in [0.0, -1.0, f64::NAN] {
        for clip in [GradientClip::norm(limit), GradientClip::value(limit)] {
            assert!(
                matches!(clip.check(), Err(OptimError::Clip { .. })),
                "{clip:?}"
            );
        }
    }
    GradientClip::norm(f64::INFINITY).check().unwrap();
    let json = serde_json::to_string(&(GradientClip::norm(1.0), NonFinite::Skip)).unwrap();
    assert_eq!(json, r#"[{"norm":1.0},"skip"]"#);
    let back: (GradientClip, NonFinite) = serde_json::from_str(&json).unwrap();
    assert_eq!(back, (GradientClip::norm(1.0), NonFinite::Skip));
}
