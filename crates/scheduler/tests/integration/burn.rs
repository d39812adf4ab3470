//! Agreement with Burn's own schedulers, where the migration table says so.

use burn_lr_scheduler::{
    CosineAnnealingLr, Curve, ExponentialLr, Noam, PiecewiseInterpolate, Product, Run,
    ScheduleConfig, StepLr,
};
use burn_optim::lr_scheduler::composed::ComposedLrSchedulerConfig;
use burn_optim::lr_scheduler::cosine::CosineAnnealingLrSchedulerConfig;
use burn_optim::lr_scheduler::exponential::ExponentialLrSchedulerConfig;
use burn_optim::lr_scheduler::linear::LinearLrSchedulerConfig;
use burn_optim::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn_optim::lr_scheduler::noam::NoamLrSchedulerConfig;
use burn_optim::lr_scheduler::step::StepLrSchedulerConfig;

const STEPS: u64 = 300;

fn curve(ours: impl Into<ScheduleConfig>) -> Curve {
    ours.into().curve(&Run::per_update()).unwrap()
}

/// Compares every step, at 1e-12 and, near 0, at 1e-15 of the highest rate.
fn agree(ours: impl Into<ScheduleConfig>, mut burn: ModuleLrScheduler) {
    let ours = ours.into();
    let curve = curve(ours.clone());
    let rates: Vec<f64> = (0..STEPS).map(|_| burn.step().base()).collect();
    let highest = rates.iter().copied().fold(0.0, f64::max);
    for (step, expected) in rates.into_iter().enumerate() {
        let lr = curve.lr(step as u64);
        let tolerance = f64::max(1e-12 * expected, 1e-15 * highest);
        assert!(
            (lr - expected).abs() <= tolerance,
            "step {step}: expected {expected}, got {lr}\n{ours:?}"
        );
    }
}

#[test]
fn schedulers_of_one_curve_agree() {
    for (lr, length) in [(0.1, 40), (1.0, 1), (3e-4, 250), (0.7, 7)] {
        for end in [0.0, lr / 3.0] {
            let line = PiecewiseInterpolate::new([lr, end], [length]);
            let burn = LinearLrSchedulerConfig::new(lr, end, length);
            agree(line, burn.init().unwrap());
            let cosine = CosineAnnealingLr::new(lr, length)
                .with_eta_min(end)
                .with_mirrored(true);
            let burn = CosineAnnealingLrSchedulerConfig::new(lr, length).with_min_lr(end);
            agree(cosine, burn.init().unwrap());
        }
        for gamma in [0.5, 0.99, 1.0] {
            let burn = ExponentialLrSchedulerConfig::new(lr, gamma).init().unwrap();
            agree(ExponentialLr::new(lr, gamma), burn);
            let burn = StepLrSchedulerConfig::new(lr, length).with_gamma(gamma);
            agree(
                StepLr::new(lr, length).with_gamma(gamma),
                burn.init().unwrap(),
            );
        }
        let burn = NoamLrSchedulerConfig::new(lr)
            .with_warmup_steps(length)
            .with_model_size(384);
        let ours = Noam::new(lr).with_warmup(length).with_model_size(384);
        agree(ours, burn.init().unwrap());
    }
}

#[test]
fn a_product_agrees() {
    let burn = ComposedLrSchedulerConfig::new()
        .exponential(ExponentialLrSchedulerConfig::new(0.3, 0.99))
        .linear(LinearLrSchedulerConfig::new(1.0, 0.1, 60));
    let line = PiecewiseInterpolate::new([1.0, 0.1], [60]);
    let ours = Product::new([ExponentialLr::new(0.3, 0.99).into(), line.into()]);
    agree(ours, burn.init().unwrap());
}
