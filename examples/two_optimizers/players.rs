//! A network with what trains it, and one move of each of the two.

use std::error::Error;

use burn::lr_scheduler::LrScheduler;
use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::activation::log_sigmoid;
use burn::tensor::{Device, Distribution, Gradients, Tensor};
use burn_lr::scheduler::{Run, ScheduleConfig, ScheduleError, Scheduler};
use burn_lr::training::checkpoint::{Checkpoint, Snapshot, SnapshotError};

use super::model::{Discriminator, Generator, NOISE};

const GENERATOR: [&str; 3] = ["generator.bpk", "generator_optim.bpk", "generator_lr.bpk"];
const DISCRIMINATOR: [&str; 3] = [
    "discriminator.bpk",
    "discriminator_optim.bpk",
    "discriminator_lr.bpk",
];

/// A network, its optimizer and its schedule.
pub struct Player<M> {
    pub network: M,
    optimizer: ModuleOptimizer,
    pub scheduler: Scheduler,
    /// The learning rate of the last update.
    pub lr: f64,
    /// The names of its three parts in a checkpoint.
    parts: [&'static str; 3],
}

impl<M: Module> Player<M> {
    pub fn new(
        network: M,
        schedule: impl Into<ScheduleConfig>,
        run: Run,
        parts: [&'static str; 3],
    ) -> Result<Self, ScheduleError> {
        let adam = AdamConfig::new().with_epsilon(1e-8).with_beta_1(0.5);
        Ok(Self {
            network,
            optimizer: adam.init(),
            scheduler: Scheduler::new(schedule, run)?,
            lr: 0.0,
            parts,
        })
    }

    fn learn(mut self, grads: Gradients) -> Self {
        let grads = GradientsParams::from_grads(grads, &self.network);
        self.lr = self.scheduler.step();
        self.network = self.optimizer.step(self.lr, self.network, grads);
        self
    }

    fn save(&self, snapshot: Snapshot) -> Result<Snapshot, SnapshotError> {
        let [network, optimizer, scheduler] = self.parts;
        snapshot
            .module(network, &self.network)?
            .optimizer(optimizer, &self.optimizer)?
            .scheduler(scheduler, &self.scheduler)
    }

    fn restore(mut self, checkpoint: &Checkpoint) -> Result<Self, SnapshotError> {
        let [network, optimizer, scheduler] = self.parts;
        self.network = checkpoint.module(network, self.network)?;
        self.optimizer = checkpoint.optimizer(optimizer, self.optimizer)?;
        checkpoint.scheduler(scheduler, &mut self.scheduler)?;
        Ok(self)
    }
}

/// The two, who move in turn.
pub struct Players {
    pub generator: Player<Generator>,
    pub discriminator: Player<Discriminator>,
}

impl Players {
    /// The two before their first move, with a schedule for each.
    pub fn new(
        of_generator: impl Into<ScheduleConfig>,
        of_discriminator: impl Into<ScheduleConfig>,
        run: Run,
        device: &Device,
    ) -> Result<Self, ScheduleError> {
        let discriminator = Discriminator::new(device);
        Ok(Self {
            generator: Player::new(Generator::new(device), of_generator, run, GENERATOR)?,
            discriminator: Player::new(discriminator, of_discriminator, run, DISCRIMINATOR)?,
        })
    }

    /// The names of what [`snapshot`](Self::snapshot) holds.
    pub fn parts() -> Vec<&'static str> {
        [GENERATOR, DISCRIMINATOR].concat()
    }

    pub fn snapshot(&self) -> Result<Snapshot, SnapshotError> {
        self.discriminator
            .save(self.generator.save(Snapshot::new())?)
    }

    pub fn restore(self, checkpoint: &Checkpoint) -> Result<Self, SnapshotError> {
        Ok(Self {
            generator: self.generator.restore(checkpoint)?,
            discriminator: self.discriminator.restore(checkpoint)?,
        })
    }

    /// A move of each: the discriminator learns to tell the real `digits` from made ones, then the
    /// generator to make some that pass as real. Gives the loss of each.
    pub fn play(self, digits: Tensor<2>) -> Result<(Self, [f64; 2]), Box<dyn Error>> {
        let Self {
            generator,
            discriminator,
        } = self;
        let (device, shape) = (digits.device(), [digits.dims()[0], NOISE]);
        let noise = || Tensor::random(shape, Distribution::Normal(0.0, 1.0), &device);

        let judge = &discriminator.network;
        // Detached: these are not to be made better now.
        let made = generator.network.forward(noise()).detach();
        let wrong = -log_sigmoid(judge.forward(digits)) - log_sigmoid(-judge.forward(made));
        let loss = wrong.mean();
        let discriminator = discriminator.learn(loss.backward());
        let discriminators = loss.try_into_scalar::<f64>()?;

        let judged = discriminator
            .network
            .forward(generator.network.forward(noise()));
        let loss = -log_sigmoid(judged).mean();
        // The gradients of the discriminator are dropped.
        let generator = generator.learn(loss.backward());
        let generators = loss.try_into_scalar::<f64>()?;
        let players = Self {
            generator,
            discriminator,
        };
        Ok((players, [discriminators, generators]))
    }
}
