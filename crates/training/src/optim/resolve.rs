//! From groups to lists of parameters, with all that can be wrong with them.

use std::collections::{HashMap, HashSet};

use burn::module::Module;

use super::config::OptimizerConfig;
use super::error::OptimError;
use super::group::Group;
use super::param::{ParamInfo, parameters};
use super::prodigy::ProdigyConfig;
use super::resolved::{ResolvedGroup, ResolvedGroups};

impl ResolvedGroups {
    /// What `groups` mean for `model`, which `optimizer` is for where they say nothing else.
    ///
    /// No weights are drawn that have not been drawn yet.
    ///
    /// # Errors
    /// - What [`OptimizerConfig::check`] says of `optimizer`, and as [`OptimError::Group`] what it says
    ///   of a group's,
    /// - [`OptimError::GroupName`], [`OptimError::DuplicateGroup`], [`OptimError::Pattern`] and
    ///   [`OptimError::LrScale`] for what a group is made of,
    /// - [`OptimError::NoParameter`] for a group that has no parameter, or names a path that is none; an
    ///   [optional](Group::optional) one by [predicate](super::Select::matching) is left out,
    /// - [`OptimError::Frozen`], [`OptimError::NoEffect`] and [`OptimError::Shadowed`] for a group that
    ///   would change nothing, and is not [optional](Group::optional),
    /// - [`OptimError::NotMatrix`] if Muon would get a trainable parameter that is not a matrix,
    /// - [`OptimError::ProdigySettings`] and [`OptimError::ProdigyGroupRate`] if parameters of Prodigy differ in
    ///   more than the weight decay,
    /// - [`OptimError::Tied`] if the model has a trainable parameter at two places: Burn updates the
    ///   first one alone.
    pub fn resolve<M: Module>(
        optimizer: &OptimizerConfig,
        groups: &[Group],
        model: &M,
    ) -> Result<Self, OptimError> {
        optimizer.check()?;
        let params = parameters(model);
        check_tied(&params)?;
        let mut names = HashSet::new();
        for group in groups {
            check_name(&group.name)?;
            if !names.insert(&group.name) {
                let name = group.name.clone();
                return Err(OptimError::DuplicateGroup { name });
            }
        }
        let mut resolved = Self::default();
        let mut required = HashSet::new();
        for group in groups {
            let found = ResolvedGroup::new(optimizer, group, &params)?;
            // Only an optional one has no parameters.
            if found.paths.is_empty() {
                continue;
            }
            if !group.optional {
                required.insert(&group.name);
            }
            resolved.groups.push(found);
        }
        resolved.check_scheduled()?;
        resolved.check_matrices(optimizer, &params)?;
        resolved.check_prodigy(optimizer, &params)?;
        let required = |group: &&ResolvedGroup| required.contains(&group.name);
        resolved.check_effects(resolved.groups.iter().filter(required), &params)?;
        Ok(resolved)
    }

    /// Whether each of `groups`, which are among these, changes something.
    fn check_effects<'a>(
        &self,
        groups: impl Iterator<Item = &'a ResolvedGroup>,
        params: &[ParamInfo],
    ) -> Result<(), OptimError> {
        for group in groups {
            let name = group.name.clone();
            let trained = params.iter().filter(|param| param.trainable);
            let own: Vec<&str> = trained
                .map(|param| param.path.as_str())
                .filter(|path| group.has(path))
                .collect();
            let Some(first) = own.first() else {
                return Err(OptimError::Frozen { group: name });
            };
            let counts = |path: &&str| {
                let optimizer = group.optimizer.as_ref();
                let optimizer = optimizer.and_then(|_| self.optimizer_group(path));
                let rate = group.has_rate().then(|| self.rate_group(path)).flatten();
                let mut counting = optimizer.into_iter().chain(rate);
                counting.any(|counting| counting.name == group.name)
            };
            if group.optimizer.is_none() && !group.has_rate() {
                return Err(OptimError::NoEffect { group: name });
            }
            if !own.iter().any(counts) {
                let by = self.optimizer_group(first).or(self.rate_group(first));
                return Err(OptimError::Shadowed {
                    group: name,
                    by: by.map_or_else(String::new, |by| by.name.clone()),
                });
            }
        }
        Ok(())
    }

    /// Whether all parameters of Prodigy can have one step size.
    fn check_prodigy(
        &self,
        optimizer: &OptimizerConfig,
        params: &[ParamInfo],
    ) -> Result<(), OptimError> {
        let mut first: Option<(ProdigyConfig, Option<&ResolvedGroup>)> = None;
        for param in params.iter().filter(|param| param.trainable) {
            let group = self.optimizer_group(&param.path);
            let own = group.and_then(|group| group.optimizer.as_ref());
            let OptimizerConfig::Prodigy(config) = own.unwrap_or(optimizer) else {
                continue;
            };
            let config = config.without_decay();
            let (expected, of) = *first.get_or_insert((config, group));
            if config != expected {
                let group = group.or(of).map(|group| group.name.clone());
                let group = group.unwrap_or_default();
                return Err(OptimError::ProdigySettings { group });
            }
            if let Some(group) = self.rate_group(&param.path) {
                let group = group.name.clone();
                return Err(OptimError::ProdigyGroupRate { group });
            }
        }
        Ok(())
    }

    fn check_matrices(
        &self,
        optimizer: &OptimizerConfig,
        params: &[ParamInfo],
    ) -> Result<(), OptimError> {
        let muons = |param: &&ParamInfo| {
            let group = self.optimizer_group(&param.path);
            let own = group.and_then(|group| group.optimizer.as_ref());
            matches!(own.unwrap_or(optimizer), OptimizerConfig::Muon(_))
        };
        let mut trained = params.iter().filter(|param| param.trainable);
        match trained.find(|param| param.rank() != 2 && muons(param)) {
            Some(param) => Err(OptimError::NotMatrix {
                path: param.path.clone(),
                shape: param.shape.clone(),
            }),
            None => Ok(()),
        }
    }
}

impl ResolvedGroup {
    fn new(
        optimizer: &OptimizerConfig,
        group: &Group,
        params: &[ParamInfo],
    ) -> Result<Self, OptimError> {
        let selected = group.select.of(params, &group.name)?;
        let missing = group.select.missing(params);
        let may_be_empty = group.optional && group.select.is_predicate();
        if (selected.is_empty() && !may_be_empty) || missing.is_some() {
            return Err(OptimError::NoParameter {
                group: group.name.clone(),
                selection: missing.unwrap_or_else(|| group.select.to_string()),
                known: params.iter().map(|param| param.path.clone()).collect(),
            });
        }
        if let Some(found) = group.lr_scale
            && !(0.0..f64::INFINITY).contains(&found)
        {
            let group = group.name.clone();
            return Err(OptimError::LrScale { group, found });
        }
        let of_group = |source| OptimError::Group {
            group: group.name.clone(),
            source: Box::new(source),
        };
        let own = own_optimizer(optimizer, group).map_err(of_group)?;
        let scheduled = own.as_ref().unwrap_or(optimizer);
        for &of in group.scheduled.keys() {
            scheduled.check_has(of).map_err(of_group)?;
        }
        Ok(Self {
            name: group.name.clone(),
            paths: selected
                .into_iter()
                .map(|param| param.path.clone())
                .collect(),
            optimizer: own,
            schedule: group.schedule.clone(),
            lr_scale: group.lr_scale,
            observed: group.observed.clone(),
            scheduled: group.scheduled.clone(),
            dial: None,
            is_the_runs: group.optimizer.is_none(),
            without_decay: group.without_decay,
        })
    }
}

/// The optimizer that `group` shall have in place of the run's.
fn own_optimizer(
    base: &OptimizerConfig,
    group: &Group,
) -> Result<Option<OptimizerConfig>, OptimError> {
    let own = if group.without_decay {
        let decaying = group.optimizer.as_ref().unwrap_or(base);
        let optimizer = decaying.name();
        let without = decaying.without_weight_decay();
        Some(without.ok_or(OptimError::UnknownDecay { optimizer })?)
    } else if group.optimizer.is_none() && !group.scheduled.is_empty() {
        Some(base.clone())
    } else {
        group.optimizer.clone()
    };
    if let Some(own) = &own {
        own.check()?;
        if matches!(own, OptimizerConfig::Custom(custom) if custom.is_whole()) {
            return Err(OptimError::WholeModule);
        }
    }
    Ok(own)
}

fn check_name(name: &str) -> Result<(), OptimError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if !name.is_empty() && name.chars().all(allowed) {
        return Ok(());
    }
    Err(OptimError::GroupName {
        name: name.to_owned(),
    })
}

fn check_tied(params: &[ParamInfo]) -> Result<(), OptimError> {
    let mut seen = HashMap::new();
    for param in params.iter().filter(|param| param.trainable) {
        if let Some(first) = seen.insert(param.id, &param.path) {
            return Err(OptimError::Tied {
                first: first.clone(),
                second: param.path.clone(),
            });
        }
    }
    Ok(())
}
