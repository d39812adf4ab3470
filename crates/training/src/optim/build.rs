//! Burn's optimizers, made of configs and groups.

use burn::grad_clipping::{GradientClipping, GradientClippingConfig};
use burn::module::{Module, ParamGroup};
use burn::optim::ModuleOptimizer;
use serde::Deserialize;
use serde_json::Value;

use super::config::OptimizerConfig;
use super::error::OptimError;
use super::fused_adam::{FusedAdam, FusedAdamW, fused_adam, fused_adamw};
use super::param::{ParamInfo, parameters};
use super::resolved::ResolvedGroups;

impl OptimizerConfig {
    /// The optimizer, with those of `groups` for their parameters.
    ///
    /// Plain Adam is [`fused_adam`](super::fused_adam()), plain AdamW [`fused_adamw`](super::fused_adamw()),
    /// also that of a group. Without groups, `&ResolvedGroups::default()`.
    ///
    /// # Errors
    /// What [`check`](Self::check) says, and [`OptimError::NeedsModel`] for one of
    /// [`custom_for`](Self::custom_for).
    pub fn build(&self, groups: &ResolvedGroups) -> Result<ModuleOptimizer, OptimError> {
        self.built(groups, None)
    }

    /// The optimizer for `model`, which may be one of [`custom_for`](Self::custom_for) too.
    ///
    /// # Errors
    /// What [`check`](Self::check) says.
    pub fn build_for<M: Module>(
        &self,
        groups: &ResolvedGroups,
        model: &M,
    ) -> Result<ModuleOptimizer, OptimError> {
        self.built(groups, Some(&parameters(model)))
    }

    fn built(
        &self,
        groups: &ResolvedGroups,
        params: Option<&[ParamInfo]>,
    ) -> Result<ModuleOptimizer, OptimError> {
        self.check()?;
        let mut optimizer = self.base(params)?;
        for group in groups.iter() {
            if let Some(own) = group.optimizer() {
                optimizer = own.added(optimizer, group.param_group())?;
            }
        }
        Ok(optimizer)
    }

    fn base(&self, params: Option<&[ParamInfo]>) -> Result<ModuleOptimizer, OptimError> {
        Ok(match self {
            Self::Adam(config) => fused_adam(config),
            Self::AdamW(config) => fused_adamw(config),
            Self::Adan(config) => config.init(),
            Self::AdaGrad(config) => config.init(),
            Self::Adafactor(config) => config.init(),
            Self::RmsProp(config) => config.init(),
            Self::Sgd(config) => config.init(),
            Self::Lamb(config) => config.init(),
            Self::Lion(config) => config.init(),
            Self::Muon(config) => config.init(),
            Self::Lbfgs(_) => return Err(OptimError::Lbfgs),
            Self::Custom(custom) => custom.build(params).ok_or(OptimError::NeedsModel)?,
        })
    }

    /// `optimizer` with this one for `group`.
    fn added(
        &self,
        optimizer: ModuleOptimizer,
        group: ParamGroup,
    ) -> Result<ModuleOptimizer, OptimError> {
        let clipping = self.burns_clipping()?;
        Ok(match self {
            Self::Adam(config) => match FusedAdam::new(config) {
                Some(fused) => optimizer.with_group(group, fused, clipping),
                None => optimizer.with_group(group, config.build(), clipping),
            },
            Self::AdamW(config) => match FusedAdamW::new(config) {
                Some(fused) => optimizer.with_group(group, fused, clipping),
                None => optimizer.with_group(group, config.build(), clipping),
            },
            Self::Adan(config) => optimizer.with_group(group, config.build(), clipping),
            Self::AdaGrad(config) => optimizer.with_group(group, config.build(), clipping),
            Self::Adafactor(config) => optimizer.with_group(group, config.build(), clipping),
            Self::RmsProp(config) => optimizer.with_group(group, config.build(), clipping),
            Self::Sgd(config) => optimizer.with_group(group, config.build(), clipping),
            Self::Lamb(config) => optimizer.with_group(group, config.build(), clipping),
            Self::Lion(config) => optimizer.with_group(group, config.build(), clipping),
            Self::Muon(config) => optimizer.with_group(group, config.build(), clipping),
            Self::Lbfgs(_) => return Err(OptimError::Lbfgs),
            Self::Custom(custom) => custom
                .add_to(optimizer, group)
                .ok_or(OptimError::WholeModule)?,
        })
    }

    /// Burn's own clipping, tensor by tensor, which only `init()` reads from the config.
    pub(super) fn burns_clipping(&self) -> Result<Option<GradientClipping>, OptimError> {
        if matches!(self, Self::Custom(_)) {
            return Ok(None);
        }
        let (settings, _) = self.settings()?;
        let names = ["grad_clipping", "gradient_clipping"];
        let mut values = names.iter().filter_map(|name| settings.get(name));
        let config =
            Option::<GradientClippingConfig>::deserialize(values.next().unwrap_or(&Value::Null));
        let config = config.map_err(|error| OptimError::Unwritable {
            optimizer: self.name(),
            reason: error.to_string(),
        })?;
        Ok(config.map(|config| config.init()))
    }
}
