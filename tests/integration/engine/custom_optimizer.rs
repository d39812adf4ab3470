//! A ready optimizer of the user's own, whose groups go by path, and by id.

use burn::module::ParamGroup;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamWConfig, ModuleOptimizer, SgdConfig};
use burn_lr::training::TrainingError;
use burn_lr::training::optim::{OptimizerConfig, ParamInfo};
use tempfile::TempDir;

use super::net::{Net, assert_resumes, run};

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
fn groups_by_path_and_by_id_are_made_for_the_model() {
    let by_path = |_: &[ParamInfo]| grouped(ParamGroup::from_predicate("second"));
    let resumed = |name, make: fn(&[ParamInfo]) -> ModuleOptimizer| {
        let made = OptimizerConfig::custom_for(make, "AdamW, SGD for second");
        assert_resumes(name, |path| {
            run(path)
                .schedule(0.01)
                .strict(true)
                .optimizer(made.clone())
        })
    };
    assert!(resumed("by path", by_path) == resumed("by id", by_id));
    let directory = TempDir::new().unwrap();
    let made = OptimizerConfig::custom_for(by_id, "AdamW, SGD for second");
    let training = || run(directory.path()).optimizer(made.clone());
    training().epochs(1).fit(Net::new(1)).unwrap();
    training().can_resume(&Net::new(2)).unwrap();
}

#[test]
fn a_ready_optimizer_is_told_and_refused_by_strict() {
    let ready = || {
        let by_path = grouped(ParamGroup::from_predicate("second"));
        OptimizerConfig::custom(by_path, "AdamW, SGD for second")
    };
    assert_resumes("ready", |path| run(path).schedule(0.01).optimizer(ready()));

    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let refused = run(&path).strict(true).optimizer(ready()).fit(Net::new(1));
    let Err(TrainingError::Inexact { reasons }) = refused.map(drop) else {
        panic!("a ready optimizer may have groups by id");
    };
    assert!(
        reasons.len() == 1 && reasons[0].contains("custom_for"),
        "{reasons:?}"
    );
    assert!(!path.exists());
    let (notices, said) = std::sync::mpsc::channel();
    let training = run(&path).epochs(1).optimizer(ready());
    let training = training.on_notice(move |notice| notices.send(notice.to_owned()).unwrap());
    training.fit(Net::new(1)).unwrap();
    assert!(said.iter().any(|notice| notice.contains("custom_for")));
}
