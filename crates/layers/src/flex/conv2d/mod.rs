//! Two-dimensional convolution.

mod backward;
mod forward;
mod geometry;
mod kernels;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::{
    BalancedCheckpointing, CheckpointStrategy, NoCheckpointing,
};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, DispatchKindConversion, DispatchTensor, Flex};
use burn::nn::conv::Conv2d;
use burn::tensor::{DType, Tensor, TensorData};

use geometry::Geometry;

use super::fused::numbers;

/// Gives `input` back where that is not for here.
pub(crate) fn conv2d(layer: &Conv2d, input: Tensor<4>) -> Result<Tensor<4>, Tensor<4>> {
    let weight = layer.weight.val();
    let bias = layer.bias.as_ref().map(|bias| bias.val());
    let are_single = input.dtype() == DType::F32
        && weight.dtype() == DType::F32
        && bias.as_ref().is_none_or(|bias| bias.dtype() == DType::F32);
    if !are_single {
        return Err(input);
    }
    let bias_dims = bias.as_ref().map(|bias| bias.dims());
    let Some(geometry) = Geometry::of(layer, input.dims(), weight.dims(), bias_dims) else {
        return Err(input);
    };
    plain(&geometry, &input, &weight, bias.as_ref())
        .or_else(|| tracked::<NoCheckpointing>(&geometry, &input, &weight, bias.as_ref()))
        .or_else(|| tracked::<BalancedCheckpointing>(&geometry, &input, &weight, bias.as_ref()))
        .ok_or(input)
}

/// On a device without automatic differentiation.
fn plain(
    geometry: &Geometry,
    input: &Tensor<4>,
    weight: &Tensor<4>,
    bias: Option<&Tensor<1>>,
) -> Option<Tensor<4>> {
    let mut input = input.clone().try_into_primitive::<Flex>().ok()?.into_data();
    let weight = weight.clone().try_into_primitive::<Flex>().ok()?;
    let mut bias = match bias {
        Some(bias) => Some(bias.clone().try_into_primitive::<Flex>().ok()?.into_data()),
        None => None,
    };
    let output = forward(geometry, &mut input, &mut weight.into_data(), bias.as_mut());
    Some(Tensor::from_primitive::<Flex>(output))
}

fn forward(
    geometry: &Geometry,
    input: &mut TensorData,
    weight: &mut TensorData,
    bias: Option<&mut TensorData>,
) -> FlexTensor {
    let bias = bias.map(|bias| &*numbers(bias));
    let output = forward::forward(geometry, numbers(input), numbers(weight), bias);
    FlexTensor::from_data(TensorData::new(output, geometry.output_dims()))
}

fn tracked<C: CheckpointStrategy>(
    geometry: &Geometry,
    input: &Tensor<4>,
    weight: &Tensor<4>,
    bias: Option<&Tensor<1>>,
) -> Option<Tensor<4>>
where
    DispatchTensor: DispatchKindConversion<Autodiff<Flex, C>>,
{
    let input = input.clone().try_into_primitive::<Autodiff<Flex, C>>();
    let weight = weight.clone().try_into_primitive::<Autodiff<Flex, C>>();
    let (input, of_input) = input.ok()?.into_parts();
    let (weight, of_weight) = weight.ok()?.into_parts();
    let (mut input, mut weight) = (input.into_data(), weight.into_data());
    let Some(bias) = bias else {
        let output = forward(geometry, &mut input, &mut weight, None);
        let prepared = Step.prepare::<C>([of_input, of_weight]).compute_bound();
        let output = match prepared.stateful() {
            OpsKind::Tracked(prepared) => {
                prepared.finish(Kept::new(geometry, input, weight), output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        };
        return Some(Tensor::from_primitive::<Autodiff<Flex, C>>(output));
    };
    let bias = bias.clone().try_into_primitive::<Autodiff<Flex, C>>();
    let (bias, of_bias) = bias.ok()?.into_parts();
    let output = forward(
        geometry,
        &mut input,
        &mut weight,
        Some(&mut bias.into_data()),
    );
    let prepared = Step.prepare::<C>([of_input, of_weight, of_bias]);
    let output = match prepared.compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(Kept::new(geometry, input, weight), output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    Some(Tensor::from_primitive::<Autodiff<Flex, C>>(output))
}

#[derive(Debug, Clone)]
struct Kept {
    geometry: Geometry,
    input: TensorData,
    weight: TensorData,
}

impl Kept {
    fn new(geometry: &Geometry, input: TensorData, weight: TensorData) -> Self {
        let geometry = geometry.clone();
        Self {
            geometry,
            input,
            weight,
        }
    }
}

/// Of input, weights and, where there is one, bias.
#[derive(Debug)]
struct Step;

impl<const N: usize> Backward<Flex, N> for Step {
    type State = Kept;

    fn backward(self, ops: Ops<Kept, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let Kept {
            geometry,
            mut input,
            mut weight,
        } = ops.state;
        let mut of_output = grads.consume::<Flex>(&ops.node).into_data();
        let wanted = [0, 1, 2].map(|at| ops.parents.get(at).is_some_and(Option::is_some));
        let gradients = backward::backward(
            &geometry,
            numbers(&mut input),
            numbers(&mut weight),
            numbers(&mut of_output),
            wanted,
        );
        let shapes = [
            geometry.input_dims().to_vec(),
            geometry.weight_dims().to_vec(),
            vec![geometry.outputs],
        ];
        for ((parent, gradient), shape) in ops.parents.into_iter().zip(gradients).zip(shapes) {
            if let Some(node) = parent {
                let gradient = FlexTensor::from_data(TensorData::new(gradient, shape));
                grads.register::<Flex>(node.id, gradient);
            }
        }
    }
}
