//! A learning rate for each layer: Burn's `ModuleLrScheduler` holds one of our schedulers per
//! parameter group.
//!
//! ```text
//! cargo run --example parameter_groups
//! ```
//!
//! The same schedule serves all groups, scaled: the head learns at the full rate, each layer below
//! it at half the rate of the one above, as when a pretrained network is fine-tuned.

use std::error::Error;
use std::process::ExitCode;

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::{Module, ParamGroup};
use burn::nn::{Linear, LinearConfig, Relu};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Distribution, Tensor};
use burn_lr_scheduler::{CosineAnnealingLr, Run, Scaled, ScheduleConfig, Scheduler};

#[derive(Module, Debug)]
struct Network {
    stem: Linear,
    body: Linear,
    head: Linear,
    relu: Relu,
}

impl Network {
    fn new(device: &Device) -> Self {
        Self {
            stem: LinearConfig::new(4, 16).init(device),
            body: LinearConfig::new(16, 16).init(device),
            head: LinearConfig::new(16, 1).init(device),
            relu: Relu::new(),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let x = self.relu.forward(self.stem.forward(x));
        let x = self.relu.forward(self.body.forward(x));
        self.head.forward(x)
    }

    /// The layers whose measured rates are printed.
    fn layers(&self) -> [(&'static str, &Linear); 3] {
        [
            ("stem", &self.stem),
            ("body", &self.body),
            ("head", &self.head),
        ]
    }
}

fn main() -> ExitCode {
    if let Err(error) = run() {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run() -> Result<(), Box<dyn Error>> {
    let device = Device::flex().autodiff();
    device.seed(42);
    let mut network = Network::new(&device);
    let mut optimizer = SgdConfig::new().init();

    // Parameters are chosen by their path in the module: "stem" is in "stem.weight". What belongs
    // to no group, here the head, follows the schedule that the `ModuleLrScheduler` starts with.
    let schedule = ScheduleConfig::from(CosineAnnealingLr::new(0.1, 5));
    let scaled = |factor| Scheduler::new(Scaled::new(schedule.clone(), factor), Run::per_update());
    let mut scheduler =
        ModuleLrScheduler::new(Scheduler::new(schedule.clone(), Run::per_update())?)
            .with_group(ParamGroup::from_predicate("body"), scaled(0.5)?)
            .with_group(ParamGroup::from_predicate("stem"), scaled(0.25)?);

    for update in 0..=5 {
        let x = Tensor::<2>::random([32, 4], Distribution::Uniform(-1.0, 1.0), &device);
        let y = x.clone().sum_dim(1);
        let loss = (network.forward(x) - y).square().mean();
        let grads = GradientsParams::from_grads(loss.backward(), &network);

        // Plain SGD changes a weight by rate times gradient, so the rate that each layer really got
        // is the quotient of the two.
        let before = network.clone();
        let slopes = before.layers().map(|(_, layer)| {
            let slope = grads.get::<2>(layer.weight.id).map(|grad| size(&grad));
            slope.unwrap_or(f32::NAN)
        });
        network = optimizer.step(scheduler.step(), network, grads);
        print!("update {update}:");
        for (i, (name, layer)) in network.layers().into_iter().enumerate() {
            let old = before.layers()[i].1.weight.val();
            let change = size(&(layer.weight.val() - old).inner());
            print!("  {name} {:.5}", change / slopes[i]);
        }
        println!();
    }
    Ok(())
}

/// The sum of the absolute values.
fn size(tensor: &Tensor<2>) -> f32 {
    tensor.clone().abs().sum().into_scalar()
}
