//! The one error type of this crate.

use crate::Length;

/// What can be wrong with a schedule, its document, its record or a metric fed to it.
///
/// `path` names the place inside the tree of nested schedules, as in
/// `Sequence.schedules[1].StepLr.gamma`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// A parameter is outside its range.
    #[error("{path}: expected {expected}, got {found}")]
    Invalid {
        /// The parameter's place in the schedule tree.
        path: String,
        /// The range or form it must have.
        expected: String,
        /// The value it has.
        found: String,
    },
    /// A length in epochs or percent was given, but the run it refers to is not known.
    #[error("{path}: a length of {length} needs the run's {missing}; set it on `Run`")]
    UnresolvedLength {
        /// The length's place in the schedule tree.
        path: String,
        /// The length as configured.
        length: Length,
        /// What [`Run`](crate::Run) lacks.
        missing: &'static str,
    },
    /// Two schedules have the same name in documents.
    #[error("the schedule name {name} is taken by {by}; expected one of its own")]
    NameTaken {
        /// The name.
        name: &'static str,
        /// The crate or the type that has it already.
        by: &'static str,
    },
    /// A document is not a schedule: a syntax error, an unknown schedule or field, a wrong type.
    #[error("{}: {reason}", if path.is_empty() { "document" } else { path.as_str() })]
    Document {
        /// The place inside the document; empty for the document as a whole.
        path: String,
        /// What the parser expected and found there.
        reason: String,
    },
    /// A record was made by a schedule of another form, or by something else altogether.
    #[error("the record belongs to another schedule than {schedule}; nothing was loaded")]
    OtherSchedule {
        /// The type of the schedule that was to be restored.
        schedule: &'static str,
    },
    /// A record lacks a value that the schedule needs, or holds it in the wrong type.
    #[error("the record has no valid value for `{key}`; nothing was loaded")]
    MissingValue {
        /// The missing key.
        key: String,
    },
    /// The schedule was configured differently when the record was made.
    #[error("{path} was {saved} when the record was made and is {current} now; nothing was loaded")]
    Changed {
        /// The hyperparameter's place in the schedule tree.
        path: String,
        /// Its value in the record.
        saved: String,
        /// Its value now.
        current: String,
    },
    /// A plateau that treats NaN as an error was given one.
    #[error("{path}: the metric is NaN")]
    NanMetric {
        /// The plateau's place in the schedule tree.
        path: String,
    },
}
