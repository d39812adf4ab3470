//! Every optimizer that Burn has, stopped and resumed.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdaGradConfig, AdafactorConfig, AdamConfig, AdamWConfig, AdanConfig, LambConfig, LionConfig,
    MuonConfig, RmsPropConfig, SgdConfig,
};
use burn_lr::scheduler::StepLr;
use burn_lr::training::optim::{Group, OptimizerConfig, Select, adam};

use super::net::{assert_resumes, run};

fn optimizers() -> Vec<OptimizerConfig> {
    let decay = || Some(WeightDecayConfig::new(0.01));
    let momentum = MomentumConfig::new().with_nesterov(true);
    vec![
        adam().into(),
        adam().with_weight_decay(decay()).with_amsgrad(true).into(),
        AdamConfig::new().into(),
        AdamWConfig::new()
            .with_cautious_weight_decay(true)
            .with_weight_decay(0.1)
            .into(),
        AdamWConfig::new().with_amsgrad(true).into(),
        AdanConfig::new().with_weight_decay(0.1).into(),
        AdaGradConfig::new().with_lr_decay(0.01).into(),
        AdafactorConfig::new().into(),
        AdafactorConfig::new()
            .with_relative_step(false)
            .with_weight_decay(0.1)
            .into(),
        RmsPropConfig::new()
            .with_centered(true)
            .with_weight_decay(decay())
            .into(),
        SgdConfig::new().into(),
        SgdConfig::new()
            .with_momentum(Some(momentum))
            .with_weight_decay(decay())
            .into(),
        LambConfig::new().with_weight_decay(0.1).into(),
        LionConfig::new().with_weight_decay(0.1).into(),
        OptimizerConfig::custom(LionConfig::new().init(), "Lion"),
        OptimizerConfig::per_parameter(AdanConfig::new().build(), "Adan"),
    ]
}

#[test]
fn every_optimizer_ends_with_the_same_bits() {
    for optimizer in optimizers() {
        let title = format!("{optimizer:?}");
        assert_resumes(&title, |directory| {
            let schedule = StepLr::new(0.01, 2).with_gamma(0.5);
            run(directory)
                .optimizer(optimizer.clone())
                .schedule(schedule.per_epoch())
        });
    }
}

#[test]
fn muon_on_matrices_with_any_other_one_for_vectors_ends_with_the_same_bits() {
    for others in optimizers() {
        if matches!(&others, OptimizerConfig::Custom(_)) {
            continue;
        }
        let title = format!("Muon and {others:?}");
        assert_resumes(&title, |directory| {
            let vectors = Group::new("vectors", Select::vectors()).optimizer(others.clone());
            run(directory)
                .optimizer(MuonConfig::new())
                .schedule(0.01)
                .group(vectors)
        });
    }
    // The other way round.
    assert_resumes("Adam and Muon", |directory| {
        let matrices = Group::new("matrices", Select::matrices()).optimizer(MuonConfig::new());
        run(directory).schedule(0.01).group(matrices)
    });
}
