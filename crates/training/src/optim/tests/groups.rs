//! What groups select, and which are refused.

use burn::module::{Lora, Module, Param, ParamGroup, ParamId};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamWConfig, LionConfig, MuonConfig};
use burn::tensor::Tensor;
use burn_lr_scheduler::StepLr;
use serde_json::json;

use crate::device::Backend;
use crate::key::valid;
use crate::optim::test_model::{Net, device};
use crate::optim::{
    Group, OptimError, OptimizerConfig, ResolvedGroups, Select, adam, layer_decay, parameters,
    without_decay,
};

fn resolved(groups: &[Group]) -> Result<ResolvedGroups, OptimError> {
    ResolvedGroups::resolve(&adam().into(), groups, &Net::new(&device()))
}

fn paths(select: impl Into<Select>) -> Vec<String> {
    let groups = resolved(&[Group::new("it", select).lr_scale(0.5)]).unwrap();
    groups
        .iter()
        .flat_map(|group| group.paths().to_vec())
        .collect()
}

#[test]
fn parameters_are_known_by_path_shape_and_module() {
    let params = parameters(&Net::new(&device()));
    let param = |path: &str| params.iter().find(|param| param.path == path).unwrap();
    let weight = param("blocks.10.inner.weight");
    assert_eq!(
        (weight.name(), &weight.shape[..], weight.module.as_str()),
        ("weight", &[4, 4][..], "Linear")
    );
    assert_eq!(param("blocks.0.norm.gamma").module, "LayerNorm");
    assert_eq!(param("heads.1.bias").rank(), 1);
    assert!(weight.trainable && !param("average.running_mean").trainable);
    let frozen = parameters(&Net::new(&device()).no_grad());
    assert!(frozen.iter().all(|param| !param.trainable));
}

#[test]
fn parameters_are_listed_without_drawing_weights() {
    let linear: Linear = LinearConfig::new(3, 2).init(&device());
    assert_eq!(parameters(&linear)[0].shape, [3, 2]);
    assert!(!linear.weight.is_initialized());
}

#[test]
fn a_parameter_is_trainable_whether_or_not_it_is_drawn() {
    let trained = |linear: &Linear| {
        let params = parameters(linear).into_iter();
        let trained = params
            .filter(|param| param.trainable)
            .map(|param| param.path);
        trained.collect::<Vec<_>>()
    };
    let plain = Backend::Flex.device().unwrap();
    for device in [plain.clone(), plain.autodiff()] {
        for draws in [false, true] {
            let linear = || {
                let linear: Linear = LinearConfig::new(3, 2).init(&device);
                if draws {
                    linear.weight.val();
                    linear.bias.as_ref().unwrap().val();
                }
                linear
            };
            assert_eq!(trained(&linear()), ["weight", "bias"]);
            assert!(trained(&linear().no_grad()).is_empty());
            let mut half = linear();
            half.weight = half.weight.set_require_grad(false);
            assert_eq!(trained(&half), ["bias"]);
            let adapted = trained(&linear().apply_lora(Lora::new(1, 2.0)));
            assert_eq!(adapted.len(), 2, "{adapted:?}");
            assert!(adapted.iter().all(|path| path.starts_with("weight.")));
            assert_eq!(linear().weight.is_initialized(), draws);
        }
    }
}

#[test]
fn selections_have_what_they_say() {
    let block = ["norm.gamma", "norm.beta", "inner.weight", "inner.bias"];
    let first = block.map(|name| format!("blocks.1.{name}"));
    assert_eq!(paths(Select::prefix("blocks.1")), first);
    assert_eq!(paths(Select::regex(r"^blocks\.1\.")), first);
    assert_eq!(paths(Select::prefix("embed.bias")), ["embed.bias"]);
    assert_eq!(
        paths(Select::paths(["heads.1.bias", "embed.bias"])),
        ["embed.bias", "heads.1.bias"]
    );
    assert_eq!(paths(Select::containing("s.1.weight")), ["heads.1.weight"]);
    assert_eq!(paths(ParamGroup::from_path("embed.bias")), ["embed.bias"]);
    let norms = paths(Select::matching(|param| param.module == "LayerNorm"));
    assert_eq!(norms.len(), 22);
    assert_eq!(paths(Select::prefix("")).len(), 2 + 44 + 4 + 4);
    assert_eq!(paths(Select::matrices()).len(), 1 + 11 + 2);
    let net = Net::new(&device());
    let id = parameters(&net)[0].id;
    let group = [Group::new("it", ParamGroup::from_ids(vec![id])).lr_scale(0.5)];
    let groups = ResolvedGroups::resolve(&adam().into(), &group, &net).unwrap();
    assert_eq!(groups.iter().next().unwrap().paths(), ["embed.weight"]);
}

#[test]
fn a_group_without_parameters_is_refused() {
    for select in [
        Select::prefix("block"),
        Select::prefix("blocks.11"),
        Select::containing("decoder"),
        Select::paths(["embed.bias", "embed.gamma"]),
        Select::paths(Vec::<String>::new()),
        Select::regex("^bias"),
        Select::matching(|param| param.rank() == 5),
        ParamGroup::from_ids(vec![ParamId::new()]).into(),
    ] {
        let error = resolved(&[Group::new("lost", select)]).unwrap_err();
        assert!(
            matches!(&error, OptimError::NoParameter { group, known, .. }
                if group == "lost" && known.len() == 54),
            "{error}"
        );
        assert!(error.to_string().contains("embed.weight"));
    }
}

#[test]
fn an_optional_group_by_predicate_may_be_empty() {
    let linear: Linear = LinearConfig::new(3, 2).with_bias(false).init(&device());
    let resolve = |groups: &[Group]| ResolvedGroups::resolve(&adam().into(), groups, &linear);
    let rest = || Group::new("rest", Select::prefix("")).lr_scale(0.5);
    let groups = resolve(&[without_decay(), rest()]).unwrap();
    let names: Vec<&str> = groups.iter().map(|group| group.name()).collect();
    assert_eq!(names, ["rest"]);
    let scaled = |select| Group::new("it", select).lr_scale(0.5);
    assert!(resolve(&[scaled(Select::vectors()).optional()]).is_ok());
    // What is wrong with it is found all the same, and so is a path that is none.
    for wrong in [
        scaled(Select::vectors()),
        scaled(Select::vectors()).lr_scale(-1.0).optional(),
        scaled(Select::prefix("bias")).optional(),
        scaled(Select::containing("bias")).optional(),
        scaled(Select::paths(["bias"])).optional(),
        scaled(Select::regex("^bias")).optional(),
    ] {
        assert!(resolve(&[wrong]).is_err());
    }
}

#[test]
fn layers_may_be_frozen_or_have_another_rate_later() {
    let mut net = Net::new(&device());
    net.freeze_embed();
    let resolve = |groups: &[Group]| ResolvedGroups::resolve(&adam().into(), groups, &net);
    let mut groups = layer_decay(0.5, ["embed", "blocks", "heads"]);
    groups.push(without_decay());
    groups.push(Group::new("head", Select::prefix("heads")).lr_scale(10.0));
    let resolved = resolve(&groups).unwrap();
    assert_eq!(resolved.rate_group("embed.weight").unwrap().name(), "embed");
    assert_eq!(
        resolved.rate_group("heads.0.weight").unwrap().name(),
        "head"
    );
    let group = |name: &str| Group::new(name, Select::prefix(name)).lr_scale(0.5);
    assert!(matches!(
        resolve(&[group("embed")]),
        Err(OptimError::Frozen { .. })
    ));
    let again = Group::new("again", Select::prefix("heads")).lr_scale(1.0);
    let refused = resolve(&[group("heads"), again.clone()]);
    assert!(matches!(refused, Err(OptimError::Shadowed { .. })));
    resolve(&[group("heads").optional(), again]).unwrap();
    let refused = resolve(&layer_decay(0.5, ["embeds", "heads"]));
    assert!(matches!(refused, Err(OptimError::NoParameter { .. })));
}

#[test]
fn names_patterns_and_factors_are_checked() {
    let group = |name: &str| Group::new(name, Select::prefix("embed"));
    for name in ["", "a b", "a,b", "ä", "a/b", "a\n"] {
        assert!(
            matches!(resolved(&[group(name)]), Err(OptimError::GroupName { .. })),
            "{name:?}"
        );
    }
    resolved(&[group("a-Z_0.9").lr_scale(2.0)]).unwrap();
    let twice = resolved(&[group("a"), group("b"), group("a")]);
    assert!(matches!(twice, Err(OptimError::DuplicateGroup { name }) if name == "a"));
    let pattern = resolved(&[Group::new("a", Select::regex("("))]);
    assert!(matches!(pattern, Err(OptimError::Pattern { .. })));
    for factor in [-0.1, f64::NAN, f64::INFINITY] {
        let scaled = resolved(&[group("a").lr_scale(factor)]);
        assert!(
            matches!(scaled, Err(OptimError::LrScale { .. })),
            "{factor}"
        );
    }
    resolved(&[group("a").lr_scale(0.0)]).unwrap();
}

#[test]
fn a_groups_optimizer_is_checked() {
    let group =
        |optimizer: OptimizerConfig| Group::new("a", Select::prefix("embed")).optimizer(optimizer);
    let whole = OptimizerConfig::custom(LionConfig::new().init(), "Lion");
    for (optimizer, expected) in [
        (LionConfig::new().with_beta_1(1.0).into(), "beta_1"),
        (burn::optim::LBFGSConfig::new().into(), "L-BFGS"),
        (whole, "ready ModuleOptimizer"),
    ] {
        let error = resolved(&[group(optimizer)]).unwrap_err();
        assert!(matches!(&error, OptimError::Group { group, .. } if group == "a"));
        assert!(error.to_string().contains(expected), "{error}");
    }
    let custom = OptimizerConfig::per_parameter(LionConfig::new().build(), "Lion");
    let net = Net::new(&device());
    let error = ResolvedGroups::resolve(&custom, &[without_decay()], &net).unwrap_err();
    assert!(error.to_string().contains("weight decay"), "{error}");
}

#[test]
fn muon_gets_matrices_alone() {
    let net = Net::new(&device());
    let muon = OptimizerConfig::from(MuonConfig::new());
    let vectors = || Group::new("vectors", Select::vectors()).optimizer(adam());
    let resolve =
        |config: &OptimizerConfig, groups: &[Group]| ResolvedGroups::resolve(config, groups, &net);
    let refused = resolve(&muon, &[]);
    assert!(
        matches!(&refused, Err(OptimError::NotMatrix { path, shape }) if path == "embed.bias" && *shape == [4])
    );
    resolve(&muon, &[vectors()]).unwrap();
    let block = Group::new("block", Select::prefix("blocks.0")).optimizer(muon.clone());
    let refused = resolve(&adam().into(), std::slice::from_ref(&block));
    assert!(
        matches!(refused, Err(OptimError::NotMatrix { path, .. }) if path == "blocks.0.norm.gamma")
    );
    resolve(&adam().into(), &[block.clone(), vectors()]).unwrap();
    assert!(resolve(&adam().into(), &[vectors(), block]).is_err());
    // What is frozen gets no gradients.
    ResolvedGroups::resolve(&muon, &[], &net.clone().no_grad()).unwrap();
}

#[test]
fn a_resolved_group_is_written_with_its_paths() {
    let group = Group::new("head", Select::paths(["heads.0.bias"]))
        .optimizer(AdamWConfig::new())
        .schedule(StepLr::new(0.01, 3).per_epoch())
        .lr_scale(0.1)
        .observe(valid("loss"));
    let groups = resolved(&[group, without_decay()]).unwrap();
    let document = serde_json::to_value(&groups).unwrap();
    assert_eq!(document[0]["name"], "head");
    assert_eq!(document[0]["paths"], json!(["heads.0.bias"]));
    assert_eq!(document[0]["schedule"]["clock"], "per_epoch");
    assert_eq!(document[0]["optimizer"]["AdamW"]["amsgrad"], false);
    assert_eq!(
        (&document[0]["lr_scale"], &document[0]["observed"]),
        (&json!(0.1), &json!("valid_loss"))
    );
    assert_eq!(
        document[1]["optimizer"]["Adam"]["weight_decay"],
        json!(null)
    );
    let group =
        |found: Option<&crate::optim::ResolvedGroup>| found.map(|group| group.name().to_owned());
    assert_eq!(
        group(groups.optimizer_group("heads.0.bias")),
        Some("without_decay".to_owned())
    );
    assert_eq!(
        group(groups.rate_group("heads.0.bias")),
        Some("head".to_owned())
    );
    assert_eq!(group(groups.rate_group("heads.1.bias")), None);
}

#[derive(Module, Debug)]
struct Tied {
    input: Param<Tensor<2>>,
    output: Param<Tensor<2>>,
}

/// Why such a model is refused.
#[test]
fn burn_updates_the_first_of_tied_parameters_alone() {
    let device = device();
    let input = Param::from_tensor(Tensor::<2>::ones([2, 2], &device));
    let model = Tied {
        output: input.clone(),
        input,
    };
    let loss = model.input.val().matmul(model.output.val()).sum();
    let grads = burn::optim::GradientsParams::from_grads(loss.backward(), &model);
    let updated = burn::optim::SgdConfig::new()
        .init()
        .step(0.1, model.clone(), grads);
    let sum = |param: &Param<Tensor<2>>| param.val().sum().into_scalar::<f32>();
    assert_ne!(sum(&updated.input), 4.0);
    assert_eq!(sum(&updated.output), 4.0);
    let refused = ResolvedGroups::resolve(&adam().into(), &[], &model);
    assert!(
        matches!(refused, Err(OptimError::Tied { first, second }) if first == "input" && second == "output")
    );
    // So it is before it is trained, whether or not it has been drawn.
    for draws in [false, true] {
        let linear: Linear = LinearConfig::new(2, 2)
            .with_bias(false)
            .init(&device.clone().inner());
        if draws {
            linear.weight.val();
        }
        let model = Tied {
            input: linear.weight.clone(),
            output: linear.weight,
        };
        let refused = ResolvedGroups::resolve(&adam().into(), &[], &model);
        assert!(
            matches!(refused, Err(OptimError::Tied { .. })),
            "{refused:?}"
        );
        ResolvedGroups::resolve(&adam().into(), &[], &model.no_grad()).unwrap();
    }
    // A frozen copy is none.
    let copy = Tied {
        output: model.output.clone().set_require_grad(false),
        ..model
    };
    ResolvedGroups::resolve(&adam().into(), &[], &copy).unwrap();
}
