//! A choice on data that it was not made by.

use burn::train::LearnerModel;
use burn_lr_training::Training;
use burn_lr_training::checkpoint::{CheckpointStore, KeepPolicy};
use burn_lr_training::metrics::Metrics;
use burn_lr_training::run::RunDirectory;
use burn_lr_training::storage::load_model;

use super::experiment::Experiment;
use super::prepare::made;
use crate::candidate::Setup;
use crate::error::{BaseError, ExperimentError};
use crate::results::{At, Trial};
use crate::results::{Choice, Results, Tested};

impl<F, M> Experiment<F>
where
    M: LearnerModel,
    F: Fn(&Setup) -> Result<(Training<M>, M), BaseError> + Sync,
{
    /// Evaluates the chosen candidate's models on data that no choice was made by: each seed's best
    /// or last model, as the choice was made, which is the average of a training that validates its. The results keep what came of it.
    ///
    /// # Errors
    /// [`ExperimentError::Invalid`] if there is no such candidate, [`ExperimentError::NotKept`] if the best
    /// epoch of a trial is another one than when it was trained, [`ExperimentError::Training`]
    /// naming a model file that cannot be loaded, [`ExperimentError::Evaluation`] with what
    /// `evaluate` fails with.
    pub fn test(
        &self,
        results: &mut Results,
        choice: Choice,
        evaluate: impl Fn(M) -> Result<Metrics, BaseError>,
    ) -> Result<Tested, ExperimentError> {
        let Some(summary) = results.summaries().get(choice.candidate) else {
            return Err(ExperimentError::Invalid {
                name: "choice",
                expected: "one of the candidates",
                found: choice.candidate.to_string(),
            });
        };
        let candidate = &summary.candidate;
        let chosen =
            |trial: &&Trial| trial.candidate == choice.candidate && trial.history().is_some();
        let test = |trial: &Trial| {
            let files = RunDirectory::new(&trial.directory);
            let path = match choice.at {
                At::Last => files.last_model_of(&self.objective.best().metric)?,
                At::Best => {
                    self.check_kept(trial, &files)?;
                    files.best_model()
                }
            };
            let (_, model) = made(&self.base, &trial.directory, trial.seed, candidate)?;
            let metrics = evaluate(load_model(&path, model)?)
                .map_err(|source| ExperimentError::Evaluation { path, source })?;
            Ok((trial.seed, metrics))
        };
        let per_seed = results.trials().iter().filter(chosen).map(test);
        let tested = Tested {
            candidate: candidate.name.clone(),
            at: choice.at,
            per_seed: per_seed.collect::<Result<_, ExperimentError>>()?,
        };
        results.tested = Some(tested.clone());
        Ok(tested)
    }

    /// Whether the best model that was kept of `trial` is that of its best epoch.
    fn check_kept(&self, trial: &Trial, files: &RunDirectory) -> Result<(), ExperimentError> {
        let best = self.best_epoch();
        let keep = KeepPolicy::default().with_best(best.clone());
        let kept = CheckpointStore::open(files.checkpoints(), &[])?.with_keep(keep);
        let kept = kept.best().map(|(epoch, _)| epoch);
        match trial.epoch(At::Best, best) {
            Some(epoch) if kept != Some(epoch.epoch) => Err(ExperimentError::NotKept {
                directory: trial.directory.clone(),
                epoch: epoch.epoch,
                metric: best.metric.clone(),
            }),
            _ => Ok(()),
        }
    }
}
