//! Any optimizer as data.

use burn::optim::{
    AdaGradConfig, AdafactorConfig, AdamConfig, AdamWConfig, AdanConfig, LBFGSConfig, LambConfig,
    LionConfig, ModuleOptimizer, MuonConfig, Optimizer, RmsPropConfig, SgdConfig,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::custom::CustomOptimizer;
use super::error::OptimError;
use super::hyperparameter::Hyperparameter;
use super::param::ParamInfo;
use super::prodigy::ProdigyConfig;
use super::pytorch_defaults::adam;
use super::ranges::check_settings;
use super::schedule_free::{ScheduleFreeAdamWConfig, ScheduleFreeSgdConfig};

macro_rules! optimizers {
    ($($name:ident($config:ident),)*) => {
        /// An optimizer and its settings.
        ///
        /// Made from any of Burn's configs, those of this crate that need no schedule
        /// ([`ScheduleFreeAdamWConfig`], [`ScheduleFreeSgdConfig`] and [`ProdigyConfig`]), or with
        /// [`custom`](Self::custom) and
        /// [`per_parameter`](Self::per_parameter) from an optimizer of the caller's. The default is
        /// [`adam`], Adam with PyTorch's constants. A document holds the optimizer's name and all
        /// fields of its config:
        ///
        /// ```
        /// use burn::optim::AdamWConfig;
        /// use burn_lr_training::optim::OptimizerConfig;
        ///
        /// let config = OptimizerConfig::from(AdamWConfig::new().with_cautious_weight_decay(true));
        /// config.check()?;
        /// let json = serde_json::to_string(&config)?;
        /// assert!(json.starts_with(r#"{"AdamW":{"#) && json.contains(r#""beta_1":0.9,"#));
        /// assert!(json.contains(r#""cautious_weight_decay":true"#));
        /// let back: OptimizerConfig = serde_json::from_str(&json)?;
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        ///
        /// The numbers of Burn's configs are `f32`, so compare documents as text or read back from it: as a `Value` made
        /// of an `f32`, 0.9 is 0.8999999761581421.
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum OptimizerConfig {
            $(
                #[doc = concat!("[`", stringify!($config), "`]")]
                $name($config),
            )*
            /// An optimizer of the caller's. It cannot be read from a document.
            #[serde(skip_deserializing)]
            Custom(CustomOptimizer),
        }

        $(
            impl From<$config> for OptimizerConfig {
                fn from(config: $config) -> Self {
                    Self::$name(config)
                }
            }
        )*

        impl OptimizerConfig {
            /// The optimizer's name, as documents use it.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($name),)*
                    Self::Custom(_) => "Custom",
                }
            }

            /// The settings, and those of a config in which all that is optional is unset.
            pub(super) fn settings(&self) -> Result<(Value, Value), OptimError> {
                let pair = match self {
                    $(Self::$name(config) => (document(config), document(&$config::new())),)*
                    Self::Custom(custom) => (custom.description(), Ok(Value::Null)),
                };
                let unwritable = |reason| OptimError::Unwritable {
                    optimizer: self.name(),
                    reason,
                };
                Ok((pair.0.map_err(unwritable)?, pair.1.map_err(unwritable)?))
            }
        }
    };
}

optimizers! {
    Adam(AdamConfig),
    AdamW(AdamWConfig),
    Adan(AdanConfig),
    AdaGrad(AdaGradConfig),
    Adafactor(AdafactorConfig),
    RmsProp(RmsPropConfig),
    Sgd(SgdConfig),
    Lamb(LambConfig),
    Lion(LionConfig),
    Muon(MuonConfig),
    Lbfgs(LBFGSConfig),
    ScheduleFreeSgd(ScheduleFreeSgdConfig),
    ScheduleFreeAdamW(ScheduleFreeAdamWConfig),
    Prodigy(ProdigyConfig),
}

impl OptimizerConfig {
    /// A ready optimizer for all parameters, and what a document shall say of it: whatever must be the
    /// same when a run is resumed.
    ///
    /// Its groups must go by path: the parameters of another process have other ids, and a resumed run
    /// would train with other groups. It keeps them to itself, so a run with one is not known to be exact:
    /// that is told, and [strict](crate::Training::strict) runs refuse it. [`custom_for`](Self::custom_for)
    /// takes groups of both kinds, and is exact.
    ///
    /// ```
    /// use burn::optim::{LionConfig, MuonConfig, ModuleOptimizer};
    /// use burn::module::ParamGroup;
    /// use burn_lr_training::optim::OptimizerConfig;
    ///
    /// let optimizer: ModuleOptimizer = LionConfig::new()
    ///     .init()
    ///     .with_group(ParamGroup::from_path("weight"), MuonConfig::new().build(), None);
    /// let config = OptimizerConfig::custom(optimizer, "Lion, Muon for the weight");
    /// assert_eq!(serde_json::to_string(&config)?, r#"{"Custom":"Lion, Muon for the weight"}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn custom(optimizer: ModuleOptimizer, description: impl Serialize) -> Self {
        Self::Custom(CustomOptimizer::whole(optimizer, document(&description)))
    }

    /// As [`custom`](Self::custom), with an optimizer that is made for the parameters of the model, after
    /// it has been restored from a checkpoint: its groups may go by their ids. They must be those that
    /// `make` is given.
    ///
    /// ```
    /// use burn::module::{ParamGroup, ParamId};
    /// use burn::optim::{AdamWConfig, SgdConfig};
    /// use burn_lr_training::optim::{OptimizerConfig, ParamInfo};
    ///
    /// let config = OptimizerConfig::custom_for(
    ///     |params: &[ParamInfo]| {
    ///         let biases = params.iter().filter(|param| param.name() == "bias");
    ///         let biases: Vec<ParamId> = biases.map(|param| param.id).collect();
    ///         let group = ParamGroup::from_ids(biases);
    ///         AdamWConfig::new().init().with_group(group, SgdConfig::new().build(), None)
    ///     },
    ///     "AdamW, SGD for biases",
    /// );
    /// # assert_eq!(config.name(), "Custom");
    /// ```
    pub fn custom_for(
        make: impl Fn(&[ParamInfo]) -> ModuleOptimizer + Send + Sync + 'static,
        description: impl Serialize,
    ) -> Self {
        Self::Custom(CustomOptimizer::made(make, document(&description)))
    }

    /// An optimizer of single parameters, which a group can have too.
    pub fn per_parameter(optimizer: impl Optimizer, description: impl Serialize) -> Self {
        Self::Custom(CustomOptimizer::each(optimizer, document(&description)))
    }

    /// Whether it was handed over ready, with groups that nobody can see.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(self, Self::Custom(custom) if custom.is_ready())
    }

    /// Whether other weights are evaluated than trained: the average that it keeps.
    pub(crate) fn keeps_average(&self) -> bool {
        matches!(self, Self::ScheduleFreeSgd(_) | Self::ScheduleFreeAdamW(_))
    }

    /// Whether it remembers anything of earlier updates, as far as is known.
    pub(super) fn keeps_state(&self) -> bool {
        match self {
            Self::Sgd(_) => {
                let settings = self.settings().ok();
                settings.is_none_or(|(settings, _)| !settings["momentum"].is_null())
            }
            _ => true,
        }
    }

    /// Whether a schedule can set `of`.
    ///
    /// # Errors
    /// [`OptimError::NoHyperparameter`] if not.
    pub(super) fn check_has(&self, of: Hyperparameter) -> Result<(), OptimError> {
        let (settings, _) = self.settings()?;
        // What a custom one's description holds may be anything; those that need no schedule have none.
        let has_none = matches!(
            self,
            Self::Custom(_)
                | Self::ScheduleFreeSgd(_)
                | Self::ScheduleFreeAdamW(_)
                | Self::Prodigy(_)
        );
        if !has_none && of.place(&settings).is_some() {
            return Ok(());
        }
        Err(OptimError::NoHyperparameter {
            of: of.name(),
            optimizer: self.name(),
        })
    }

    /// Whether the schedule of the rate can cycle its momentum.
    ///
    /// # Errors
    /// [`OptimError::NoMomentum`] if not.
    pub(super) fn check_cycles(&self) -> Result<(), OptimError> {
        self.check_has(Hyperparameter::Momentum)
            .map_err(|error| match error {
                OptimError::NoHyperparameter { optimizer, .. } => {
                    OptimError::NoMomentum { optimizer }
                }
                error => error,
            })
    }

    /// Whether every setting is in its range.
    ///
    /// Betas, momentum and smoothing constants are in [0, 1), epsilons and weight decays 0 or more,
    /// all of them finite.
    ///
    /// # Errors
    /// [`OptimError::Hyperparameter`] for the first that is not, [`OptimError::Lbfgs`] for L-BFGS and
    /// [`OptimError::Unwritable`] if the description of a custom optimizer is no JSON.
    pub fn check(&self) -> Result<(), OptimError> {
        let (settings, unset) = self.settings()?;
        match self {
            Self::Lbfgs(_) => Err(OptimError::Lbfgs),
            Self::Custom(_) => Ok(()),
            Self::ScheduleFreeSgd(config) => config.check(),
            Self::ScheduleFreeAdamW(config) => config.check(),
            Self::Prodigy(config) => config.check(),
            _ => check_settings(self.name(), &settings, &unset),
        }
    }
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        adam().into()
    }
}

impl<D: Serialize> From<(ModuleOptimizer, D)> for OptimizerConfig {
    fn from((optimizer, description): (ModuleOptimizer, D)) -> Self {
        Self::custom(optimizer, description)
    }
}

/// By way of the text, in which an `f32` has the digits it was written with.
fn document(value: &impl Serialize) -> Result<Value, String> {
    serde_json::to_vec(value)
        .and_then(|json| serde_json::from_slice(&json))
        .map_err(|error| error.to_string())
}
