//! Prodigy's rule for one parameter.

use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

use super::super::sum::sum;
use super::config::ProdigyConfig;
use super::estimate::Estimate;
use super::shared::{Made, Phase, Shared, is_update};

#[derive(Debug, Clone)]
pub(in crate::optim) struct Prodigy {
    config: ProdigyConfig,
    shared: Shared,
}

impl Prodigy {
    pub(in crate::optim) fn new(config: ProdigyConfig, shared: Shared) -> Self {
        Self { config, shared }
    }
}

/// What it remembers of a parameter.
#[derive(Debug, Clone)]
pub(in crate::optim) struct ProdigyState<const D: usize> {
    /// That of all parameters, after the last update in which this one had a gradient.
    estimate: Estimate,
    /// None without momentum.
    exp_avg: Option<Tensor<D>>,
    exp_avg_sq: Tensor<D>,
    s: Tensor<D>,
    /// The sum of all updates.
    moved: Tensor<D>,
}

impl Optimizer for Prodigy {
    type State<const D: usize> = ProdigyState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        match (self.shared.phase(), state) {
            (Phase::Recall, state) => {
                if let Some(state) = &state {
                    self.shared.recall(state.estimate);
                }
                (tensor, state)
            }
            (_, state) if !is_update(lr) => (tensor, state),
            (Phase::Measure, state) => {
                let state = self.measured(lr, &tensor, grad, state);
                (tensor, Some(state))
            }
            (Phase::Apply, Some(state)) => match self.shared.made() {
                Some(made) => {
                    let (tensor, state) = self.applied(lr, tensor, grad, state, made);
                    (tensor, Some(state))
                }
                None => (tensor, Some(state)),
            },
            // Nothing was measured.
            (Phase::Apply, None) => (tensor, None),
        }
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        ProdigyState {
            estimate: state.estimate,
            exp_avg: state.exp_avg.map(|moment| moment.to_device(device)),
            exp_avg_sq: state.exp_avg_sq.to_device(device),
            s: state.s.to_device(device),
            moved: state.moved.to_device(device),
        }
    }
}

impl Prodigy {
    fn measured<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: &Tensor<D>,
        grad: Tensor<D>,
        state: Option<ProdigyState<D>>,
    ) -> ProdigyState<D> {
        let config = &self.config;
        let estimate = self.shared.estimate(config);
        let grad = self.with_decay(grad, tensor);
        let zeros = || tensor.zeros_like();
        let mut state = state.unwrap_or_else(|| ProdigyState {
            estimate,
            exp_avg: (config.beta_1 > 0.0).then(zeros),
            exp_avg_sq: zeros(),
            s: zeros(),
            moved: zeros(),
        });
        let (d, dlr) = (estimate.d, estimate.dlr(config, lr));
        let of_sums = d / config.d0;
        let along = sum(grad.clone() * state.moved.clone()) * (-of_sums * dlr);
        // Of `1 - beta` more digits are left in single precision than of `beta`, whose error every update would
        // repeat.
        let moved_to = |moment: Tensor<D>, to: Tensor<D>, beta: f64| {
            let change = to - moment.clone();
            moment + change * (1.0 - beta)
        };
        let first = state.exp_avg.take();
        state.exp_avg = (config.beta_1 > 0.0).then(|| {
            let first = first.unwrap_or_else(zeros);
            moved_to(first, grad.clone() * d, config.beta_1)
        });
        let squared = grad.clone().square() * (d * d);
        state.exp_avg_sq = moved_to(state.exp_avg_sq, squared, config.beta_2);
        let step = if config.safeguard_warmup { d } else { dlr };
        let forgotten = state.s.clone() * (1.0 - config.beta_3());
        state.s = state.s - forgotten + grad * (of_sums * step);
        let length = sum(state.s.clone().abs());
        self.shared.add(Tensor::cat(vec![along, length], 0));
        state
    }

    fn applied<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        mut state: ProdigyState<D>,
        Made { before, after }: Made,
    ) -> (Tensor<D>, ProdigyState<D>) {
        let config = &self.config;
        let dlr = before.dlr(config, lr);
        let root = state.exp_avg_sq.clone().sqrt() + after.d * config.epsilon;
        let mut update = match &state.exp_avg {
            Some(moment) => moment.clone() / root * -dlr,
            None => self.with_decay(grad, &tensor) / root * (-dlr * after.d),
        };
        if config.decouple && config.weight_decay > 0.0 {
            update = update - tensor.clone() * (config.weight_decay * dlr);
        }
        state.moved = state.moved + update.clone();
        state.estimate = after;
        (tensor + update, state)
    }

    /// The gradient with weight decay, unless that is decoupled.
    fn with_decay<const D: usize>(&self, grad: Tensor<D>, tensor: &Tensor<D>) -> Tensor<D> {
        if self.config.decouple || self.config.weight_decay == 0.0 {
            grad
        } else {
            grad + tensor.clone() * self.config.weight_decay
        }
    }
}

impl<const D: usize> RecordState for ProdigyState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        self.estimate.flatten(prefix, out);
        if let Some(moment) = &self.exp_avg {
            out.push_tensor(prefix, "exp_avg", moment.to_data());
        }
        out.push_tensor(prefix, "exp_avg_sq", self.exp_avg_sq.to_data());
        out.push_tensor(prefix, "s", self.s.to_data());
        out.push_tensor(prefix, "moved", self.moved.to_data());
    }

    fn state_unflatten(prefix: &str, from: &mut StateSource, device: &Device) -> Option<Self> {
        let estimate = Estimate::unflatten(prefix, from)?;
        let mut tensor = |leaf| {
            let data = from.take_tensor(prefix, leaf)?;
            Some(Tensor::from_data(data, device))
        };
        Some(Self {
            estimate,
            exp_avg: tensor("exp_avg"),
            exp_avg_sq: tensor("exp_avg_sq")?,
            s: tensor("s")?,
            moved: tensor("moved")?,
        })
    }
}
