//! What Burn's [`AdamConfig`], whose fields are private, tells of itself.

use burn::optim::{AdamConfig, LearningRate};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::update::Factors;

/// The settings of plain Adam.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    pub(super) beta_1: f32,
    pub(super) beta_2: f32,
    pub(super) epsilon: f32,
}

/// All fields of [`AdamConfig`]: with one more, or one renamed, it could mean something else. The
/// options are values, since serde takes a missing option for `None`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
    amsgrad: bool,
    weight_decay: Value,
    grad_clipping: Value,
}

impl Settings {
    /// `None` with AMSGrad, weight decay or gradient clipping.
    ///
    /// # Errors
    /// If `config` has other fields than [`AdamConfig`] had in Burn 0.22.1, or one that is not finite.
    pub(super) fn plain(config: &AdamConfig) -> Result<Option<Self>, serde_json::Error> {
        Self::read(config)
    }

    fn read(config: &impl Serialize) -> Result<Option<Self>, serde_json::Error> {
        let shape = Shape::deserialize(serde_json::to_value(config)?)?;
        let plain = !shape.amsgrad && shape.weight_decay.is_null() && shape.grad_clipping.is_null();
        Ok(plain.then_some(Self {
            beta_1: shape.beta_1,
            beta_2: shape.beta_2,
            epsilon: shape.epsilon,
        }))
    }

    pub(super) fn factors(&self, lr: LearningRate, time: usize) -> Factors {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn this_version_of_burn_has_the_shape_that_is_known() {
        let settings = Settings::plain(&AdamConfig::new()).unwrap().unwrap();
        assert_eq!((settings.beta_1, settings.epsilon), (0.9, 1e-5));
        assert!(
            Settings::plain(&AdamConfig::new().with_amsgrad(true))
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn fields_that_are_missing_renamed_or_new_are_not_taken_for_unset() {
        let known = serde_json::to_value(AdamConfig::new()).unwrap();
        for name in known.as_object().unwrap().keys() {
            let mut missing = known.clone();
            let value = missing.as_object_mut().unwrap().remove(name).unwrap();
            assert!(Settings::read(&missing).is_err(), "without {name}");
            missing
                .as_object_mut()
                .unwrap()
                .insert(format!("{name}_2"), value);
            assert!(Settings::read(&missing).is_err(), "{name} renamed");
        }
        let mut more = known;
        more["lookahead"] = json!(null);
        assert!(Settings::read(&more).is_err());
    }
}
