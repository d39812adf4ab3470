//! A run's training data once more, for the running statistics of the average.

use std::cell::Cell;

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::tensor::Device;

use super::stop::Stops;
use crate::average::{AverageError, recomputed_statistics};
use crate::loader::{Loader, Past, Replay};

/// The training data of any epoch, apart from those that the run is trained on.
pub(super) struct SecondPass<B>(Loader<B>);

/// So often [`recomputed_statistics`] asks for the batches.
const PASSES: usize = 3;

impl<B: Send + 'static> SecondPass<B> {
    pub(super) fn new(train: &Loader<B>) -> Self {
        Self(train.clone())
    }

    /// `model` with running statistics over the training data as `epoch` had them, on `device`.
    pub(super) fn recomputed<M: Module>(
        &self,
        model: &M,
        epoch: usize,
        device: &Device,
        stops: &Stops,
        forward: impl FnMut(&M, B),
    ) -> Result<M, AverageError> {
        // Activations are not computed again: the averaged model does not ask for that.
        let device = device.clone().inner().autodiff();
        let done = Past {
            epochs: epoch.saturating_sub(1) as u64,
            batches: 0,
        };
        // Each a loader of its own, since every `iter()` is an epoch.
        let loader = || Replay::new(&self.0, done, None);
        let loaders = [(); PASSES].map(|()| DataLoader::to_device(&loader(), &device));
        let asked = Cell::new(0);
        let batches = || {
            let number = asked.replace(asked.get() + 1);
            let loader = &loaders[number.min(PASSES - 1)];
            loader.iter().map_while(|batch| {
                if stops.should_stop() {
                    return None;
                }
                batch.map_err(|error| stops.own().fail(error)).ok()
            })
        };
        recomputed_statistics(model, batches, forward)
    }
}
