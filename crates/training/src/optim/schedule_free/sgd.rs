//! Schedule-free SGD.

use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::evaluation::{Evaluation, evaluated};
use super::weighting::{Past, Weighting, lerp};
use crate::optim::error::OptimError;
use crate::optim::ranged::{NOT_NEGATIVE, WITHIN_1, ranged};

/// Schedule-free SGD: no decay of the learning rate, and no length of the run to be known in advance.
///
/// The update, with the rate `lr` of the schedule, which is usually constant, warmed up over `warmup_steps`:
///
/// ```text
/// g += weight_decay y
/// z' = z - lr g
/// x' = x + c (z' - x)
/// y' = (1 - momentum) z' + momentum x'
/// ```
///
/// The model that is trained has the weights `y`, and `x` are those that are validated and kept. Rates 10 to 50
/// times those of plain SGD are a good start.
///
/// ```
/// use burn_lr_training::optim::{OptimizerConfig, ScheduleFreeSgdConfig};
///
/// let config = ScheduleFreeSgdConfig::new().with_momentum(0.95).with_warmup_steps(500);
/// let optimizer = OptimizerConfig::from(config);
/// optimizer.check()?;
/// assert_eq!(
///     serde_json::to_string(&optimizer)?,
///     r#"{"ScheduleFreeSgd":{"momentum":0.95,"weight_decay":0.0,"warmup_steps":500,"r":0.0,"weight_lr_power":2.0}}"#
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Source
/// [The Road Less Scheduled](https://arxiv.org/abs/2405.15682); `SGDScheduleFree` of the authors' package
/// `schedulefree`, from which it differs for parameters without gradients: they keep their weights, and the update does
/// not count for them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ScheduleFreeSgdConfig {
    /// How near `y` is to the average, above 0 and below 1; 0.9 by default.
    pub momentum: f64,
    /// What is added of `y` to the gradient; 0 by default.
    pub weight_decay: f64,
    /// The updates over which the rate grows to that of the schedule; 0 by default.
    pub warmup_steps: u64,
    /// The power of the update's number in the weight of its iterate; 0 by default.
    pub r: f64,
    /// The power of the highest rate so far in that weight; 2 by default.
    pub weight_lr_power: f64,
}

impl Default for ScheduleFreeSgdConfig {
    fn default() -> Self {
        Self {
            momentum: 0.9,
            weight_decay: 0.0,
            warmup_steps: 0,
            r: 0.0,
            weight_lr_power: 2.0,
        }
    }
}

impl ScheduleFreeSgdConfig {
    /// That of the reference's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how near `y` is to the average.
    pub fn with_momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// Sets what is added of `y` to the gradient.
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
        let name = "ScheduleFreeSgd";
        let within = |v: f64| v > 0.0 && v < 1.0;
        ranged(name, "momentum", self.momentum, WITHIN_1, within)?;
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
pub(in crate::optim) struct ScheduleFreeSgd {
    config: ScheduleFreeSgdConfig,
    evaluation: Evaluation,
}

impl ScheduleFreeSgd {
    pub(in crate::optim) fn new(config: ScheduleFreeSgdConfig, evaluation: Evaluation) -> Self {
        Self { config, evaluation }
    }
}

/// What it remembers of a parameter.
#[derive(Debug, Clone)]
pub(in crate::optim) struct ScheduleFreeSgdState<const D: usize> {
    past: Past,
    z: Tensor<D>,
}

impl Optimizer for ScheduleFreeSgd {
    type State<const D: usize> = ScheduleFreeSgdState<D>;

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
            return (evaluated(tensor, z, config.momentum), state);
        }
        let ScheduleFreeSgdState { mut past, z } = state.unwrap_or_else(|| ScheduleFreeSgdState {
            past: Past::default(),
            z: tensor.clone(),
        });
        let weighting = Weighting {
            warmup_steps: config.warmup_steps,
            r: config.r,
            weight_lr_power: config.weight_lr_power,
        };
        let share = weighting.next(&mut past, lr);
        let grad = if config.weight_decay > 0.0 {
            grad + tensor.clone() * config.weight_decay
        } else {
            grad
        };
        let of_grad = share.lr * (config.momentum * (1.0 - share.of_new) - 1.0);
        let y = lerp(tensor, z.clone(), share.of_new) + grad.clone() * of_grad;
        let z = z - grad * share.lr;
        (y, Some(ScheduleFreeSgdState { past, z }))
    }

    fn to_device<const D: usize>(mut state: Self::State<D>, device: &Device) -> Self::State<D> {
        state.z = state.z.to_device(device);
        state
    }
}

impl<const D: usize> RecordState for ScheduleFreeSgdState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        self.past.flatten(prefix, out);
        out.push_tensor(prefix, "z", self.z.to_data());
    }

    fn state_unflatten(prefix: &str, from: &mut StateSource, device: &Device) -> Option<Self> {
        Some(Self {
            past: Past::unflatten(prefix, from)?,
            z: Tensor::from_data(from.take_tensor(prefix, "z")?, device),
        })
    }
}
