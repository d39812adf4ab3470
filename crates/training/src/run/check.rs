//! What can be refused before anything is written.

use burn::train::LearnerModel;
use burn_lr_scheduler::{Clock, Run};

use super::batch_growth::Counted;
use super::extent::{Extent, Period};
use super::period::Periods;
use super::resume::{Contents, Newest, newest};
use super::schedulers::{Track, with_clock};
use super::spec::Spec;
use super::stop;
use super::training::Training;
use crate::TrainingError;
use crate::checkpoint::{CheckpointStore, PARTS};
use crate::loader::{Loader, LoaderDescription};
use crate::notices::Notices;
use crate::optim::{Group, NonFinite, OptimError, ResolvedGroups, parameters};
use crate::weights::draw_weights;

impl<M: LearnerModel> Training<M> {
    /// Whether [`fit`](Self::fit) would train `model`: everything that can be known without
    /// training or writing anything. Of the model, weights that were not drawn yet are drawn, as `fit`
    /// [draws](crate::draw_weights) them.
    ///
    /// # Errors
    /// As for `fit`, naming the setting that is wrong. What is known only once a run begins is not
    /// among them: another run at work in the directory, and which metrics are registered.
    pub fn check(&self, model: &M) -> Result<(), TrainingError> {
        if self.resume {
            return self.can_resume(model);
        }
        stop::check(&self.hooks.interrupter)?;
        let checked = self.checked(model)?;
        self.check_no_run(self.store()?.as_ref())?;
        self.check_beginning(&checked)
    }

    /// Whether the run in the directory, if there is one, is of this configuration and could be
    /// continued. Nothing is changed but the model, as by [`check`](Self::check), nor said.
    ///
    /// # Errors
    /// As for `fit` with [`resume`](Self::resume).
    pub fn can_resume(&self, model: &M) -> Result<(), TrainingError> {
        stop::check(&self.hooks.interrupter)?;
        let checked = self.checked(model)?;
        let store = self.store()?;
        let silent = Notices::new(|_| {});
        let earlier = |saved: &Contents<'_>| self.check_earlier(saved);
        let newest = newest(
            &self.directory,
            store.as_ref(),
            &checked.spec,
            &silent,
            &earlier,
        )?;
        let (Some(Newest { checkpoint, .. }), Some(store)) = (newest, store) else {
            return self.check_beginning(&checked);
        };
        let saved = Contents::new(checkpoint, &store);
        let history = saved.history()?.history;
        self.check_going_on(&history, checked.run, checked.periods.as_ref())?;
        // Not the model: Burn's clones share the running averages of a batch norm, which it would get.
        let (mut schedulers, _) = Track::connected(checked.schedulers);
        // One that is made for the restored model may go by its ids.
        match self.plan.optimizer.assembled(&checked.groups, None) {
            Err(OptimError::NeedsModel) => {}
            assembled => saved.optimizer(assembled?.0)?,
        }
        saved.schedulers(&mut schedulers)?;
        if let Some(averages) = self.averages(model)? {
            averages.restore(&saved, model)?;
        }
        Ok(())
    }

    /// Whether the directory has a complete checkpoint.
    pub(super) fn has_checkpoint(&self) -> Result<bool, TrainingError> {
        let store = self.store()?;
        Ok(store.is_some_and(|store| !store.epochs().is_empty()))
    }

    /// The checkpoints in the directory, if there is any: opening them would make it.
    fn store(&self) -> Result<Option<CheckpointStore>, TrainingError> {
        let directory = self.directory.checkpoints();
        let store = directory.exists();
        let store = store.then(|| CheckpointStore::open_with(directory, &PARTS, self.more_parts()));
        let store = store.transpose()?;
        store
            .map(|store| self.with_within(store, false))
            .transpose()
    }

    /// Whether the directory, with the checkpoints of `store`, holds no run.
    pub(super) fn check_no_run(
        &self,
        store: Option<&CheckpointStore>,
    ) -> Result<(), TrainingError> {
        let within = store.and_then(CheckpointStore::within);
        let has_any = |store: &CheckpointStore| !store.epochs().is_empty();
        let has_checkpoints = [store, within.as_ref()].into_iter().flatten().any(has_any);
        if self.directory.config().exists() || has_checkpoints {
            return Err(TrainingError::RunExists {
                path: self.directory.path().to_owned(),
            });
        }
        Ok(())
    }

    pub(super) fn checked(&self, model: &M) -> Result<Checked, TrainingError> {
        let (run, periods) = self.run()?;
        if let Some(branch) = &self.plan.branch {
            branch.check_place(self.directory.path())?;
        }
        let plan = &self.plan;
        let mut groups = ResolvedGroups::resolve(&plan.optimizer, &plan.groups, model)?;
        let params = parameters(model);
        if !params.iter().any(|param| param.trainable) {
            let parameters = params.len();
            return Err(TrainingError::AllFrozen { parameters });
        }
        let schedulers = self.schedulers(run, &mut groups)?;
        let notices = self.check_optimizer(&schedulers, run)?;
        if let Some(clip) = &self.plan.clip {
            clip.check()?;
        }
        // Also for a model that is only asked about: it is left as a run would have it.
        draw_weights(model);
        self.check_average(periods.as_ref(), model)?;
        let inexact = self.inexactness(model, &groups);
        if self.strict && !inexact.is_empty() {
            return Err(TrainingError::Inexact { reasons: inexact });
        }
        let spec = Spec::new(self, run, periods.as_ref(), &groups, model);
        Ok(Checked {
            run,
            periods,
            groups,
            schedulers,
            inexact,
            spec,
            notices,
        })
    }

    /// The run as schedules see it, and its periods if it is measured in updates.
    fn run(&self) -> Result<(Run, Option<Periods>), TrainingError> {
        let at_least_one = |name, value: usize| match value {
            0 => Err(TrainingError::Invalid {
                name,
                expected: "at least 1",
                found: "0".to_owned(),
            }),
            _ => Ok(value),
        };
        at_least_one("track_every", usize::from(self.hooks.track_every > 0))?;
        let in_updates = self.is_in_updates();
        let endless = in_updates && self.train.may_be_endless();
        if endless {
            self.train.check()?;
        } else {
            check_samples("training samples", &self.train, self.place.workers())?;
        }
        // On one device, however many there are.
        check_samples("validation samples", &self.valid, 1)?;
        let accumulation = at_least_one("gradient accumulation", self.plan.grads_accumulation)?;
        if let Extent::Epochs(epochs) = self.plan.extent {
            at_least_one("epochs", epochs)?;
        }
        let batches = self.train.batches_for_devices(self.place.workers());
        // None are those of a stream that counts nothing.
        let batches = batches.filter(|&(_, batches)| batches > 0 || !endless);
        self.place.check(batches)?;
        if self.place.workers() > 1 {
            self.check_gradients_of_several_devices()?;
        }
        self.check_growth()?;
        let mut run = Run::per_update();
        if let Some((_, batches)) = batches.filter(|_| self.plan.batch_growth.is_none()) {
            at_least_one("training batches", batches)?;
            run = run.with_updates_per_epoch(batches.div_ceil(accumulation) as u64);
        }
        let clock = self.plan.schedule.clock;
        let own = self.plan.groups.iter().flat_map(Group::own_schedules);
        let own = own.chain(self.plan.scheduled.values());
        let mut clocks = own.map(|schedule| schedule.clock).chain([clock]);
        let by_epochs = clocks.any(|clock| clock == Clock::PerEpoch);
        if by_epochs && self.plan.batch_growth.is_some() {
            return Err(TrainingError::Invalid {
                name: "batch growth",
                expected: "schedules that advance by updates",
                found: "one that advances by epochs, whose updates are not known".to_owned(),
            });
        }
        if batches.is_none() && by_epochs {
            return Err(TrainingError::Invalid {
                name: "batches of an epoch",
                expected: "a loader that tells them, for a schedule that advances per epoch",
                found: if self.place.workers() > 1 {
                    "one that does not for several devices: say how many samples a batch has by \
                     Loader::with_batch_size"
                } else {
                    "one that does not: say them by Loader::with_batches"
                }
                .to_owned(),
            });
        }
        let periods = self.periods(batches.map(|(_, batches)| batches as u64))?;
        run = match (&periods, self.plan.extent) {
            (_, Extent::Epochs(epochs)) => run.with_epochs(epochs as u64),
            (Some(periods), _) => run.with_updates(periods.updates()),
            (None, _) => run,
        };
        Ok((with_clock(clock, run), periods))
    }

    /// Whether updates can have a changing number of batches.
    fn check_growth(&self) -> Result<(), TrainingError> {
        let Some(growth) = &self.plan.batch_growth else {
            return Ok(());
        };
        growth.check()?;
        let invalid = |expected, found: &str| {
            Err(TrainingError::Invalid {
                name: "batch growth",
                expected,
                found: found.to_owned(),
            })
        };
        if self.plan.grads_accumulation > 1 {
            return invalid("no gradient accumulation beside it", "both");
        }
        if self.place.workers() > 1 {
            return invalid("a single device", "several");
        }
        let in_updates = matches!(self.plan.every, None | Some(Period::Updates(_)));
        let extent = !matches!(self.plan.extent, Extent::Samples(_));
        let in_epochs = matches!(self.plan.extent, Extent::Epochs(_)) && self.plan.every.is_some();
        if !in_updates || !extent || in_epochs {
            return invalid(
                "a run in epochs, or one whose length and periods are in updates",
                "a length or a period in another unit, whose updates are not known",
            );
        }
        if growth.counted == Counted::Samples && !self.is_in_updates() && self.train.samples() == 0
        {
            return invalid("a loader that counts its samples", "one that does not");
        }
        if self.is_in_updates() && self.plan.every.is_none() {
            return invalid("periods in updates, by Training::every", "none");
        }
        Ok(())
    }

    /// Burn's strategies for several devices make the update themselves.
    fn check_gradients_of_several_devices(&self) -> Result<(), TrainingError> {
        let one_device = |name, found: &str| TrainingError::Invalid {
            name,
            expected: "a single device",
            found: format!("{found} on {} devices", self.place.workers()),
        };
        if self.plan.clip.is_some() {
            return Err(one_device("clip_gradients", "clipping over all parameters"));
        }
        if self.plan.non_finite != NonFinite::Propagate {
            return Err(one_device("non_finite", "a check of every update"));
        }
        if self.plan.average.is_some() {
            return Err(one_device("average", "an average of weights"));
        }
        if self.hooks.checkpoint_every.is_some() {
            return Err(one_device("checkpoint_every", "checkpoints by time"));
        }
        Ok(())
    }
}

/// Whether an epoch of `loader` visits any, on so many devices, to which Burn gives shares of them.
fn check_samples<B: Send + 'static>(
    name: &'static str,
    loader: &Loader<B>,
    devices: usize,
) -> Result<(), TrainingError> {
    loader.check()?;
    if loader.samples() > 0 || (devices == 1 && loader.has_batches()) {
        return Ok(());
    }
    let LoaderDescription {
        drop_last,
        available,
        batch_size,
        ..
    } = loader.description();
    let found = match (drop_last, available, batch_size) {
        (Some(true), Some(1..), Some(size)) => {
            format!("0: drop_last leaves out the only batch, which has fewer than {size}")
        }
        // Only an EpochLoader knows.
        (None, ..) => {
            "0: on a single device, a stream that cannot count them is told its batches by \
             Loader::with_batches"
                .to_owned()
        }
        _ => "0".to_owned(),
    };
    Err(TrainingError::Invalid {
        name,
        expected: "at least 1",
        found,
    })
}

/// What [`Training::checked`] has found to be sound.
pub(super) struct Checked {
    pub run: Run,
    /// Of a run that is measured in updates.
    pub periods: Option<Periods>,
    pub groups: ResolvedGroups,
    /// The schedulers of Burn's `ModuleLrScheduler`, in its order.
    pub schedulers: Vec<Track>,
    /// Why the run may not be exactly repeatable.
    pub inexact: Vec<String>,
    pub spec: Spec,
    /// What is to be said of a schedule that is not for the optimizer.
    pub notices: Vec<String>,
}
