//! What Burn's [`AdamConfig`] and [`AdamWConfig`], whose fields are private, tell of themselves.

use burn::optim::{AdamConfig, AdamWConfig, LearningRate};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::update::Factors;
use crate::optim::as_written::as_written;
use crate::optim::scheduled::Values;

/// The settings of plain Adam, with decoupled weight decay.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    pub(super) beta_1: f64,
    pub(super) beta_2: f64,
    pub(super) epsilon: f64,
    /// 0 without.
    pub(super) weight_decay: f64,
    /// Whether weights decay only where an update goes the same way.
    pub(super) cautious: bool,
}

/// All fields of [`AdamConfig`]: with one more, or one renamed, it could mean something else. The
/// options are values, since serde takes a missing option for `None`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdamShape {
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
    amsgrad: bool,
    weight_decay: Value,
    grad_clipping: Value,
}

/// All fields of [`AdamWConfig`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdamWShape {
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
    weight_decay: f32,
    cautious_weight_decay: bool,
    amsgrad: bool,
    grad_clipping: Value,
}

impl Settings {
    /// `None` with AMSGrad, weight decay, which is not decoupled, or gradient clipping.
    ///
    /// # Errors
    /// If `config` has other fields than [`AdamConfig`] had in Burn 0.22.1, or one that is not finite.
    pub(super) fn of_adam(config: &AdamConfig) -> Result<Option<Self>, serde_json::Error> {
        Self::read_adam(config)
    }

    fn read_adam(config: &impl Serialize) -> Result<Option<Self>, serde_json::Error> {
        let shape = AdamShape::deserialize(serde_json::to_value(config)?)?;
        let plain = !shape.amsgrad && shape.weight_decay.is_null() && shape.grad_clipping.is_null();
        Ok(plain.then(|| Self {
            beta_1: as_written(shape.beta_1),
            beta_2: as_written(shape.beta_2),
            epsilon: as_written(shape.epsilon),
            weight_decay: 0.0,
            cautious: false,
        }))
    }

    /// `None` with AMSGrad or gradient clipping.
    ///
    /// # Errors
    /// If `config` has other fields than [`AdamWConfig`] had in Burn 0.22.1, or one that is not finite.
    pub(super) fn of_adamw(config: &AdamWConfig) -> Result<Option<Self>, serde_json::Error> {
        Self::read_adamw(config)
    }

    fn read_adamw(config: &impl Serialize) -> Result<Option<Self>, serde_json::Error> {
        let shape = AdamWShape::deserialize(serde_json::to_value(config)?)?;
        let plain = !shape.amsgrad && shape.grad_clipping.is_null();
        Ok(plain.then(|| Self {
            beta_1: as_written(shape.beta_1),
            beta_2: as_written(shape.beta_2),
            epsilon: as_written(shape.epsilon),
            weight_decay: as_written(shape.weight_decay),
            cautious: shape.cautious_weight_decay,
        }))
    }

    /// The same, with `values` in place of its own.
    pub(super) fn with(self, values: &Values) -> Self {
        Self {
            beta_1: values.momentum.unwrap_or(self.beta_1),
            beta_2: values.beta_2.unwrap_or(self.beta_2),
            weight_decay: values.weight_decay.unwrap_or(self.weight_decay),
            ..self
        }
    }

    /// What update number `time`, from 1 on, has in common for all weights.
    ///
    /// In double precision, as PyTorch has it. In single precision, which Burn computes it in,
    /// `1 - beta_2^time` is a small difference of large numbers: updates are too short by up to 7e-6, those of
    /// all weights alike, where all other rounding is 1e-7.
    pub(super) fn factors(&self, lr: LearningRate, time: usize) -> Factors<f64> {
        let time = i32::try_from(time).unwrap_or(i32::MAX);
        let bias_correction_1 = 1.0 - self.beta_1.powi(time);
        let bias_correction_2 = (1.0 - self.beta_2.powi(time)).sqrt();
        Factors {
            beta_1: self.beta_1,
            one_minus_beta_1: 1.0 - self.beta_1,
            beta_2: self.beta_2,
            one_minus_beta_2: 1.0 - self.beta_2,
            moment_1: bias_correction_2 / bias_correction_1,
            epsilon: self.epsilon * bias_correction_2,
            kept: 1.0 - lr * self.weight_decay,
            lost: lr * self.weight_decay,
            cautious: self.cautious,
            lr,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn this_version_of_burn_has_the_shape_that_is_known() {
        let settings = Settings::of_adam(&AdamConfig::new()).unwrap().unwrap();
        assert_eq!((settings.beta_1, settings.beta_2), (0.9, 0.999));
        assert_eq!((settings.epsilon, settings.weight_decay), (1e-5, 0.0));
        let settings = Settings::of_adamw(&AdamWConfig::new()).unwrap().unwrap();
        assert_eq!((settings.beta_1, settings.beta_2), (0.9, 0.999));
        assert_eq!((settings.epsilon, settings.weight_decay), (1e-5, 1e-4));
        let amsgrad = AdamConfig::new().with_amsgrad(true);
        assert!(Settings::of_adam(&amsgrad).unwrap().is_none());
        let amsgrad = AdamWConfig::new().with_amsgrad(true);
        assert!(Settings::of_adamw(&amsgrad).unwrap().is_none());
        let cautious = AdamWConfig::new().with_cautious_weight_decay(true);
        assert!(Settings::of_adamw(&cautious).unwrap().unwrap().cautious);
    }

    #[test]
    fn fields_that_are_missing_renamed_or_new_are_not_taken_for_unset() {
        let adam = serde_json::to_value(AdamConfig::new()).unwrap();
        fields_are_told_apart(&adam, |config| Settings::read_adam(config).is_err());
        let adamw = serde_json::to_value(AdamWConfig::new()).unwrap();
        fields_are_told_apart(&adamw, |config| Settings::read_adamw(config).is_err());
    }

    fn fields_are_told_apart(known: &Value, fails: impl Fn(&Value) -> bool) {
        assert!(!fails(known));
        for name in known.as_object().unwrap().keys() {
            let mut missing = known.clone();
            let value = missing.as_object_mut().unwrap().remove(name).unwrap();
            assert!(fails(&missing), "without {name}");
            missing
                .as_object_mut()
                .unwrap()
                .insert(format!("{name}_2"), value);
            assert!(fails(&missing), "{name} renamed");
        }
        let mut more = known.clone();
        more["lookahead"] = json!(null);
        assert!(fails(&more));
    }
}
