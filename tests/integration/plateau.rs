//! The learning rates of a recorded run, against PyTorch fed with that run's validation losses.

use burn::optim::lr_scheduler::LrScheduler;
use burn_lr::scheduler::{ReduceLrOnPlateau, Run, Scheduler};
use serde_json::Value;

#[test]
fn a_recorded_run_has_pytorchs_learning_rates_to_the_bit() {
    let golden: Value = serde_json::from_str(include_str!("golden/plateau_run.json")).unwrap();
    let plateau = ReduceLrOnPlateau::new(0.01)
        .with_factor(0.5)
        .with_patience(2);
    let mut scheduler = Scheduler::new(plateau, Run::per_epoch(1)).unwrap();
    let epochs = golden["epochs"].as_array().unwrap();
    assert_eq!(epochs.len(), 20);
    for epoch in epochs {
        scheduler.step();
        scheduler
            .observe(epoch["valid_loss"].as_f64().unwrap())
            .unwrap();
        let pytorch = epoch["pytorch_next_lr"].as_f64().unwrap();
        // What the Learner's run was trained with, and what the state machine says again.
        assert_eq!(epoch["recorded_next_lr"].as_f64().unwrap(), pytorch);
        assert_eq!(scheduler.lr(), pytorch);
    }
    assert!(scheduler.plateaus()[0].cuts >= 2);
}
