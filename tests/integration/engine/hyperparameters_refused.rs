//! Schedules of momentum, betas and weight decay that cannot be.

use burn::optim::{AdaGradConfig, MuonConfig, SgdConfig};
use burn_lr::scheduler::{GreedyLr, PiecewiseInterpolate};
use burn_lr::training::optim::{
    Group, Hyperparameter, OptimError, OptimizerConfig, Select, adamw, without_decay,
};
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use super::hyperparameters::{one_cycle, raised};
use super::net::{Net, run};

fn refused(configured: impl Fn(Training<Net>) -> Training<Net>) -> OptimError {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let error = configured(run(&path)).fit(Net::new(1)).unwrap_err();
    assert!(!path.exists(), "{error}");
    match error {
        TrainingError::Optim(error) => error,
        error => panic!("{error}"),
    }
}

#[test]
fn what_cannot_be_scheduled_is_refused_before_anything_is_written() {
    let no_momentum = |optimizer| OptimError::NoMomentum { optimizer };
    let cycled = |run: Training<Net>| run.schedule(one_cycle().per_update());
    for (optimizer, name) in [
        (OptimizerConfig::from(SgdConfig::new()), "Sgd"),
        (AdaGradConfig::new().into(), "AdaGrad"),
        (
            OptimizerConfig::custom(SgdConfig::new().init(), "mine"),
            "Custom",
        ),
    ] {
        let error = refused(|run| cycled(run).optimizer(optimizer.clone()));
        assert_eq!(error, no_momentum(name));
    }
    let group = |name| Group::new(name, Select::prefix("first"));
    let ada_grad = || group("a").optimizer(AdaGradConfig::new());
    let in_group = |group: &str, source| OptimError::Group {
        group: group.to_owned(),
        source: Box::new(source),
    };
    let error = refused(|run| cycled(run).group(ada_grad()));
    assert_eq!(error, in_group("a", no_momentum("AdaGrad")));
    let twice = OptimError::TwoSchedules { of: "momentum" };
    let error = refused(|run| cycled(run).schedule_for(Hyperparameter::Momentum, 0.5));
    assert_eq!(error, twice);
    let scheduled = || group("a").schedule_for(Hyperparameter::Momentum, 0.5);
    assert_eq!(
        refused(|run| cycled(run).group(scheduled())),
        in_group("a", twice.clone())
    );
    let own = || group("a").schedule(one_cycle().per_update());
    let error = refused(|run| {
        let run = run.schedule_for(Hyperparameter::Momentum, 0.5);
        run.group(own())
    });
    assert_eq!(error, in_group("a", twice));
    let lacks = |of, optimizer| OptimError::NoHyperparameter { of, optimizer };
    let of_two = |run: Training<Net>| run.schedule_for(Hyperparameter::Beta2, 0.9);
    let error = refused(|run| of_two(run).optimizer(SgdConfig::new()));
    assert_eq!(error, lacks("beta_2", "Sgd"));
    let error = refused(|run| {
        let group = ada_grad().schedule_for(Hyperparameter::Beta2, 0.9);
        run.group(group)
    });
    assert_eq!(error, in_group("a", lacks("beta_2", "AdaGrad")));
    // The parameters have Muon, which a schedule for the run.s optimizer cannot set.
    let muon = || Group::new("matrices", Select::matrices()).optimizer(MuonConfig::new());
    for later in [
        group("b").schedule_for(Hyperparameter::Beta2, 0.9),
        group("b").schedule(one_cycle().per_update()),
    ] {
        let error = refused(|run| run.group(muon()).group(later.clone()));
        assert!(
            matches!(
                &error,
                OptimError::NeedsOptimizer { group, other, path }
                    if group == "b" && other == "matrices" && path == "first.weight"
            ),
            "{error}"
        );
    }
    let own = || group("b").schedule(0.02);
    let scaled = || Group::new("c", Select::paths(["first.bias"])).lr_scale(0.5);
    // The bias would have its decay again, or momentum that is not of its rate.
    for (cycle, groups, named) in [
        (true, [without_decay(), own()], ("b", "without_decay")),
        (true, [own(), without_decay()], ("b", "without_decay")),
        (true, [own(), scaled()], ("c", "b")),
        (
            false,
            [
                without_decay(),
                group("b").schedule(one_cycle().per_update()),
            ],
            ("b", "without_decay"),
        ),
        (
            false,
            [
                without_decay(),
                group("b").schedule_for(Hyperparameter::Beta2, 0.9),
            ],
            ("b", "without_decay"),
        ),
    ] {
        let error = refused(|run| {
            let run = run.optimizer(adamw()).groups(groups.clone());
            if cycle { cycled(run) } else { run }
        });
        assert!(
            matches!(
                &error,
                OptimError::NeedsOptimizer { group, other, path }
                    if (&**group, &**other) == named && path == "first.bias"
            ),
            "{error}"
        );
    }
    for raising in [
        raised().with_max_lr(1.0).per_update(),
        GreedyLr::new(0.5).per_update(),
    ] {
        let error = refused(|run| run.schedule_for(Hyperparameter::Momentum, raising.clone()));
        let expected = OptimError::Schedule {
            of: "momentum",
            expected: "in [0, 1)",
            update: 0,
            found: 1.0,
        };
        assert_eq!(error, expected);
    }
    let too_high = PiecewiseInterpolate::new([0.9, 1.0], [10]);
    let error = refused(|run| {
        let schedule = too_high.clone().per_update();
        run.schedule_for(Hyperparameter::Beta2, schedule)
    });
    assert!(
        matches!(
            error,
            OptimError::Schedule {
                of: "beta_2",
                update: 10,
                found: 1.0,
                ..
            }
        ),
        "{error}"
    );
}
