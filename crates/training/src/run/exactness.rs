//! What of a run cannot be repeated to the bit.

use burn::train::LearnerModel;

use super::plan::Seed;
use super::training::Training;
use crate::loader::Exactness;

impl<M: LearnerModel> Training<M> {
    /// Whether `model` is known to draw random numbers while it trains: it was given a
    /// [seed](Self::seed), or Burn's dropout, noise or randomized ReLU appears in its text.
    pub fn is_random(&self, model: &M) -> bool {
        match self.plan.seed {
            Seed::Given(_) => true,
            Seed::Auto | Seed::Off => draws(&model.to_string()),
        }
    }

    /// What the device is seeded with at the start of every epoch, beside the epoch.
    pub(super) fn seed_for(&self, model: &M) -> Option<u64> {
        match self.plan.seed {
            Seed::Given(seed) => Some(seed),
            Seed::Auto => self.is_random(model).then_some(0),
            Seed::Off => None,
        }
    }

    /// Why a resumed run may end with other bits than an uninterrupted one, in words.
    pub(super) fn inexactness(&self, model: &M) -> Vec<String> {
        let mut reasons = Vec::new();
        let loaders = [
            ("training", self.train.exactness()),
            ("validation", self.valid.exactness()),
        ];
        for (name, exactness) in loaders {
            if let Exactness::Unknown(reason) = exactness {
                reasons.push(format!("the {name} loader: {reason}"));
            }
        }
        if self.plan.seed == Seed::Off && draws(&model.to_string()) {
            reasons.push(
                "the model draws random numbers and is not seeded: use Training::seed".to_owned(),
            );
        }
        let workers = self.place.workers();
        let order = "Burn sums their gradients in the order in which they finish";
        if workers > 2 {
            reasons.push(format!("{workers} devices: {order}"));
        } else if workers > 1 && self.plan.grads_accumulation > 1 {
            reasons.push(format!(
                "accumulated gradients of {workers} devices: {order}"
            ));
        }
        reasons
    }
}

/// Whether a module of that text draws random numbers while it trains.
fn draws(model: &str) -> bool {
    let model = model.to_lowercase();
    ["dropout", "noise", "rrelu"]
        .iter()
        .any(|name| model.contains(name))
}

#[cfg(test)]
mod tests {
    use burn::module::Module;
    use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
    use burn::tensor::Device;

    use super::*;

    #[derive(Module, Debug)]
    struct Plain {
        linear: Linear,
    }

    #[derive(Module, Debug)]
    struct Random {
        linear: Linear,
        regularizer: Dropout,
    }

    #[test]
    fn dropout_is_seen_by_its_type() {
        let linear = LinearConfig::new(2, 2).init(&Device::default());
        let regularizer = DropoutConfig::new(0.5).init();
        let plain = Plain {
            linear: linear.clone(),
        };
        assert!(!draws(&plain.to_string()));
        let random = Random {
            linear,
            regularizer,
        };
        assert!(draws(&random.to_string()), "{random}");
    }
}
