//! Runs that begin at a checkpoint of another.

use std::collections::BTreeMap;

use burn::train::LearnerModel;

use super::check::Checked;
use super::directory::RunDirectory;
use super::origin::Origin;
use super::period::Periods;
use super::resume::{Contents, SavedHistory, newest};
use super::saved::Saved;
use super::schedulers::Track;
use super::start::Start;
use super::training::Training;
use crate::checkpoint::{CONFIG, CheckpointStore, HISTORY, MODEL, OPTIM, PARTS, SCHEDULER};
use crate::error::TrainingError;
use crate::metrics::History;
use crate::notices::Notices;
use crate::optim::OptimError;
use crate::storage::write_atomically;

/// The first checkpoint of a branch.
struct First {
    parts: BTreeMap<String, Vec<u8>>,
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
        let contents = Contents::new(origin.checkpoint.clone(), &origin.store);
        let SavedHistory { mut history, log } = contents.history()?;
        let periods = self.branch_periods(&mut history, checked)?;
        let average =
            self.inherited_average(origin, &contents, &history, checked.run, periods.as_ref())?;
        let restored = contents.model(model)?;
        contents.optimizer(
            self.plan
                .optimizer
                .assembled_for(&checked.groups, &restored)?
                .0,
        )?;
        let epoch = origin.checkpoint.epoch;
        history.branches.push(origin.lineage(&history, changes)?);
        self.check_done(&history, periods.as_ref())?;

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
        if average.is_anew {
            let notice = format!(
                "branching after epoch {epoch}: the average begins anew, for the parent's was another one"
            );
            notices.push(notice);
        }
        let record = start.scheduler(&checked.groups).to_record().into_bytes();
        let record = record.map_err(|error| contents.damaged(SCHEDULER, error))?;
        let last = self.last_epoch(periods.as_ref());
        let spec = checked.spec.clone().after(&history, last);
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
        let parts = parts.map(|(name, bytes)| (name.to_owned(), bytes));
        Ok(First {
            parts: parts.into_iter().chain(average.parts).collect(),
            notices,
        })
    }

    /// The periods in which a branch off a run with `history` goes on, if it does: where that was in epochs, it
    /// is counted in its data from here on.
    fn branch_periods(
        &self,
        history: &mut History,
        checked: &Checked,
    ) -> Result<Option<Periods>, TrainingError> {
        if let Some(periods) = &checked.periods {
            self.count_data(history, periods)?;
        }
        let periods = self.periods_after(checked.periods.as_ref(), history)?;
        let data = history.epochs.last().and_then(|last| last.data);
        if let (Some(periods), Some(data)) = (&periods, data) {
            periods.check_place(data.past())?;
        }
        Ok(periods)
    }

    /// Whether a run that has not begun can begin, and if it is a branch, as far as that can be known without
    /// its model: a copy of that would share the running averages of batch norms, and get others.
    pub(super) fn check_beginning(&self, checked: &Checked) -> Result<(), TrainingError> {
        let Some(branch) = &self.plan.branch else {
            return self.check_average_begins(checked.run, checked.periods.as_ref());
        };
        let origin = branch.origin(self.more_parts())?;
        let changes = origin.changes(&checked.spec)?;
        let contents = Contents::new(origin.checkpoint.clone(), &origin.store);
        let mut history = contents.history()?.history;
        let periods = self.branch_periods(&mut history, checked)?;
        self.inherited_average(&origin, &contents, &history, checked.run, periods.as_ref())?;
        history.branches.push(origin.lineage(&history, changes)?);
        self.check_done(&history, periods.as_ref())?;
        match self.plan.optimizer.assembled(&checked.groups, None) {
            // One that is made for the restored model may go by its ids.
            Err(OptimError::NeedsModel) => {}
            assembled => contents.optimizer(assembled?.0)?,
        }
        let (mut schedulers, _) = Track::connected(checked.schedulers.clone());
        origin.hand_over(&mut schedulers, checked).map(drop)
    }

    /// Begins the branch that the run is, unless it has begun: copies the checkpoint that it branches off.
    /// Gives whether it was begun just now.
    pub(super) fn begin_branch(&self, checked: &Checked, model: &M) -> Result<bool, TrainingError> {
        let Some(branch) = &self.plan.branch else {
            return Ok(false);
        };
        let open = |more: &[&str]| -> Result<CheckpointStore, TrainingError> {
            let checkpoints = self.directory.checkpoints();
            let store = CheckpointStore::open_with(checkpoints, &PARTS, more)?;
            let store = store.with_keep(checked.spec.keep().clone());
            self.with_within(store.with_notices(self.hooks.notices()), false)
        };
        let store = open(self.more_parts())?;
        if !self.resume {
            self.check_no_run(Some(&store))?;
        }
        // Also what is damaged may be of another run.
        let silent = Notices::new(|_| {});
        let earlier = |saved: &Contents<'_>| self.check_earlier(saved);
        let begun = newest(
            &self.directory,
            Some(&store),
            &checked.spec,
            &silent,
            &earlier,
        )?;
        if begun.is_some() {
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
        let keep = checked.spec.keep();
        let copied = self.best_part(keep);
        let judged = copied == origin.best_part(keep);
        if !judged {
            said.say(&format!(
                "branching after epoch {epoch}: {} begins anew, for its metric was of other weights before",
                best.display()
            ));
        }
        if judged && keep.best.is_some() {
            origin.store.copy_best_as_of(epoch, copied, &kept, &best)?;
        }
        // Also those that only a first checkpoint has.
        let names: Vec<&str> = parts.keys().map(String::as_str).collect();
        open(&names)?.begin_as(&origin.store, epoch, &parts, judged)?;
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
        Saved::begun(&RunDirectory::new(&branch.parent))
    }
}
