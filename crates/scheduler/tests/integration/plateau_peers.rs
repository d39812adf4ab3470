//! The plateau presets count like Keras and optax: golden files written by
//! `golden/plateau_peers.py`.

use burn_lr_scheduler::{ReduceLrOnPlateau, Run, Scheduler};
use burn_optim::lr_scheduler::LrScheduler;
use serde_json::Value;

fn check(file: &str, preset: fn(f64) -> ReduceLrOnPlateau) {
    let path = format!("{}/tests/golden/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() >= 15);
    for case in cases {
        let preset = preset(case["initial_lr"].as_f64().unwrap());
        let mut plateau = serde_json::to_value(preset).unwrap();
        for (name, value) in case["with"].as_object().unwrap() {
            plateau[name] = value.clone();
        }
        let plateau: ReduceLrOnPlateau = serde_json::from_value(plateau).unwrap();
        let mut scheduler = Scheduler::new(plateau, Run::per_epoch(1)).unwrap();
        let metrics = case["metrics"].as_array().unwrap().iter();
        for (epoch, (metric, lr)) in metrics.zip(case["lrs"].as_array().unwrap()).enumerate() {
            scheduler.step();
            scheduler
                .observe(metric.as_f64().unwrap_or(f64::NAN))
                .unwrap();
            let (ours, theirs) = (scheduler.lr(), lr.as_f64().unwrap());
            let difference = (ours / theirs - 1.0).abs();
            assert!(
                difference <= 1e-12,
                "{ours} not {theirs}, epoch {epoch} of {}",
                case["with"]
            );
        }
    }
}

#[test]
fn keras() {
    check("keras", ReduceLrOnPlateau::keras);
}

#[test]
fn optax() {
    check("optax", ReduceLrOnPlateau::optax);
}
