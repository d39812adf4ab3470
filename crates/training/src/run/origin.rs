//! A checkpoint that is branched off.

use burn::optim::lr_scheduler::LrSchedulerRecord;
use burn::tensor::Bytes;
use serde_json::{Value, json};

use super::average::best_part_of;
use super::branch::{At, Branch};
use super::changes::{Change, changes};
use super::check::Checked;
use super::directory::RunDirectory;
use super::no_schedule::keeps_average;
use super::resume::Contents;
use super::spec::{Seeded, Spec};
use crate::TrainingError;
use crate::average::Average;
use crate::checkpoint::{CONFIG, Checkpoint, CheckpointStore, KeepPolicy, PARTS, SCHEDULER};
use crate::feedback::FeedbackScheduler;
use crate::lineage::may_be_a_branchs;
use crate::metrics::{History, Lineage, SettingChange};
use crate::notices::Notices;

/// Settings without which an optimizer's state means something else.
const STATE: [&str; 3] = [
    ".ScheduleFreeSgd.momentum",
    ".ScheduleFreeAdamW.beta_1",
    ".Prodigy.d0",
];

impl Branch {
    /// Whether the checkpoint that `lineage` tells of is here now: a run may be moved with its parent.
    pub(super) fn holds(&self, lineage: &Lineage) -> bool {
        let path = RunDirectory::new(&self.parent).checkpoints();
        let store = path.is_dir().then(|| CheckpointStore::open(&path, &PARTS));
        let sum = store.and_then(|store| store.ok()?.checksum(lineage.epoch).ok());
        self.is_at(lineage) && sum.is_some_and(|sum| sum == lineage.sha256)
    }

    /// The checkpoint, verified, with parts beside those of every run.
    pub(super) fn origin(&self, more: &[&str]) -> Result<Origin, TrainingError> {
        let directory = RunDirectory::new(&self.parent);
        let path = directory.checkpoints();
        let none = |kept: &[usize]| TrainingError::NoCheckpoint {
            path: path.clone(),
            expected: self.wanted(),
            kept: kept.to_vec(),
        };
        if !path.is_dir() {
            return Err(none(&[]));
        }
        let store =
            CheckpointStore::open_with(&path, &PARTS, more)?.with_notices(Notices::new(|_| {}));
        let kept = store.epochs();
        let checkpoint = match self.at {
            At::Newest => store.newest_complete().0.ok_or_else(|| none(&kept))?,
            At::Epoch(epoch) if kept.contains(&epoch) => store.load(epoch)?,
            At::Epoch(_) => return Err(none(&kept)),
            At::Update(updates) => {
                let newest = store.newest_complete().0.ok_or_else(|| none(&kept))?;
                let history = Contents::new(newest, &store).history()?.history;
                let mut epochs = history.epochs.iter();
                let epoch = epochs
                    .find(|epoch| epoch.updates == updates)
                    .map(|of| of.epoch);
                let epoch = epoch.filter(|epoch| kept.contains(epoch));
                store.load(epoch.ok_or_else(|| none(&kept))?)?
            }
        };
        let json = checkpoint.parts.get(CONFIG).cloned().unwrap_or_default();
        let config = directory.parsed_config(&json)?;
        Ok(Origin {
            directory,
            store,
            checkpoint,
            config,
        })
    }
}

/// A checkpoint that is branched off.
pub(super) struct Origin {
    pub directory: RunDirectory,
    pub store: CheckpointStore,
    pub checkpoint: Checkpoint,
    config: Value,
}

/// What a loader may tell by now that it did not tell the parent.
const TOLD: [&str; 3] = ["updates_per_epoch", "train.batches", "train.batch_size"];

/// What was `fixed` of a run, one in updates saying too when it seeds the device.
fn seeded(fixed: &Value) -> Value {
    let mut fixed = fixed.clone();
    if fixed["seed"].is_u64() && !fixed["every"].is_null() {
        fixed["seeded"] = json!(Seeded::EveryUpdate);
    }
    fixed
}

impl Origin {
    /// What `spec` sets otherwise.
    ///
    /// # Errors
    /// [`TrainingError::BranchChanged`] if that is not for a branch to change.
    pub(super) fn changes(&self, spec: &Spec) -> Result<Vec<SettingChange>, TrainingError> {
        let current = spec.document(&self.directory)?;
        let (saved, current) = (seeded(&self.config["fixed"]), seeded(&current["fixed"]));
        let (saved, current) = (&saved, &current);
        // By what they are of: names of groups may have dots, as paths do.
        let members = |of: &Value| -> Vec<(Value, Value)> {
            let groups = of["groups"].as_array();
            let groups = groups.into_iter().flatten();
            groups
                .map(|group| (group["name"].clone(), group["paths"].clone()))
                .collect()
        };
        let same_groups = members(saved) == members(current);
        let mut allowed = Vec::new();
        for Change {
            field,
            saved,
            current,
        } in changes(saved, current)
        {
            let place = field.split('.').next().unwrap_or_default();
            let told = saved == "null" && TOLD.contains(&&*field);
            let may = match place {
                _ if STATE.iter().any(|setting| field.ends_with(setting)) => false,
                "groups" => same_groups,
                place => told || may_be_a_branchs(place),
            };
            let change = SettingChange::new(field, saved, current);
            if !may {
                return Err(TrainingError::BranchChanged {
                    path: self.directory.path().to_owned(),
                    change: Box::new(change),
                });
            }
            allowed.push(change);
        }
        Ok(allowed)
    }

    /// Has `schedulers` go on where those of the parent stopped, and says whose plateaus do not.
    pub(super) fn hand_over(
        &self,
        schedulers: &mut [FeedbackScheduler],
        checked: &Checked,
    ) -> Result<Vec<String>, TrainingError> {
        let part = self.checkpoint.parts.get(SCHEDULER).cloned();
        let records =
            LrSchedulerRecord::from_bytes(Bytes::from_bytes_vec(part.unwrap_or_default()));
        let contents = Contents::new(self.checkpoint.clone(), &self.store);
        let records = records.map_err(|error| contents.damaged(SCHEDULER, error))?;
        let record = |number: usize| records.record(&number.to_string());
        // Of the groups, those with a rate of their own have a scheduler, numbered after that of all.
        let rated = |group: &&Value| {
            ["schedule", "lr_scale", "observed"]
                .iter()
                .any(|name| !group[name].is_null())
        };
        let groups = self.config["fixed"]["groups"].as_array();
        let parents: Vec<&Value> = groups.into_iter().flatten().filter(rated).collect();
        let mut anew = Vec::new();
        for (scheduler, track) in schedulers.iter_mut().zip(&checked.schedulers) {
            let Some(name) = &track.group else {
                if !scheduler.branch_from(&record(0), true)? {
                    anew.push("the schedule".to_owned());
                }
                continue;
            };
            let mut groups = checked.groups.iter();
            let group = groups.find(|group| group.name() == name);
            let own = group.is_some_and(|group| group.schedule().is_some());
            let before = parents.iter().position(|parent| parent["name"] == **name);
            let was_own = before.is_some_and(|at| !parents[at]["schedule"].is_null());
            // A group without a schedule has that of all, and what its plateaus have heard.
            let (number, plateaus) = match before {
                Some(at) if own == was_own => (at + 1, true),
                _ => (0, !own),
            };
            if !scheduler.branch_from(&record(number), plateaus)? {
                anew.push(format!("group {name:?}"));
            }
        }
        Ok(anew)
    }

    /// Whether the models of the last so many epochs are there, the checkpoint's own included: the parent may
    /// have branched off another one with some of them.
    pub(super) fn check_last(&self, epochs: usize, history: &History) -> Result<(), TrainingError> {
        let kept = self.store.epochs();
        let last = self.checkpoint.epoch;
        let first = (last + 1).saturating_sub(epochs).max(1);
        let begun = history.branches.last().map_or(0, |branch| branch.epoch);
        let gone = (first.max(begun)..=last).find(|epoch| !kept.contains(epoch));
        gone.map_or(Ok(()), |gone| {
            Err(TrainingError::NoCheckpoint {
                path: self.store.directory().to_owned(),
                expected: format!("that of epoch {gone}, for the mean of the last {epochs},"),
                kept,
            })
        })
    }

    /// The average that the parent was to make, if it was, and this version knows it.
    pub(super) fn average(&self) -> Option<Average> {
        serde_json::from_value(self.config["fixed"]["average"].clone()).ok()
    }

    /// Whether an optimizer of the parent kept an average itself.
    pub(super) fn optimizer_keeps_average(&self) -> bool {
        keeps_average(&self.config)
    }

    /// The part of the parent's checkpoints that `keep` goes by.
    pub(super) fn best_part(&self, keep: &KeepPolicy) -> &'static str {
        best_part_of(
            self.average().as_ref(),
            self.optimizer_keeps_average(),
            keep,
        )
    }

    pub(super) fn lineage(
        &self,
        history: &History,
        changes: Vec<SettingChange>,
    ) -> Result<Lineage, TrainingError> {
        let epoch = self.checkpoint.epoch;
        Ok(Lineage {
            parent: self.directory.path().display().to_string(),
            epoch,
            updates: history.epochs.last().map_or(0, |last| last.updates),
            sha256: self.store.checksum(epoch)?,
            changes,
        })
    }
}
