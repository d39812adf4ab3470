//! A part of the parameters, with an optimizer or a learning rate of its own.

use std::collections::BTreeMap;

use burn_lr_scheduler::Clocked;

use super::config::OptimizerConfig;
use super::hyperparameter::Hyperparameter;
use super::select::Select;
use crate::key::MetricKey;

/// Parameters that shall have another optimizer, another learning rate, or both.
///
/// ```
/// use burn::optim::MuonConfig;
/// use burn_lr_scheduler::StepLr;
/// use burn_lr_training::optim::{Group, Select};
///
/// let groups = [
///     Group::new("matrices", Select::matrices()).optimizer(MuonConfig::new()),
///     Group::new("head", Select::prefix("head")).schedule(StepLr::new(0.01, 3).per_epoch()),
///     Group::new("encoder", Select::prefix("encoder")).lr_scale(0.1),
/// ];
/// ```
///
/// # Precedence
/// As in Burn, the last group that has a parameter wins, for optimizers and for learning rates by
/// itself: a group without an optimizer leaves that of an earlier group, or the run's, and a group
/// with neither [`schedule`](Self::schedule) nor [`lr_scale`](Self::lr_scale) nor
/// [`observe`](Self::observe) leaves the rate. Above, the encoder's matrices are Muon's, at a tenth of
/// the run's rate.
#[derive(Debug, Clone)]
pub struct Group {
    pub(super) name: String,
    pub(super) select: Select,
    pub(super) optimizer: Option<OptimizerConfig>,
    pub(super) without_decay: bool,
    pub(super) schedule: Option<Clocked>,
    pub(super) lr_scale: Option<f64>,
    pub(super) observed: Option<MetricKey>,
    pub(super) scheduled: BTreeMap<Hyperparameter, Clocked>,
    pub(super) optional: bool,
}

impl Group {
    /// A group that changes nothing yet. Its name, of letters, digits, `_`, `-` and `.`, is that of its
    /// column in histories.
    pub fn new(name: impl Into<String>, select: impl Into<Select>) -> Self {
        Self {
            name: name.into(),
            select: select.into(),
            optimizer: None,
            without_decay: false,
            schedule: None,
            lr_scale: None,
            observed: None,
            scheduled: BTreeMap::new(),
            optional: false,
        }
    }

    /// Sets the group's own optimizer.
    pub fn optimizer(mut self, optimizer: impl Into<OptimizerConfig>) -> Self {
        self.optimizer = Some(optimizer.into());
        self
    }

    /// Takes the weight decay from the group's optimizer, the run's if it has none of its own.
    pub fn without_decay(mut self) -> Self {
        self.without_decay = true;
        self
    }

    /// Sets the group's own schedule in place of the run's.
    pub fn schedule(mut self, schedule: impl Into<Clocked>) -> Self {
        self.schedule = Some(schedule.into());
        self
    }

    /// Has a hyperparameter of the group's optimizer follow a schedule, in place of the run's
    /// [schedule of it](crate::Training::schedule_for).
    ///
    /// A group without an optimizer of its own gets the run's for it. Plateaus in the schedule observe what the
    /// group's do.
    pub fn schedule_for(mut self, of: Hyperparameter, schedule: impl Into<Clocked>) -> Self {
        self.scheduled.insert(of, schedule.into());
        self
    }

    /// Multiplies the rate of the group's schedule, the run's if it has none of its own.
    pub fn lr_scale(mut self, factor: f64) -> Self {
        self.lr_scale = Some(factor);
        self
    }

    /// Sets the metric that a plateau in the group's schedule observes, in place of the run's.
    pub fn observe(mut self, metric: MetricKey) -> Self {
        self.observed = Some(metric);
        self
    }

    /// Lets the group change nothing, because all of its parameters are frozen or in later groups that
    /// set the same, or because it has none: if they are selected by what they are, as
    /// [`Select::vectors`] does, and not by a path, prefix or pattern, which may be misspelt. Otherwise
    /// that is refused, as a mistake.
    ///
    /// The groups of [`layer_decay`](super::layer_decay) and [`without_decay`] are optional.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The group's own optimizer, if it has one.
    pub(crate) fn own_optimizer(&self) -> Option<&OptimizerConfig> {
        self.optimizer.as_ref()
    }

    /// The group's own schedules, of its rate and of hyperparameters.
    pub(crate) fn own_schedules(&self) -> impl Iterator<Item = &Clocked> {
        self.schedule.iter().chain(self.scheduled.values())
    }

    /// The group's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Biases, and what norms scale and shift with, without weight decay: the group `without_decay` of
/// all parameters of fewer than two dimensions.
///
/// Its optimizer is the run's, also for parameters to which an earlier group gives another one.
pub fn without_decay() -> Group {
    let vectors = Group::new("without_decay", Select::vectors());
    vectors.without_decay().optional()
}
