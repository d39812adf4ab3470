//! A ready optimizer of the user's own, whose groups go by path, and by id.

use burn::module::{Module, ParamGroup};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamWConfig, ModuleOptimizer, SgdConfig};
use burn_lr::training::TrainingError;
use burn_lr::training::optim::{OptimError, OptimizerConfig, ParamInfo};
use tempfile::TempDir;

use super::net::{Net, assert_resumes, run, values};

fn grouped(group: ParamGroup) -> ModuleOptimizer {
    let momentum = Some(MomentumConfig::new());
    let sgd = SgdConfig::new().with_momentum(momentum).build();
    AdamWConfig::new().init().with_group(group, sgd, None)
}

fn by_id(params: &[ParamInfo]) -> ModuleOptimizer {
    let second = params
        .iter()
        .filter(|param| param.path.starts_with("second"));
    grouped(ParamGroup::from_ids(second.map(|param| param.id).collect()))
}

#[test]
fn groups_by_id_are_made_for_the_model_or_refused() {
    let by_path = || grouped(ParamGroup::from_predicate("second"));
    let ready = OptimizerConfig::custom(by_path(), "AdamW, SGD for second");
    let expected = assert_resumes("by path", |path| {
        run(path)
            .schedule(0.01)
            .strict(true)
            .optimizer(ready.clone())
    });
    let made = OptimizerConfig::custom_for(by_id, "AdamW, SGD for second");
    let found = assert_resumes("by id", |path| {
        run(path)
            .schedule(0.01)
            .strict(true)
            .optimizer(made.clone())
    });
    assert!(found == expected);
    let directory = TempDir::new().unwrap();
    let training = || run(directory.path()).optimizer(made.clone());
    training().epochs(1).fit(Net::new(1)).unwrap();
    training().can_resume(&Net::new(2)).unwrap();

    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    for net in [Net::new(1), drawn(), drawn().train()] {
        let ready = grouped(ParamGroup::ids_from_module(net.second.clone()));
        let by_id = OptimizerConfig::custom(ready, "AdamW, SGD for second");
        let refused = run(&path).optimizer(by_id).fit(net).map(drop);
        let expected = OptimError::ById {
            path: "second.weight".to_owned(),
        };
        assert!(
            matches!(&refused, Err(TrainingError::Optim(error)) if *error == expected),
            "{refused:?}"
        );
    }
    assert!(!path.exists());
}

fn drawn() -> Net {
    let net = Net::new(1);
    values(&net);
    net
}
