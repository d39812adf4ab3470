//! A schedule in a training loop of your own: warmup, then cosine annealing, advancing with every
//! optimizer update.
//!
//! ```text
//! cargo run --example hand_written_loop
//! ```

use std::error::Error;
use std::process::ExitCode;

use burn::lr_scheduler::LrScheduler;
use burn::nn::LinearConfig;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Distribution, Tensor};
use burn_lr_scheduler::{CosineAnnealingLr, Length, Run, Scheduler, Warmup};

const EPOCHS: u64 = 20;
const BATCHES: u64 = 10;

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
    let mut model = LinearConfig::new(1, 1).init(&device);
    let mut optimizer = AdamConfig::new().init();

    // One epoch of warmup from 0 to 0.1, then down to 0 by the end of the run. Lengths in
    // epochs are resolved against the run; a plain number would be a number of updates.
    let cosine = CosineAnnealingLr::new(0.1, Length::Epochs(19.0));
    let schedule = Warmup::new(cosine, Length::Epochs(1.0));
    let run = Run::per_update()
        .with_updates_per_epoch(BATCHES)
        .with_epochs(EPOCHS);
    let mut scheduler = Scheduler::new(schedule, run)?;

    for epoch in 1..=EPOCHS {
        let mut last = (0.0, 0.0);
        for _ in 0..BATCHES {
            // Samples of the line y = 3x - 2, with a little noise.
            let x = Tensor::<2>::random([32, 1], Distribution::Uniform(-1.0, 1.0), &device);
            let noise = Tensor::random([32, 1], Distribution::Normal(0.0, 0.1), &device);
            let y = x.clone() * 3.0 - 2.0 + noise;

            let loss = (model.forward(x) - y).square().mean();
            let grads = GradientsParams::from_grads(loss.backward(), &model);
            // One step of the scheduler for one of the optimizer; the first gives the first rate.
            let lr = scheduler.step();
            model = optimizer.step(lr, model, grads);
            last = (lr, loss.into_scalar::<f32>());
        }
        let (lr, loss) = last;
        println!("epoch {epoch:2}: last learning rate {lr:.5}, last loss {loss:.4}");
    }

    let slope: f32 = model.weight.val().into_scalar();
    let offset = model
        .bias
        .as_ref()
        .map(|bias| bias.val().into_scalar::<f32>());
    println!("found y = {slope:.2}x + {:.2}", offset.unwrap_or(0.0));
    Ok(())
}
