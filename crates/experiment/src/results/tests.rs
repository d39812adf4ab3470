//! Results of trials that were never run.

use std::path::Path;

use burn_lr_training::metrics::{EpochRecord, History, train, valid};

use super::*;
use crate::candidate::Candidate;
use crate::error::ExperimentError;
use crate::objective::Objective;

/// The metrics of an epoch by their names, such as `valid_loss`.
type Epoch<'a> = &'a [(&'a str, f64)];

fn trial(candidate: usize, seed: u64, epochs: &[Epoch<'_>]) -> Trial {
    let mut history = History::default();
    for (number, metrics) in (1..).zip(epochs) {
        let mut epoch = EpochRecord::new(number);
        for &(key, value) in *metrics {
            let (split, name) = key.split_once('_').unwrap();
            let metrics = if split == "train" {
                &mut epoch.train
            } else {
                &mut epoch.valid
            };
            metrics.insert(name.to_owned(), value);
        }
        epoch.lr = 0.1;
        epoch.seconds = 2.0;
        history.epochs.push(epoch);
    }
    with(candidate, seed, Outcome::Finished(history))
}

fn failed(candidate: usize, seed: u64) -> Trial {
    with(candidate, seed, Outcome::Failed("it broke".to_owned()))
}

fn with(candidate: usize, seed: u64, outcome: Outcome) -> Trial {
    Trial {
        candidate,
        seed,
        directory: format!("trials/{candidate}/seed-{seed}").into(),
        whole_seconds: 0.0,
        outcome,
    }
}

fn results(objective: &Objective, trials: Vec<Trial>) -> Result<Results, ExperimentError> {
    let last = trials.iter().map(|trial| trial.candidate).max();
    let names = (0..=last.unwrap_or(0)).map(|number| format!("c{number}"));
    let candidates: Vec<Candidate> = names.map(Candidate::new).collect();
    Results::new(
        Path::new("run"),
        &candidates,
        trials,
        objective,
        objective.best(),
    )
}

fn by_loss(trials: Vec<Trial>) -> Results {
    results(&Objective::default(), trials).unwrap()
}

/// A regression: it has no accuracy.
fn losses(candidate: usize, seed: u64, loss: f64) -> Trial {
    trial(
        candidate,
        seed,
        &[&[("train_loss", 0.5 * loss), ("valid_loss", loss)]],
    )
}

#[test]
fn the_best_of_three_regressions_is_chosen() {
    let trials = vec![losses(0, 1, 0.3), losses(1, 1, 0.1), losses(2, 1, 0.2)];
    let results = by_loss(trials);
    assert_eq!(results.choose(At::Last).candidate, 1);
    assert_eq!(results.ranked(At::Best), [1, 2, 0]);
    let summary = &results.summaries()[1];
    assert_eq!(summary.last.stat(&valid("loss")).mean, 0.1);
    assert_eq!(summary.last.gap("loss").mean, 0.05);
    assert!(summary.last.verdict.is_none() && summary.last.is_met());
    assert!(summary.epochs_met.is_empty());
    let table = results.table();
    assert!(
        !table.contains("accuracy") && !table.contains("bounds"),
        "{table}"
    );
    assert_eq!(table.lines().count(), 4);
    let page = crate::Report::new(&results).to_html();
    assert!(
        page.contains("Best by valid_loss is <b>c1</b>, with valid_loss 0.1000."),
        "{page}"
    );
}

#[test]
fn a_metric_that_is_not_there_is_named_with_what_there_is() {
    let error = results(&Objective::max(valid("accuracy")), vec![losses(0, 1, 0.3)]);
    assert!(matches!(
        error,
        Err(ExperimentError::MissingMetric { candidate, metric, known })
            if candidate == "c0" && metric == "valid_accuracy" && known == ["train_loss", "valid_loss"]
    ));
    let bounded = Objective::default().below(train("accuracy"), 0.95);
    let error = results(&bounded, vec![losses(0, 1, 0.3)]);
    assert!(matches!(
        error,
        Err(ExperimentError::MissingMetric { metric, .. }) if metric == "train_accuracy"
    ));
    // Also if only one of the candidates lacks it.
    let other = trial(1, 1, &[&[("valid_mse", 0.1)]]);
    let error = results(&Objective::default(), vec![losses(0, 1, 0.3), other]);
    assert!(matches!(
        error,
        Err(ExperimentError::MissingMetric { candidate, .. }) if candidate == "c1"
    ));
}

#[test]
fn failures_come_last_then_misses_then_the_metric_then_nan() {
    let objective = Objective::min(valid("loss")).at_least(valid("accuracy"), 0.9);
    let of = |candidate, seed, loss, accuracy| {
        trial(
            candidate,
            seed,
            &[&[("valid_loss", loss), ("valid_accuracy", accuracy)]],
        )
    };
    let trials = vec![
        of(0, 1, 0.01, 0.99),
        failed(0, 2),
        of(1, 1, 0.1, 0.5),
        of(1, 2, 0.1, 0.95),
        of(2, 1, f64::NAN, 0.95),
        of(2, 2, 0.1, 0.95),
        of(3, 1, 0.4, 0.95),
        of(3, 2, 0.4, 0.90),
        of(4, 1, 0.3, 0.95),
        of(4, 2, 0.3, 0.95),
        of(5, 1, 0.0, f64::NAN),
        of(5, 2, 0.0, 1.0),
        failed(6, 1),
        failed(6, 2),
    ];
    let results = results(&objective, trials).unwrap();
    assert_eq!(results.ranked(At::Last), [4, 3, 2, 1, 5, 0, 6]);
    let verdict = |place: usize| results.summaries()[place].last.verdict.clone().unwrap();
    assert_eq!(verdict(1).per_seed, [(1, false), (2, true)]);
    assert!(!verdict(1).every_seed && !verdict(1).mean);
    assert!(verdict(3).every_seed && verdict(3).mean);
    // The one seed that was completed is within the bounds, but not every seed is.
    assert_eq!((verdict(0).every_seed, verdict(0).mean), (false, true));
    assert_eq!(verdict(6).per_seed, []);
    assert_eq!(results.summaries()[3].epochs_met, [1]);
    assert!(results.summaries()[0].epochs_met.is_empty());
    let table = results.table();
    for expected in ["met 1/2", "missed", "1/2", "0/2"] {
        assert!(table.contains(expected), "{expected}: {table}");
    }
}

#[test]
fn who_misses_a_strict_bound_by_nothing_comes_after_who_keeps_it() {
    let loss = || Objective::min(valid("loss"));
    for (objective, metric, missing, keeping) in [
        (
            loss().above(train("skipped"), 0.0),
            "train_skipped",
            0.0,
            1.0,
        ),
        (
            loss().below(train("accuracy"), 1.0),
            "train_accuracy",
            1.0,
            0.9,
        ),
    ] {
        let of = |candidate, loss, value| {
            let metrics = [("valid_loss", loss), (metric, value)];
            trial(candidate, 1, &[&metrics])
        };
        let trials = vec![of(0, 0.1, missing), of(1, 0.2, keeping)];
        let results = results(&objective, trials).unwrap();
        assert_eq!(results.ranked(At::Last), [1, 0], "{objective}");
        assert_eq!(results.summaries()[0].last.distance.mean, 0.0);
        assert!(results.table().contains("missed"));
    }
}

#[test]
fn of_equals_the_first_is_chosen() {
    let trials = (0..4)
        .flat_map(|c| [losses(c, 1, 0.2), losses(c, 2, 0.4)])
        .collect();
    assert_eq!(by_loss(trials).ranked(At::Last), [0, 1, 2, 3]);
    let zeros = vec![losses(0, 1, 0.0), losses(1, 1, -0.0)];
    assert_eq!(by_loss(zeros).ranked(At::Last), [0, 1]);
}

#[test]
fn the_greatest_is_chosen_where_more_is_better() {
    let of = |candidate, r2| trial(candidate, 1, &[&[("valid_r2", r2)]]);
    let trials = vec![
        of(0, 0.2),
        of(1, 0.9),
        of(2, f64::NEG_INFINITY),
        of(3, f64::NAN),
        of(4, f64::INFINITY),
    ];
    let results = results(&Objective::max(valid("r2")), trials).unwrap();
    assert_eq!(results.ranked(At::Last)[..2], [1, 0]);
    // An infinite value is no better than none.
    assert_eq!(results.ranked(At::Last)[2..], [2, 3, 4]);
    assert_eq!(results.ranked(At::Best)[..2], [1, 0]);
}

#[test]
fn the_best_epoch_is_the_objectives() {
    let epochs: [Epoch<'_>; 3] = [
        &[("valid_loss", 0.3)],
        &[("valid_loss", 0.1)],
        &[("valid_loss", 0.2)],
    ];
    let results = by_loss(vec![trial(0, 1, &epochs)]);
    let summary = &results.summaries()[0];
    assert_eq!((summary.best_epoch.mean, summary.epochs.mean), (2.0, 3.0));
    assert_eq!(summary.at(At::Best).stat(&valid("loss")).mean, 0.1);
    assert_eq!(summary.at(At::Last).stat(&valid("loss")).mean, 0.2);
    assert_eq!(summary.seconds.mean, 6.0);
    // A seed that never has a number does not flatter the others.
    let never: [Epoch<'_>; 1] = [&[("valid_loss", f64::NAN)]];
    let trials = vec![
        trial(0, 1, &epochs),
        trial(0, 2, &never),
        losses(1, 1, 9.0),
        losses(1, 2, 9.0),
    ];
    assert_eq!(by_loss(trials).ranked(At::Best), [1, 0]);
}

#[test]
fn one_candidate_under_one_seed_is_a_result() {
    let results = by_loss(vec![losses(0, 7, 0.25)]);
    assert!(results.comparisons(&valid("loss"), At::Last).is_empty());
    assert_eq!(results.choose(At::Last).candidate, 0);
    let csv = results.to_csv().unwrap();
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 2);
    let cell = |name: &str| {
        let column = rows[0].iter().position(|header| *header == name);
        rows[1][column.unwrap_or_else(|| panic!("{name}: {csv}"))]
    };
    assert_eq!(
        (cell("candidate"), cell("seeds"), cell("failed")),
        ("c0", "1", "0")
    );
    assert_eq!(
        (cell("last_valid_loss"), cell("last_valid_loss_sd")),
        ("0.25", "")
    );
    assert_eq!((cell("best_loss_gap"), cell("final_lr")), ("0.125", "0.1"));
    assert!(!rows[0].contains(&"last_in_bounds"));
    let json: serde_json::Value = serde_json::from_str(&results.to_json().unwrap()).unwrap();
    assert_eq!(
        json["summaries"][0]["last"]["metrics"]["valid_loss"]["n"],
        1
    );
    assert_eq!(json["objective"]["metric"], "valid_loss");
    assert_eq!(json["comparisons"], serde_json::json!([]));
    let page = crate::Report::new(&results)
        .question("<b> & \"q\"")
        .to_html();
    assert!(
        page.contains("<h1>&lt;b&gt; &amp; &quot;q&quot;</h1>"),
        "{page}"
    );
    assert!(!page.contains("Is it more than noise?"));
    // Validation, training, gap and rates; and both splits beside each other.
    assert_eq!(page.matches("<svg").count(), 4 + 1);
}

#[test]
fn nothing_comes_of_trials_that_all_failed() {
    let error = results(&Objective::default(), vec![failed(0, 1), failed(1, 1)]);
    assert!(matches!(error, Err(ExperimentError::AllFailed { first }) if first == "it broke"));
    let error = results(&Objective::default(), vec![]);
    assert!(matches!(error, Err(ExperimentError::AllFailed { .. })));
}

#[test]
fn a_trial_without_epochs_is_no_panic() {
    let error = results(&Objective::default(), vec![trial(0, 1, &[])]);
    assert!(matches!(error, Err(ExperimentError::MissingMetric { known, .. }) if known.is_empty()));
}

#[test]
fn any_metric_is_compared_seed_by_seed() {
    let trials = vec![
        losses(0, 1, 0.5),
        losses(0, 2, 0.7),
        losses(1, 2, 0.4),
        losses(1, 1, 0.3),
        losses(2, 1, 0.6),
        failed(2, 2),
    ];
    let results = by_loss(trials);
    let compared = results.comparisons(&valid("loss"), At::Last);
    assert!((compared[0].difference.mean + 0.25).abs() < 1e-12);
    assert_eq!((compared[0].difference.n, compared[1].difference.n), (2, 1));
    assert!(compared[0].p_value < 0.2 && compared[1].p_value.is_nan());
    let missing = results.comparisons(&valid("accuracy"), At::Last);
    assert!(
        missing
            .iter()
            .all(|comparison| comparison.difference.n == 0)
    );
    let page = crate::Report::new(&results).to_html();
    assert!(page.contains("c2, seed 2: it broke"), "{page}");
}
