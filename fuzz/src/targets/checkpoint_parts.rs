//! What is in the parts of a checkpoint: a model, an optimizer's state, a scheduler's, and JSON.

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Tensor};
use burn_lr::scheduler::{Run, Scheduler, StepLr};
use burn_lr::training::checkpoint::{
    Checkpoint, CheckpointStore, HISTORY, MODEL, OPTIM, SCHEDULER, Snapshot,
};
use burn_lr::training::metrics::History;

use super::{Target, scratch};

const PARTS: [&str; 4] = [MODEL, OPTIM, SCHEDULER, HISTORY];

/// A layer, and one with running statistics.
#[derive(Module, Debug)]
struct Net {
    linear: Linear,
    norm: BatchNorm,
}

impl Net {
    fn new(device: &Device) -> Self {
        Self {
            linear: LinearConfig::new(2, 3).init(device),
            norm: BatchNormConfig::new(3).init(device),
        }
    }

    fn gradients(&self, device: &Device) -> GradientsParams {
        let output = self.linear.forward(Tensor::<2>::ones([4, 2], device));
        let loss = self.norm.forward(output).square().mean();
        GradientsParams::from_grads(loss.backward(), self)
    }
}

/// A checkpoint whose part, by the first byte of an input, is replaced by the others.
pub struct CheckpointParts {
    checkpoint: Checkpoint,
    net: Net,
    device: Device,
}

fn scheduler() -> Scheduler {
    Scheduler::new(StepLr::new(0.1, 2), Run::per_update()).unwrap()
}

impl CheckpointParts {
    pub fn new() -> Self {
        let device = Device::flex().autodiff();
        device.seed(1);
        let (mut net, mut optimizer) = (Net::new(&device), AdamConfig::new().init());
        let gradients = net.gradients(&device);
        net = optimizer.step(0.1, net, gradients);
        let snapshot = Snapshot::new()
            .module(MODEL, &net)
            .and_then(|snapshot| snapshot.optimizer(OPTIM, &optimizer))
            .and_then(|snapshot| snapshot.scheduler(SCHEDULER, &scheduler()))
            .and_then(|snapshot| snapshot.json(HISTORY, &History::default()));
        let directory = scratch();
        let store = CheckpointStore::open(directory.path(), &PARTS).unwrap();
        store.save(1, snapshot.unwrap()).unwrap();
        Self {
            checkpoint: store.load(1).unwrap(),
            net,
            device,
        }
    }
}

impl Target for CheckpointParts {
    fn corpus(&self) -> Vec<Vec<u8>> {
        let parts = (0..).zip(PARTS);
        parts
            .map(|(number, part)| [&[number], &self.checkpoint.parts[part][..]].concat())
            .collect()
    }

    fn run(&mut self, input: &[u8]) -> bool {
        let Some((&number, content)) = input.split_first() else {
            return false;
        };
        let name = PARTS[usize::from(number) % PARTS.len()];
        self.checkpoint
            .parts
            .insert(name.to_owned(), content.to_vec());
        let checkpoint = &self.checkpoint;
        match name {
            MODEL => checkpoint.module(MODEL, self.net.clone()).is_ok_and(|net| {
                _ = net.gradients(&self.device);
                true
            }),
            OPTIM => {
                let optimizer = checkpoint.optimizer(OPTIM, AdamConfig::new().init());
                optimizer.is_ok_and(|optimizer| {
                    let snapshot = Snapshot::new().optimizer(OPTIM, &optimizer);
                    snapshot.is_ok()
                })
            }
            SCHEDULER => checkpoint.scheduler(SCHEDULER, &mut scheduler()).is_ok(),
            _ => checkpoint.json::<History>(HISTORY).is_ok(),
        }
    }
}
