//! The schedulers of a run: of the rate, of groups' rates, and of hyperparameters.

use burn::train::LearnerModel;
use burn_lr_scheduler::{Clock, Clocked, Run, Scaled, Scheduler};

use super::tracks;
use super::training::Training;
use crate::TrainingError;
use crate::feedback::FeedbackScheduler;
use crate::metrics::MetricKey;
use crate::optim::{Hyperparameter, Knob, OptimError, ResolvedGroups};

/// A scheduler that is sound, and what it sets.
#[derive(Clone)]
pub(super) struct Track {
    pub group: Option<String>,
    /// None for the rate.
    pub hyperparameter: Option<Hyperparameter>,
    pub observed: MetricKey,
    pub scheduler: Scheduler,
    /// Where the hyperparameter goes, or the momentum that comes with the rate.
    knobs: Vec<Knob>,
}

impl Track {
    /// The schedulers of rates as Burn's `ModuleLrScheduler` takes them, in its order, each with those of
    /// hyperparameters that go with it, and what all of `tracks` set.
    pub(super) fn connected(tracks: Vec<Self>) -> (Vec<FeedbackScheduler>, Vec<tracks::Track>) {
        let mut schedulers: Vec<FeedbackScheduler> = Vec::new();
        let mut connected = Vec::new();
        for track in tracks {
            let Self {
                group,
                hyperparameter,
                observed,
                scheduler,
                knobs,
            } = track;
            let feedback = match (hyperparameter, schedulers.first_mut()) {
                // The scheduler of all parameters advances in every update, whichever of them has a gradient.
                (Some(of), Some(first)) => {
                    first.lead(tracks::name(of, group.as_deref()), scheduler, knobs)
                }
                _ => {
                    let (scheduler, feedback) = FeedbackScheduler::new(scheduler);
                    schedulers.push(scheduler.with_momentum_to(knobs));
                    feedback
                }
            };
            connected.push(tracks::Track {
                group,
                hyperparameter,
                observed,
                feedback,
            });
        }
        (schedulers, connected)
    }
}

impl<M: LearnerModel> Training<M> {
    /// The schedulers of rates, that of all parameters first, and then those of hyperparameters, which set what
    /// `groups` are given for them.
    pub(super) fn schedulers(
        &self,
        run: Run,
        groups: &mut ResolvedGroups,
    ) -> Result<Vec<Track>, TrainingError> {
        let mut tracks = self.rates(run, groups)?;
        let rates = tracks.iter();
        let rates: Vec<_> = rates
            .map(|rate| (rate.group.clone(), &rate.scheduler))
            .collect();
        let plan = &self.plan;
        let scheduled = plan.scheduled.contains_key(&Hyperparameter::Momentum);
        let knobs = groups.cycle(&plan.optimizer, &rates, scheduled)?;
        for (track, knobs) in tracks.iter_mut().zip(knobs) {
            track.knobs = knobs;
        }
        for (&of, schedule) in &plan.scheduled {
            let knobs = groups.schedule(&plan.optimizer, of)?;
            let scheduler = scheduler(schedule, run)?;
            of.check(&scheduler)?;
            tracks.push(Track {
                group: None,
                hyperparameter: Some(of),
                observed: plan.observed.clone(),
                scheduler,
                knobs,
            });
        }
        for (of, knob, group) in groups.schedule_of_groups() {
            let name = group.name().to_owned();
            let error = |source| OptimError::Group {
                group: name.clone(),
                source: Box::new(source),
            };
            let Some(schedule) = group.scheduled().get(&of) else {
                continue;
            };
            let scheduler = scheduler(schedule, run)?;
            of.check(&scheduler).map_err(error)?;
            tracks.push(Track {
                observed: group.observed().unwrap_or(&plan.observed).clone(),
                group: Some(name),
                hyperparameter: Some(of),
                scheduler,
                knobs: vec![knob],
            });
        }
        Ok(tracks)
    }

    fn rates(&self, run: Run, groups: &ResolvedGroups) -> Result<Vec<Track>, TrainingError> {
        let plan = &self.plan;
        let mut rates = vec![Track {
            group: None,
            hyperparameter: None,
            observed: plan.observed.clone(),
            scheduler: Scheduler::new(plan.schedule.schedule.clone(), run)?,
            knobs: Vec::new(),
        }];
        for group in groups.iter().filter(|group| group.has_rate()) {
            let mut clocked = group.schedule().unwrap_or(&plan.schedule).clone();
            if group.lr_scale() != 1.0 {
                clocked.schedule = Scaled::new(clocked.schedule, group.lr_scale()).into();
            }
            let scheduler = scheduler(&clocked, run)?;
            let name = group.name().to_owned();
            if group.observed().is_some() && scheduler.plateaus().is_empty() {
                return Err(OptimError::NoPlateau { group: name }.into());
            }
            rates.push(Track {
                group: Some(name),
                hyperparameter: None,
                observed: group.observed().unwrap_or(&plan.observed).clone(),
                scheduler,
                knobs: Vec::new(),
            });
        }
        Ok(rates)
    }
}

fn scheduler(clocked: &Clocked, run: Run) -> Result<Scheduler, TrainingError> {
    let schedule = clocked.schedule.clone();
    Ok(Scheduler::new(schedule, with_clock(clocked.clock, run))?)
}

/// `run` with another clock.
pub(super) fn with_clock(clock: Clock, run: Run) -> Run {
    let mut run_of_clock = match (clock, run.updates_per_epoch()) {
        (Clock::PerEpoch, Some(updates)) => Run::per_epoch(updates),
        (_, Some(updates)) => Run::per_update().with_updates_per_epoch(updates),
        _ => Run::per_update(),
    };
    if let Some(epochs) = run.epochs() {
        run_of_clock = run_of_clock.with_epochs(epochs);
    }
    if let Some(updates) = run.updates() {
        run_of_clock = run_of_clock.with_updates(updates);
    }
    run_of_clock
}
