//! Burn's optimizers, made of configs and groups.

use burn::grad_clipping::{GradientClipping, GradientClippingConfig};
use burn::module::{Module, ParamGroup};
use burn::optim::{ModuleOptimizer, Optimizer};
use serde::Deserialize;
use serde_json::Value;

use super::config::OptimizerConfig;
use super::error::OptimError;
use super::loop_optimizer::LoopOptimizer;
use super::param::{ParamInfo, parameters};
use super::passes::Passes;
use super::prodigy::Prodigy;
use super::resolved::ResolvedGroups;
use super::schedule_free::{ScheduleFreeAdamW, ScheduleFreeSgd};
use super::scheduled::{Dial, Scheduled, Settable, Values};

impl OptimizerConfig {
    /// The optimizer, with those of `groups` for their parameters.
    ///
    /// Adam is [`fused_adam`](super::fused_adam()), AdamW [`fused_adamw`](super::fused_adamw()), SGD
    /// [`fused_sgd`](super::fused_sgd()), also that of a group. Without groups, `&ResolvedGroups::default()`.
    ///
    /// # Errors
    /// What [`check`](Self::check) says, [`OptimError::NeedsModel`] for one of
    /// [`custom_for`](Self::custom_for), and [`OptimError::NeedsPasses`] for one that a `ModuleOptimizer` alone
    /// cannot be: see [`build_loop`](Self::build_loop).
    pub fn build(&self, groups: &ResolvedGroups) -> Result<ModuleOptimizer, OptimError> {
        self.check_single_pass(groups)?;
        self.assembled(groups, None).map(|(optimizer, _)| optimizer)
    }

    /// The optimizer for `model`, which may be one of [`custom_for`](Self::custom_for) too.
    ///
    /// # Errors
    /// What [`check`](Self::check) says, and [`OptimError::NeedsPasses`] as for [`build`](Self::build).
    pub fn build_for<M: Module>(
        &self,
        groups: &ResolvedGroups,
        model: &M,
    ) -> Result<ModuleOptimizer, OptimError> {
        self.check_single_pass(groups)?;
        let assembled = self.assembled_for(groups, model);
        assembled.map(|(optimizer, _)| optimizer)
    }

    /// The optimizer for `model`, whichever it is, for a loop of one's own.
    ///
    /// # Errors
    /// What [`check`](Self::check) says.
    pub fn build_loop<M: Module>(
        &self,
        groups: &ResolvedGroups,
        model: &M,
    ) -> Result<LoopOptimizer, OptimError> {
        let (optimizer, passes) = self.assembled_for(groups, model)?;
        Ok(LoopOptimizer::new(optimizer, passes))
    }

    fn check_single_pass(&self, groups: &ResolvedGroups) -> Result<(), OptimError> {
        let own = groups.iter().filter_map(|group| group.optimizer());
        for optimizer in own.chain([self]) {
            if optimizer.keeps_average() || matches!(optimizer, Self::Prodigy(_)) {
                let optimizer = optimizer.name();
                return Err(OptimError::NeedsPasses { optimizer });
            }
        }
        Ok(())
    }

    /// The optimizer for `model`, whichever it is, and how it is to be stepped.
    pub(crate) fn assembled_for<M: Module>(
        &self,
        groups: &ResolvedGroups,
        model: &M,
    ) -> Result<(ModuleOptimizer, Passes), OptimError> {
        self.assembled(groups, Some(&parameters(model)))
    }

    /// The same, which without a model cannot be stepped but only asked for its state.
    pub(crate) fn assembled(
        &self,
        groups: &ResolvedGroups,
        params: Option<&[ParamInfo]>,
    ) -> Result<(ModuleOptimizer, Passes), OptimError> {
        self.check()?;
        let mut passes = Passes::default();
        let mut optimizer = match self {
            Self::Custom(custom) => custom.build(params).ok_or(OptimError::NeedsModel)?,
            _ => self.put(Place::All, groups.dial(), &passes)?,
        };
        for group in groups.iter() {
            if let Some(own) = group.optimizer() {
                let place = Place::Group(optimizer, group.param_group());
                optimizer = own.put(place, group.dial(), &passes)?;
            }
        }
        let params = params.into_iter().flatten();
        for param in params.filter(|param| param.trainable) {
            let group = groups.optimizer_group(&param.path);
            match group.and_then(|group| group.optimizer()).unwrap_or(self) {
                Self::Prodigy(config) => passes.add_measured(param.id, *config),
                own if own.keeps_average() => passes.add_averaged(param.id),
                _ => {}
            }
        }
        Ok((optimizer, passes))
    }

    /// An optimizer with this one at `place`, which schedules set by way of `dial`.
    fn put(
        &self,
        place: Place,
        dial: Option<&Dial>,
        passes: &Passes,
    ) -> Result<ModuleOptimizer, OptimError> {
        let place = (place, self.burns_clipping()?);
        Ok(match self {
            Self::Adam(config) => put(config, place, dial),
            Self::AdamW(config) => put(config, place, dial),
            Self::Adan(config) => put(config, place, dial),
            Self::AdaGrad(config) => put(config, place, dial),
            Self::Adafactor(config) => put(config, place, dial),
            Self::RmsProp(config) => put(config, place, dial),
            Self::Sgd(config) => put(config, place, dial),
            Self::Lamb(config) => put(config, place, dial),
            Self::Lion(config) => put(config, place, dial),
            Self::Muon(config) => put(config, place, dial),
            Self::Lbfgs(_) => return Err(OptimError::Lbfgs),
            Self::ScheduleFreeSgd(config) => {
                put_optimizer(ScheduleFreeSgd::new(*config, passes.evaluation()), place)
            }
            Self::ScheduleFreeAdamW(config) => {
                put_optimizer(ScheduleFreeAdamW::new(*config, passes.evaluation()), place)
            }
            Self::Prodigy(config) => put_optimizer(Prodigy::new(*config, passes.shared()), place),
            Self::Custom(custom) => match place.0 {
                Place::All => return Err(OptimError::NeedsModel),
                Place::Group(optimizer, group) => custom
                    .add_to(optimizer, group)
                    .ok_or(OptimError::WholeModule)?,
            },
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

/// Which parameters an optimizer is for.
enum Place {
    All,
    /// Those of a group, beside an optimizer for the others.
    Group(ModuleOptimizer, ParamGroup),
}

fn put<C: Settable>(
    config: &C,
    place: (Place, Option<GradientClipping>),
    dial: Option<&Dial>,
) -> ModuleOptimizer {
    match dial {
        None => put_optimizer(config.with_values(&Values::default()), place),
        Some(dial) => put_optimizer(Scheduled::new(config, dial), place),
    }
}

fn put_optimizer(
    optimizer: impl Optimizer,
    (place, clipping): (Place, Option<GradientClipping>),
) -> ModuleOptimizer {
    match (place, clipping) {
        (Place::All, None) => optimizer.into(),
        (Place::All, Some(clipping)) => {
            ModuleOptimizer::from(optimizer).with_grad_clipping(clipping)
        }
        (Place::Group(others, group), clipping) => others.with_group(group, optimizer, clipping),
    }
}
