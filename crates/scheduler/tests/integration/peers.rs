//! Agreement with the libraries that have the schedules PyTorch lacks, as computed by
//! `golden/peers.py`.
//!
//! All of them compute in float64, so a relative 1e-12 is asked for, as of PyTorch's schedules.
//! Where a decay nears 0 the rounding errors of its cosine, tangent or progress do not shrink with
//! it; there the error is measured against the highest rate, as 1e-15 of it.

use burn_lr_scheduler::{Run, ScheduleConfig};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    versions: std::collections::BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    library: String,
    schedule: ScheduleConfig,
    lrs: Vec<f64>,
}

#[test]
fn rates_agree_with_the_peers() {
    let golden: Golden = serde_json::from_str(include_str!("../golden/peers.json")).unwrap();
    assert!(golden.cases.len() > 60);
    for case in golden.cases {
        let name = case.schedule.name();
        let version = &golden.versions[&case.library];
        let curve = case.schedule.curve(&Run::per_update()).unwrap();
        let highest = case.lrs.iter().copied().fold(0.0, f64::max);
        for (step, expected) in case.lrs.into_iter().enumerate() {
            let lr = curve.lr(step as u64);
            let tolerance = f64::max(1e-12 * expected, 1e-15 * highest);
            assert!(
                (lr - expected).abs() <= tolerance,
                "{name} of {} {version}, step {step}: expected {expected}, got {lr}\n{:?}",
                case.library,
                case.schedule,
            );
        }
    }
}
