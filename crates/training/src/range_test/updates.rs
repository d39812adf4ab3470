//! The updates of a range test.

use std::fmt::Display;
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::tensor::Device;
use burn::train::TrainStep;
use burn::train::metric::{Adaptor, LossInput};

use super::batches::{Batches, loss};
use super::error::LrFinderError;
use super::lr_finder::LrFinder;
use super::sweep::{LrPoint, LrSweep, SweepEnd};
use crate::optim::{adam, parameters};
use crate::weights::draw_weights;

impl LrFinder {
    /// Sweeps a copy of `model` over the batches of `loader`.
    ///
    /// # Errors
    /// [`LrFinderError`] if a setting is wrong, nothing of the model is trained, or there is no batch or
    /// an unreadable one. A loss that diverges is no error.
    pub fn sweep<M>(
        &self,
        model: &M,
        loader: Arc<dyn DataLoader<M::Input>>,
    ) -> Result<LrSweep, LrFinderError>
    where
        M: TrainStep + Module + Display,
        M::Output: Adaptor<LossInput>,
    {
        self.sweep_with(model, loader, |_| {})
    }

    /// As [`sweep`](Self::sweep), calling `on_point` with every point as soon as it is known.
    ///
    /// # Errors
    /// As [`sweep`](Self::sweep).
    pub fn sweep_with<M>(
        &self,
        model: &M,
        loader: Arc<dyn DataLoader<M::Input>>,
        mut on_point: impl FnMut(&LrPoint),
    ) -> Result<LrSweep, LrFinderError>
    where
        M: TrainStep + Module + Display,
        M::Output: Adaptor<LossInput>,
    {
        self.validate()?;
        let params = parameters(model);
        if !params.iter().any(|param| param.trainable) {
            let parameters = params.len();
            return Err(LrFinderError::AllFrozen { parameters });
        }
        // For the original too.
        draw_weights(model);
        // Copies statistics.
        let mut model = model.clone().train();
        let device = model.devices().into_iter().next().unwrap_or_default();
        let _seeded = self.seed.map(|seed| Seeded::new(&device, seed));
        let mut optimizer = match &self.optimizer {
            Some(optimizer) => optimizer.clone(),
            None => adam().init(),
        };
        let loader = loader.to_device(&device);
        let mut batches = Batches::new(&*loader);

        let (mut mean, mut best) = (0.0, f64::INFINITY);
        let mut points = Vec::with_capacity(self.num_updates);
        for update in 0..self.num_updates {
            let step = TrainStep::step(&model, batches.next(update)?);
            let loss = loss(step.item, update)?;
            mean = self.beta * mean + (1.0 - self.beta) * loss;
            let seen = (update + 1) as f64;
            let smoothed = mean / (1.0 - self.beta.powf(seen));
            let lr = self.lr(update);
            let point = LrPoint { lr, loss, smoothed };
            on_point(&point);
            points.push(point);

            best = f64::min(best, smoothed);
            let limit = best + (self.divergence_factor - 1.0) * best.abs();
            // Also if it is NaN.
            if !smoothed.is_finite() || smoothed > limit {
                return Ok(self.ended(points, SweepEnd::Diverged));
            }
            model = model.optimize(&mut optimizer, lr.into(), step.grads);
        }
        Ok(self.ended(points, SweepEnd::Completed))
    }

    fn ended(&self, points: Vec<LrPoint>, end: SweepEnd) -> LrSweep {
        LrSweep {
            points,
            end,
            num_updates: self.num_updates,
            linear: self.linear,
        }
    }
}

/// Seeds the device now and when it is dropped, so also when a model panics.
struct Seeded<'a> {
    device: &'a Device,
    seed: u64,
}

impl<'a> Seeded<'a> {
    fn new(device: &'a Device, seed: u64) -> Self {
        device.seed(seed);
        Self { device, seed }
    }
}

impl Drop for Seeded<'_> {
    fn drop(&mut self) {
        self.device.seed(self.seed);
    }
}
