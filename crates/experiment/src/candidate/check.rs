//! What of a candidate can be seen to be wrong without its base.

use burn_lr_scheduler::{Clock, Clocked, Run, ScheduleError};
use burn_lr_training::TrainingError;

use super::definition::Candidate;

/// Batches of an epoch that a base may have; none is not to know them.
const UPDATES: [Option<u64>; 4] = [None, Some(1), Some(1000), Some(1_000_000)];

impl Candidate {
    /// Refuses what no base can be trained with.
    ///
    /// What depends on the base, such as the steps of a length in percent, is left to it, and so is
    /// whether the optimizer is fit for the model.
    pub(crate) fn check(&self) -> Result<(), TrainingError> {
        if self.epochs == Some(0) {
            return Err(TrainingError::Invalid {
                name: "epochs",
                expected: "at least 1",
                found: "0".to_owned(),
            });
        }
        if let Some(optimizer) = &self.optimizer {
            optimizer.check()?;
        }
        let schedule = self.schedule.as_ref();
        match schedule.and_then(|schedule| refusal(schedule, self.epochs)) {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }
}

/// What is wrong with `schedule` in every run of so many epochs. One of the caller's may ask for what is
/// not known before there is a base, so that no single run tells.
fn refusal(schedule: &Clocked, epochs: Option<usize>) -> Option<ScheduleError> {
    let epochs = match epochs {
        Some(epochs) => vec![Some(epochs as u64)],
        None => vec![None, Some(1), Some(1000)],
    };
    let mut first = None;
    for updates in UPDATES {
        let run = match (schedule.clock, updates) {
            (Clock::PerEpoch, None) => continue,
            (clock, Some(updates)) => Run::new(clock, updates),
            (_, None) => Run::per_update(),
        };
        for epochs in &epochs {
            let run = epochs.map_or(run, |epochs| run.with_epochs(epochs));
            match schedule.schedule.curve(&run) {
                Ok(_) | Err(ScheduleError::UnresolvedLength { .. }) => return None,
                Err(error) => first = first.or(Some(error)),
            }
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use burn::optim::SgdConfig;
    use burn_lr_scheduler::{CosineAnnealingLr, Length, ScheduleConfig, Sequence, StepLr};

    use super::*;

    fn path(schedule: impl Into<ScheduleConfig>, clock: Clock) -> Option<String> {
        let candidate = Candidate::new("a").schedule(Clocked::new(schedule, clock));
        let of = |candidate: Candidate| match candidate.check() {
            Ok(()) => None,
            Err(TrainingError::Schedule(ScheduleError::Invalid { path, .. })) => Some(path),
            other => panic!("{other:?}"),
        };
        let found = of(candidate.clone());
        assert_eq!(of(candidate.epochs(3)), found);
        found
    }

    #[test]
    fn what_is_wrong_in_every_run_is_named() {
        for clock in [Clock::PerEpoch, Clock::PerUpdate] {
            assert_eq!(path(StepLr::new(0.1, 2), clock), None);
            let zero = path(StepLr::new(0.1, 0), clock);
            assert_eq!(zero.as_deref(), Some("StepLr.step_size"));
            let negative = path(CosineAnnealingLr::new(-0.1, Length::Percent(100.0)), clock);
            assert_eq!(negative.as_deref(), Some("CosineAnnealingLr.initial_lr"));
            assert_eq!(
                path(CosineAnnealingLr::new(0.1, Length::Percent(50.0)), clock),
                None
            );
        }
    }

    #[test]
    fn what_depends_on_the_base_is_left_to_it() {
        let parts: [ScheduleConfig; 3] = std::array::from_fn(|_| StepLr::new(0.1, 1).into());
        // In order if an epoch has fewer than 5000 updates, and at least two.
        let milestones = [Length::Epochs(0.5), Length::Steps(2500)];
        let sequence = Sequence::new(parts, milestones);
        assert_eq!(path(sequence, Clock::PerUpdate), None);
    }

    #[test]
    fn epochs_and_optimizers_are_looked_at() {
        assert!(matches!(
            Candidate::new("a").epochs(0).check(),
            Err(TrainingError::Invalid { name: "epochs", .. })
        ));
        let unfit = SgdConfig::new()
            .with_weight_decay(Some(burn::optim::decay::WeightDecayConfig::new(-1.0)));
        assert!(matches!(
            Candidate::new("a").optimizer(unfit).check(),
            Err(TrainingError::Optim(_))
        ));
        assert!(Candidate::new("a").check().is_ok());
    }
}
