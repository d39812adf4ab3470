//! The state of a loop of one's own: saved, restored exactly, and refused where it does not fit.

use burn::lr_scheduler::LrScheduler;
use burn::module::{ModuleMapper, Param};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{Distribution, FloatDType, Tensor};
use burn_lr_scheduler::{Run, Scheduler, StepLr};
use burn_lr_training::checkpoint::{Snapshot, SnapshotError};

use super::*;

const PARTS: [&str; 4] = ["loop.json", "net.bpk", "net_lr.bpk", "net_optim.bpk"];

/// A loop that fits a line, with all that it needs to go on.
struct Loop {
    net: Linear,
    optimizer: ModuleOptimizer,
    scheduler: Scheduler,
    losses: Vec<f32>,
}

impl Loop {
    fn new() -> Self {
        Self {
            net: LinearConfig::new(3, 2).init(&device()),
            optimizer: AdamConfig::new().init(),
            scheduler: Scheduler::new(StepLr::new(0.1, 2), Run::per_update()).unwrap(),
            losses: vec![],
        }
    }

    fn step(&mut self, x: &Tensor<2>) {
        let loss = self.net.forward(x.clone()).square().mean();
        let grads = GradientsParams::from_grads(loss.backward(), &self.net);
        let lr = self.scheduler.step();
        self.net = self.optimizer.step(lr, self.net.clone(), grads);
        self.losses.push(loss.into_scalar::<f32>());
    }

    fn snapshot(&self) -> Snapshot {
        let snapshot = Snapshot::new().module("net.bpk", &self.net).unwrap();
        let snapshot = snapshot.optimizer("net_optim.bpk", &self.optimizer);
        let snapshot = snapshot.unwrap().scheduler("net_lr.bpk", &self.scheduler);
        snapshot.unwrap().json("loop.json", &self.losses).unwrap()
    }

    fn restore(&mut self, checkpoint: &Checkpoint) {
        self.net = checkpoint.module("net.bpk", self.net.clone()).unwrap();
        let fresh = AdamConfig::new().init();
        self.optimizer = checkpoint.optimizer("net_optim.bpk", fresh).unwrap();
        let scheduler = &mut self.scheduler;
        checkpoint.scheduler("net_lr.bpk", scheduler).unwrap();
        self.losses = checkpoint.json("loop.json").unwrap();
    }

    fn weights(&self) -> Vec<f32> {
        self.net.weight.val().into_data().try_into_vec().unwrap()
    }
}

fn device() -> Device {
    Device::default().autodiff()
}

fn inputs() -> Vec<Tensor<2>> {
    let random = |_| Tensor::random([4, 3], Distribution::Default, &device());
    (0..6).map(random).collect()
}

fn stored() -> (TempDir, CheckpointStore) {
    let directory = TempDir::new().unwrap();
    let store = CheckpointStore::open(directory.path(), &PARTS).unwrap();
    (directory, store)
}

#[test]
fn a_restored_loop_goes_on_to_the_same_bits() {
    let (_directory, store) = stored();
    let (inputs, mut whole) = (inputs(), Loop::new());
    for (step, x) in inputs.iter().enumerate() {
        whole.step(x);
        if step == 2 {
            store.save(1, whole.snapshot()).unwrap();
        }
    }

    let mut resumed = Loop::new();
    assert_ne!(resumed.weights(), whole.weights());
    resumed.restore(&store.load(1).unwrap());
    inputs[3..].iter().for_each(|x| resumed.step(x));
    assert_eq!(resumed.weights(), whole.weights());
    assert_eq!(resumed.losses, whole.losses);
    assert_eq!(resumed.scheduler.lr(), whole.scheduler.lr());
}

#[test]
fn a_snapshot_is_as_of_when_it_was_made() {
    let (_directory, store) = stored();
    let (inputs, mut training) = (inputs(), Loop::new());
    training.step(&inputs[0]);
    let (snapshot, weights) = (training.snapshot(), training.weights());
    training.step(&inputs[1]);
    store.save(1, snapshot).unwrap();
    training.restore(&store.load(1).unwrap());
    assert_eq!(training.weights(), weights);
}

#[test]
fn a_snapshot_of_other_parts_is_refused_and_nothing_is_written() {
    let (directory, store) = stored();
    let all = Loop::new().snapshot();
    let too_many = all.clone().bytes("more", vec![]).unwrap();
    let too_few = Snapshot::new().json("loop.json", &1).unwrap();
    let misspelt = too_few.clone().bytes("net.bkp", vec![]).unwrap();
    for snapshot in [Snapshot::new(), too_few, misspelt, too_many] {
        let refused = store.save(1, snapshot);
        assert!(matches!(
            refused,
            Err(TrainingError::Invalid {
                name: "snapshot",
                ..
            })
        ));
    }
    assert!(tree(directory.path()).is_empty());
    store.save(1, all).unwrap();

    let twice = Snapshot::new().json("a", &1).unwrap().json("a", &2);
    assert!(matches!(twice, Err(SnapshotError::Duplicate { part }) if part == "a"));
}

#[test]
fn a_part_that_does_not_fit_is_refused_by_name() {
    let (_directory, store) = stored();
    let mut training = Loop::new();
    training.step(&inputs()[0]);
    store.save(3, training.snapshot()).unwrap();
    let checkpoint = store.load(3).unwrap();

    let misfit = |error: SnapshotError, part: &str| {
        assert!(
            matches!(&error, SnapshotError::Misfit { epoch: 3, part: of, .. } if of == part),
            "{error}"
        );
    };
    let wider = LinearConfig::new(4, 2).init(&device());
    misfit(checkpoint.module("net.bpk", wider).unwrap_err(), "net.bpk");
    let fewer = LinearConfig::new(3, 2).with_bias(false).init(&device());
    misfit(checkpoint.module("net.bpk", fewer).unwrap_err(), "net.bpk");
    let sgd = checkpoint.optimizer("net_optim.bpk", SgdConfig::new().init());
    misfit(sgd.map(drop).unwrap_err(), "net_optim.bpk");
    let mut other = Scheduler::new(StepLr::new(0.2, 2), Run::per_update()).unwrap();
    let refused = checkpoint.scheduler("net_lr.bpk", &mut other);
    misfit(refused.unwrap_err(), "net_lr.bpk");
    assert_eq!((other.updates(), other.lr()), (0, 0.2));
    let text: Result<String, _> = checkpoint.json("loop.json");
    misfit(text.unwrap_err(), "loop.json");
    let record: Result<ModuleRecord, _> = checkpoint.record("loop.json");
    misfit(record.unwrap_err(), "loop.json");

    let missing = checkpoint.module("critic.bpk", training.net.clone());
    assert!(
        matches!(missing, Err(SnapshotError::NoPart { part, known, .. })
        if part == "critic.bpk" && known == PARTS)
    );
}

#[test]
fn state_of_another_float_type_is_refused_before_an_update_could_panic() {
    struct Double;
    impl ModuleMapper for Double {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|value| value.cast(FloatDType::F64).detach().require_grad())
        }
    }
    let (_directory, store) = stored();
    let mut training = Loop::new();
    training.net = training.net.map(&mut Double);
    training.step(&inputs()[0].clone().cast(FloatDType::F64));
    store.save(1, training.snapshot()).unwrap();
    let checkpoint = store.load(1).unwrap();
    let loaded = checkpoint.optimizer("net_optim.bpk", AdamConfig::new().init());
    let refused = loaded.map(drop).unwrap_err();
    let SnapshotError::Misfit { part, reason, .. } = refused else {
        panic!("{refused}");
    };
    assert_eq!(part, "net_optim.bpk");
    assert!(reason.contains("found F64"), "{reason}");
}

#[test]
fn a_damaged_snapshot_gives_way_to_the_one_before() {
    let (directory, store) = stored();
    let (inputs, mut training) = (inputs(), Loop::new());
    for (epoch, x) in (1..=2).zip(&inputs) {
        training.step(x);
        store.save(epoch, training.snapshot()).unwrap();
    }
    let path = directory.path().join("epoch-0002/net_optim.bpk");
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();

    let (checkpoint, skipped) = store.newest_complete();
    training.restore(&checkpoint.unwrap());
    assert_eq!((training.losses.len(), skipped[0].epoch), (1, 2));
}
