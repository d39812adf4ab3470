//! Plateaus of the run and of groups, and what the history says of them.

use burn_lr::scheduler::{Mode, ReduceLrOnPlateau, ThresholdMode};
use burn_lr::training::metrics::{train, valid};
use burn_lr::training::optim::{Group, Select, layer_decay};
use tempfile::TempDir;

use super::net::{Net, run};

/// Cuts after every epoch but the first.
fn always(lr: f64) -> ReduceLrOnPlateau {
    ReduceLrOnPlateau::new(lr)
        .with_mode(Mode::Min)
        .with_patience(0)
        .with_factor(0.5)
        .with_threshold(1e9, ThresholdMode::Abs)
}

#[test]
fn the_plateau_of_the_run_cuts_the_rates_of_all_groups_and_that_of_a_group_its_own() {
    let directory = TempDir::new().unwrap();
    let history = run(directory.path())
        .schedule(always(0.01).per_epoch())
        .groups(layer_decay(0.5, ["first", "second"]))
        .group(Group::new("gamma", Select::containing("gamma")).schedule(0.03))
        .epochs(3)
        .fit(Net::new(1))
        .unwrap()
        .history;
    let rates = |name: &str| -> Vec<f64> {
        history
            .epochs
            .iter()
            .map(|epoch| epoch.group_lrs[name])
            .collect()
    };
    assert_eq!(rates("first"), [0.005, 0.005, 0.0025]);
    assert_eq!(rates("second"), [0.01, 0.01, 0.005]);
    assert_eq!(rates("gamma"), [0.03; 3]);
    let cuts: Vec<_> = history.epochs[1].cuts.iter().collect();
    let said: Vec<_> = cuts
        .iter()
        .map(|cut| (cut.group.as_deref(), cut.from, cut.to))
        .collect();
    assert_eq!(
        said,
        [
            (None, 0.01, 0.005),
            (Some("first"), 0.005, 0.0025),
            (Some("second"), 0.01, 0.005)
        ]
    );
    assert!(
        cuts.iter()
            .all(|cut| cut.metric == history.epochs[1].valid("loss"))
    );
    let csv = std::fs::read_to_string(directory.path().join("history.csv")).unwrap();
    let header =
        "epoch,updates,train_loss,valid_loss,lr,next_lr,lr_first,lr_gamma,lr_second,seconds";
    assert_eq!(csv.lines().next(), Some(header));
    assert!(
        csv.lines()
            .nth(3)
            .unwrap()
            .contains(",0.005,0.0025,0.0025,0.03,0.005,"),
        "{csv}"
    );

    let directory = TempDir::new().unwrap();
    let history = run(directory.path())
        .schedule(0.01)
        .group(
            Group::new("second", Select::prefix("second"))
                .schedule(always(0.02).per_epoch())
                .observe(train("loss")),
        )
        .epochs(3)
        .fit(Net::new(1))
        .unwrap()
        .history;
    let rates = |epoch: usize| {
        (
            history.epochs[epoch].lr,
            history.epochs[epoch].group_lrs["second"],
        )
    };
    assert_eq!(
        (0..3).map(rates).collect::<Vec<_>>(),
        [(0.01, 0.02), (0.01, 0.02), (0.01, 0.01)]
    );
    let [cut] = &history.epochs[1].cuts[..] else {
        panic!("{:?}", history.epochs[1].cuts)
    };
    assert_eq!(
        (cut.group.as_deref(), cut.metric),
        (Some("second"), history.epochs[1].train("loss"))
    );
}

#[test]
fn a_group_may_listen_to_another_metric_with_the_schedule_of_the_run() {
    let directory = TempDir::new().unwrap();
    let rising = always(0.01).with_mode(Mode::Max);
    let history = run(directory.path())
        .schedule(rising.per_epoch())
        .observe(valid("loss"))
        .group(Group::new("second", Select::prefix("second")).observe(train("loss")))
        .epochs(3)
        .fit(Net::new(1))
        .unwrap()
        .history;
    let metrics: Vec<f64> = history.epochs[1]
        .cuts
        .iter()
        .map(|cut| cut.metric)
        .collect();
    assert_eq!(
        metrics,
        [
            history.epochs[1].valid("loss"),
            history.epochs[1].train("loss")
        ]
    );
}
