//! Adam in one pass over memory.
//!
//! Burn's Adam is a dozen tensor operations, each of which reads and writes whole tensors. On a CPU
//! that is what an update of a small network takes most of its time for.

#[cfg(feature = "flex")]
use burn::backend::{Flex, flex::FlexTensor};
use burn::optim::{
    Adam, AdamConfig, AdamState, AdaptiveMomentumState, LearningRate, ModuleOptimizer, Optimizer,
};
use burn::tensor::{DType, Device, Tensor, TensorData};
use pulp::{Arch, NullaryFnOnce};
use serde::Deserialize;

use crate::backend::is_cpu;

/// With a smaller epsilon, a weight could show that a subnormal moment became 0.
const SMALLEST_EPSILON: f32 = 1e-12;

/// The optimizer of `config`, which updates in one pass where it can.
///
/// On CPU backends and for parameters of `f32` it does the arithmetic of Burn's [`Adam`], operation
/// by operation, and leaves the same state in the same record; only moments that are subnormal
/// become 0, which changes no weight. On other devices, with AMSGrad, weight decay or gradient
/// clipping, and with an epsilon below 1e-12, it is Burn's own.
///
/// ```
/// use burn_lr_training::{adam, fused_adam};
///
/// // In place of `adam().init()`.
/// let optimizer = fused_adam(&adam());
/// ```
pub fn fused_adam(config: &AdamConfig) -> ModuleOptimizer {
    match FusedAdam::new(config) {
        Some(fused) => fused.into(),
        None => config.init(),
    }
}

#[derive(Clone)]
struct FusedAdam {
    settings: Settings,
    /// For what cannot be done in one pass.
    burns: Adam,
}

/// What [`AdamConfig`] tells of itself, whose fields are private.
#[derive(Clone, Copy, Deserialize)]
struct Settings {
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
}

/// What an update has in common for all weights.
#[derive(Clone, Copy)]
struct Factors {
    beta_1: f32,
    one_minus_beta_1: f32,
    beta_2: f32,
    one_minus_beta_2: f32,
    moment_1: f32,
    epsilon: f32,
    lr: f32,
}

impl FusedAdam {
    /// `None` if `config` asks for more than plain Adam.
    fn new(config: &AdamConfig) -> Option<Self> {
        let json = serde_json::to_value(config).ok()?;
        let unset = |name: &str| {
            json.get(name)
                .is_none_or(|value| value.is_null() || value == false)
        };
        let plain = ["amsgrad", "weight_decay", "grad_clipping"]
            .iter()
            .all(|name| unset(name));
        let settings = Settings::deserialize(&json).ok()?;
        (plain && settings.epsilon >= SMALLEST_EPSILON).then(|| Self {
            settings,
            burns: config.build(),
        })
    }
}

impl Settings {
    fn factors(&self, lr: LearningRate, time: usize) -> Factors {
        // In the precision and order of Burn's Adam.
        let time = time as i32;
        let bias_correction_2 = (1.0 - self.beta_2.powi(time)).sqrt();
        Factors {
            beta_1: self.beta_1,
            one_minus_beta_1: 1.0 - self.beta_1,
            beta_2: self.beta_2,
            one_minus_beta_2: 1.0 - self.beta_2,
            moment_1: bias_correction_2 / (1.0 - self.beta_1.powi(time)),
            epsilon: self.epsilon * bias_correction_2,
            lr: lr as f32,
        }
    }
}

impl Optimizer for FusedAdam {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let device = tensor.device();
        let fits = |other: &Tensor<D>| other.dtype() == DType::F32 && other.dims() == tensor.dims();
        let moments_fit = state
            .as_ref()
            .is_none_or(|state| fits(&state.momentum.moment_1) && fits(&state.momentum.moment_2));
        if !is_cpu(&device) || !fits(&tensor) || !fits(&grad) || !moments_fit {
            return self.burns.step(lr, tensor, grad, state);
        }
        let (time, moments) = match state.map(|state| state.momentum) {
            Some(state) => (state.time + 1, [state.moment_1, state.moment_2]),
            None => (1, [(); 2].map(|()| Tensor::zeros(grad.dims(), &device))),
        };
        // No copies: nobody else holds these, or only a view of them.
        let [mut moment_1, mut moment_2] = moments.map(Tensor::into_data);
        let mut grad = grad.into_data();
        let weights = Weights::of(tensor);
        let factors = self.settings.factors(lr, time);
        let slices = (
            weights.as_slice(),
            grad.as_mut_slice(),
            moment_1.as_mut_slice(),
            moment_2.as_mut_slice(),
        );
        let updated = match slices {
            (Some(weights), Ok(new), Ok(moment_1), Ok(moment_2)) => {
                Arch::new().dispatch(Update {
                    factors,
                    weights,
                    grad: new,
                    moment_1,
                    moment_2,
                });
                grad
            }
            // Not `f32`, which has been ruled out.
            _ => weights.into_data(),
        };
        let tensor = |data: TensorData| Tensor::from_data(data, &device);
        let state = AdaptiveMomentumState::new(time, tensor(moment_1), tensor(moment_2));
        (tensor(updated), Some(AdamState::new(state)))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        Adam::to_device(state, device)
    }
}

/// Weights to be read.
enum Weights {
    #[cfg(feature = "flex")]
    Flex(FlexTensor),
    Data(TensorData),
}

impl Weights {
    fn of<const D: usize>(tensor: Tensor<D>) -> Self {
        // Where it lies: the Learner holds the weights as well, and `into_data` would copy them.
        #[cfg(feature = "flex")]
        if let Ok(tensor) = tensor.clone().try_into_primitive::<Flex>()
            && tensor.as_slice::<f32>().is_some()
        {
            return Self::Flex(tensor);
        }
        Self::Data(tensor.into_data())
    }

    fn as_slice(&self) -> Option<&[f32]> {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex(tensor) => tensor.as_slice(),
            Self::Data(data) => data.as_slice().ok(),
        }
    }

    fn into_data(self) -> TensorData {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex(tensor) => tensor.into_data(),
            Self::Data(data) => data,
        }
    }
}

/// An update of all weights and moments, with the widest vectors that the processor has.
struct Update<'a> {
    factors: Factors,
    weights: &'a [f32],
    /// The gradient, and afterwards the new weights.
    grad: &'a mut [f32],
    moment_1: &'a mut [f32],
    moment_2: &'a mut [f32],
}

// Not a closure: the compiler may leave the call of one outside of what is compiled for the vectors.
impl NullaryFnOnce for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let moments = self.moment_1.iter_mut().zip(self.moment_2);
        let grads = self.grad.iter_mut().zip(self.weights);
        for ((grad, weight), (moment_1, moment_2)) in grads.zip(moments) {
            *grad = self.factors.updated(*weight, *grad, moment_1, moment_2);
        }
    }
}

impl Factors {
    #[inline(always)]
    fn updated(&self, weight: f32, grad: f32, moment_1: &mut f32, moment_2: &mut f32) -> f32 {
        let first = *moment_1 * self.beta_1 + grad * self.one_minus_beta_1;
        let second = *moment_2 * self.beta_2 + grad * grad * self.one_minus_beta_2;
        *moment_1 = normal(first);
        *moment_2 = normal(second);
        let step = *moment_1 * self.moment_1 / (moment_2.sqrt() + self.epsilon);
        weight - step * self.lr
    }
}

/// 0 for numbers too small to be normal.
///
/// Inputs that are always 0, such as the pixels at an image's edge, let the moments of their weights
/// decay into such numbers, with which processors are many times slower.
#[inline(always)]
fn normal(moment: f32) -> f32 {
    if moment.abs() < f32::MIN_POSITIVE {
        0.0
    } else {
        moment
    }
}

#[cfg(test)]
mod tests {
    use burn::grad_clipping::GradientClippingConfig;
    use burn::nn::{Linear, LinearConfig};
    use burn::optim::GradientsParams;
    use burn::optim::decay::WeightDecayConfig;
    use burn::tensor::Distribution;

    use super::*;
    use crate::{Backend, adam};

    fn values(linear: &Linear) -> Vec<f32> {
        let weight = linear
            .weight
            .val()
            .into_data()
            .try_into_vec::<f32>()
            .unwrap();
        let bias = linear.bias.as_ref().unwrap().val().into_data();
        [weight, bias.try_into_vec::<f32>().unwrap()].concat()
    }

    /// A layer whose weights are drawn, so that clones of it have the same.
    fn layer(device: &Device) -> Linear {
        let linear = LinearConfig::new(7, 5).init(device);
        values(&linear);
        linear
    }

    fn trained(
        mut optimizer: ModuleOptimizer,
        linear: &Linear,
        inputs: &[Tensor<2>],
    ) -> Vec<Vec<f32>> {
        let mut linear = linear.clone();
        let step = |(number, input): (usize, &Tensor<2>)| {
            let loss = linear.forward(input.clone()).powi_scalar(2).mean();
            let grads = GradientsParams::from_grads(loss.backward(), &linear);
            linear = optimizer.step(0.01 / (1 + number) as f64, linear.clone(), grads);
            values(&linear)
        };
        inputs.iter().enumerate().map(step).collect()
    }

    #[test]
    fn it_gives_the_bits_of_burns_adam_on_every_cpu_backend() {
        for backend in Backend::compiled() {
            let device = backend.device().unwrap().autodiff();
            let inputs: Vec<Tensor<2>> = (0..20)
                .map(|_| Tensor::random([4, 7], Distribution::Normal(0.0, 1.0), &device))
                .collect();
            let linear = layer(&device);
            for config in [
                adam(),
                AdamConfig::new().with_beta_1(0.5).with_epsilon(1e-3),
            ] {
                let ours = trained(fused_adam(&config), &linear, &inputs);
                assert!(FusedAdam::new(&config).is_some());
                assert_eq!(ours, trained(config.init(), &linear, &inputs), "{backend}");
            }
        }
    }

    #[test]
    fn its_record_is_burns() {
        let device = Backend::Flex.device().unwrap().autodiff();
        let linear = layer(&device);
        let input: Tensor<2> = Tensor::random([4, 7], Distribution::Default, &device);
        let grads = |linear: &Linear| {
            let loss = linear.forward(input.clone()).powi_scalar(2).mean();
            GradientsParams::from_grads(loss.backward(), linear)
        };
        let mut ours = fused_adam(&adam());
        let once = ours.step(0.01, linear.clone(), grads(&linear));
        let record = ours.into_bytes().unwrap();
        let mut burns = adam().init().from_bytes(record).unwrap();
        let by_ours = ours.step(0.01, once.clone(), grads(&once));
        let by_burns = burns.step(0.01, once.clone(), grads(&once));
        assert_eq!(values(&by_ours), values(&by_burns));
        let back = fused_adam(&adam()).from_bytes(burns.into_bytes().unwrap());
        let by_ours = back.unwrap().step(0.01, by_ours.clone(), grads(&by_ours));
        let by_burns = burns.step(0.01, by_burns.clone(), grads(&by_burns));
        assert_eq!(values(&by_ours), values(&by_burns));
    }

    #[test]
    fn moments_do_not_become_subnormal() {
        let factors = Settings {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
        }
        .factors(0.01, 1000);
        let (mut moment_1, mut moment_2) = (1.2e-38, 1.17e-38);
        let weight = factors.updated(1.0, 0.0, &mut moment_1, &mut moment_2);
        assert_eq!((weight, moment_1, moment_2), (1.0, 0.0, 0.0));
    }

    #[test]
    fn tiny_gradients_give_burns_weights() {
        let device = Backend::Flex.device().unwrap().autodiff();
        let linear = layer(&device);
        for scale in [1e-8, 1e-13, 1e-14, 1e-20, 1e-25] {
            let inputs: Vec<Tensor<2>> = (0..5)
                .map(|_| Tensor::random([4, 7], Distribution::Normal(0.0, scale), &device))
                .collect();
            for epsilon in [1e-8, 1e-12, 1e-16, 0.0] {
                let config = adam().with_epsilon(epsilon);
                let ours = trained(fused_adam(&config), &linear, &inputs);
                let burns = trained(config.init(), &linear, &inputs);
                let bits = |updates: &[Vec<f32>]| -> Vec<u32> {
                    updates.concat().iter().map(|w| w.to_bits()).collect()
                };
                assert_eq!(bits(&ours), bits(&burns), "{scale}, epsilon {epsilon}");
            }
        }
    }

    #[test]
    fn what_is_more_than_adam_is_left_to_burn() {
        let decay = WeightDecayConfig::new(0.1);
        let clipping = GradientClippingConfig::Value(0.1);
        assert!(FusedAdam::new(&adam().with_grad_clipping(Some(clipping))).is_none());
        assert!(FusedAdam::new(&adam().with_epsilon(1e-13)).is_none());
        assert!(FusedAdam::new(&adam().with_weight_decay(Some(decay))).is_none());
        assert!(FusedAdam::new(&adam().with_amsgrad(true)).is_none());
        let device = Backend::Flex.device().unwrap().autodiff();
        let inputs = [Tensor::ones([4, 7], &device)];
        let linear = layer(&device);
        let config = adam().with_amsgrad(true);
        let ours = trained(fused_adam(&config), &linear, &inputs);
        assert_eq!(ours, trained(config.init(), &linear, &inputs));
    }
}
