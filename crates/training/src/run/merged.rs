//! The mean of a run's last checkpoints, after the fact.

use burn::module::Module;

use super::directory::RunDirectory;
use crate::Damage;
use crate::TrainingError;
use crate::average::{AverageError, Decay, merged};
use crate::checkpoint::{CheckpointStore, MODEL};

impl RunDirectory {
    /// `model` with the mean of the weights of the newest `last` checkpoints, weighted to stand for a
    /// [`Decay`] of the learning rate over them. The run may have been trained with any settings; running
    /// statistics are averaged as weights are, see
    /// [`recomputed_statistics`](crate::average::recomputed_statistics).
    ///
    /// ```no_run
    /// # use burn::module::Module;
    /// use burn_lr_training::average::Decay;
    /// use burn_lr_training::run::RunDirectory;
    ///
    /// # fn decayed<M: Module>(model: M) -> Result<(), burn_lr_training::TrainingError> {
    /// let model = RunDirectory::new("artifacts/run").merged(5, Decay::OneMinusSqrt, model)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrainingError::Average`] if `last` is 0 or there are not as many checkpoints,
    /// [`TrainingError::Damaged`] if there is no run, or one of them is damaged or does not fit `model`.
    pub fn merged<M: Module>(
        &self,
        last: usize,
        decay: Decay,
        model: M,
    ) -> Result<M, TrainingError> {
        if last == 0 {
            return Err(TrainingError::Average(AverageError::Setting {
                name: "checkpoints",
                expected: "at least 1",
                found: "0".to_owned(),
            }));
        }
        let path = self.checkpoints();
        // To open it would make it.
        if !path.exists() {
            return Err(Damage::Missing { path }.into());
        }
        let store = CheckpointStore::open(&path, &[MODEL])?;
        let epochs = store.epochs();
        let Some(first) = epochs.len().checked_sub(last) else {
            let kept = epochs.len();
            return Err(AverageError::TooFewKept { kept, found: last }.into());
        };
        let load = |epoch: &usize| -> Result<M, TrainingError> {
            let loaded = store.load(*epoch)?.module(MODEL, model.valid());
            loaded.map_err(|error| Damage::content(&path, error).into())
        };
        let models: Vec<M> = epochs[first..].iter().map(load).collect::<Result<_, _>>()?;
        Ok(merged(models, &decay.coefficients(last))?)
    }
}
