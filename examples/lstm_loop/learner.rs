//! The network with what trains it.

use burn::lr_scheduler::LrScheduler;
use burn::nn::loss::{HuberLossConfig, Reduction};
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::Device;
use burn_lr::scheduler::{Run, ScheduleConfig, Scheduler};
use burn_lr::training::TrainingError;
use burn_lr::training::checkpoint::{Checkpoint, MODEL, OPTIM, SCHEDULER, Snapshot, SnapshotError};
use burn_lr::training::optim::{Driver, GradientClip};

use super::data::Windows;
use super::model::Forecaster;

/// What [`Learner::snapshot`] holds.
pub const PARTS: [&str; 3] = [MODEL, OPTIM, SCHEDULER];

/// All that changes from update to update.
pub struct Learner {
    pub network: Forecaster,
    pub scheduler: Driver,
    /// The learning rate of the last update.
    pub lr: f64,
    optimizer: ModuleOptimizer,
}

impl Learner {
    pub fn new(
        schedule: impl Into<ScheduleConfig>,
        run: Run,
        device: &Device,
    ) -> Result<Self, TrainingError> {
        // Also sets what the schedule says beside the rate: AdamW's beta 1, if it cycles the momentum.
        let adamw = AdamWConfig::new().with_epsilon(1e-8).into();
        let (optimizer, scheduler) =
            Driver::new(&adamw, Scheduler::new(schedule, run)?)?.build()?;
        Ok(Self {
            network: Forecaster::new(device),
            scheduler,
            lr: 0.0,
            optimizer,
        })
    }

    /// One update.
    pub fn learn(mut self, windows: Windows) -> Self {
        let huber = HuberLossConfig::new(0.5).init();
        let forecast = self.network.forward(windows.days);
        let loss = huber.forward(forecast, windows.next, Reduction::Mean);
        let mut grads = GradientsParams::from_grads(loss.backward(), &self.network);
        GradientClip::norm(1.0).clip(&mut grads, &self.network);
        self.lr = self.scheduler.step();
        self.network = self.optimizer.step(self.lr, self.network, grads);
        self
    }

    pub fn snapshot(&self) -> Result<Snapshot, SnapshotError> {
        Snapshot::new()
            .module(MODEL, &self.network)?
            .optimizer(OPTIM, &self.optimizer)?
            .scheduler(SCHEDULER, &self.scheduler)
    }

    pub fn restore(mut self, checkpoint: &Checkpoint) -> Result<Self, SnapshotError> {
        self.network = checkpoint.module(MODEL, self.network)?;
        self.optimizer = checkpoint.optimizer(OPTIM, self.optimizer)?;
        checkpoint.scheduler(SCHEDULER, &mut self.scheduler)?;
        Ok(self)
    }
}
