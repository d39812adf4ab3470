//! Half a training, its record, and the other half with a fresh optimizer.

use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamWConfig, LionConfig, MuonConfig, SgdConfig};

use burn::tensor::Bytes;
use burn_pack::{Reader, Tensor, Writer};

use super::settings::full;
use crate::optim::test_model::{Net, device, inputs, updated};
use crate::optim::{
    Group, OptimError, OptimizerConfig, ResolvedGroups, Select, adam, restored, without_decay,
};

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

#[test]
fn a_state_that_contradicts_itself_is_refused() {
    let device = device();
    let net = Net::new(&device);
    let config: OptimizerConfig = adam().into();
    let groups = ResolvedGroups::resolve(&config, &[], &net).unwrap();
    let build = || config.build(&groups).unwrap();
    let mut optimizer = build();
    updated(&mut optimizer, net, &inputs(1, &device));
    let record = optimizer.into_bytes().unwrap();
    let rewritten = |change: fn(&mut Option<u64>), ranks: u64| {
        let reader = Reader::from_bytes(Bytes::from_bytes_vec(record.to_vec())).unwrap();
        let scalars = reader.scalars().clone();
        let tensors = reader.into_tensors().unwrap().into_iter().map(|tensor| {
            let (name, dtype, shape, mut id, bytes) = tensor.into_parts().unwrap();
            change(&mut id);
            Tensor::new(name, dtype, shape, id, bytes)
        });
        let mut writer = Writer::new(tensors.collect());
        for (name, value) in scalars {
            let value = if name.ends_with("__rank") {
                ranks.into()
            } else {
                value
            };
            writer = writer.with_scalar(&name, value);
        }
        writer.into_bytes().unwrap()
    };
    for record in [
        rewritten(|id| *id = None, 2),
        rewritten(|_| (), 9),
        rewritten(|_| (), 5),
    ] {
        let refused = restored(build(), record).err();
        assert!(
            matches!(refused, Some(OptimError::Unreadable { .. })),
            "{refused:?}"
        );
    }
}
