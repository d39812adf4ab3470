//! What a branch takes over of the average of the run that it comes from.

use burn::train::LearnerModel;
use burn_lr_scheduler::Run;

use super::averages::Progress;
use super::origin::Origin;
use super::period::Periods;
use super::resume::Contents;
use super::training::Training;
use crate::TrainingError;
use crate::average::{Kind, RunSoFar};
use crate::checkpoint::{AVERAGE, AVERAGE_PROGRESS, MODEL, earlier_model};
use crate::metrics::History;

/// What the first checkpoint of a branch holds of its average.
#[derive(Default)]
pub(super) struct Inherited {
    pub parts: Vec<(String, Vec<u8>)>,
    /// Whether it begins anew though the parent had one.
    pub is_anew: bool,
}

impl<M: LearnerModel> Training<M> {
    /// What the branch off `origin`, which holds `contents` and `history`, begins with of its average: the
    /// parent's if it is of the same kind, or nothing, so that it begins at the branch or wherever it is set to.
    ///
    /// # Errors
    /// [`TrainingError::Average`] if the run is over before it has taken in anything,
    /// [`TrainingError::Damaged`] if the parent's is damaged.
    pub(super) fn inherited_average(
        &self,
        origin: &Origin,
        contents: &Contents<'_>,
        history: &History,
        run: Run,
        periods: Option<&Periods>,
    ) -> Result<Inherited, TrainingError> {
        if self.optimizer_keeps_average() {
            // Of an optimizer that keeps none, the average begins at the branch.
            let from = if origin.optimizer_keeps_average() {
                AVERAGE
            } else {
                MODEL
            };
            let updates = history.epochs.last().map_or(0, |last| last.updates);
            let model = contents.part(from).to_vec();
            return Ok(Inherited {
                parts: self.average_parts(model, Progress::after(updates))?,
                is_anew: false,
            });
        }
        let Some(plan) = &self.plan.average else {
            return Ok(Inherited::default());
        };
        let parents = origin.average();
        let updates = history.epochs.last().map_or(0, |last| last.updates);
        let progress = match &parents {
            Some(_) => serde_json::from_slice(&contents.part(AVERAGE_PROGRESS))
                .map_err(|error| contents.damaged(AVERAGE_PROGRESS, error))?,
            None => Progress::default(),
        };
        let reached = RunSoFar {
            epochs: history.epochs.len() as u64,
            updates,
            has_begun: progress.averaged > 0,
        };
        let goes_on = |parents| plan.goes_on_from(parents, reached);
        if !parents.as_ref().is_some_and(goes_on) {
            let done = (reached.epochs, updates);
            self.check_start(plan, done, run, periods)?;
            // Of an update that was skipped the average hears nothing.
            let skipped = history.epochs.iter().map(|epoch| {
                let skipped = epoch.train.get("skipped_updates");
                skipped.copied().unwrap_or(0.0)
            });
            let skipped: f64 = skipped.sum();
            let progress = Progress::after(updates.saturating_sub(skipped as u64));
            return Ok(Inherited {
                parts: self.average_parts(contents.part(MODEL).to_vec(), progress)?,
                is_anew: parents.is_some(),
            });
        }
        let (mut progress, mut earlier) = (progress, Vec::new());
        if let (Kind::Checkpoints { last, .. }, Some(Kind::Checkpoints { last: before, .. })) =
            (plan.kind, parents.map(|parents| parents.kind))
        {
            // The parent need not have kept more than it needed itself.
            let had = usize::try_from(progress.averaged).unwrap_or(usize::MAX);
            let models = last.min(before).min(had);
            origin.check_last(models, history)?;
            let mut models = contents.models_of_last(models)?;
            progress.averaged = models.len() as u64;
            // The newest is the checkpoint's own.
            models.pop();
            let before = (1..).zip(models.into_iter().rev());
            earlier.extend(before.map(|(epochs, model)| (earlier_model(epochs), model)));
        }
        let mut parts = self.average_parts(contents.part(AVERAGE).to_vec(), progress)?;
        parts.extend(earlier);
        Ok(Inherited {
            parts,
            is_anew: false,
        })
    }

    fn average_parts(
        &self,
        model: Vec<u8>,
        progress: Progress,
    ) -> Result<Vec<(String, Vec<u8>)>, TrainingError> {
        let path = self.directory.path();
        let progress = serde_json::to_vec(&progress)
            .map_err(|error| TrainingError::file("write", path, error.into()))?;
        Ok(vec![
            (AVERAGE.to_owned(), model),
            (AVERAGE_PROGRESS.to_owned(), progress),
        ])
    }
}
