//! Batch normalization.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::{
    BalancedCheckpointing, CheckpointStrategy, NoCheckpointing,
};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, DispatchKindConversion, DispatchTensor, Flex};
use burn::nn::BatchNorm;
use burn::tensor::{DType, Tensor, TensorData};
use pulp::NullaryFnOnce;

use super::fused::numbers;
use super::lanes::{dot, sum, sum_of};
use super::width::widest;

/// Numbers of a channel of one sample below which there is nothing for vectors.
const LEAST: usize = 16;

/// Gives `input` back where that is not for here.
pub(crate) fn batch_norm<const D: usize>(
    layer: &BatchNorm,
    input: Tensor<D>,
) -> Result<Tensor<D>, Tensor<D>> {
    on::<D, NoCheckpointing>(layer, input)
        .or_else(|input| on::<D, BalancedCheckpointing>(layer, input))
}

fn on<const D: usize, C: CheckpointStrategy>(
    layer: &BatchNorm,
    input: Tensor<D>,
) -> Result<Tensor<D>, Tensor<D>>
where
    DispatchTensor: DispatchKindConversion<Autodiff<Flex, C>>,
{
    let dims = input.dims();
    let [channels] = layer.gamma.shape().dims();
    if D < 2 || dims[1] != channels || dims[0] == 0 || !layer.training.is_enabled() {
        return Err(input);
    }
    let size = dims[2..].iter().product();
    let (gamma, beta) = (layer.gamma.val(), layer.beta.val());
    let device = input.device();
    let are_single = [input.dtype(), gamma.dtype(), beta.dtype()] == [DType::F32; 3];
    if !are_single || size < LEAST {
        return Err(input);
    }
    let primitives = (
        input.clone().try_into_primitive::<Autodiff<Flex, C>>(),
        gamma.try_into_primitive::<Autodiff<Flex, C>>(),
        beta.try_into_primitive::<Autodiff<Flex, C>>(),
    );
    let (Ok(tensor), Ok(gamma), Ok(beta)) = primitives else {
        return Err(input);
    };
    drop(input);
    let [(input, of_input), (gamma, of_gamma), (beta, of_beta)] =
        [tensor, gamma, beta].map(|tensor| tensor.into_parts());
    let prepared = Step.prepare::<C>([of_input, of_gamma, of_beta]);
    let [mut gamma, mut beta] = [gamma, beta].map(FlexTensor::into_data);
    let mut input = input.into_data();
    let mut output = TensorData::new(vec![0.0f32; input.num_elements()], input.shape().clone());
    let mut statistics = [
        vec![0.0; channels],
        vec![0.0; channels],
        vec![0.0; channels],
    ];
    let [means, variances, scales] = &mut statistics;
    widest(Forward {
        size,
        epsilon: layer.epsilon,
        values: numbers(&mut input),
        output: numbers(&mut output),
        gamma: numbers(&mut gamma),
        beta: numbers(&mut beta),
        means,
        variances,
        scales,
    });
    let [means, variances, scales] = statistics;
    for (running, of_batch) in [
        (&layer.running_mean, means),
        (&layer.running_var, variances),
    ] {
        // Whatever numbers the device makes by default.
        let of_batch = Tensor::<1>::from_data(&of_batch[..], (&device, DType::F32));
        let before = running.value_sync().to_device(&device);
        let after = before
            .mul_scalar(1.0 - layer.momentum)
            .add(of_batch.mul_scalar(layer.momentum));
        running.update(after.detach());
    }
    let output = FlexTensor::from_data(output);
    let output = match prepared.compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(
            Normalized {
                size,
                normalized: input,
                scales,
            },
            output,
        ),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    Ok(Tensor::from_primitive::<Autodiff<Flex, C>>(output))
}

#[derive(Debug, Clone)]
struct Normalized {
    /// Numbers of a channel of one sample.
    size: usize,
    normalized: TensorData,
    /// What a channel was multiplied by.
    scales: Vec<f32>,
}

#[derive(Debug)]
struct Step;

impl Backward<Flex, 3> for Step {
    type State = Normalized;

    fn backward(self, ops: Ops<Normalized, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let mut state = ops.state;
        let mut of_output = grads.consume::<Flex>(&ops.node).into_data();
        let channels = state.scales.len();
        let (mut of_gamma, mut of_beta) = (vec![0.0; channels], vec![0.0; channels]);
        widest(Backwards {
            size: state.size,
            normalized: numbers(&mut state.normalized),
            scales: &state.scales,
            gradient: numbers(&mut of_output),
            of_gamma: &mut of_gamma,
            of_beta: &mut of_beta,
        });
        let of_channels = |values: Vec<f32>| TensorData::new(values, [channels]);
        let gradients = [of_output, of_channels(of_gamma), of_channels(of_beta)];
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(node) = parent {
                grads.register::<Flex>(node.id, FlexTensor::from_data(gradient));
            }
        }
    }
}

struct Forward<'a> {
    size: usize,
    epsilon: f64,
    /// The input, and afterwards what it is when normalized.
    values: &'a mut [f32],
    output: &'a mut [f32],
    gamma: &'a [f32],
    beta: &'a [f32],
    means: &'a mut [f32],
    variances: &'a mut [f32],
    scales: &'a mut [f32],
}

impl NullaryFnOnce for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let (size, channels) = (self.size, self.gamma.len());
        let count = (self.values.len() / channels) as f64;
        for channel in 0..channels {
            let mean = {
                let rows = self.values.chunks_exact(size).skip(channel);
                let sums = rows.step_by(channels).map(sum);
                (sums.sum::<f64>() / count) as f32
            };
            let variance = {
                let rows = self.values.chunks_exact(size).skip(channel);
                let squares = |row| sum_of(row, |x| (x - mean) * (x - mean));
                rows.step_by(channels).map(squares).sum::<f64>() / count
            };
            let inverse = (1.0 / (variance + self.epsilon).sqrt()) as f32;
            let (gamma, beta) = (self.gamma[channel], self.beta[channel]);
            self.means[channel] = mean;
            self.variances[channel] = variance as f32;
            self.scales[channel] = gamma * inverse;
            let rows = self.values.chunks_exact_mut(size);
            let rows = rows.zip(self.output.chunks_exact_mut(size));
            for (values, output) in rows.skip(channel).step_by(channels) {
                for (value, output) in values.iter_mut().zip(output) {
                    *value = (*value - mean) * inverse;
                    *output = *value * gamma + beta;
                }
            }
        }
    }
}

struct Backwards<'a> {
    size: usize,
    normalized: &'a [f32],
    scales: &'a [f32],
    /// That of the output, and afterwards that of the input.
    gradient: &'a mut [f32],
    of_gamma: &'a mut [f32],
    of_beta: &'a mut [f32],
}

impl NullaryFnOnce for Backwards<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let (size, channels) = (self.size, self.scales.len());
        let count = (self.normalized.len() / channels) as f64;
        for channel in 0..channels {
            let (mut of_gamma, mut of_beta) = (0.0, 0.0);
            let rows = self.gradient.chunks_exact(size);
            let rows = rows.zip(self.normalized.chunks_exact(size));
            for (gradient, normalized) in rows.skip(channel).step_by(channels) {
                of_gamma += dot(gradient, normalized);
                of_beta += sum(gradient);
            }
            self.of_gamma[channel] = of_gamma as f32;
            self.of_beta[channel] = of_beta as f32;
            let (slope, mean) = ((of_gamma / count) as f32, (of_beta / count) as f32);
            let scale = self.scales[channel];
            let rows = self.gradient.chunks_exact_mut(size);
            let rows = rows.zip(self.normalized.chunks_exact(size));
            for (gradient, normalized) in rows.skip(channel).step_by(channels) {
                for (gradient, normalized) in gradient.iter_mut().zip(normalized) {
                    *gradient = scale * (*gradient - mean - normalized * slope);
                }
            }
        }
    }
}
