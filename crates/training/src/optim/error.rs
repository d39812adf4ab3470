//! The errors of optimizers, parameter groups and gradient clipping.

/// What is wrong with an optimizer, a parameter group or a clipping.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptimError {
    /// A setting of an optimizer is outside its range.
    #[error("{optimizer}: {name}: expected {expected}, found {found}")]
    Hyperparameter {
        /// The optimizer.
        optimizer: &'static str,
        /// The setting's place, as in `weight_decay.penalty`.
        name: String,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// L-BFGS, which is no optimizer of the kind that a Learner steps.
    #[error(
        "L-BFGS cannot be trained with: it evaluates the loss again and again within a step, where a \
         Learner hands over gradients once; expected any other of Burn's optimizers"
    )]
    Lbfgs,
    /// What is to be recorded of an optimizer cannot be written as JSON.
    #[error("{optimizer}: expected settings that can be written as JSON: {reason}")]
    Unwritable {
        /// The optimizer.
        optimizer: &'static str,
        /// Why not.
        reason: String,
    },
    /// Muon has been given a parameter that is not a matrix.
    #[error(
        "Muon: expected matrices only, found {path} of shape {shape:?}: give it another optimizer by a group"
    )]
    NotMatrix {
        /// The parameter.
        path: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A group's name cannot name a column.
    #[error("group name: expected letters, digits, '_', '-' and '.', found {name:?}")]
    GroupName {
        /// The name.
        name: String,
    },
    /// Two groups have the same name.
    #[error("group {name}: expected a name of its own, found it twice")]
    DuplicateGroup {
        /// The name.
        name: String,
    },
    /// A group selects nothing.
    #[error(
        "group {group}: expected a parameter that is {selection}, found {}",
        list(known)
    )]
    NoParameter {
        /// The group.
        group: String,
        /// What it selects, in words.
        selection: String,
        /// The parameters that there are.
        known: Vec<String>,
    },
    /// A group's pattern is not a regular expression.
    #[error("group {group}: expected a regular expression, found {pattern:?}: {reason}")]
    Pattern {
        /// The group.
        group: String,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A factor on the learning rate that is none.
    #[error("group {group}: lr_scale: expected 0 or more and finite, found {found}")]
    LrScale {
        /// The group.
        group: String,
        /// The factor.
        found: f64,
    },
    /// The optimizer of a group is invalid.
    #[error("group {group}: {source}")]
    Group {
        /// The group.
        group: String,
        /// What is wrong.
        source: Box<OptimError>,
    },
    /// A ready `ModuleOptimizer` cannot become that of a group.
    #[error(
        "custom optimizer: expected a per-parameter optimizer for a group, found a ready ModuleOptimizer"
    )]
    WholeModule,
    /// The weight decay of an optimizer that only its author knows cannot be taken away.
    #[error("expected an optimizer whose weight decay is known, found {optimizer}")]
    UnknownDecay {
        /// The optimizer.
        optimizer: &'static str,
    },
    /// One parameter stands at two places of the model, of which Burn updates the first alone.
    #[error("expected parameters of their own, found the same one at {first} and at {second}")]
    Tied {
        /// The place that is visited first.
        first: String,
        /// The other one.
        second: String,
    },
    /// The limit of a clipping is none.
    #[error("gradient clipping: {kind}: expected a limit above 0, found {found}")]
    Clip {
        /// What is limited: `norm` or `value`.
        kind: &'static str,
        /// The limit.
        found: f64,
    },
}

/// The first of `names`, so that a message about a large model stays readable.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 20;
    match names.len() {
        0 => "no parameters".to_owned(),
        count if count > SHOWN => {
            format!("{} and {} more", names[..SHOWN].join(", "), count - SHOWN)
        }
        _ => names.join(", "),
    }
}
