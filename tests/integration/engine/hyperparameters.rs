//! Momentum, betas and weight decay that follow schedules.

use std::path::Path;

use burn::optim::{LionConfig, SgdConfig};
use burn_lr::scheduler::{
    Constant, CyclicLr, Length, LinearLr, OneCycleLr, ReduceLrOnPlateau, Sequence, ThresholdMode,
};
use burn_lr::training::metrics::History;
use burn_lr::training::optim::{
    Group, Hyperparameter, OptimizerConfig, Select, adamw, momentum, without_decay,
};
use burn_lr::training::run::Branch;
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use super::net::{BATCHES, EPOCHS, Net, assert_resumes, on_points, outcome, run};

pub fn one_cycle() -> OneCycleLr {
    OneCycleLr::new(0.01)
}

/// From 0 to 0.3 over the run.
pub fn rising() -> LinearLr {
    LinearLr::new(0.3)
        .with_start_factor(0.0)
        .with_total_iters(Length::Percent(100.0))
}

/// Raises after every epoch but the first.
pub fn raised() -> ReduceLrOnPlateau {
    ReduceLrOnPlateau::new(0.01)
        .with_factor(2.0)
        .with_max_lr(0.03)
        .with_patience(0)
        .with_threshold(1e9, ThresholdMode::Abs)
}

fn column(history: &History, name: &str) -> Vec<f64> {
    let epochs = history.epochs.iter();
    epochs.map(|epoch| epoch.hyperparameters[name]).collect()
}

#[test]
fn runs_resume_exactly() {
    let sgd = SgdConfig::new().with_momentum(Some(momentum(0.9)));
    let optimizers: [(&str, OptimizerConfig); 4] = [
        ("AdamW", adamw().into()),
        ("SGD", sgd.into()),
        ("Lion", LionConfig::new().into()),
        ("cautious", adamw().with_cautious_weight_decay(true).into()),
    ];
    for (title, optimizer) in optimizers {
        let configured = |directory: &Path| {
            let training = run(directory).optimizer(optimizer.clone());
            let cycled = training.schedule(one_cycle().per_update());
            match title {
                "SGD" => cycled,
                _ => cycled.schedule_for(Hyperparameter::WeightDecay, raised().per_epoch()),
            }
        };
        let (_, history) = assert_resumes(title, configured);
        let momentums = column(&history, "momentum");
        assert!(momentums[0] < 0.95 && momentums.iter().all(|of| (0.85..=0.95).contains(of)));
        assert_eq!(momentums[EPOCHS - 1], 0.95);
        if title != "SGD" {
            assert_eq!(
                column(&history, "weight_decay"),
                [0.01, 0.01, 0.02, 0.03],
                "{title}"
            );
            let cut = &history.epochs[1].cuts[0];
            let said = (cut.hyperparameter.as_deref(), cut.from, cut.to);
            assert_eq!(said, (Some("weight_decay"), 0.01, 0.02));
        }
    }
}

#[test]
fn after_the_cycle_the_momentum_is_the_optimizers() {
    // The cycle ends within the second epoch, of which the third does not know any more.
    let cycle = one_cycle()
        .with_total_steps(7)
        .with_max_momentum(0.6)
        .with_base_momentum(0.5);
    let configured = |directory: &Path| {
        let schedule = Sequence::new(vec![cycle.clone().into(), Constant::new(0.01).into()], [7]);
        let training = run(directory).optimizer(adamw());
        training.schedule(schedule.per_update())
    };
    let (_, history) = assert_resumes("sequence", configured);
    let has: Vec<bool> = history
        .epochs
        .iter()
        .map(|epoch| epoch.hyperparameters.contains_key("momentum"))
        .collect();
    assert_eq!(has, [true, false, false, false]);
}

#[test]
fn what_is_scheduled_decides_the_weights() {
    let weights = |configured: &dyn Fn(Training<Net>) -> Training<Net>| {
        let directory = TempDir::new().unwrap();
        let training = run(directory.path()).optimizer(adamw());
        outcome(configured(training).fit(Net::new(1)).unwrap()).0
    };
    let cycle = |cycles: bool| {
        let schedule = one_cycle().with_cycle_momentum(cycles);
        weights(&move |run| run.schedule(schedule.clone().per_update()))
    };
    assert_ne!(cycle(true), cycle(false));
    let plain = weights(&|run| run.schedule(0.01));
    let of = Hyperparameter::ALL;
    // What the optimizer has anyway changes no bit.
    let same = weights(&|run| {
        let run = run.schedule(0.01).schedule_for(of[0], 0.9);
        run.schedule_for(of[1], 0.999).schedule_for(of[2], 0.01)
    });
    assert_eq!(plain, same);
    for (of, value) in [(of[0], 0.8), (of[1], 0.9), (of[2], 0.5)] {
        assert_ne!(
            plain,
            weights(&|run| run.schedule(0.01).schedule_for(of, value)),
            "{of}"
        );
    }
}

#[test]
fn groups_follow_the_run_unless_they_say_otherwise() {
    let directory = TempDir::new().unwrap();
    let own = SgdConfig::new().with_momentum(Some(momentum(0.5)));
    let (_, history) = outcome(
        run(directory.path())
            .optimizer(adamw())
            .schedule(one_cycle().per_update())
            .schedule_for(Hyperparameter::WeightDecay, rising().per_update())
            .group(without_decay())
            .group(
                Group::new("second", Select::prefix("second"))
                    .optimizer(own)
                    .schedule(
                        CyclicLr::new(0.001, 0.01)
                            .with_step_size_up(2)
                            .with_base_momentum(0.25)
                            .with_max_momentum(0.5)
                            .per_update(),
                    ),
            )
            .group(
                Group::new("first", Select::paths(["first.weight"]))
                    .schedule_for(Hyperparameter::Beta2, rising().per_epoch()),
            )
            .fit(Net::new(1))
            .unwrap(),
    );
    let last = &history.epochs[EPOCHS - 1].hyperparameters;
    let names: Vec<&str> = last.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "beta_2_first",
            "momentum",
            "momentum_second",
            "weight_decay"
        ]
    );
    assert_eq!(last["momentum"], 0.95);
    // Update 19 of cycles of 4 steps.
    assert_eq!(last["momentum_second"], 0.375);
    assert_eq!(last["beta_2_first"], 0.3 * 3.0 / 4.0);
    let updates = (EPOCHS as u64 * BATCHES) as f64;
    assert!((last["weight_decay"] - 0.3 * (updates - 1.0) / updates).abs() < 1e-12);
    let csv = history.to_csv();
    let header = csv.lines().next().unwrap();
    assert!(
        header.ends_with(
            "next_lr,lr_second,beta_2_first,momentum,momentum_second,weight_decay,seconds"
        ),
        "{header}"
    );
}

#[test]
fn parameters_without_decay_get_none_from_the_schedule() {
    let weights = |decay: f64| {
        let directory = TempDir::new().unwrap();
        let training = run(directory.path()).optimizer(adamw()).schedule(0.01);
        let training = training.schedule_for(Hyperparameter::WeightDecay, decay);
        // One epoch, after which the other parameters have not yet moved far.
        let training = training
            .group(without_decay())
            .epochs(1)
            .group(Group::new("frozen", Select::paths(["second.weight"])).lr_scale(0.0));
        outcome(training.fit(Net::new(1)).unwrap()).0
    };
    let (none, some) = (weights(0.0), weights(5.0));
    assert_ne!(none[0], some[0], "first.weight decays");
    // Its first update comes before any weight has been decayed otherwise; the gradients differ later.
    let apart = none[1].iter().zip(&some[1]).map(|(a, b)| (a - b).abs());
    assert!(apart.fold(0.0, f32::max) < 0.02, "first.bias does not");
}

#[test]
fn a_run_is_not_resumed_under_another_schedule_of_them_but_may_be_branched() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    let of = Hyperparameter::WeightDecay;
    let run = |name: &str| {
        on_points::<Net>(&path(name))
            .optimizer(adamw())
            .schedule(0.01)
    };
    run("a")
        .schedule_for(of, raised().per_epoch())
        .epochs(2)
        .fit(Net::new(1))
        .unwrap();
    let error = run("a").schedule_for(of, 0.5).fit(Net::new(1)).unwrap_err();
    assert!(
        matches!(
            &error,
            TrainingError::ConfigChanged { field, .. } if field.starts_with("scheduled.weight_decay")
        ),
        "{error}"
    );
    let branch = |name: &str| run(name).branch(Branch::newest(path("a")));
    // The plateau goes on where it was.
    let same = branch("b").schedule_for(of, raised().per_epoch());
    let (_, history) = outcome(same.fit(Net::new(1)).unwrap());
    assert_eq!(column(&history, "weight_decay"), [0.01, 0.01, 0.02, 0.03]);
    let (_, history) = outcome(
        branch("c")
            .schedule_for(of, rising().per_epoch())
            .fit(Net::new(1))
            .unwrap(),
    );
    assert_eq!(
        column(&history, "weight_decay")[2..],
        [0.3 * 2.0 / 4.0, 0.3 * 3.0 / 4.0]
    );
    let (_, history) = outcome(branch("d").fit(Net::new(1)).unwrap());
    assert!(history.epochs[2].hyperparameters.is_empty());
}
