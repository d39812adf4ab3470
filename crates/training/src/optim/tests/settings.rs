//! What configs say of themselves, and what is refused.

use burn::grad_clipping::GradientClippingConfig;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdaGradConfig, AdafactorConfig, AdamConfig, AdamWConfig, AdanConfig, LBFGSConfig, LambConfig,
    LionConfig, MuonConfig, RmsPropConfig, SgdConfig,
};
use serde_json::{Value, json};

use crate::optim::ranges::has_range;
use crate::optim::{OptimError, OptimizerConfig, adam};

fn decay(penalty: f32) -> Option<WeightDecayConfig> {
    Some(WeightDecayConfig::new(penalty))
}

/// Every optimizer with all that is optional set, and Burn's own JSON of its config.
pub(super) fn full() -> Vec<(OptimizerConfig, Value)> {
    let clip = Some(GradientClippingConfig::Norm(0.5));
    macro_rules! pairs {
        ($($config:expr,)*) => {
            vec![$({
                let config = $config;
                let json = serde_json::to_value(&config).unwrap();
                (OptimizerConfig::from(config), json)
            },)*]
        };
    }
    pairs![
        AdamConfig::new()
            .with_amsgrad(true)
            .with_weight_decay(decay(0.1))
            .with_grad_clipping(clip.clone()),
        AdamWConfig::new()
            .with_cautious_weight_decay(true)
            .with_weight_decay(0.1)
            .with_grad_clipping(clip.clone()),
        AdanConfig::new()
            .with_weight_decay(0.1)
            .with_grad_clipping(clip.clone()),
        AdaGradConfig::new()
            .with_lr_decay(0.1)
            .with_weight_decay(decay(0.1))
            .with_grad_clipping(clip.clone()),
        AdafactorConfig::new()
            .with_weight_decay(0.1)
            .with_grad_clipping(clip.clone()),
        RmsPropConfig::new()
            .with_centered(true)
            .with_weight_decay(decay(0.1))
            .with_grad_clipping(clip.clone()),
        SgdConfig::new()
            .with_momentum(Some(MomentumConfig::new().with_nesterov(true)))
            .with_weight_decay(decay(0.1))
            .with_gradient_clipping(clip.clone()),
        LambConfig::new()
            .with_weight_decay(0.1)
            .with_grad_clipping(clip.clone()),
        LionConfig::new()
            .with_weight_decay(0.1)
            .with_grad_clipping(clip),
        MuonConfig::new().with_weight_decay(decay(0.1)),
    ]
}

#[test]
fn a_document_has_all_fields_of_burns_config_and_gives_the_config_back() {
    let full = full();
    assert_eq!(full.len(), 10);
    for (config, burns) in full {
        config.check().unwrap();
        let document = serde_json::to_value(&config).unwrap();
        assert_eq!(document[config.name()], burns);
        assert_eq!(document.as_object().unwrap().len(), 1);
        let text = serde_json::to_string(&config).unwrap();
        let back: OptimizerConfig = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
    }
    let default = serde_json::to_value(OptimizerConfig::default()).unwrap();
    assert_eq!(default["Adam"], serde_json::to_value(adam()).unwrap());
}

/// Every number in `json` by its path.
fn numbers(path: &str, json: &Value, found: &mut Vec<String>) {
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                numbers(&format!("{path}/{name}"), value, found);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                numbers(&format!("{path}/{index}"), value, found);
            }
        }
        Value::Number(_) => found.push(path.to_owned()),
        _ => {}
    }
}

#[test]
fn every_number_of_every_optimizer_has_a_range_and_nan_is_out_of_it() {
    for (config, burns) in full() {
        let mut paths = Vec::new();
        numbers("", &burns, &mut paths);
        assert!(paths.len() >= 4, "{paths:?}");
        let (settings, unset) = config.settings().unwrap();
        for path in paths {
            let names: Vec<&str> = path.split('/').skip(1).collect();
            let name = names
                .iter()
                .rev()
                .find(|name| name.parse::<usize>().is_err());
            assert!(has_range(name.unwrap()), "{path}");
            let mut settings = settings.clone();
            *settings.pointer_mut(&path).unwrap() = Value::Null;
            let checked = crate::optim::ranges::check_settings(config.name(), &settings, &unset);
            let optional = unset.pointer(&path).is_some_and(Value::is_null);
            assert_eq!(checked.is_err(), !optional, "{path} of {}", config.name());
        }
    }
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let refused: Vec<(OptimizerConfig, &str)> = vec![
        (adam().with_beta_1(1.0).into(), "beta_1"),
        (adam().with_beta_1(-0.1).into(), "beta_1"),
        (adam().with_beta_2(f32::NAN).into(), "beta_2"),
        (adam().with_epsilon(-1e-8).into(), "epsilon"),
        (adam().with_epsilon(f32::INFINITY).into(), "epsilon"),
        (
            adam().with_weight_decay(decay(-0.1)).into(),
            "weight_decay.penalty",
        ),
        (
            adam().with_weight_decay(decay(f32::NAN)).into(),
            "weight_decay.penalty",
        ),
        (
            adam()
                .with_grad_clipping(Some(GradientClippingConfig::Norm(0.0)))
                .into(),
            "grad_clipping.Norm",
        ),
        (
            AdamWConfig::new().with_weight_decay(f32::NAN).into(),
            "weight_decay",
        ),
        (AdanConfig::new().with_beta_3(1.5).into(), "beta_3"),
        (AdaGradConfig::new().with_lr_decay(-1.0).into(), "lr_decay"),
        (
            AdaGradConfig::new().with_lr_decay(f64::NAN).into(),
            "lr_decay",
        ),
        // Burn panics at these.
        (
            AdafactorConfig::new().with_epsilon_1(0.0).into(),
            "epsilon_1",
        ),
        (
            AdafactorConfig::new().with_clip_threshold(-1.0).into(),
            "clip_threshold",
        ),
        (
            AdafactorConfig::new().with_decay_rate(0.0).into(),
            "decay_rate",
        ),
        (RmsPropConfig::new().with_alpha(1.0).into(), "alpha"),
        (
            RmsPropConfig::new().with_momentum(f32::NAN).into(),
            "momentum",
        ),
        (
            SgdConfig::new()
                .with_momentum(Some(MomentumConfig::new().with_momentum(1.0)))
                .into(),
            "momentum.momentum",
        ),
        (
            SgdConfig::new()
                .with_momentum(Some(MomentumConfig::new().with_dampening(1.1)))
                .into(),
            "momentum.dampening",
        ),
        (
            LambConfig::new().with_weight_decay(-1.0).into(),
            "weight_decay",
        ),
        (LionConfig::new().with_beta_2(2.0).into(), "beta_2"),
        (MuonConfig::new().with_ns_steps(0).into(), "ns_steps"),
        (
            MuonConfig::new()
                .with_ns_coefficients((1.0, f32::NAN, 1.0))
                .into(),
            "ns_coefficients",
        ),
    ];
    for (config, expected) in refused {
        let built = config.build(&Default::default()).map(|_| ());
        let error = built.unwrap_err();
        assert!(
            matches!(&error, OptimError::Hyperparameter { optimizer, name, .. }
                if *optimizer == config.name() && name == expected),
            "{error}"
        );
    }
    let edge = adam().with_beta_1(0.0).with_beta_2(0.0).with_epsilon(0.0);
    OptimizerConfig::from(edge).check().unwrap();
}

#[test]
fn l_bfgs_is_refused_with_the_reason() {
    let config = OptimizerConfig::from(LBFGSConfig::new());
    assert_eq!(config.check(), Err(OptimError::Lbfgs));
    let error = config.build(&Default::default()).map(|_| ()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("evaluates the loss again and again")
    );
}

#[test]
fn a_custom_optimizer_is_its_description() {
    let optimizer = || LionConfig::new().init();
    let description = json!({"lion": {"beta_1": 0.9}});
    let config = OptimizerConfig::from((optimizer(), &description));
    config.check().unwrap();
    assert_eq!(
        serde_json::to_value(&config).unwrap(),
        json!({"Custom": description})
    );
    let read = serde_json::from_value::<OptimizerConfig>(json!({"Custom": description}));
    assert!(read.unwrap_err().to_string().contains("Custom"));
    // A map's key must be text.
    let keys = std::collections::BTreeMap::from([((1, 2), 3)]);
    let config = OptimizerConfig::custom(optimizer(), keys);
    assert!(matches!(config.check(), Err(OptimError::Unwritable { .. })));
    assert!(serde_json::to_value(&config).is_err());
}
