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
    let input = input.clone().try_into_primitive::<Flex>().ok()?;
    let weight = weight.clone().try_into_primitive::<Flex>().ok()?;
    let bias = match bias {
        Some(bias) => Some(bias.clone().try_into_primitive::<Flex>().ok()?),
        None => None,
    };
    let bias = bias.map(|bias| bias.to_contiguous());
    let output = forward(
        geometry,
        &input.to_contiguous(),
        &weight.to_contiguous(),
        bias.as_ref(),
    );
    Some(Tensor::from_primitive::<Flex>(output))
}

/// Of what is contiguous.
fn forward(
    geometry: &Geometry,
    input: &FlexTensor,
    weight: &FlexTensor,
    bias: Option<&FlexTensor>,
) -> FlexTensor {
    let output = forward::forward(
        geometry,
        input.storage(),
        weight.storage(),
        bias.map(FlexTensor::storage),
    );
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
    let (input, weight) = (input.to_contiguous(), weight.to_contiguous());
    let kept = || Kept {
        geometry: geometry.clone(),
        input: input.clone(),
        weight: weight.clone(),
    };
    let Some(bias) = bias else {
        let output = forward(geometry, &input, &weight, None);
        let prepared = Step.prepare::<C>([of_input, of_weight]);
        let output = match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(kept(), output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        };
        return Some(Tensor::from_primitive::<Autodiff<Flex, C>>(output));
    };
    let bias = bias.clone().try_into_primitive::<Autodiff<Flex, C>>();
    let (bias, of_bias) = bias.ok()?.into_parts();
    let output = forward(geometry, &input, &weight, Some(&bias.to_contiguous()));
    let prepared = Step.prepare::<C>([of_input, of_weight, of_bias]);
    let output = match prepared.compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(kept(), output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    Some(Tensor::from_primitive::<Autodiff<Flex, C>>(output))
}

/// Numbers that others have too, and not copies of them.
#[derive(Debug, Clone)]
struct Kept {
    geometry: Geometry,
    input: FlexTensor,
    weight: FlexTensor,
}

/// Of input, weights and, where there is one, bias.
#[derive(Debug)]
struct Step;

impl<const N: usize> Backward<Flex, N> for Step {
    type State = Kept;

    fn backward(self, ops: Ops<Kept, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let Kept {
            geometry,
            input,
            weight,
        } = ops.state;
        let of_output = grads.consume::<Flex>(&ops.node).to_contiguous();
        let wanted = [0, 1, 2].map(|at| ops.parents.get(at).is_some_and(Option::is_some));
        let gradients = backward::backward(
            &geometry,
            input.storage(),
            weight.storage(),
            of_output.storage(),
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
