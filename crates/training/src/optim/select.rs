//! Which parameters a group has.

use std::fmt;
use std::sync::Arc;

use burn::module::{ParamGroup, ParamGroupError};

use super::error::OptimError;
use super::param::ParamInfo;

/// A choice of parameters, by path, by what they are, or by Burn's [`ParamGroup`].
#[derive(Clone)]
pub struct Select(Kind);

#[derive(Clone)]
enum Kind {
    Prefix(String),
    Containing(String),
    Paths(Vec<String>),
    Regex(String),
    Matching(Arc<dyn Fn(&ParamInfo) -> bool + Send + Sync>),
    Burns(ParamGroup),
}

impl Select {
    /// All parameters at and below a place in the model: `block.1` has `block.1.weight` and not
    /// `block.10.weight`.
    pub fn prefix(path: impl Into<String>) -> Self {
        Self(Kind::Prefix(path.into()))
    }

    /// The parameters whose path contains `part`.
    pub fn containing(part: impl Into<String>) -> Self {
        Self(Kind::Containing(part.into()))
    }

    /// The parameters with these paths.
    pub fn paths<P: Into<String>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self(Kind::Paths(paths.into_iter().map(Into::into).collect()))
    }

    /// The parameters in whose path the regular expression is found.
    pub fn regex(pattern: impl Into<String>) -> Self {
        Self(Kind::Regex(pattern.into()))
    }

    /// The parameters that `predicate` holds for.
    pub fn matching(predicate: impl Fn(&ParamInfo) -> bool + Send + Sync + 'static) -> Self {
        Self(Kind::Matching(Arc::new(predicate)))
    }

    /// Biases, and what norms scale and shift with: all parameters of fewer than two dimensions.
    pub fn vectors() -> Self {
        Self::matching(|param| param.rank() < 2)
    }

    /// Parameters of two dimensions, which are those that Muon takes.
    pub fn matrices() -> Self {
        Self::matching(|param| param.rank() == 2)
    }

    /// Those of `params` that are selected.
    pub(super) fn of<'a>(
        &self,
        params: &'a [ParamInfo],
        group: &str,
    ) -> Result<Vec<&'a ParamInfo>, OptimError> {
        let regex = match &self.0 {
            Kind::Regex(pattern) => Some(compiled(pattern, group)?),
            _ => None,
        };
        let selected = |param: &&ParamInfo| match &self.0 {
            Kind::Prefix(prefix) => {
                let rest = param.path.strip_prefix(prefix.as_str());
                rest.is_some_and(|rest| {
                    prefix.is_empty() || rest.is_empty() || rest.starts_with('.')
                })
            }
            Kind::Containing(part) => param.path.contains(part.as_str()),
            Kind::Paths(paths) => paths.contains(&param.path),
            Kind::Regex(_) => regex.as_ref().is_some_and(|regex| matches(regex, param)),
            Kind::Matching(predicate) => predicate(param),
            Kind::Burns(group) => matches(group, param),
        };
        Ok(params.iter().filter(selected).collect())
    }

    /// Whether it goes by what parameters are, of which a model may have none, and not by a name, which
    /// may be misspelt.
    pub(super) fn is_predicate(&self) -> bool {
        matches!(self.0, Kind::Matching(_))
    }

    /// The first of the paths that were named one by one and are not in `params`.
    pub(super) fn missing(&self, params: &[ParamInfo]) -> Option<String> {
        let Kind::Paths(paths) = &self.0 else {
            return None;
        };
        let known = |path: &&String| params.iter().any(|param| param.path == **path);
        paths
            .iter()
            .find(|path| !known(path))
            .map(|path| format!("{path:?}"))
    }
}

fn matches(group: &ParamGroup, param: &ParamInfo) -> bool {
    group.matches(&param.id, Some(&param.path))
}

fn compiled(pattern: &str, group: &str) -> Result<ParamGroup, OptimError> {
    ParamGroup::from_regex(pattern).map_err(|ParamGroupError::InvalidPatternError(reason)| {
        OptimError::Pattern {
            group: group.to_owned(),
            pattern: pattern.to_owned(),
            reason,
        }
    })
}

impl From<ParamGroup> for Select {
    fn from(group: ParamGroup) -> Self {
        Self(Kind::Burns(group))
    }
}

/// What is selected, in words that go after "a parameter that is".
impl fmt::Display for Select {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Prefix(prefix) => write!(f, "{prefix:?} or below it"),
            Kind::Containing(part) => write!(f, "at a path with {part:?} in it"),
            Kind::Paths(paths) => write!(f, "one of {paths:?}"),
            Kind::Regex(pattern) => write!(f, "at a path like {pattern:?}"),
            Kind::Matching(_) => f.write_str("selected by the predicate"),
            Kind::Burns(group) => write!(f, "in {group:?}"),
        }
    }
}

impl fmt::Debug for Select {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Select({self})")
    }
}
