//! The errors of optimizers, parameter groups and gradient clipping.

use burn::tensor::DType;

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
    /// A group has no parameter that is trained.
    #[error(
        "group {group}: expected a parameter that is trained, found frozen ones and buffers only"
    )]
    Frozen {
        /// The group.
        group: String,
    },
    /// A group sets nothing.
    #[error("group {group}: expected an optimizer, a schedule or a factor on the rate, found none")]
    NoEffect {
        /// The group.
        group: String,
    },
    /// All that a group sets is set otherwise by later groups for each of its parameters.
    #[error(
        "group {group}: expected a parameter for which it is the last one, found {by} after it for all: \
         give the wider group first"
    )]
    Shadowed {
        /// The group.
        group: String,
        /// A later group.
        by: String,
    },
    /// A group names a metric to be observed, and nothing in its schedule observes one.
    #[error("group {group}: observe: expected a plateau in its schedule, found none")]
    NoPlateau {
        /// The group.
        group: String,
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
    /// An optimizer that is made for a model's parameters was to be built without them.
    #[error("custom optimizer: expected a model to make it for, found none: use build_for")]
    NeedsModel,
    /// An optimizer of several passes was to be built as Burn's, which makes one, and has nothing but the weights
    /// that are trained.
    #[error(
        "{optimizer}: expected build_loop, found that Burn's ModuleOptimizer was asked for, which can neither \
         measure before it updates nor give the weights that are to be evaluated"
    )]
    NeedsPasses {
        /// The optimizer.
        optimizer: &'static str,
    },
    /// A group has a Prodigy that is none with the run's.
    #[error(
        "group {group}: Prodigy: expected the settings of the other parameters' but for the weight decay, found \
         other ones: its step size is one of all parameters"
    )]
    ProdigySettings {
        /// The group.
        group: String,
    },
    /// A group gives parameters of Prodigy a rate of their own.
    #[error(
        "group {group}: expected the run's rate for the parameters of Prodigy, whose step size is one of all of \
         them, found another one"
    )]
    ProdigyGroupRate {
        /// The group.
        group: String,
    },
    /// Prodigy was given rates for an optimizer that does not find its step size.
    #[error(
        "Prodigy: expected a highest rate from 0.1 to 10, best 1, found {found}: it multiplies the step size that \
         Prodigy finds; a larger or smaller one is asked for by d_coef"
    )]
    ProdigyRate {
        /// The highest rate.
        found: f64,
    },
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
    /// The state that an optimizer keeps for a parameter cannot be read back in the type that it has.
    #[error(
        "the optimizer's state for {of}: expected {expected:?}, the type in which Burn reads it back, \
         found {found:?}: have parameters of that type, or set the default device's by Device::configure"
    )]
    StateType {
        /// The parameter, or the tensor in the optimizer's record.
        of: String,
        /// The float type of the default device.
        expected: DType,
        /// The type that there is.
        found: DType,
    },
    /// An optimizer did not take all of a saved state: Burn leaves out what it cannot use, and would
    /// begin anew there.
    #[error(
        "the optimizer's state: expected an optimizer with {expected} tensors, found one with {found}"
    )]
    StateLost {
        /// The number of tensors that were saved.
        expected: usize,
        /// The number of those that were taken.
        found: usize,
    },
    /// A saved state of an optimizer cannot be read at all.
    #[error("the optimizer's state: expected a record, found what cannot be read: {reason}")]
    Unreadable {
        /// What Burn says.
        reason: String,
    },
    /// A schedule is for what an optimizer does not have, or of which only its author knows what it has.
    #[error("{of}: expected an optimizer that has one for a schedule to set, found {optimizer}")]
    NoHyperparameter {
        /// What the schedule is for.
        of: &'static str,
        /// The optimizer.
        optimizer: &'static str,
    },
    /// The schedule of the learning rate cycles a momentum that an optimizer does not have.
    #[error(
        "cycle_momentum: expected an optimizer with a momentum or a beta 1, found {optimizer}: set \
         cycle_momentum to false"
    )]
    NoMomentum {
        /// The optimizer.
        optimizer: &'static str,
    },
    /// A hyperparameter has a schedule, and another one or that of the rate sets it too.
    #[error("{of}: expected one schedule that sets it, found two")]
    TwoSchedules {
        /// The hyperparameter.
        of: &'static str,
    },
    /// A schedule leaves the range of what it is for.
    #[error("schedule of {of}: expected {expected}, found {found} at update {update}")]
    Schedule {
        /// What the schedule is for.
        of: &'static str,
        /// What that must be.
        expected: &'static str,
        /// The updates made before.
        update: u64,
        /// The value there.
        found: f64,
    },
    /// A group sets a momentum, beta or weight decay for a parameter whose optimizer is another group's.
    #[error(
        "group {group}: expected an optimizer of its own for what schedules set in it, found that of group \
         {other} for {path}"
    )]
    NeedsOptimizer {
        /// The group.
        group: String,
        /// The group whose optimizer the parameter has.
        other: String,
        /// The parameter.
        path: String,
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
