//! Runs that begin at a checkpoint of another.

use std::collections::BTreeMap;

use burn::optim::lr_scheduler::LrSchedulerRecord;
use burn::tensor::Bytes;
use burn::train::LearnerModel;
use serde_json::Value;

use super::branch::{At, Branch};
use super::changes::{Change, changes};
use super::check::Checked;
use super::directory::RunDirectory;
use super::resume::{Contents, SavedHistory};
use super::spec::Spec;
use super::start::Start;
use super::training::Training;
use crate::checkpoint::{
    CONFIG, Checkpoint, CheckpointStore, HISTORY, MODEL, OPTIM, PARTS, SCHEDULER,
};
use crate::error::TrainingError;
use crate::metrics::{History, Lineage, SettingChange};
use crate::notices::Notices;
use crate::storage::write_atomically;

/// What a branch may have otherwise than the run it comes from. Its model, its data and how many
/// batches make an update stay, or its checkpoint would be of something else.
const MAY_CHANGE: [&str; 5] = [
    "schedule",
    "optimizer",
    "clip_gradients",
    "non_finite",
    "observed",
];
const MAY_CHANGE_IN_A_GROUP: [&str; 4] = ["optimizer", "schedule", "lr_scale", "observed"];

impl Branch {
    /// The checkpoint, verified, with parts beside those of every run.
    fn origin(&self, more: &[&str]) -> Result<Origin, TrainingError> {
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

/// The first checkpoint of a branch.
struct First {
    parts: BTreeMap<&'static str, Vec<u8>>,
    /// What is to be said of it.
    notices: Vec<String>,
}

/// A checkpoint that is branched off.
struct Origin {
    directory: RunDirectory,
    store: CheckpointStore,
    checkpoint: Checkpoint,
    config: Value,
}

impl Origin {
    /// What `spec` sets otherwise.
    ///
    /// # Errors
    /// [`TrainingError::BranchChanged`] if that is not for a branch to change.
    fn changes(&self, spec: &Spec) -> Result<Vec<SettingChange>, TrainingError> {
        let current = spec.document(&self.directory)?;
        let mut allowed = Vec::new();
        for Change {
            field,
            saved,
            current,
        } in changes(&self.config["fixed"], &current["fixed"])
        {
            let places: Vec<&str> = field.split('.').collect();
            let may = match places[..] {
                ["groups", _, place, ..] => MAY_CHANGE_IN_A_GROUP.contains(&place),
                [place, ..] => MAY_CHANGE.contains(&place),
                [] => false,
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

    fn lineage(
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

impl<M: LearnerModel> Training<M> {
    /// What the branch begins with; nothing is written.
    fn branch_parts(
        &self,
        origin: &Origin,
        checked: &Checked,
        model: &M,
    ) -> Result<First, TrainingError> {
        let mut notices = Vec::new();
        let changes = origin.changes(&checked.spec)?;
        self.check_average_of_branch()?;
        let contents = Contents::new(origin.checkpoint.clone(), &origin.store);
        let SavedHistory { mut history, log } = contents.history()?;
        self.check_done(&history, checked.periods.as_ref())?;
        let restored = contents.model(model)?;
        contents.optimizer(self.plan.optimizer.build_for(&checked.groups, &restored)?)?;
        let epoch = origin.checkpoint.epoch;
        history.branches.push(origin.lineage(&history, changes)?);

        let part = |name: &str| {
            origin
                .checkpoint
                .parts
                .get(name)
                .cloned()
                .unwrap_or_default()
        };
        let records = LrSchedulerRecord::from_bytes(Bytes::from_bytes_vec(part(SCHEDULER)));
        let records = records.map_err(|error| contents.damaged(SCHEDULER, error))?;
        let mut start = Start::new(restored, checked.schedulers.clone());
        for (number, scheduler) in start.schedulers.iter_mut().enumerate() {
            if !scheduler.branch_from(&records.record(&number.to_string()))? {
                notices.push(format!(
                    "branching after epoch {epoch}: the plateaus of the schedule begin anew, for the parent \
                     had not as many"
                ));
            }
        }
        let record = start.scheduler(&checked.groups).to_record().into_bytes();
        let record = record.map_err(|error| contents.damaged(SCHEDULER, error))?;
        let spec = checked.spec.clone().with_branches(&history);
        let path = self.directory.path();
        let json = |value: Result<Vec<u8>, serde_json::Error>| {
            value.map_err(|error| TrainingError::file("write", path, error.into()))
        };
        let config = json(serde_json::to_vec_pretty(&spec.document(&self.directory)?))?;
        let history = json(serde_json::to_vec(&SavedHistory { history, log }))?;
        let parts = [
            (MODEL, part(MODEL)),
            (OPTIM, part(OPTIM)),
            (SCHEDULER, record.to_vec()),
            (HISTORY, history),
            (CONFIG, config),
        ];
        let more = self.more_parts().iter().map(|&name| (name, part(name)));
        Ok(First {
            parts: parts.into_iter().chain(more).collect(),
            notices,
        })
    }

    /// Whether a branch that has not begun can begin, as far as that can be known without its model: a
    /// copy of that would share the running averages of batch norms, and get others.
    pub(super) fn check_branch(&self, checked: &Checked) -> Result<(), TrainingError> {
        let Some(branch) = &self.plan.branch else {
            return Ok(());
        };
        let origin = branch.origin(&[])?;
        origin.changes(&checked.spec)?;
        self.check_average_of_branch()?;
        let contents = Contents::new(origin.checkpoint.clone(), &origin.store);
        self.check_done(&contents.history()?.history, checked.periods.as_ref())
    }

    /// A mean of checkpoints needs those before the one that is branched off.
    fn check_average_of_branch(&self) -> Result<(), TrainingError> {
        if !self.averages_checkpoints() {
            return Ok(());
        }
        Err(TrainingError::Invalid {
            name: "branch",
            expected: "a run without an average, or with one of its updates",
            found: "one that averages its last checkpoints".to_owned(),
        })
    }

    /// Begins the branch that the run is, unless it has begun: copies the checkpoint that it branches off.
    /// Gives whether it was begun just now.
    pub(super) fn begin_branch(&self, checked: &Checked, model: &M) -> Result<bool, TrainingError> {
        let Some(branch) = &self.plan.branch else {
            return Ok(false);
        };
        let checkpoints = self.directory.checkpoints();
        let store = CheckpointStore::open_with(checkpoints, &PARTS, self.more_parts())?
            .with_keep(checked.spec.keep().clone())
            .with_notices(self.hooks.notices());
        if !self.resume {
            self.check_no_run(Some(&store))?;
        }
        if store.newest_complete().0.is_some() {
            return Ok(false);
        }
        let origin = branch.origin(self.more_parts())?;
        let First { parts, notices } = self.branch_parts(&origin, checked, model)?;
        let epoch = origin.checkpoint.epoch;
        let said = self.hooks.notices();
        // What is there is damaged, or was left by a process that was killed.
        self.clear(&store, 0)?;
        for notice in notices {
            said.say(&notice);
        }
        let kept = origin.directory.best_model();
        let best = self.directory.best_model();
        let copied = self.best_part(checked.spec.keep());
        origin.store.copy_best_as_of(epoch, copied, &kept, &best)?;
        store.begin_as(&origin.store, epoch, &parts)?;
        if let Some(config) = parts.get(CONFIG) {
            write_atomically(&self.directory.config(), config)?;
        }
        said.say(&format!(
            "branching off {} after epoch {epoch}",
            branch.parent().display()
        ));
        Ok(true)
    }

    /// Whether a run with `history` comes from where it is said to.
    pub(super) fn check_lineage(&self, history: &History) -> Result<(), TrainingError> {
        let Some(branch) = &self.plan.branch else {
            return Ok(());
        };
        let lineage = history.branches.last();
        if lineage.is_some_and(|lineage| branch.is_of(lineage)) {
            return Ok(());
        }
        let saved = lineage.map_or_else(
            || "none".to_owned(),
            |of| format!("{} after epoch {}", of.parent, of.epoch),
        );
        Err(TrainingError::ConfigChanged {
            path: self.directory.config(),
            field: "branch".to_owned(),
            saved,
            current: format!("{}, {}", branch.parent.display(), branch.wanted()),
        })
    }

    /// What the parent of a branch that has not begun was configured with.
    pub(super) fn parents_seed(&self) -> Option<Option<u64>> {
        let branch = self.plan.branch.as_ref()?;
        Spec::saved(&RunDirectory::new(&branch.parent), None)
            .ok()??
            .seed()
    }
}
