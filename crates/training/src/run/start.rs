//! Where a run begins: at its first epoch, or where its newest checkpoint ends.

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::train::LearnerModel;
use burn_lr_scheduler::Run;

use super::averages::Averages;
use super::resume::{Contents, Newest, SavedHistory, newest};
use super::schedulers;
use super::spec::Spec;
use super::tracking::Tracking;
use super::tracks::Track;
use super::training::Training;
use super::within::Within;
use crate::TrainingError;
use crate::checkpoint::{CheckpointStore, KeepPolicy, PARTS, PARTS_WITHIN};
use crate::feedback::FeedbackScheduler;
use crate::metrics::{History, MetricsLog};
use crate::notices::Notices;
use crate::optim::{OptimError, ResolvedGroups};
use crate::storage::set_aside_with_sum;
use crate::track::RunStart;

/// What the Learner starts with.
pub(super) struct Start<M> {
    pub model: M,
    pub history: History,
    pub log: MetricsLog,
    /// How far the next epoch has come, if it has.
    pub within: Option<Within>,
    /// The scheduler of all parameters, then those of groups.
    pub schedulers: Vec<FeedbackScheduler>,
    /// What is told to each of them.
    pub tracks: Vec<Track>,
}

impl<M: Module> Start<M> {
    /// The start of a run's first epoch.
    pub(super) fn new(model: M, schedulers: Vec<schedulers::Track>) -> Self {
        let mut start = Self {
            model,
            history: History::default(),
            log: MetricsLog::default(),
            within: None,
            schedulers: Vec::new(),
            tracks: Vec::new(),
        };
        (start.schedulers, start.tracks) = schedulers::Track::connected(schedulers);
        start
    }

    /// What `newest` holds, if there is one, with a history that `may_go_on`, with the optimizer of a model that is
    /// made by `optimizer`, and `averages` set to what it holds of them.
    pub(super) fn restored(
        mut self,
        optimizer: impl FnOnce(&M) -> Result<ModuleOptimizer, OptimError>,
        averages: Option<&Averages<M>>,
        newest: Option<Newest>,
        store: &CheckpointStore,
        notices: &Notices,
        may_go_on: impl FnOnce(&History) -> Result<(), TrainingError>,
    ) -> Result<Self, TrainingError> {
        if let Some(Newest { checkpoint, within }) = newest {
            let saved = Contents::new(checkpoint, store);
            let SavedHistory { history, log } = saved.history()?;
            may_go_on(&history)?;
            self.model = saved.model(&self.model)?;
            saved.optimizer(optimizer(&self.model)?)?;
            saved.schedulers(&mut self.schedulers)?;
            if let Some(averages) = averages {
                averages.restore(&saved, &self.model)?;
            }
            self.history = history;
            self.log.restore(log);
            saved.announce(within.as_ref(), notices);
            self.within = within;
        } else {
            may_go_on(&self.history)?;
        }
        Ok(self)
    }

    /// How many epochs are complete.
    pub(super) fn done(&self) -> usize {
        self.history.epochs.len()
    }

    /// Hands over the schedulers as Burn takes them, each with the parameters that it is of.
    pub(super) fn scheduler(&mut self, groups: &ResolvedGroups) -> ModuleLrScheduler {
        let schedulers = std::mem::take(&mut self.schedulers);
        let mut schedulers = schedulers.into_iter().zip(&self.tracks);
        let Some((base, _)) = schedulers.next() else {
            unreachable!("there is a schedule of all parameters");
        };
        let mut all = ModuleLrScheduler::new(base);
        for (of_group, track) in schedulers {
            let name = track.group.as_deref();
            if let Some(group) = groups.iter().find(|group| Some(group.name()) == name) {
                all = all.with_group(group.param_group(), of_group);
            }
        }
        all
    }
}

impl<M: LearnerModel> Training<M> {
    /// The checkpoints of this run, and the one to be continued from.
    ///
    /// # Errors
    /// [`TrainingError::RunExists`] if there is a run that the caller did not ask to resume, or what
    /// keeps it from being resumed.
    pub(super) fn opened(
        &self,
        spec: &Spec,
    ) -> Result<(CheckpointStore, Option<Newest>), TrainingError> {
        let notices = &self.hooks.notices();
        let store =
            CheckpointStore::open_with(self.directory.checkpoints(), &PARTS, self.more_parts())?
                .with_keep(spec.keep().clone())
                .with_notices(notices.clone())
                .trusting_older(self.hooks.trusts_older);
        let store = self.with_within(store, self.hooks.checkpoint_every.is_some())?;
        let checkpoint = if self.resume {
            let earlier = |saved: &Contents<'_>| self.check_earlier(saved);
            newest(&self.directory, Some(&store), spec, notices, &earlier)?
        } else {
            self.check_no_run(Some(&store))?;
            None
        };
        Ok((store, checkpoint))
    }

    /// `store` with the checkpoints within epochs, if there are any, or there `will_be`.
    pub(super) fn with_within(
        &self,
        store: CheckpointStore,
        will_be: bool,
    ) -> Result<CheckpointStore, TrainingError> {
        let path = self.directory.within_epoch();
        // On several devices epochs are begun at their beginning.
        if self.place.workers() > 1 || (!will_be && !path.exists()) {
            return Ok(store);
        }
        let within = CheckpointStore::open_within(&path, &PARTS_WITHIN, self.more_parts())?;
        Ok(store.with_within(within.with_notices(self.hooks.notices())))
    }

    /// Says if the best epoch of `history` by what `keep` goes by now was not kept, since it went by
    /// something else then. A checkpoint without metrics cannot be judged.
    pub(super) fn tell_lost_best(
        &self,
        store: &CheckpointStore,
        keep: &KeepPolicy,
        history: &History,
    ) {
        let Some(best) = &keep.best else { return };
        let lost = best.of(history).map(|epoch| epoch.epoch);
        let kept = store.best().map(|(epoch, _)| epoch);
        if let Some(lost) = lost
            && kept != Some(lost)
            && !store.epochs().contains(&lost)
        {
            let path = self.directory.best_model();
            let kept = kept.map_or_else(String::new, |epoch| {
                format!(", and will be of epoch {epoch}")
            });
            self.hooks.notices().say(&format!(
                "{} cannot be of epoch {lost}, the best by {}, whose checkpoint was not kept{kept}",
                path.display(),
                best.metric
            ));
        }
    }

    /// Moves out of the way, but keeps, what a run that goes on after epoch `done` must not find:
    /// newer checkpoints, which are damaged or of a run that was given up, and if it starts at epoch
    /// 1 all results. Those within epochs that are over are deleted; `within` is the update of the one that
    /// it goes on after.
    pub(super) fn clear(
        &self,
        store: &CheckpointStore,
        history: &History,
        within: Option<u64>,
    ) -> Result<(), TrainingError> {
        let done = history.epochs.len();
        let mut aside = store.set_aside_after(done)?;
        if let Some(of_epochs) = store.within() {
            let index = |updates: u64| usize::try_from(updates).unwrap_or(usize::MAX);
            let over = history.ends().last().copied().unwrap_or(0);
            of_epochs.forget_until(index(over))?;
            aside.extend(of_epochs.set_aside_after(index(within.unwrap_or(over)))?);
        }
        if done == 0 && within.is_none() {
            for path in self.directory.results() {
                aside.extend(set_aside_with_sum(&path)?);
            }
        }
        for path in aside {
            let notice = format!("set aside as {}", path.display());
            self.hooks.notices().say(&notice);
        }
        Ok(())
    }

    /// Tells the trackers where the run goes on, `within` an epoch after that update, until epoch `last`, and what
    /// `config` it has.
    pub(super) fn begin_tracking(
        &self,
        tracking: &Tracking,
        run: &Run,
        config: &[u8],
        start: &Start<M>,
        (last, within): (usize, Option<u64>),
    ) {
        // It was written a moment ago.
        let config = serde_json::from_slice(config).unwrap_or_default();
        let mut begin = RunStart::new(self.directory.path(), &config, &start.history, last);
        let in_epochs = || run.updates_per_epoch()?.checked_mul(run.epochs()?);
        begin.updates = run.updates().or_else(in_epochs);
        if let Some(update) = within {
            begin.updates_before = update;
        }
        tracking.begin(&begin, start.tracks.clone());
    }
}
