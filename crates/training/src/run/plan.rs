//! What a run is to do.

use std::collections::BTreeMap;

use burn_lr_scheduler::{Clocked, Constant};

use super::batch_growth::BatchGrowth;
use super::branch::Branch;
use super::extent::{Extent, Period};
use crate::average::Average;
use crate::checkpoint::KeepPolicy;
use crate::metrics::{EarlyStopping, MetricKey, valid};
use crate::optim::{GradientClip, Group, Hyperparameter, NonFinite, OptimizerConfig};

/// What decides the bits of a run, as the caller has set it, and how long it goes on.
pub(super) struct Plan {
    pub schedule: Clocked,
    pub optimizer: OptimizerConfig,
    pub groups: Vec<Group>,
    /// The schedules of what else the optimizer has.
    pub scheduled: BTreeMap<Hyperparameter, Clocked>,
    pub grads_accumulation: usize,
    pub batch_growth: Option<BatchGrowth>,
    pub clip: Option<GradientClip>,
    pub non_finite: NonFinite,
    pub average: Option<Average>,
    pub seed: Seed,
    pub observed: MetricKey,
    pub settings: serde_json::Value,
    /// The checkpoint that it begins at, if that is another run's.
    pub branch: Option<Branch>,
    /// Whether it must not have begun at one.
    pub unbranched: bool,
    pub extent: Extent,
    /// None for an epoch of the data.
    pub every: Option<Period>,
    pub keep: Option<KeepPolicy>,
    pub early_stopping: Option<EarlyStopping>,
}

/// What the device's random numbers are seeded with at the start of every epoch, or before every update
/// of a run that is measured in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seed {
    /// 0 for models that are known to draw random numbers; when a run is resumed, what it had.
    Auto,
    /// This number, beside the epoch's.
    Given(u64),
    /// Nothing, though the model may draw some.
    Off,
    /// Nothing, since the model draws none.
    Unneeded,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            schedule: Clocked::per_update(Constant::new(1e-3)),
            optimizer: OptimizerConfig::default(),
            groups: Vec::new(),
            scheduled: BTreeMap::new(),
            grads_accumulation: 1,
            batch_growth: None,
            clip: None,
            non_finite: NonFinite::default(),
            average: None,
            seed: Seed::Auto,
            observed: valid("loss"),
            settings: serde_json::Value::Null,
            branch: None,
            unbranched: false,
            extent: Extent::Epochs(1),
            every: None,
            keep: None,
            early_stopping: None,
        }
    }
}
