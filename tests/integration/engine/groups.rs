//! The rates that parameters get, and what the history says of them.

use burn::optim::SgdConfig;
use burn_lr::scheduler::StepLr;
use burn_lr::training::Training;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::optim::{Group, Select, layer_decay, parameters, without_decay};
use tempfile::TempDir;

use super::net::{Net, values};
use super::plain::{assert_close, gradients};
use crate::common::line::Slope;

/// Plain SGD for a single update on all points: every change is the rate times the gradient.
fn one_update(configured: impl FnOnce(Training<Net>) -> Training<Net>) -> Vec<(String, f64)> {
    let directory = TempDir::new().unwrap();
    let train = EpochLoader::new(Slope, 40);
    let training = Training::new(directory.path(), train, EpochLoader::new(Slope, 40));
    let training = training
        .optimizer(SgdConfig::new())
        .schedule(0.1)
        .on_notice(|_| {});
    let net = Net::new(1);
    let (before, gradients) = (values(&net), gradients(&net));
    let names: Vec<String> = parameters(&net)
        .into_iter()
        .map(|param| param.path)
        .collect();
    let after = values(&configured(training).fit(net).unwrap().model);
    let rate = |index: usize| {
        // By the largest gradient, which says it best.
        let at = |i: &usize| gradients[index][*i].abs();
        let largest = (0..gradients[index].len())
            .max_by(|a, b| at(a).total_cmp(&at(b)))
            .unwrap();
        let change = before[index][largest] - after[index][largest];
        f64::from(change / gradients[index][largest])
    };
    names
        .into_iter()
        .enumerate()
        .map(|(index, name)| (name, rate(index)))
        .collect()
}

fn assert_rates(found: &[(String, f64)], expected: impl Fn(&str) -> f64) {
    assert_eq!(found.len(), 6, "{found:?}");
    for (name, rate) in found {
        assert_close(*rate, expected(name), 1e-3, name);
    }
}

#[test]
fn every_parameter_gets_the_rate_of_its_last_group() {
    assert_rates(&one_update(|training| training), |_| 0.1);
    let layers = |training: Training<Net>| {
        // timm's layer_decay, in two lines.
        let layers = layer_decay(0.5, ["first", "norm", "second"]);
        training.groups(layers)
    };
    assert_rates(&one_update(layers), |name| match name {
        name if name.starts_with("first") => 0.025,
        name if name.starts_with("norm") => 0.05,
        _ => 0.1,
    });
    let mixed = |training: Training<Net>| {
        training
            .group(
                Group::new("vectors", Select::vectors()).schedule(StepLr::new(0.4, 1).per_epoch()),
            )
            .group(Group::new("second", Select::prefix("second")).lr_scale(2.0))
            .group(Group::new("frozen", Select::paths(["norm.gamma"])).lr_scale(0.0))
            .group(
                Group::new("half", Select::regex("beta$"))
                    .schedule(0.4)
                    .lr_scale(0.5),
            )
            // Says nothing of the rate.
            .group(Group::new("again", Select::prefix("first")).optimizer(SgdConfig::new()))
    };
    assert_rates(&one_update(mixed), |name| match name {
        "first.weight" => 0.1,
        "first.bias" => 0.4,
        "norm.gamma" => 0.0,
        "norm.beta" => 0.2,
        _ => 0.2,
    });
}

#[test]
fn biases_and_norms_go_without_decay_in_one_line() {
    use burn::optim::decay::WeightDecayConfig;
    let decayed = |without: bool| {
        let decay = Some(WeightDecayConfig::new(0.5));
        let found = one_update(|training| {
            let training = training.optimizer(SgdConfig::new().with_weight_decay(decay));
            if without {
                training.group(without_decay())
            } else {
                training
            }
        });
        let decays =
            |(name, rate): (String, f64)| (rate - 0.1).abs() > 1e-3 && name != "first.bias";
        found
            .into_iter()
            .map(|found| (found.0.clone(), decays(found)))
            .collect::<Vec<_>>()
    };
    let names = |found: Vec<(String, bool)>| {
        let decayed = found.into_iter().filter(|(_, decays)| *decays);
        decayed.map(|(name, _)| name).collect::<Vec<_>>()
    };
    // Biases and betas are 0 here: there is nothing to decay.
    assert_eq!(
        names(decayed(false)),
        ["first.weight", "norm.gamma", "second.weight"]
    );
    assert_eq!(names(decayed(true)), ["first.weight", "second.weight"]);
}
