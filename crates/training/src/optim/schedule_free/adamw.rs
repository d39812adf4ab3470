//! Schedule-free AdamW.

use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::evaluation::{Evaluation, evaluated};
use super::one_pass::{Factors, fits, one_pass};
use super::weighting::{Past, Weighting, lerp};
use crate::optim::error::OptimError;
use crate::optim::ranged::{ABOVE_0, BELOW_1, NOT_NEGATIVE, WITHIN_1, ranged};

/// Schedule-free AdamW: no decay of the learning rate, and no length of the run to be known in advance.
///
/// The update number `k`, from 1 on, with the rate `lr` of the schedule, which is usually constant, warmed up over
/// `warmup_steps`:
///
/// ```text
/// v' = beta_2 v + (1 - beta_2) g^2
/// u = g / (sqrt(v' / (1 - beta_2^k)) + epsilon) + weight_decay y
/// z' = z - lr u
/// x' = x + c (z' - x)
/// y' = (1 - beta_1) z' + beta_1 x'
/// ```
///
/// The model that is trained has the weights `y`, and `x` are those that are validated and kept. Rates 1 to 10
/// times those of AdamW with a schedule work; the reference's own is 0.0025.
///
/// ```
/// use burn_lr_training::optim::{OptimizerConfig, ScheduleFreeAdamWConfig};
///
/// let config = ScheduleFreeAdamWConfig::new().with_weight_decay(0.01).with_warmup_steps(500);
/// OptimizerConfig::from(config).check()?;
/// assert!(OptimizerConfig::from(config.with_beta_1(1.0)).check().is_err());
/// # Ok::<(), burn_lr_training::optim::OptimError>(())
/// ```
///
/// # Source
/// [The Road Less Scheduled](https://arxiv.org/abs/2405.15682); `AdamWScheduleFree` of the authors' package
/// `schedulefree`, whose weight decay is at `y` since version 1.3. It differs for parameters without gradients: they
/// keep their weights, and the update does not count for them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ScheduleFreeAdamWConfig {
    /// How near `y` is to the average, above 0 and below 1; 0.9 by default.
    pub beta_1: f64,
    /// What the second moment keeps of itself, in [0, 1); 0.999 by default.
    pub beta_2: f64,
    /// What is added to the root of the second moment, above 0; 1e-8 by default.
    pub epsilon: f64,
    /// What is added of `y` to the update; 0 by default.
    pub weight_decay: f64,
    /// The updates over which the rate grows to that of the schedule; 0 by default.
    pub warmup_steps: u64,
    /// The power of the update's number in the weight of its iterate; 0 by default.
    pub r: f64,
    /// The power of the highest rate so far in that weight; 2 by default.
    pub weight_lr_power: f64,
}

impl Default for ScheduleFreeAdamWConfig {
    fn default() -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            warmup_steps: 0,
            r: 0.0,
            weight_lr_power: 2.0,
        }
    }
}

impl ScheduleFreeAdamWConfig {
    /// That of the reference's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how near `y` is to the average.
    pub fn with_beta_1(mut self, beta_1: f64) -> Self {
        self.beta_1 = beta_1;
        self
    }

    /// Sets what the second moment keeps of itself.
    pub fn with_beta_2(mut self, beta_2: f64) -> Self {
        self.beta_2 = beta_2;
        self
    }

    /// Sets what is added to the root of the second moment.
    pub fn with_epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Sets what is added of `y` to the update.
    pub fn with_weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }

    /// Sets the updates over which the rate grows to that of the schedule.
    pub fn with_warmup_steps(mut self, updates: u64) -> Self {
        self.warmup_steps = updates;
        self
    }

    /// Sets the power of the update's number in the weight of its iterate.
    pub fn with_r(mut self, r: f64) -> Self {
        self.r = r;
        self
    }

    /// Sets the power of the highest rate so far in the weight of an iterate.
    pub fn with_weight_lr_power(mut self, power: f64) -> Self {
        self.weight_lr_power = power;
        self
    }

    /// Whether every setting is in its range.
    ///
    /// # Errors
    /// [`OptimError::Hyperparameter`] for the first that is not.
    pub fn check(&self) -> Result<(), OptimError> {
        let name = "ScheduleFreeAdamW";
        let within = |v: f64| v > 0.0 && v < 1.0;
        ranged(name, "beta_1", self.beta_1, WITHIN_1, within)?;
        let below = |v| (0.0..1.0).contains(&v);
        ranged(name, "beta_2", self.beta_2, BELOW_1, below)?;
        ranged(name, "epsilon", self.epsilon, ABOVE_0, |v| v > 0.0)?;
        for (setting, value) in [
            ("weight_decay", self.weight_decay),
            ("r", self.r),
            ("weight_lr_power", self.weight_lr_power),
        ] {
            ranged(name, setting, value, NOT_NEGATIVE, |v| v >= 0.0)?;
        }
        Ok(())
    }
}

/// The rule for one parameter.
#[derive(Debug, Clone)]
pub(in crate::optim) struct ScheduleFreeAdamW {
    config: ScheduleFreeAdamWConfig,
    evaluation: Evaluation,
}

impl ScheduleFreeAdamW {
    pub(in crate::optim) fn new(config: ScheduleFreeAdamWConfig, evaluation: Evaluation) -> Self {
        Self { config, evaluation }
    }
}

/// What it remembers of a parameter.
#[derive(Debug, Clone)]
pub(in crate::optim) struct ScheduleFreeAdamWState<const D: usize> {
    past: Past,
    z: Tensor<D>,
    exp_avg_sq: Tensor<D>,
}

impl Optimizer for ScheduleFreeAdamW {
    type State<const D: usize> = ScheduleFreeAdamWState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let config = &self.config;
        if self.evaluation.is_on() {
            let z = state.as_ref().map(|state| state.z.clone());
            return (evaluated(tensor, z, config.beta_1), state);
        }
        let ScheduleFreeAdamWState {
            mut past,
            z,
            exp_avg_sq,
        } = state.unwrap_or_else(|| ScheduleFreeAdamWState {
            past: Past::default(),
            z: tensor.clone(),
            exp_avg_sq: tensor.zeros_like(),
        });
        let weighting = Weighting {
            warmup_steps: config.warmup_steps,
            r: config.r,
            weight_lr_power: config.weight_lr_power,
        };
        let share = weighting.next(&mut past, lr);
        let number = i32::try_from(past.updates).unwrap_or(i32::MAX);
        let bias_correction = 1.0 - config.beta_2.powi(number);
        let of_update = share.lr * (config.beta_1 * (1.0 - share.of_new) - 1.0);
        let factors = Factors {
            one_minus_beta_2: (1.0 - config.beta_2) as f32,
            correction: (1.0 / bias_correction) as f32,
            epsilon: config.epsilon as f32,
            weight_decay: config.weight_decay as f32,
            share: share.of_new as f32,
            of_update: of_update as f32,
            lr: share.lr as f32,
        };
        if fits(&factors, &tensor, [&grad, &z, &exp_avg_sq]) {
            let [y, z, exp_avg_sq] = one_pass(factors, tensor, [grad, z, exp_avg_sq]);
            let state = ScheduleFreeAdamWState {
                past,
                z,
                exp_avg_sq,
            };
            return (y, Some(state));
        }
        // Of `1 - beta_2` more digits are left in single precision than of `beta_2`, whose error every update
        // would repeat.
        let change = grad.clone().square() - exp_avg_sq.clone();
        let exp_avg_sq = exp_avg_sq + change * (1.0 - config.beta_2);
        let root = (exp_avg_sq.clone() / bias_correction).sqrt();
        let update = grad / (root + config.epsilon);
        let update = if config.weight_decay > 0.0 {
            update + tensor.clone() * config.weight_decay
        } else {
            update
        };
        let y = lerp(tensor, z.clone(), share.of_new) + update.clone() * of_update;
        let z = z - update * share.lr;
        let state = ScheduleFreeAdamWState {
            past,
            z,
            exp_avg_sq,
        };
        (y, Some(state))
    }

    fn to_device<const D: usize>(mut state: Self::State<D>, device: &Device) -> Self::State<D> {
        state.z = state.z.to_device(device);
        state.exp_avg_sq = state.exp_avg_sq.to_device(device);
        state
    }
}

impl<const D: usize> RecordState for ScheduleFreeAdamWState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        self.past.flatten(prefix, out);
        out.push_tensor(prefix, "z", self.z.to_data());
        out.push_tensor(prefix, "exp_avg_sq", self.exp_avg_sq.to_data());
    }

    fn state_unflatten(prefix: &str, from: &mut StateSource, device: &Device) -> Option<Self> {
        Some(Self {
            past: Past::unflatten(prefix, from)?,
            z: Tensor::from_data(from.take_tensor(prefix, "z")?, device),
            exp_avg_sq: Tensor::from_data(from.take_tensor(prefix, "exp_avg_sq")?, device),
        })
    }
}
