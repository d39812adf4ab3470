//! The configuration of a run, as its directory keeps it.

use std::collections::BTreeMap;

use burn::train::LearnerModel;
use burn_lr_scheduler::{Clocked, Run};
use serde::Serialize;
use serde_json::Value;

use super::batch_growth::BatchGrowth;
use super::changes::{Change, changes};
use super::directory::RunDirectory;
use super::extent::Period;
use super::period::Periods;
use super::saved::Saved;
use super::training::Training;
use super::within::Reached;
use crate::TrainingError;
use crate::average::Average;
use crate::checkpoint::{Checkpoint, KeepPolicy};
use crate::loader::LoaderDescription;
use crate::metrics::{Best, EarlyStopping, History, Lineage, MetricKey, valid};
use crate::notices::Notices;
use crate::optim::{
    GradientClip, Hyperparameter, NonFinite, OptimizerConfig, ResolvedGroups, parameters,
};
use crate::storage::write_atomically;

/// What `burn-lr.json` holds.
#[derive(Clone, Serialize)]
pub(super) struct Spec {
    burn_lr: &'static str,
    fixed: Fixed,
    free: Free,
    /// Where the run comes from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    branches: Vec<Lineage>,
    /// Whether the run is said to branch off another.
    #[serde(skip)]
    begins_at_a_checkpoint: bool,
}

/// What must not change when a run is resumed: it decides the bits.
#[derive(Clone, Serialize)]
struct Fixed {
    schedule: Clocked,
    updates_per_epoch: Option<u64>,
    /// Of a run that is measured in updates.
    #[serde(skip_serializing_if = "Option::is_none")]
    every: Option<Period>,
    optimizer: OptimizerConfig,
    groups: ResolvedGroups,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    scheduled: BTreeMap<Hyperparameter, Clocked>,
    grads_accumulation: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_growth: Option<BatchGrowth>,
    clip_gradients: Option<GradientClip>,
    non_finite: NonFinite,
    /// Without one, the file is what it was before there were any.
    #[serde(skip_serializing_if = "Option::is_none")]
    average: Option<Average>,
    seed: Option<u64>,
    /// Runs in epochs were seeded once an epoch at first, and did not say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    seeded: Option<Seeded>,
    observed: MetricKey,
    train: LoaderDescription,
    valid: LoaderDescription,
    multi_device_optim: String,
    data_parallel: bool,
    model: String,
    /// Which parameters are trained, by their paths.
    parameters: BTreeMap<String, &'static str>,
    settings: Value,
}

/// When the device is seeded.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Seeded {
    EveryUpdate,
}

/// What may change: a run may be extended or stop earlier, and go on elsewhere.
#[derive(Clone, Serialize)]
struct Free {
    /// As Burn's Learner counts them, once it is known where the run goes on.
    epochs: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    updates: Option<u64>,
    devices: Vec<String>,
    keep: KeepPolicy,
    early_stopping: Option<EarlyStopping>,
}

impl Spec {
    pub(super) fn new<M: LearnerModel>(
        training: &Training<M>,
        run: Run,
        periods: Option<&Periods>,
        groups: &ResolvedGroups,
        model: &M,
    ) -> Self {
        let Training { plan, place, .. } = training;
        let devices = place.devices(model);
        let seed = training.seed_for(model);
        let says_when = seed.is_some() && periods.is_none() && training.seeds_updates();
        Self {
            burn_lr: env!("CARGO_PKG_VERSION"),
            fixed: Fixed {
                schedule: plan.schedule.clone(),
                updates_per_epoch: run.updates_per_epoch(),
                every: periods.map(Periods::period),
                optimizer: plan.optimizer.clone(),
                groups: groups.clone(),
                scheduled: plan.scheduled.clone(),
                grads_accumulation: plan.grads_accumulation,
                batch_growth: plan.batch_growth.clone(),
                clip_gradients: plan.clip,
                non_finite: plan.non_finite,
                average: plan.average.clone(),
                seed,
                seeded: says_when.then_some(Seeded::EveryUpdate),
                observed: plan.observed.clone(),
                train: training.train.description(),
                valid: training.valid.description(),
                multi_device_optim: format!("{:?}", place.multi_device_optim),
                data_parallel: place.data_parallel,
                model: model.to_string(),
                parameters: trained(model),
                settings: plan.settings.clone(),
            },
            free: Free {
                epochs: training.last_epoch(periods),
                updates: periods.map(Periods::updates),
                devices: devices.iter().map(|d| format!("{d:?}")).collect(),
                keep: keep_policy(plan.keep.as_ref()),
                early_stopping: plan.early_stopping.clone(),
            },
            branches: Vec::new(),
            begins_at_a_checkpoint: plan.branch.is_some(),
        }
    }

    /// The same, of a run that comes from where `history` says, and of which that epoch is the `last`.
    pub(super) fn after(mut self, history: &History, last: usize) -> Self {
        self.branches.clone_from(&history.branches);
        self.free.epochs = last;
        self
    }

    /// Whether the run goes on within an epoch where it has `reached`, after what `history` tells: it may be
    /// shorter than it was.
    pub(super) fn goes_on_after(&self, reached: &Reached, history: &History) -> bool {
        let stopping = self.free.early_stopping.as_ref();
        let is_long_enough = match self.free.updates {
            Some(updates) => reached.updates <= updates,
            None => reached.data.epochs < self.free.epochs as u64,
        };
        is_long_enough && !stopping.is_some_and(|stopping| stopping.stops(history))
    }

    /// Which checkpoints are kept.
    pub(super) fn keep(&self) -> &KeepPolicy {
        &self.free.keep
    }

    pub(super) fn document(&self, directory: &RunDirectory) -> Result<Value, TrainingError> {
        // By way of the text, in which an f32 has the digits it was written with.
        serde_json::to_vec(self)
            .and_then(|json| serde_json::from_slice(&json))
            .map_err(|error| TrainingError::file("write", &directory.config(), error.into()))
    }

    /// Whether the run in `directory`, if there is one, can be continued with this configuration.
    ///
    /// What it was configured with says `checkpoint`, the newest one that is complete: that is
    /// verified, and `burn-lr.json` may have been damaged or lost since. Only a run without any
    /// checkpoint is known by `burn-lr.json` alone.
    ///
    /// # Errors
    /// [`TrainingError::ConfigChanged`] if it was configured differently, [`TrainingError::Damaged`]
    /// if that cannot be read.
    pub(super) fn check(
        &self,
        directory: &RunDirectory,
        checkpoint: Option<&Checkpoint>,
        notices: &Notices,
    ) -> Result<(), TrainingError> {
        let Some(Saved {
            file,
            config: saved,
        }) = Saved::of(directory, checkpoint)?
        else {
            return Ok(());
        };
        let path = directory.config();
        let current = self.document(directory)?;
        let change = changes(&saved["fixed"], &current["fixed"])
            .into_iter()
            .next();
        if let Some(Change {
            field,
            saved,
            current,
        }) = change
        {
            return Err(TrainingError::ConfigChanged {
                path,
                field,
                saved,
                current,
            });
        }
        if saved["free"]["devices"] != current["free"]["devices"] {
            notices.say("continuing on another device: the bits will differ");
        }
        if let Some(checkpoint) = checkpoint {
            let state = match file.map(|json| serde_json::from_slice::<Value>(&json)) {
                None => "is missing",
                // It may say more than one that was written before this version.
                Some(Ok(file)) if changes(&saved["fixed"], &file["fixed"]).is_empty() => {
                    return Ok(());
                }
                Some(_) => "is damaged",
            };
            let (path, epoch) = (path.display(), checkpoint.epoch);
            notices.say(&format!(
                "{path} {state}: restored from the checkpoint of epoch {epoch}"
            ));
        }
        Ok(())
    }

    /// Whether a run without a checkpoint may begin at epoch 1, which one that has branched off another
    /// may not.
    pub(super) fn check_begun(&self, directory: &RunDirectory) -> Result<(), TrainingError> {
        let Some(Saved { config, .. }) = Saved::of(directory, None)? else {
            return Ok(());
        };
        let saved = &config["branches"][0]["parent"];
        if self.begins_at_a_checkpoint || saved.is_null() {
            return Ok(());
        }
        Err(TrainingError::ConfigChanged {
            path: directory.config(),
            field: "branch".to_owned(),
            saved: saved.to_string(),
            current: "none".to_owned(),
        })
    }

    /// Writes the configuration, and gives what was written.
    pub(super) fn write(&self, directory: &RunDirectory) -> Result<Vec<u8>, TrainingError> {
        let path = directory.config();
        let json = serde_json::to_vec_pretty(&self.document(directory)?)
            .map_err(|error| TrainingError::file("write", &path, error.into()))?;
        write_atomically(&path, &json)?;
        Ok(json)
    }
}

/// Whether each parameter is trained or frozen.
fn trained<M: LearnerModel>(model: &M) -> BTreeMap<String, &'static str> {
    let params = parameters(model).into_iter();
    let trained = |trainable| if trainable { "trained" } else { "frozen" };
    params
        .map(|param| (param.path, trained(param.trainable)))
        .collect()
}

/// By default the last two checkpoints, and the one with the least validation loss.
pub(super) fn keep_policy(keep: Option<&KeepPolicy>) -> KeepPolicy {
    let best_by_loss = || KeepPolicy::default().with_best(Best::min(valid("loss")));
    keep.cloned().unwrap_or_else(best_by_loss)
}
