//! Optimizers that are none of Burn's configs.

use std::fmt;
use std::sync::Arc;

use burn::module::ParamGroup;
use burn::optim::{ModuleOptimizer, Optimizer};
use serde::{Serialize, Serializer, ser::Error};
use serde_json::Value;

/// An optimizer of the caller's, and its description in documents.
///
/// Made by [`OptimizerConfig::custom`](super::OptimizerConfig::custom) and
/// [`OptimizerConfig::per_parameter`](super::OptimizerConfig::per_parameter).
#[derive(Clone)]
pub struct CustomOptimizer {
    kind: Kind,
    description: Result<Value, String>,
}

#[derive(Clone)]
enum Kind {
    Whole(ModuleOptimizer),
    Each(Arc<dyn Each>),
}

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
        matches!(self.kind, Kind::Whole(_))
    }

    pub(super) fn build(&self) -> ModuleOptimizer {
        match &self.kind {
            Kind::Whole(optimizer) => optimizer.clone(),
            Kind::Each(each) => each.whole(),
        }
    }

    /// `optimizer` with this one for `group`; `None` if this one is for whole modules.
    pub(super) fn add_to(
        &self,
        optimizer: ModuleOptimizer,
        group: ParamGroup,
    ) -> Option<ModuleOptimizer> {
        match &self.kind {
            Kind::Whole(_) => None,
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
