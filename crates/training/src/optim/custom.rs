//! Optimizers that are none of Burn's configs.

use std::fmt;
use std::sync::Arc;

use burn::module::ParamGroup;
use burn::optim::{ModuleOptimizer, Optimizer};
use serde::{Serialize, Serializer, ser::Error};
use serde_json::Value;

use super::param::ParamInfo;

/// An optimizer of the caller's, and its description in documents.
///
/// Made by [`OptimizerConfig::custom`](super::OptimizerConfig::custom),
/// [`OptimizerConfig::custom_for`](super::OptimizerConfig::custom_for) and
/// [`OptimizerConfig::per_parameter`](super::OptimizerConfig::per_parameter).
#[derive(Clone)]
pub struct CustomOptimizer {
    kind: Kind,
    description: Result<Value, String>,
}

#[derive(Clone)]
enum Kind {
    Whole(ModuleOptimizer),
    Made(Arc<Make>),
    Each(Arc<dyn Each>),
}

/// Makes an optimizer for the parameters of a model.
type Make = dyn Fn(&[ParamInfo]) -> ModuleOptimizer + Send + Sync;

/// An [`Optimizer`], whichever it is.
trait Each: Send + Sync {
    fn whole(&self) -> ModuleOptimizer;
    fn added(&self, optimizer: ModuleOptimizer, group: ParamGroup) -> ModuleOptimizer;
}

impl<O: Optimizer> Each for O {
    fn whole(&self) -> ModuleOptimizer {
        self.clone().into()
    }

    fn added(&self, optimizer: ModuleOptimizer, group: ParamGroup) -> ModuleOptimizer {
        optimizer.with_group(group, self.clone(), None)
    }
}

impl CustomOptimizer {
    pub(super) fn whole(optimizer: ModuleOptimizer, description: Result<Value, String>) -> Self {
        Self {
            kind: Kind::Whole(optimizer),
            description,
        }
    }

    pub(super) fn made(
        make: impl Fn(&[ParamInfo]) -> ModuleOptimizer + Send + Sync + 'static,
        description: Result<Value, String>,
    ) -> Self {
        Self {
            kind: Kind::Made(Arc::new(make)),
            description,
        }
    }

    pub(super) fn each(optimizer: impl Optimizer, description: Result<Value, String>) -> Self {
        Self {
            kind: Kind::Each(Arc::new(optimizer)),
            description,
        }
    }

    /// What documents say of it, or why they cannot.
    pub(super) fn description(&self) -> Result<Value, String> {
        self.description.clone()
    }

    /// Whether it is for whole modules, and so for no group.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.kind, Kind::Whole(_) | Kind::Made(_))
    }

    /// Whether it was handed over ready, and may have groups that nobody can see.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.kind, Kind::Whole(_))
    }

    /// The optimizer for a model with these parameters; `None` if it cannot be made without them.
    pub(super) fn build(&self, params: Option<&[ParamInfo]>) -> Option<ModuleOptimizer> {
        match &self.kind {
            Kind::Whole(optimizer) => Some(optimizer.clone()),
            Kind::Made(make) => params.map(make.as_ref()),
            Kind::Each(each) => Some(each.whole()),
        }
    }

    /// `optimizer` with this one for `group`; `None` if this one is for whole modules.
    pub(super) fn add_to(
        &self,
        optimizer: ModuleOptimizer,
        group: ParamGroup,
    ) -> Option<ModuleOptimizer> {
        match &self.kind {
            Kind::Whole(_) | Kind::Made(_) => None,
            Kind::Each(each) => Some(each.added(optimizer, group)),
        }
    }
}

impl Serialize for CustomOptimizer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.description {
            Ok(description) => description.serialize(serializer),
            Err(reason) => Err(S::Error::custom(reason)),
        }
    }
}

impl fmt::Debug for CustomOptimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomOptimizer")
            .field("description", &self.description)
            .finish_non_exhaustive()
    }
}
