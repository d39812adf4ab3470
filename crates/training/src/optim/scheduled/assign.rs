//! Which schedule sets what in which optimizer of a run.

use burn_lr_scheduler::Scheduler;

use super::super::config::OptimizerConfig;
use super::super::error::OptimError;
use super::super::hyperparameter::Hyperparameter;
use super::super::resolved::{ResolvedGroup, ResolvedGroups};
use super::dial::Knob;

impl ResolvedGroups {
    /// Whether each group that schedules hyperparameters has an optimizer of its own for them, where no earlier
    /// group has another one.
    pub(in crate::optim) fn check_scheduled(&self) -> Result<(), OptimError> {
        let scheduled = |group: &&ResolvedGroup| group.is_the_runs && !group.scheduled.is_empty();
        for (at, group) in self.groups.iter().enumerate() {
            if scheduled(&group) {
                self.check_is_the_runs(at)?;
            }
        }
        Ok(())
    }

    /// Whether the parameters of a group have the run's optimizer before it, with nothing that it would take from them.
    fn check_is_the_runs(&self, at: usize) -> Result<(), OptimError> {
        let group = &self.groups[at];
        for path in &group.paths {
            let owns = |other: &&ResolvedGroup| other.optimizer.is_some() && other.has(path);
            if self.groups[at + 1..].iter().any(|later| owns(&later)) {
                continue;
            }
            let other = self.groups[..at].iter().rev().find(owns);
            if let Some(other) = other.filter(|other| group.would_change(other)) {
                return Err(OptimError::NeedsOptimizer {
                    group: group.name.clone(),
                    other: other.name.clone(),
                    path: path.clone(),
                });
            }
        }
        Ok(())
    }

    /// Whether each parameter's momentum goes by the schedule of its rate, of which `cycles` says by the name of the
    /// group that has it whether it sets one.
    fn check_cycled(&self, cycles: impl Fn(Option<&str>) -> bool) -> Result<(), OptimError> {
        let own = |group: &&ResolvedGroup| group.schedule.is_some();
        for path in self.groups.iter().flat_map(|group| &group.paths) {
            let optimizer = self.optimizer_group(path);
            let rate = self.rate_group(path);
            let [set_by, wanted] = [optimizer, rate].map(|group| {
                let group = group.filter(own);
                group.map(|group| group.name.as_str())
            });
            if set_by == wanted || !(cycles(set_by) || cycles(wanted)) {
                continue;
            }
            let name = |group: &ResolvedGroup| group.name.clone();
            return Err(OptimError::NeedsOptimizer {
                group: rate.or(optimizer).map(name).unwrap_or_default(),
                other: optimizer.or(rate).map(name).unwrap_or_default(),
                path: path.clone(),
            });
        }
        Ok(())
    }

    /// Has what the schedule of the rate sets beside it reach the optimizers whose rate it is: the knobs for the
    /// run's schedule, and those for the groups that have schedules of their own.
    ///
    /// `rates` are the scheduler of all parameters, by `None`, and those of groups.
    ///
    /// # Errors
    /// [`OptimError::NoMomentum`] if an optimizer has none, [`OptimError::TwoSchedules`] if that has a schedule,
    /// [`OptimError::NeedsOptimizer`] if a group with a cycle of its own has parameters of other groups' optimizers.
    pub(crate) fn cycle(
        &mut self,
        optimizer: &OptimizerConfig,
        rates: &[(Option<String>, &Scheduler)],
        run_schedules_momentum: bool,
    ) -> Result<Vec<Vec<Knob>>, OptimError> {
        let cycles = |name: Option<&str>| {
            let mut rates = rates.iter();
            let of = rates.find(|(group, _)| group.as_deref() == name);
            of.is_some_and(|(_, scheduler)| scheduler.has_momentum())
        };
        let of_run = cycles(None);
        let mut knobs = vec![Vec::new(); rates.len()];
        let momentum = Hyperparameter::Momentum;
        if of_run {
            optimizer.check_cycles()?;
            if run_schedules_momentum {
                return Err(OptimError::TwoSchedules {
                    of: momentum.name(),
                });
            }
            knobs[0].push(self.dial.get_or_insert_default().knob(momentum));
        }
        for at in 0..self.groups.len() {
            let group = &self.groups[at];
            let own = group.schedule.is_some();
            let is_cycled = if own {
                cycles(Some(&group.name))
            } else {
                of_run
            };
            // With a schedule of its own that does not cycle, the run's must not reach it.
            let is_apart = own && group.optimizer.is_none() && (is_cycled || of_run);
            if is_apart {
                self.check_is_the_runs(at)?;
            }
            let group = &mut self.groups[at];
            if is_apart {
                group.optimizer = Some(optimizer.clone());
            }
            let Some(of_group) = group.optimizer.as_ref().filter(|_| is_cycled) else {
                continue;
            };
            let error = |source| OptimError::Group {
                group: group.name.clone(),
                source: Box::new(source),
            };
            of_group.check_cycles().map_err(error)?;
            // The run's schedule of it reaches the group's optimizer too.
            let follows = run_schedules_momentum && group.is_the_runs;
            if follows || group.scheduled.contains_key(&momentum) {
                return Err(error(OptimError::TwoSchedules {
                    of: momentum.name(),
                }));
            }
            let mut names = rates.iter().map(|(name, _)| name.as_deref());
            let of_rate = names.position(|name| own && name == Some(&group.name));
            let of_rate = of_rate.unwrap_or(0);
            knobs[of_rate].push(group.dial.get_or_insert_default().knob(momentum));
        }
        self.check_cycled(cycles)?;
        Ok(knobs)
    }

    /// Where the run's schedule of a hyperparameter goes: to its own optimizer, and to that of groups which is the
    /// same but for what they say.
    ///
    /// # Errors
    /// [`OptimError::NoHyperparameter`] if the optimizer does not have it.
    pub(crate) fn schedule(
        &mut self,
        optimizer: &OptimizerConfig,
        of: Hyperparameter,
    ) -> Result<Vec<Knob>, OptimError> {
        optimizer.check_has(of)?;
        let mut knobs = vec![self.dial.get_or_insert_default().knob(of)];
        for group in &mut self.groups {
            let decays = of != Hyperparameter::WeightDecay || !group.without_decay;
            let follows = group.is_the_runs && !group.scheduled.contains_key(&of) && decays;
            if group.optimizer.is_some() && follows {
                knobs.push(group.dial.get_or_insert_default().knob(of));
            }
        }
        Ok(knobs)
    }

    /// Where the schedules of groups go.
    pub(crate) fn schedule_of_groups(&mut self) -> Vec<(Hyperparameter, Knob, ResolvedGroup)> {
        let mut knobs = Vec::new();
        for group in &mut self.groups {
            for &of in group.scheduled.keys() {
                let knob = group.dial.get_or_insert_default().knob(of);
                knobs.push((of, knob, group.clone()));
            }
        }
        knobs
    }
}

impl ResolvedGroup {
    /// Whether parameters of `other` would have another optimizer if they had the run's here.
    fn would_change(&self, other: &Self) -> bool {
        let mut scheduled = other.scheduled.keys();
        !other.is_the_runs
            || (other.without_decay && !self.without_decay)
            || scheduled.any(|of| !self.scheduled.contains_key(of))
    }
}
