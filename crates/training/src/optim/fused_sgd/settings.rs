//! What Burn's [`SgdConfig`], whose fields are private, tells of itself.

use burn::optim::{LearningRate, SgdConfig};
use serde::Deserialize;
use serde_json::Value;

use super::super::as_written::as_written;
use super::super::scheduled::Values;
use super::update::Factors;

/// The settings of SGD.
#[derive(Clone, Copy, Default)]
pub(super) struct Settings {
    pub(super) momentum: Option<Momentum>,
    pub(super) weight_decay: Option<f64>,
}

/// All fields of Burn's `MomentumConfig`.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Momentum {
    pub(super) momentum: f64,
    pub(super) dampening: f64,
    pub(super) nesterov: bool,
}

/// All fields of [`SgdConfig`]: with one more, or one renamed, it could mean something else. The options are
/// values, since serde takes a missing option for `None`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    weight_decay: Value,
    momentum: Value,
    gradient_clipping: Value,
}

/// All fields of Burn's `WeightDecayConfig`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Penalty {
    penalty: f32,
}

impl Settings {
    /// `None` with gradient clipping.
    ///
    /// # Errors
    /// If `config` has other fields than [`SgdConfig`] had in Burn 0.22.1, or one that is not finite.
    pub(super) fn of(config: &SgdConfig) -> Result<Option<Self>, serde_json::Error> {
        let shape = Shape::deserialize(serde_json::to_value(config)?)?;
        let clips = !shape.gradient_clipping.is_null();
        Ok((!clips).then_some(Self::of_shape(shape)?))
    }

    /// What there is of the rule, whatever becomes of gradients before it.
    pub(super) fn of_rule(config: &SgdConfig) -> Result<Self, serde_json::Error> {
        Self::of_shape(Shape::deserialize(serde_json::to_value(config)?)?)
    }

    fn of_shape(shape: Shape) -> Result<Self, serde_json::Error> {
        let decay = Option::<Penalty>::deserialize(shape.weight_decay)?;
        Ok(Self {
            momentum: Option::deserialize(shape.momentum)?,
            weight_decay: decay.map(|decay| as_written(decay.penalty)),
        })
    }

    /// The same, with `values` in place of its own.
    pub(super) fn with(mut self, values: &Values) -> Self {
        if let (Some(own), Some(momentum)) = (&mut self.momentum, values.momentum) {
            own.momentum = momentum;
        }
        if let (Some(own), Some(decay)) = (&mut self.weight_decay, values.weight_decay) {
            *own = decay;
        }
        self
    }

    /// What an update has in common for all weights, in the precision that Burn has it in.
    pub(super) fn factors(&self, lr: LearningRate, is_first: bool) -> Factors {
        let momentum = self.momentum.unwrap_or(Momentum {
            momentum: 0.0,
            dampening: 0.0,
            nesterov: false,
        });
        Factors {
            weight_decay: self.weight_decay.map(|decay| decay as f32),
            momentum: momentum.momentum as f32,
            // Of the first gradient nothing is dampened.
            gradient: if is_first {
                1.0
            } else {
                (1.0 - momentum.dampening) as f32
            },
            nesterov: momentum.nesterov,
            lr: lr as f32,
        }
    }
}
