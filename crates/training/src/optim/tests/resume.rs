//! Half a training, its record, and the other half with a fresh optimizer.

use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamWConfig, LionConfig, MuonConfig, SgdConfig};

use super::settings::full;
use crate::optim::test_model::{Net, device, inputs, updated};
use crate::optim::{Group, OptimizerConfig, ResolvedGroups, Select, adam, without_decay};

fn assert_resumes(config: &OptimizerConfig, groups: &[Group]) {
    let device = device();
    let net = Net::new(&device);
    let inputs = inputs(20, &device);
    let groups = ResolvedGroups::resolve(config, groups, &net).unwrap();
    let build = || config.build(&groups).unwrap();
    let (first, second) = inputs.split_at(10);
    let mut optimizer = build();
    let half = updated(&mut optimizer, net.clone(), first);
    let record = optimizer.into_bytes().unwrap();
    let undisturbed = updated(&mut optimizer, half.clone(), second).values();
    let mut restored = build().from_bytes(record).unwrap();
    let resumed = updated(&mut restored, half.clone(), second).values();
    assert_eq!(undisturbed, resumed, "{}", config.name());
    assert!(
        undisturbed
            .iter()
            .flat_map(|(_, values)| values)
            .all(|v| v.is_finite())
    );
    assert_ne!(undisturbed, half.values(), "{}", config.name());
    // The state counts.
    let forgotten = updated(&mut build(), half, second).values();
    let stateless = matches!(config, OptimizerConfig::Sgd(_)) && groups.is_empty();
    if !stateless {
        assert_ne!(undisturbed, forgotten, "{}", config.name());
    }
}

#[test]
fn every_optimizer_goes_on_with_the_same_bits() {
    for (config, _) in full() {
        let groups = match &config {
            OptimizerConfig::Muon(_) => {
                vec![Group::new("vectors", Select::vectors()).optimizer(adam())]
            }
            _ => Vec::new(),
        };
        assert_resumes(&config, &groups);
    }
    assert_resumes(&adam().into(), &[]);
    assert_resumes(&SgdConfig::new().into(), &[]);
}

#[test]
fn groups_of_different_optimizers_go_on_with_the_same_bits() {
    let sgd = SgdConfig::new().with_momentum(Some(MomentumConfig::new()));
    let groups = [
        Group::new("matrices", Select::matrices()).optimizer(MuonConfig::new()),
        Group::new("heads", Select::prefix("heads")).optimizer(sgd),
        Group::new("adam", Select::prefix("blocks.1")).optimizer(adam()),
        Group::new("custom", Select::paths(["heads.1.bias"])).optimizer(
            OptimizerConfig::per_parameter(LionConfig::new().build(), "Lion"),
        ),
    ];
    let decayed: OptimizerConfig = AdamWConfig::new().with_weight_decay(0.1).into();
    let mut split = vec![without_decay()];
    split.extend(groups.clone());
    assert_resumes(&decayed, &split);
    assert_resumes(&adam().into(), &groups);
    let lion = OptimizerConfig::custom(LionConfig::new().init(), "Lion");
    assert_resumes(&lion, &groups);
}
