//! What of a run cannot be repeated to the bit.

use std::fmt::Display;

use burn::module::{Module, ModuleVisitor};
use burn::train::LearnerModel;

use super::plan::Seed;
use super::saved::Saved;
use super::training::Training;
use crate::loader::Exactness;
use crate::optim::{ResolvedGroups, unrestorable};

const READY: &str = "the optimizer was handed over ready, and groups of it that go by ids have other \
    parameters in a resumed run: have it made by OptimizerConfig::custom_for";

impl<M: LearnerModel> Training<M> {
    /// Whether `model` is known to draw random numbers while it trains: it was given a
    /// [seed](Self::seed), or a module whose type is called dropout, drop path, stochastic depth, noise
    /// or randomized ReLU is inside, at any depth, or in its text, and nobody said that it is
    /// [deterministic](Self::deterministic).
    ///
    /// A field that is skipped when the model is visited, and random numbers that a model draws by
    /// itself, are not seen.
    pub fn is_random(&self, model: &M) -> bool {
        match self.plan.seed {
            Seed::Given(_) => true,
            Seed::Auto | Seed::Off => draws(model),
            Seed::Unneeded => false,
        }
    }

    /// What the device is seeded with before every update, beside its number, or once an epoch.
    pub(super) fn seed_for(&self, model: &M) -> Option<u64> {
        let auto = || draws(model).then_some(0);
        match self.plan.seed {
            Seed::Given(seed) => Some(seed),
            Seed::Auto => self.begun_with().unwrap_or_else(auto),
            Seed::Off | Seed::Unneeded => None,
        }
    }

    /// Whether the device is seeded before every update, and not once an epoch: a run in epochs goes on as it,
    /// or the one that it branched off, was begun.
    pub(super) fn seeds_updates(&self) -> bool {
        if self.is_in_updates() {
            return true;
        }
        let begun = self.begun();
        !begun.is_some_and(|saved| saved.was_seeded_by_epoch())
    }

    /// What the run that is to be resumed was seeded with, if there is one that was by default: another
    /// version may have seen other random modules.
    fn begun_with(&self) -> Option<Option<u64>> {
        let seed = self.begun()?.seed()?;
        matches!(seed, None | Some(0)).then_some(seed)
    }

    /// What the run that is to be resumed was configured with, or the parent of a branch.
    fn begun(&self) -> Option<Saved> {
        let own = || Saved::begun(&self.directory);
        let own = self.resume.then(own).flatten();
        own.or_else(|| self.parents_configuration())
    }

    /// Why a resumed run may end with other bits than an uninterrupted one, in words.
    pub(super) fn inexactness(&self, model: &M, groups: &ResolvedGroups) -> Vec<String> {
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
        if self.plan.optimizer.is_ready() {
            reasons.push(READY.to_owned());
        }
        if let Some(error) = unrestorable(&self.plan.optimizer, groups, model) {
            reasons.push(error.to_string());
        }
        let workers = self.place.workers();
        if self.is_random(model) && self.seed_for(model).is_none() {
            reasons.push(
                "the model draws random numbers and is not seeded: use Training::seed".to_owned(),
            );
        } else if workers > 1 && self.is_random(model) {
            reasons.push(format!(
                "random numbers on {workers} devices: which of them draws first differs from run to run"
            ));
        }
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

/// Whether a module that draws random numbers while it trains is inside, or named by the text: either
/// may know of one that the other does not.
fn draws<M: Module + Display>(model: &M) -> bool {
    struct Random(bool);
    impl ModuleVisitor for Random {
        // As "Struct:Dropout", for each field of one that is visited: Burn's have a flag.
        fn enter_module(&mut self, _name: &str, container_type: &str) {
            self.0 |= names_random(container_type);
        }
    }
    let mut random = Random(false);
    model.visit(&mut random);
    random.0 || names_random(&model.to_string())
}

/// Parts of the names of types that draw random numbers while they train.
const DRAWING: [&str; 5] = ["Dropout", "DropPath", "StochasticDepth", "Noise", "RRelu"];

/// Whether a type in `text` is called like one that draws: `GaussianNoise` or `Dropout2d`, and neither
/// `Noisy` nor `Denoiser` nor the field `noise`.
fn names_random(text: &str) -> bool {
    let named = |drawing: &str| {
        let mut found = text.match_indices(drawing);
        found.any(|(at, _)| !text[at + drawing.len()..].starts_with(char::is_lowercase))
    };
    DRAWING.iter().any(|drawing| named(drawing))
}

#[cfg(test)]
mod tests {
    use burn::module::{Content, ModuleDisplay};
    use burn::nn::transformer::{PositionWiseFeedForward, PositionWiseFeedForwardConfig};
    use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
    use burn::nn::{GaussianNoise, GaussianNoiseConfig};
    use burn::tensor::Device;

    use super::*;

    #[derive(Module, Debug)]
    struct Plain {
        linear: Linear,
    }

    #[derive(Module, Debug)]
    struct Random<M> {
        linear: Linear,
        regularizer: M,
    }

    /// Its text is silent about what it has inside.
    #[derive(Module, Debug)]
    #[module(custom_display)]
    struct Silent {
        linear: Linear,
        inside: Vec<(Option<Dropout>, Linear)>,
    }

    impl ModuleDisplay for Silent {
        fn custom_content(&self, content: Content) -> Option<Content> {
            content.add("linear", &self.linear).optional()
        }
    }

    fn linear() -> Linear {
        LinearConfig::new(2, 2).init(&Device::default())
    }

    fn random<M: Module + ModuleDisplay>(regularizer: M) -> Random<M> {
        Random {
            linear: linear(),
            regularizer,
        }
    }

    #[test]
    fn random_modules_are_seen_at_any_depth() {
        let silent = |inside: Option<Dropout>| Silent {
            linear: linear(),
            inside: vec![(inside, linear())],
        };
        assert!(!draws(&Plain { linear: linear() }));
        assert!(!draws(&random(linear())));
        assert!(!draws(&silent(None)));
        let dropout = DropoutConfig::new(0.5).init();
        assert!(draws(&random(dropout.clone())));
        let noise: GaussianNoise = GaussianNoiseConfig::new(0.5).init();
        assert!(draws(&random(noise)));
        assert!(draws(&silent(Some(dropout))));
        let config = PositionWiseFeedForwardConfig::new(2, 4);
        let feed_forward: PositionWiseFeedForward = config.init(&Device::default());
        assert!(!names_random(&feed_forward.to_string()));
        assert!(draws(&random(vec![feed_forward])));
    }

    #[test]
    fn a_type_is_known_by_whole_words_of_its_name() {
        for drawing in [
            "Struct:SpatialDropout2d",
            "Noise",
            "Net { noise: GaussianNoise {std: 0.1} }",
        ] {
            assert!(names_random(drawing), "{drawing}");
        }
        for other in [
            "Denoiser",
            "Noisy",
            "Net { noise: Linear, dropout: 0 }",
            "Noiseless",
        ] {
            assert!(!names_random(other), "{other}");
        }
    }
}
