//! Runs that begin at a checkpoint of another.

use std::collections::BTreeMap;

use burn::train::LearnerModel;

use super::check::Checked;
use super::directory::RunDirectory;
use super::origin::Origin;
use super::resume::{Contents, SavedHistory, newest};
use super::spec::{Saved, Spec};
use super::start::Start;
use super::training::Training;
use crate::checkpoint::{CONFIG, CheckpointStore, HISTORY, MODEL, OPTIM, PARTS, SCHEDULER};
use crate::error::TrainingError;
use crate::feedback::FeedbackScheduler;
use crate::metrics::History;
use crate::notices::Notices;
use crate::optim::OptimError;
use crate::storage::write_atomically;

/// The first checkpoint of a branch.
struct First {
    parts: BTreeMap<&'static str, Vec<u8>>,
    /// What is to be said of it.
    notices: Vec<String>,
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
        let restored = contents.model(model)?;
        contents.optimizer(self.plan.optimizer.build_for(&checked.groups, &restored)?)?;
        let epoch = origin.checkpoint.epoch;
        history.branches.push(origin.lineage(&history, changes)?);
        self.check_done(&history, checked.periods.as_ref())?;

        let part = |name: &str| {
            origin
                .checkpoint
                .parts
                .get(name)
                .cloned()
                .unwrap_or_default()
        };
        let mut start = Start::new(restored, checked.schedulers.clone());
        let began_anew = origin.hand_over(&mut start.schedulers, checked)?;
        notices.extend(began_anew.into_iter().map(|of| {
            format!(
                "branching after epoch {epoch}: the plateaus of {of} begin anew, for the parent had not as many there"
            )
        }));
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
        let origin = branch.origin(self.more_parts())?;
        let changes = origin.changes(&checked.spec)?;
        self.check_average_of_branch()?;
        let contents = Contents::new(origin.checkpoint.clone(), &origin.store);
        let mut history = contents.history()?.history;
        history.branches.push(origin.lineage(&history, changes)?);
        self.check_done(&history, checked.periods.as_ref())?;
        match self.plan.optimizer.build(&checked.groups) {
            // One that is made for the restored model may go by its ids.
            Err(OptimError::NeedsModel) => {}
            optimizer => contents.optimizer(optimizer?)?,
        }
        let tracks = checked.schedulers.iter().cloned();
        let schedulers = tracks.map(|track| FeedbackScheduler::new(track.scheduler).0);
        let mut schedulers: Vec<_> = schedulers.collect();
        origin.hand_over(&mut schedulers, checked).map(drop)
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
        // Also what is damaged may be of another run.
        let silent = Notices::new(|_| {});
        if newest(&self.directory, Some(&store), &checked.spec, &silent)?.is_some() {
            return Ok(false);
        }
        let origin = branch.origin(self.more_parts())?;
        let First { parts, notices } = self.branch_parts(&origin, checked, model)?;
        let epoch = origin.checkpoint.epoch;
        let said = self.hooks.notices();
        // What is there is damaged, or was left by a process that was killed.
        self.clear(&store, &History::default(), None)?;
        for notice in notices {
            said.say(&notice);
        }
        let kept = origin.directory.best_model();
        let best = self.directory.best_model();
        if checked.spec.keep().best.is_some() {
            let copied = self.best_part(checked.spec.keep());
            origin.store.copy_best_as_of(epoch, copied, &kept, &best)?;
        }
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
        let lineage = history.branches.last();
        let current = match (&self.plan.branch, lineage) {
            (Some(branch), Some(lineage)) if branch.is_of(lineage) || branch.holds(lineage) => {
                return Ok(());
            }
            (Some(branch), _) => format!("{}, {}", branch.parent.display(), branch.wanted()),
            (None, Some(_)) if self.plan.unbranched => "none".to_owned(),
            (None, _) => return Ok(()),
        };
        let saved = lineage.map_or_else(
            || "none".to_owned(),
            |of| format!("{} after epoch {}", of.parent, of.epoch),
        );
        Err(TrainingError::ConfigChanged {
            path: self.directory.config(),
            field: "branch".to_owned(),
            saved,
            current,
        })
    }

    /// What the parent of a branch that has not begun was configured with.
    pub(super) fn parents_configuration(&self) -> Option<Saved> {
        let branch = self.plan.branch.as_ref()?;
        let parent = RunDirectory::new(&branch.parent);
        Spec::saved(&parent, None).ok().flatten()
    }
}
