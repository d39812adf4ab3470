//! Optimizers of several passes: with records, in groups, and what is refused.

use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::Tensor;

use crate::optim::test_model::{Net, device, inputs};
use crate::optim::{
    Group, LoopOptimizer, OptimError, OptimizerConfig, ProdigyConfig, ResolvedGroups,
    ScheduleFreeAdamWConfig, ScheduleFreeSgdConfig, Select, adam, without_decay,
};

fn all() -> [OptimizerConfig; 4] {
    let adamw = ScheduleFreeAdamWConfig::new().with_weight_decay(0.1);
    [
        ScheduleFreeSgdConfig::new().with_warmup_steps(5).into(),
        adamw.into(),
        ProdigyConfig::new().with_weight_decay(0.1).into(),
        ProdigyConfig::new().with_beta_1(0.0).into(),
    ]
}

fn built(config: &OptimizerConfig, groups: &[Group], net: &Net) -> LoopOptimizer {
    let groups = ResolvedGroups::resolve(config, groups, net).unwrap();
    config.build_loop(&groups, net).unwrap()
}

/// Every third update leaves the embedding without gradients, and the last ones too.
fn updated(optimizer: &mut LoopOptimizer, mut net: Net, inputs: &[Tensor<2>]) -> Net {
    for (number, input) in inputs.iter().enumerate() {
        let mut grads = net.grads(input);
        if number % 3 == 2 || number + 3 > inputs.len() {
            drop(grads.remove::<2>(net.embedding()));
        }
        net = optimizer.step(0.02 / (1 + number) as f64, net, grads);
    }
    net
}

#[test]
fn they_go_on_from_a_record_with_the_same_bits() {
    let device = device();
    let net = Net::new(&device);
    let inputs = inputs(20, &device);
    let (first, second) = inputs.split_at(10);
    for config in all() {
        let mut optimizer = built(&config, &[without_decay()], &net);
        let half = updated(&mut optimizer, net.clone(), first);
        let record = optimizer.into_bytes().unwrap();
        let fresh = || built(&config, &[without_decay()], &half);
        let mut resumed = fresh().from_bytes(record).unwrap();
        assert_eq!(
            resumed.evaluated(&half).values_of_valid(),
            optimizer.evaluated(&half).values_of_valid()
        );
        let went_on = updated(&mut resumed, half.clone(), second);
        let undisturbed = updated(&mut optimizer, half.clone(), second);
        assert_eq!(went_on.values(), undisturbed.values(), "{config:?}");
        assert_eq!(resumed.d(), optimizer.d());
        assert_eq!(
            resumed.evaluated(&went_on).values_of_valid(),
            optimizer.evaluated(&undisturbed).values_of_valid()
        );
        let forgotten = updated(&mut fresh(), half, second);
        assert_ne!(forgotten.values(), undisturbed.values(), "{config:?}");
    }
}

#[test]
fn evaluating_changes_nothing() {
    let device = device();
    let net = Net::new(&device);
    let inputs = inputs(10, &device);
    for config in all() {
        let mut asked = built(&config, &[], &net);
        let mut of_asked = net.clone();
        for (number, input) in inputs.iter().enumerate() {
            let grads = of_asked.grads(input);
            of_asked = asked.step(0.02 / (1 + number) as f64, of_asked, grads);
            let trained = of_asked.values();
            let evaluated = asked.evaluated(&of_asked).values_of_valid();
            assert_eq!(of_asked.values(), trained);
            assert_eq!(
                evaluated != trained,
                config.keeps_average() && number > 0,
                "{config:?}"
            );
        }
        let mut silent = built(&config, &[], &net);
        let mut of_silent = net.clone();
        for (number, input) in inputs.iter().enumerate() {
            let grads = of_silent.grads(input);
            of_silent = silent.step(0.02 / (1 + number) as f64, of_silent, grads);
        }
        assert_eq!(of_asked.values(), of_silent.values());
    }
}

#[test]
fn a_parameter_that_has_no_gradient_stays() {
    let device = device();
    let net = Net::new(&device);
    for config in all() {
        let mut optimizer = built(&config, &[], &net);
        let empty = optimizer.step(1.0, net.clone(), GradientsParams::new());
        assert_eq!(empty.values(), net.values());
        let mut grads = net.grads(&inputs(1, &device)[0]);
        drop(grads.remove::<2>(net.embedding()));
        let once = optimizer.step(1.0, empty, grads);
        let (before, after) = (net.values(), once.values());
        let evaluated = optimizer.evaluated(&once).values_of_valid();
        for ((path, old), (new, x)) in before.iter().zip(after.iter().zip(&evaluated)) {
            let stays = path == "embed.weight";
            assert_eq!(old == &new.1, stays, "{path}");
            assert!(!stays || old == &x.1, "{path}");
        }
    }
}

#[test]
fn groups_of_other_optimizers_are_updated_once_and_evaluated_as_they_are() {
    let device = device();
    let net = Net::new(&device);
    let inputs = inputs(6, &device);
    let heads = Group::new("heads", Select::prefix("heads")).optimizer(SgdConfig::new());
    let is_head = |path: &str| path.starts_with("heads");
    for config in all() {
        let mut optimizer = built(&config, std::slice::from_ref(&heads), &net);
        let grads = net.grads(&inputs[0]);
        let once = optimizer.step(0.02, net.clone(), grads);
        let mut sgd = built(&SgdConfig::new().into(), &[], &net);
        let by_sgd = sgd.step(0.02, net.clone(), net.grads(&inputs[0]));
        let pairs = once.values().into_iter().zip(by_sgd.values());
        for ((path, ours), (_, theirs)) in pairs {
            assert_eq!(ours == theirs, is_head(&path), "{path}");
        }
        let more = updated(&mut optimizer, once, &inputs);
        let evaluated = optimizer.evaluated(&more).values_of_valid();
        for ((path, trained), (_, evaluated)) in more.values().into_iter().zip(evaluated) {
            assert!(!is_head(&path) || trained == evaluated, "{path}");
        }
    }
    // The other way about.
    let own = Group::new("heads", Select::prefix("heads")).optimizer(ScheduleFreeSgdConfig::new());
    let mut optimizer = built(&adam().into(), &[own], &net);
    let trained = updated(&mut optimizer, net.clone(), &inputs);
    let evaluated = optimizer.evaluated(&trained).values_of_valid();
    for ((path, trained), (_, evaluated)) in trained.values().into_iter().zip(evaluated) {
        assert_eq!(trained != evaluated, is_head(&path), "{path}");
    }
}

#[test]
fn burns_module_optimizer_cannot_be_one() {
    let net = Net::new(&device());
    for config in all() {
        let none = ResolvedGroups::default();
        assert!(matches!(
            config.build(&none),
            Err(OptimError::NeedsPasses { .. })
        ));
        assert!(matches!(
            config.build_for(&none, &net),
            Err(OptimError::NeedsPasses { .. })
        ));
        let group = Group::new("heads", Select::prefix("heads")).optimizer(config);
        let adam = OptimizerConfig::from(adam());
        let groups = ResolvedGroups::resolve(&adam, &[group], &net).unwrap();
        assert!(matches!(
            adam.build(&groups),
            Err(OptimError::NeedsPasses { .. })
        ));
    }
}

#[test]
fn parameters_of_prodigy_share_a_step_size() {
    let net = Net::new(&device());
    let prodigy = ProdigyConfig::new();
    let heads = || Group::new("heads", Select::prefix("heads"));
    let resolved = |optimizer: OptimizerConfig, group: Group| {
        ResolvedGroups::resolve(&optimizer, &[group], &net).map(drop)
    };
    let decayed = heads().optimizer(prodigy.with_weight_decay(0.1));
    assert!(resolved(prodigy.into(), decayed).is_ok());
    for other in [prodigy.with_d0(1e-5), prodigy.with_decouple(false)] {
        let error = OptimError::ProdigySettings {
            group: "heads".to_owned(),
        };
        assert_eq!(
            resolved(prodigy.into(), heads().optimizer(other)),
            Err(error)
        );
        assert!(resolved(adam().into(), heads().optimizer(other)).is_ok());
    }
    let error = OptimError::ProdigyGroupRate {
        group: "heads".to_owned(),
    };
    assert_eq!(resolved(prodigy.into(), heads().lr_scale(0.1)), Err(error));
    assert!(resolved(prodigy.into(), heads().optimizer(adam()).lr_scale(0.1)).is_ok());
}

#[test]
fn settings_out_of_their_range_are_refused_by_name() {
    let sgd = ScheduleFreeSgdConfig::new();
    let adamw = ScheduleFreeAdamWConfig::new();
    let prodigy = ProdigyConfig::new();
    let wrong: [(OptimizerConfig, &str); 19] = [
        (sgd.with_momentum(0.0).into(), "momentum"),
        (sgd.with_momentum(1.0).into(), "momentum"),
        (sgd.with_weight_decay(-0.1).into(), "weight_decay"),
        (sgd.with_r(f64::NAN).into(), "r"),
        (sgd.with_weight_lr_power(-1.0).into(), "weight_lr_power"),
        (adamw.with_beta_1(0.0).into(), "beta_1"),
        (adamw.with_beta_1(1.0).into(), "beta_1"),
        (adamw.with_beta_2(1.0).into(), "beta_2"),
        (adamw.with_epsilon(0.0).into(), "epsilon"),
        (
            adamw.with_weight_decay(f64::INFINITY).into(),
            "weight_decay",
        ),
        (prodigy.with_beta_1(1.0).into(), "beta_1"),
        (prodigy.with_beta_2(-0.1).into(), "beta_2"),
        (prodigy.with_beta_3(Some(1.0)).into(), "beta_3"),
        (prodigy.with_epsilon(0.0).into(), "epsilon"),
        (prodigy.with_weight_decay(-0.1).into(), "weight_decay"),
        (prodigy.with_d0(0.0).into(), "d0"),
        (prodigy.with_d_coef(0.0).into(), "d_coef"),
        (prodigy.with_growth_rate(Some(0.9)).into(), "growth_rate"),
        (
            prodigy.with_growth_rate(Some(f64::INFINITY)).into(),
            "growth_rate",
        ),
    ];
    for (config, expected) in wrong {
        match config.check() {
            Err(OptimError::Hyperparameter { name, .. }) => assert_eq!(name, expected),
            other => panic!("{config:?}: {other:?}"),
        }
    }
    for config in all() {
        let text = serde_json::to_string(&config).unwrap();
        let back: OptimizerConfig = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
    }
    let brief = r#"{"ScheduleFreeAdamW": {"warmup_steps": 3}}"#;
    let OptimizerConfig::ScheduleFreeAdamW(read) = serde_json::from_str(brief).unwrap() else {
        panic!();
    };
    assert_eq!(read, adamw.with_warmup_steps(3));
}
