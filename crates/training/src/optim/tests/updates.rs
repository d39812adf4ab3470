//! Which rate and which optimizer each parameter gets.

use std::collections::BTreeMap;

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamWConfig, GradientsParams, LionConfig, SgdConfig};
use burn::tensor::Tensor;

use crate::optim::fused_adam::FusedAdam;
use crate::optim::fused_adam::adamw::FusedAdamW;
use crate::optim::test_model::{Net, device, inputs, updated};
use crate::optim::{
    Group, OptimizerConfig, ResolvedGroups, Select, adam, adamw, layer_decay, without_decay,
};

/// Gradients of 0.5 everywhere.
struct Halves(GradientsParams);

impl ModuleVisitor for Halves {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad() {
            self.0
                .register(param.id, param.val().inner().zeros_like().add_scalar(0.5));
        }
    }
}

/// By how much one update at rate 1 moves each parameter, all of its elements alike.
fn moves(config: &OptimizerConfig, groups: &[Group]) -> BTreeMap<String, f32> {
    let net = Net::new(&device());
    let groups = ResolvedGroups::resolve(config, groups, &net).unwrap();
    let mut scheduler = ModuleLrScheduler::new(1.0);
    for group in groups.iter().filter(|group| group.has_rate()) {
        scheduler = scheduler.with_group(group.param_group(), group.lr_scale());
    }
    let mut grads = Halves(GradientsParams::new());
    net.visit(&mut grads);
    let mut optimizer = config.build(&groups).unwrap();
    let after = optimizer.step(scheduler.step(), net.clone(), grads.0);
    let pairs = net.values().into_iter().zip(after.values());
    let moved = pairs.map(|((path, before), (_, after))| {
        let mut moves = before
            .iter()
            .zip(&after)
            .map(|(before, after)| before - after);
        let first = moves.next().unwrap();
        assert!(moves.all(|other| (other - first).abs() < 1e-6), "{path}");
        (path, (first * 1e4).round() / 1e4)
    });
    moved.collect()
}

#[test]
fn every_parameter_gets_the_rate_and_the_optimizer_of_the_last_group_that_has_it() {
    let nesterov = MomentumConfig::new().with_momentum(0.8).with_nesterov(true);
    let groups = [
        Group::new("blocks", Select::prefix("blocks"))
            .lr_scale(0.5)
            .optimizer(LionConfig::new()),
        Group::new("biases", Select::containing("bias"))
            .optimizer(SgdConfig::new().with_momentum(Some(nesterov))),
        Group::new("second", Select::prefix("blocks.1")).lr_scale(0.25),
        Group::new("heads", Select::regex(r"^heads\.\d\.weight$")).lr_scale(2.0),
    ];
    let moves = moves(&SgdConfig::new().into(), &groups);
    // SGD moves by 0.5, Lion by 1, Nesterov by 0.5 * 1.8.
    let expected = |path: &str| -> f32 {
        let by = if path.contains("bias") {
            0.9
        } else if path.starts_with("blocks.") {
            1.0
        } else {
            0.5
        };
        let lr = if path.starts_with("blocks.1.") {
            0.25
        } else if path.starts_with("blocks.") {
            0.5
        } else if path.starts_with("heads.") && path.ends_with("weight") {
            2.0
        } else {
            1.0
        };
        by * lr
    };
    assert_eq!(moves.len(), 2 + 11 * 4 + 2 + 4);
    for (path, moved) in &moves {
        assert!((moved - expected(path)).abs() < 1e-4, "{path}: {moved}");
    }
}

#[test]
fn layers_nearer_to_the_input_learn_more_slowly() {
    let groups = layer_decay(0.5, ["embed", "blocks.0", "blocks.1", "heads"]);
    let moves = moves(&LionConfig::new().into(), &groups);
    let of = |path: &str| moves[path];
    assert_eq!([of("embed.weight"), of("embed.bias")], [0.125; 2]);
    assert_eq!(
        [of("blocks.0.norm.gamma"), of("blocks.1.inner.weight")],
        [0.25, 0.5]
    );
    assert_eq!([of("heads.0.weight"), of("heads.1.bias")], [1.0; 2]);
    assert_eq!(
        [of("blocks.10.inner.weight"), of("average.gamma")],
        [1.0; 2]
    );
}

#[test]
fn vectors_have_no_weight_decay_and_matrices_have() {
    let device = device();
    let net = Net::new(&device);
    let trained = |config: &OptimizerConfig, groups: &[Group]| {
        let groups = ResolvedGroups::resolve(config, groups, &net).unwrap();
        let mut optimizer = config.build(&groups).unwrap();
        updated(&mut optimizer, net.clone(), &inputs(1, &device)).values()
    };
    let decaying = OptimizerConfig::from(AdamWConfig::new().with_weight_decay(0.5));
    let without = trained(&decaying.without_weight_decay().unwrap(), &[]);
    let all = trained(&decaying, &[]);
    let split = trained(&decaying, &[without_decay()]);
    let params = crate::optim::parameters(&net).into_iter();
    let trained = params.filter(|param| param.trainable);
    for (index, param) in trained.enumerate() {
        let expected = if param.rank() < 2 { &without } else { &all };
        assert_eq!(split[index], expected[index], "{}", param.path);
        let same = without[index] == all[index];
        // A bias can be 0, but no weight.
        assert!(!same || param.rank() < 2, "{}", param.path);
    }
}

#[test]
fn a_groups_adam_updates_in_one_pass_too() {
    let device = device();
    let net = Net::new(&device);
    let config = OptimizerConfig::from(SgdConfig::new());
    let inputs = inputs(10, &device);
    let of_group = |own: OptimizerConfig| {
        let groups = [Group::new("blocks", Select::prefix("blocks")).optimizer(own)];
        let groups = ResolvedGroups::resolve(&config, &groups, &net).unwrap();
        let ours = updated(&mut config.build(&groups).unwrap(), net.clone(), &inputs);
        let group = groups.iter().next().unwrap().param_group();
        (ours.values(), group)
    };
    let sgd = || SgdConfig::new().init();
    let (ours, group) = of_group(adam().into());
    let mut fused = sgd().with_group(group, FusedAdam::new(&adam()).unwrap(), None);
    assert_eq!(ours, updated(&mut fused, net.clone(), &inputs).values());
    let (ours, group) = of_group(adamw().into());
    let mut fused = sgd().with_group(group, FusedAdamW::new(&adamw()).unwrap(), None);
    assert_eq!(ours, updated(&mut fused, net.clone(), &inputs).values());
}

#[test]
fn burns_own_clipping_is_kept_in_a_group() {
    use burn::grad_clipping::GradientClippingConfig;
    let clip = Some(GradientClippingConfig::Value(0.25));
    let clipped = SgdConfig::new().with_gradient_clipping(clip);
    let groups = [Group::new("embed", Select::prefix("embed")).optimizer(clipped)];
    let moves = moves(&SgdConfig::new().into(), &groups);
    assert_eq!([moves["embed.bias"], moves["heads.0.bias"]], [0.25, 0.5]);
}
