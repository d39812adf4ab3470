//! Settings that are wrong, before anything is written.

use std::path::Path;

use burn::module::{Lora, Module};
use burn::optim::{AdamConfig, AdamWConfig, LBFGSConfig, LionConfig, MuonConfig, SgdConfig};
use burn_lr::scheduler::{ReduceLrOnPlateau, StepLr};
use burn_lr::training::loader::{EpochLoader, Loader, LoaderError};
use burn_lr::training::metrics::train;
use burn_lr::training::optim::{
    GradientClip, Group, OptimError, OptimizerConfig, Select, layer_decay, without_decay,
};
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use super::net::{Net, run, values};
use crate::common::line::Slope;

/// Refused by `check`, `can_resume` and `fit` alike, and no directory is made.
fn refusal(configured: impl Fn(&Path) -> Training<Net>) -> TrainingError {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let checked = configured(&path).check(&Net::new(1)).unwrap_err();
    let asked = configured(&path).can_resume(&Net::new(1)).unwrap_err();
    let refused = configured(&path).fit(Net::new(1)).unwrap_err();
    assert_eq!(format!("{checked:?}"), format!("{refused:?}"));
    assert_eq!(format!("{asked:?}"), format!("{refused:?}"));
    assert!(!path.exists(), "{refused}");
    refused
}

fn optim(configured: impl Fn(Training<Net>) -> Training<Net>) -> OptimError {
    match refusal(|path| configured(run(path))) {
        TrainingError::Optim(error) => error,
        other => panic!("{other:?}"),
    }
}

fn grouped(group: Group) -> OptimError {
    optim(|training| training.group(group.clone()))
}

#[test]
fn optimizers_that_cannot_be_trained_with() {
    let lbfgs = optim(|training| training.optimizer(LBFGSConfig::new()));
    assert_eq!(lbfgs, OptimError::Lbfgs);
    assert!(
        lbfgs.to_string().contains("evaluates the loss again"),
        "{lbfgs}"
    );
    let group = Group::new("second", Select::prefix("second")).optimizer(LBFGSConfig::new());
    let expected = OptimError::Group {
        group: "second".to_owned(),
        source: Box::new(OptimError::Lbfgs),
    };
    assert_eq!(grouped(group), expected);

    let muon = optim(|training| training.optimizer(MuonConfig::new()));
    let matrix = |path: &str, shape: &[usize]| OptimError::NotMatrix {
        path: path.to_owned(),
        shape: shape.to_vec(),
    };
    assert_eq!(muon, matrix("first.bias", &[4]));
    let group = Group::new("norm", Select::prefix("norm")).optimizer(MuonConfig::new());
    assert_eq!(grouped(group), matrix("norm.gamma", &[4]));

    for beta in [1.0, -0.1, f32::NAN] {
        let refused = optim(|training| training.optimizer(AdamConfig::new().with_beta_1(beta)));
        assert!(
            matches!(&refused, OptimError::Hyperparameter { optimizer: "Adam", name, .. }
                if name == "beta_1"),
            "{refused:?}"
        );
    }
    let whole = OptimizerConfig::custom(LionConfig::new().init(), "Lion");
    let group = Group::new("second", Select::prefix("second")).optimizer(whole.clone());
    assert!(matches!(grouped(group), OptimError::Group { source, .. }
        if *source == OptimError::WholeModule));
    let undecayed = optim(|training| training.optimizer(whole.clone()).group(without_decay()));
    assert!(matches!(undecayed, OptimError::Group { source, .. }
        if matches!(*source, OptimError::UnknownDecay { .. })));
}

#[test]
fn groups_that_are_none() {
    for (select, said) in [
        (Select::prefix("secon"), "secon"),
        (Select::containing("third"), "third"),
        (Select::paths(["first.weight", "first.wait"]), "first.wait"),
        (Select::regex("^weight"), "^weight"),
        (Select::matching(|param| param.rank() == 3), "predicate"),
    ] {
        let refused = grouped(Group::new("none", select).lr_scale(0.5));
        let OptimError::NoParameter {
            group,
            selection,
            known,
        } = &refused
        else {
            panic!("{refused:?}");
        };
        assert_eq!(group, "none");
        assert!(selection.contains(said), "{selection}");
        assert_eq!(known.len(), 6);
        assert!(refused.to_string().contains("second.weight"), "{refused}");
    }
    let twice = optim(|training| training.groups(layer_decay(0.5, ["first", "second", "first"])));
    assert_eq!(
        twice,
        OptimError::DuplicateGroup {
            name: "first".to_owned()
        }
    );
    for name in ["", "a b", "a,b", "ü"] {
        let refused = grouped(Group::new(name, Select::vectors()));
        assert_eq!(
            refused,
            OptimError::GroupName {
                name: name.to_owned()
            }
        );
    }
    for scale in [-0.5, f64::NAN, f64::INFINITY] {
        let refused = grouped(Group::new("vectors", Select::vectors()).lr_scale(scale));
        assert!(matches!(refused, OptimError::LrScale { .. }), "{refused:?}");
    }
    let pattern = grouped(Group::new("vectors", Select::regex("(")));
    assert!(matches!(pattern, OptimError::Pattern { .. }), "{pattern:?}");
}

#[test]
fn a_model_without_anything_to_train() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let frozen = || Net::new(1).no_grad();
    for refused in [
        run(&path).check(&frozen()),
        run(&path).can_resume(&frozen()),
        run(&path).fit(frozen()).map(drop),
    ] {
        assert!(
            matches!(refused, Err(TrainingError::AllFrozen { parameters: 6 })),
            "{refused:?}"
        );
    }
    assert!(!path.exists());
    let adapted = frozen().apply_lora(Lora::new(1, 2.0));
    run(&path).check(&adapted).unwrap();
}

#[test]
fn limits_that_are_none() {
    for found in [0.0, -0.0, -1.0, f64::NAN] {
        for clip in [GradientClip::norm(found), GradientClip::value(found)] {
            let refused = optim(|training| training.clip_gradients(clip));
            assert!(matches!(refused, OptimError::Clip { .. }), "{refused:?}");
        }
    }
}

#[test]
fn numbers_and_schedules_out_of_range() {
    let invalid = |configured: fn(Training<Net>) -> Training<Net>| match refusal(|path| {
        configured(run(path))
    }) {
        TrainingError::Invalid { name, .. } => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(invalid(|training| training.epochs(0)), "epochs");
    assert_eq!(
        invalid(|training| training.grads_accumulation(0)),
        "gradient accumulation"
    );
    let schedule = |configured: fn(Training<Net>) -> Training<Net>| {
        let refused = refusal(|path| configured(run(path)));
        assert!(matches!(refused, TrainingError::Schedule(_)), "{refused:?}");
    };
    schedule(|training| training.schedule(-1e-3));
    schedule(|training| training.schedule(f64::NAN));
    schedule(|training| {
        training.schedule(ReduceLrOnPlateau::new(0.1).with_factor(1.5).per_epoch())
    });
    schedule(|training| {
        let group = Group::new("vectors", Select::vectors());
        training.group(group.schedule(StepLr::new(0.1, 0).per_epoch()))
    });
    // A batch that no epoch has.
    let empty = refusal(|path| {
        let train = EpochLoader::new(Slope, 41).drop_last();
        Training::new(path, train, EpochLoader::new(Slope, 20)).optimizer(SgdConfig::new())
    });
    let TrainingError::Invalid { name, found, .. } = &empty else {
        panic!("{empty:?}");
    };
    assert_eq!(*name, "training samples");
    assert!(found.contains("drop_last"), "{found}");
    // Two sizes of one batch.
    let contradicted = refusal(|path| {
        let train = Loader::from(EpochLoader::new(Slope, 8)).with_batch_size(20);
        Training::new(path, train, EpochLoader::new(Slope, 20))
    });
    assert!(matches!(
        contradicted,
        TrainingError::Loader(LoaderError::BatchSize {
            expected: 8,
            found: 20
        })
    ));
}

#[test]
fn what_is_wrong_is_said_with_the_optimizer_of_the_group() {
    let group = Group::new("second", Select::prefix("second"))
        .optimizer(AdamWConfig::new().with_weight_decay(-1.0));
    let said = grouped(group).to_string();
    assert!(
        said.starts_with("group second: AdamW: weight_decay: expected"),
        "{said}"
    );
}

#[test]
fn groups_that_would_change_nothing() {
    let group = |name: &str| Group::new(name, Select::prefix("first"));
    let frozen = || {
        let mut net = Net::new(1);
        net.first = net.first.no_grad();
        net
    };
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let refused = run(&path).group(group("a").lr_scale(0.5)).check(&frozen());
    let Err(TrainingError::Optim(OptimError::Frozen { group: named })) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(named, "a");

    let nothing = grouped(group("a"));
    assert!(matches!(nothing, OptimError::NoEffect { .. }), "{nothing}");
    let shadowed = optim(|training| {
        let training = training.group(group("a").lr_scale(0.5));
        training.group(Group::new("b", Select::prefix("")).lr_scale(0.25))
    });
    let expected = OptimError::Shadowed {
        group: "a".to_owned(),
        by: "b".to_owned(),
    };
    assert_eq!(shadowed, expected);
    // Its optimizer still counts.
    let own = group("a").lr_scale(0.5).optimizer(LionConfig::new());
    let training = run(&path).group(own).group(group("b").lr_scale(0.25));
    training.check(&Net::new(1)).unwrap();

    let observing = || group("a").observe(train("gradient_norm"));
    let deaf = grouped(observing());
    assert!(matches!(deaf, OptimError::NoPlateau { .. }), "{deaf}");
    let plateau = || ReduceLrOnPlateau::new(0.1).per_epoch();
    let own = run(&path).group(observing().schedule(plateau()));
    own.check(&Net::new(1)).unwrap();
    let of_the_run = run(&path).schedule(plateau()).group(observing());
    of_the_run.check(&Net::new(1)).unwrap();
}

#[test]
fn muon_is_checked_alike_whether_or_not_weights_are_drawn() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let check = |net: &Net| run(&path).optimizer(MuonConfig::new()).check(net);
    let drawn = Net::new(1);
    values(&drawn);
    for net in [Net::new(1), drawn.clone(), drawn.train()] {
        let refused = check(&net);
        assert!(
            matches!(
                &refused,
                Err(TrainingError::Optim(OptimError::NotMatrix { path, .. })) if path == "first.bias"
            ),
            "{refused:?}"
        );
        // Vectors that are frozen are none of its business.
        let mut matrices = net;
        matrices.norm = matrices.norm.no_grad();
        for linear in [&mut matrices.first, &mut matrices.second] {
            linear.bias = linear.bias.clone().map(|bias| bias.set_require_grad(false));
        }
        check(&matrices).unwrap();
        check(&matrices.no_grad().apply_lora(Lora::new(1, 2.0))).unwrap();
    }
    assert!(!path.exists());
}
