//! What groups mean for one model.

use std::collections::BTreeMap;

use burn::module::ParamGroup;
use burn_lr_scheduler::Clocked;
use serde::Serialize;

use super::config::OptimizerConfig;
use super::hyperparameter::Hyperparameter;
use super::scheduled::Dial;
use crate::key::MetricKey;

/// The groups of a run, each with the paths of its parameters, checked.
///
/// Serializes as a list of groups, which is the same in another process as long as model and groups
/// are: what a group was selected by, a predicate for example, is no part of it.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub struct ResolvedGroups {
    pub(super) groups: Vec<ResolvedGroup>,
    /// What schedules set in the run's own optimizer, if any do.
    #[serde(skip)]
    pub(super) dial: Option<Dial>,
}

/// A group, and the paths of the parameters that it has in a model.
#[derive(Debug, Clone, Serialize)]
pub struct ResolvedGroup {
    pub(super) name: String,
    pub(super) paths: Vec<String>,
    pub(super) optimizer: Option<OptimizerConfig>,
    pub(super) schedule: Option<Clocked>,
    pub(super) lr_scale: Option<f64>,
    pub(super) observed: Option<MetricKey>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) scheduled: BTreeMap<Hyperparameter, Clocked>,
    /// What schedules set in the group's optimizer, if any do.
    #[serde(skip)]
    pub(super) dial: Option<Dial>,
    /// Whether its optimizer is the run's, as far as it goes.
    #[serde(skip)]
    pub(super) is_the_runs: bool,
    #[serde(skip)]
    pub(super) without_decay: bool,
}

impl ResolvedGroups {
    /// The groups, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &ResolvedGroup> {
        self.groups.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// What schedules set in the optimizer of who is in no group with another one.
    pub(super) fn dial(&self) -> Option<&Dial> {
        self.dial.as_ref()
    }

    /// The same, with an optimizer for all others that schedules set by way of `dial`.
    pub(super) fn with_dial(mut self, dial: &Dial) -> Self {
        self.dial = Some(dial.clone());
        self
    }

    /// The group whose optimizer the parameter at `path` has; `None` for the run's.
    pub fn optimizer_group(&self, path: &str) -> Option<&ResolvedGroup> {
        let groups = self.groups.iter().rev();
        let mut groups = groups.filter(|group| group.optimizer.is_some());
        groups.find(|group| group.has(path))
    }

    /// The group whose learning rate the parameter at `path` has; `None` for the run's.
    pub fn rate_group(&self, path: &str) -> Option<&ResolvedGroup> {
        let groups = self.groups.iter().rev();
        let mut groups = groups.filter(|group| group.has_rate());
        groups.find(|group| group.has(path))
    }
}

impl ResolvedGroup {
    /// The group's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The paths of its parameters, in the model's order.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Whether the parameter at `path` is in the group.
    pub fn has(&self, path: &str) -> bool {
        self.paths.iter().any(|own| own == path)
    }

    /// The group for Burn's optimizers and schedulers.
    pub fn param_group(&self) -> ParamGroup {
        ParamGroup::from_paths(self.paths.clone())
    }

    /// Its own optimizer, if it has one.
    pub fn optimizer(&self) -> Option<&OptimizerConfig> {
        self.optimizer.as_ref()
    }

    /// What schedules set in its own optimizer.
    pub(super) fn dial(&self) -> Option<&Dial> {
        self.dial.as_ref()
    }

    /// The schedules of hyperparameters that it has itself.
    pub fn scheduled(&self) -> &BTreeMap<Hyperparameter, Clocked> {
        &self.scheduled
    }

    /// Its own schedule, if it has one.
    pub fn schedule(&self) -> Option<&Clocked> {
        self.schedule.as_ref()
    }

    /// What the rate of its schedule, or of the run's, is multiplied with; 1 if nothing was said.
    pub fn lr_scale(&self) -> f64 {
        self.lr_scale.unwrap_or(1.0)
    }

    /// The metric that its own plateau observes, if that is not the run's.
    pub fn observed(&self) -> Option<&MetricKey> {
        self.observed.as_ref()
    }

    /// Whether it says anything of the learning rate; otherwise its parameters have that of an earlier
    /// group or of the run.
    pub fn has_rate(&self) -> bool {
        self.schedule.is_some() || self.lr_scale.is_some() || self.observed.is_some()
    }
}
