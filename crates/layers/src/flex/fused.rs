//! Operations of one differentiable input, written as loops over the numbers of Flex.

use std::fmt::Debug;
use std::marker::PhantomData;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::{
    BalancedCheckpointing, CheckpointStrategy, NoCheckpointing,
};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, DispatchKindConversion, DispatchTensor, Flex};
use burn::tensor::{Bool, DType, Tensor, TensorData};

/// With gradient checkpointing.
type Recomputing = Autodiff<Flex, BalancedCheckpointing>;

/// An operation of one tensor of `f32`.
pub(crate) trait Operation {
    type Gradient: Gradient;

    /// Where no gradient is asked for.
    fn forward(self, input: TensorData) -> TensorData;

    fn tracked(self, input: TensorData) -> (TensorData, Self::Gradient);
}

/// What an operation keeps for its backward pass.
pub(crate) trait Gradient: Clone + Debug + Send + 'static {
    /// The gradient of the input, which has the shape that the input had.
    fn of_input(self, of_output: TensorData) -> TensorData;
}

/// The numbers of what is known to be of `f32`.
///
/// # Panics
/// As Burn's own operations, if they cannot be read from the file that they are in.
#[allow(clippy::expect_used)]
pub(crate) fn numbers(data: &mut TensorData) -> &mut [f32] {
    data.as_mut_slice().expect("numbers of f32 in memory")
}

/// Whether `tensor` is one of `f32` on Flex.
pub(crate) fn fits<const D: usize>(tensor: &Tensor<D>) -> bool {
    let is_on_flex = || {
        let tensor = || tensor.clone();
        tensor().try_into_primitive::<Flex>().is_ok()
            || tensor().try_into_primitive::<Autodiff<Flex>>().is_ok()
            || tensor().try_into_primitive::<Recomputing>().is_ok()
    };
    tensor.dtype() == DType::F32 && is_on_flex()
}

/// The result of `operation`, or `input` as it was if that is not of `f32` on Flex.
pub(crate) fn fused<const D: usize, const E: usize>(
    input: Tensor<D>,
    operation: impl Operation,
) -> Result<Tensor<E>, Tensor<D>> {
    if input.dtype() != DType::F32 {
        return Err(input);
    }
    // A second handle, as a conversion that fails does not give its tensor back.
    if let Ok(plain) = input.clone().try_into_primitive::<Flex>() {
        drop(input);
        let output = operation.forward(plain.into_data());
        return Ok(Tensor::from_primitive::<Flex>(FlexTensor::from_data(
            output,
        )));
    }
    let (input, operation) = match differentiable::<_, _, _, NoCheckpointing>(input, operation) {
        Ok(output) => return Ok(output),
        Err(refused) => refused,
    };
    differentiable::<_, _, _, BalancedCheckpointing>(input, operation).map_err(|(input, _)| input)
}

fn differentiable<const D: usize, const E: usize, O: Operation, C: CheckpointStrategy>(
    input: Tensor<D>,
    operation: O,
) -> Result<Tensor<E>, (Tensor<D>, O)>
where
    DispatchTensor: DispatchKindConversion<Autodiff<Flex, C>>,
{
    let Ok(tensor) = input.clone().try_into_primitive::<Autodiff<Flex, C>>() else {
        return Err((input, operation));
    };
    drop(input);
    let (primitive, node) = tensor.into_parts();
    let data = primitive.into_data();
    // Never computed again: dropout would draw other numbers.
    let prepared = Step(PhantomData).prepare::<C>([node]).compute_bound();
    let output = match prepared.stateful() {
        OpsKind::Tracked(prepared) => {
            let (output, gradient) = operation.tracked(data);
            prepared.finish(gradient, FlexTensor::from_data(output))
        }
        OpsKind::UnTracked(prepared) => {
            prepared.finish(FlexTensor::from_data(operation.forward(data)))
        }
    };
    Ok(Tensor::from_primitive::<Autodiff<Flex, C>>(output))
}

/// The numbers of a mask, 0 where it is not set, if it is on Flex.
pub(crate) fn mask<const D: usize>(mask: &Tensor<D, Bool>) -> Option<FlexTensor> {
    let found = mask.clone().try_into_primitive::<Flex>();
    let found = found.or_else(|_| mask.clone().try_into_primitive::<Autodiff<Flex>>());
    let found = found.or_else(|_| mask.clone().try_into_primitive::<Recomputing>());
    found.ok().map(|mask| mask.to_contiguous())
}

#[derive(Debug)]
struct Step<G>(PhantomData<G>);

impl<G: Gradient> Backward<Flex, 1> for Step<G> {
    type State = G;

    fn backward(self, ops: Ops<G, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        unary::<Flex, _>(ops.parents, ops.node, grads, |of_output| {
            FlexTensor::from_data(ops.state.of_input(of_output.into_data()))
        });
    }
}
