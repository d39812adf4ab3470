//! What the base makes, and what a candidate makes of it.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use burn::train::LearnerModel;
use burn_lr_training::checkpoint::KeepPolicy;
use burn_lr_training::metrics::Best;
use burn_lr_training::{Training, draw_weights};

use crate::candidate::Candidate;
use crate::candidate::Setup;
use crate::error::{BaseError, ExperimentError};

/// A backend has one generator of random numbers for all threads: initial weights are drawn by one
/// trial at a time.
static GENERATOR: Mutex<()> = Mutex::new(());

/// The training of a candidate under a seed, and its model with its initial weights drawn. It keeps all
/// checkpoints if it is a `trunk`; where it branches off, if it does, is left to the caller.
pub(crate) fn prepared<F, M>(
    base: &F,
    directory: &Path,
    seed: u64,
    candidate: &Candidate,
    best: &Best,
    trunk: bool,
) -> Result<(Training<M>, M), ExperimentError>
where
    M: LearnerModel,
    F: Fn(&Setup) -> Result<(Training<M>, M), BaseError>,
{
    let (training, model) = made(base, directory, seed, candidate)?;
    let kept = training.kept().cloned().unwrap_or(KeepPolicy::last(1));
    let keep = if trunk { KeepPolicy::all() } else { kept };
    let mut training = training
        .in_directory(directory)
        .keep(keep.with_best(best.clone()));
    if let Some(schedule) = &candidate.schedule {
        training = training.schedule(schedule.clone());
    }
    if let Some(optimizer) = &candidate.optimizer {
        training = training.optimizer(optimizer.clone());
    }
    if candidate.branch.is_none() {
        training = training.unbranched();
    }
    if let Some(epochs) = candidate.epochs {
        training = training.epochs(epochs);
    }
    Ok((training, model))
}

/// What the base makes, its initial weights drawn.
pub(crate) fn made<F, M>(
    base: &F,
    directory: &Path,
    seed: u64,
    candidate: &Candidate,
) -> Result<(Training<M>, M), ExperimentError>
where
    M: LearnerModel,
    F: Fn(&Setup) -> Result<(Training<M>, M), BaseError>,
{
    let setup = Setup::new(directory, seed, candidate);
    let _alone = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    let (training, model) = base(&setup).map_err(|source| ExperimentError::Base {
        candidate: candidate.name.clone(),
        seed,
        source,
    })?;
    if let Some((name, read)) = setup.unread() {
        let candidate = candidate.name.clone();
        return Err(ExperimentError::UnreadSetting {
            candidate,
            name,
            read,
        });
    }
    draw_weights(&model);
    Ok((training, model))
}
