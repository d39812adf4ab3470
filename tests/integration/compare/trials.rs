//! Trials, their results, and an experiment that was stopped.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use burn::optim::{AdamWConfig, SgdConfig};
use burn::tensor::Device;
use burn::train::Interrupter;
use burn_lr::experiment::results::At;
use burn_lr::experiment::{Candidate, Experiment, ExperimentError, Report, Setup};
use burn_lr::model::MlpConfig;
use burn_lr::training::metrics::{EpochRecord, MetricKey, train, valid};
use burn_lr::training::optim::{Group, Select};
use burn_lr::training::storage::load_model;
use tempfile::TempDir;

use crate::common::other_model;

use super::{base, candidates, constant, fitting, histories, parameters, timeless};

fn weights(run: &Path) -> Vec<f32> {
    let device = Device::default();
    let model = other_model(&MlpConfig::new().with_hidden(16), &device);
    parameters(&load_model(&run.join("final.bpk"), model).unwrap())
}

#[test]
fn trials_side_by_side_equal_the_same_runs_alone() {
    let directory = TempDir::new().unwrap();
    let results = Experiment::new(directory.path(), base)
        .candidates(candidates())
        .seeds([1, 2])
        .jobs(3)
        .run()
        .unwrap();
    assert_eq!(results.trials().len(), 6);
    for trial in results.trials() {
        let alone = TempDir::new().unwrap();
        let candidate = &candidates()[trial.candidate];
        let (training, model) = base(&Setup::new(alone.path(), trial.seed, candidate)).unwrap();
        let trained = training
            .schedule(candidate.schedule.clone().unwrap())
            .epochs(candidate.epochs.unwrap())
            .fit(model)
            .unwrap();
        assert_eq!(
            timeless(trial.history().unwrap()),
            timeless(&trained.history)
        );
        assert!(weights(&trial.directory) == weights(alone.path()));
    }
}

#[test]
fn summaries_are_means_and_spreads_of_the_histories() {
    let directory = TempDir::new().unwrap();
    let objective = fitting(0.5, 0.99);
    let results = Experiment::new(directory.path(), base)
        .candidates(candidates())
        .seeds([1, 2, 3])
        .objective(objective.clone())
        .run()
        .unwrap();
    let summary = &results.summaries()[1];
    let step: Vec<_> = results
        .trials()
        .iter()
        .filter(|t| t.candidate == 1)
        .collect();
    let losses: Vec<f64> = step
        .iter()
        .map(|t| t.last().unwrap().valid("loss"))
        .collect();
    let mean = losses.iter().sum::<f64>() / 3.0;
    let variance = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / 2.0;
    let found = summary.last.stat(&valid("loss"));
    assert!((found.mean - mean).abs() < 1e-12);
    assert!((found.sd - variance.sqrt()).abs() < 1e-12);
    let gap =
        summary.last.stat(&valid("accuracy")).mean - summary.last.stat(&train("accuracy")).mean;
    assert!((summary.last.gap("accuracy").mean - gap).abs() < 1e-12);
    let met: Vec<(u64, bool)> = step
        .iter()
        .map(|trial| (trial.seed, objective.is_met_by(trial.last().unwrap())))
        .collect();
    let verdict = summary.last.verdict.as_ref().unwrap();
    assert_eq!(verdict.per_seed, met);
    assert_eq!(verdict.every_seed, met.iter().all(|&(_, met)| met));
    assert!((summary.final_lr.mean / (0.01 * 0.1 * 0.1) - 1.0).abs() < 1e-12);

    let comparisons = results.comparisons(&valid("loss"), At::Last);
    assert_eq!(comparisons.len(), 2);
    let constant = results.trials().iter().filter(|t| t.candidate == 0);
    let difference: f64 = constant
        .zip(&losses)
        .map(|(constant, loss)| loss - constant.last().unwrap().valid("loss"))
        .sum();
    assert!((comparisons[0].difference.mean - difference / 3.0).abs() < 1e-12);
    assert!(comparisons[0].interval.0 < comparisons[0].interval.1);

    results.write().unwrap();
    let csv = std::fs::read_to_string(directory.path().join("results.csv")).unwrap();
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{csv}");
    let column = rows[0]
        .iter()
        .position(|name| *name == "last_valid_loss")
        .unwrap();
    assert_eq!(rows[2][column].parse::<f64>().unwrap(), found.mean);
    for varied in ["schedule", "clock", "epochs"] {
        assert!(rows[0].contains(&varied), "{csv}");
    }
    let json = std::fs::read_to_string(directory.path().join("results.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["trials"].as_array().unwrap().len(), 9);
    assert_eq!(
        json["summaries"][1]["last"]["metrics"]["valid_loss"]["n"],
        3
    );
    // Two metrics in two splits at two epochs, of two candidates.
    assert_eq!(json["comparisons"].as_array().unwrap().len(), 16);
    assert_eq!(results.table().lines().count(), 4);
    Report::new(&results).write().unwrap();
    let page = std::fs::read_to_string(directory.path().join("report.html")).unwrap();
    // Seven figures of all candidates, and two of each.
    assert_eq!(page.matches("<svg").count(), 7 + 2 * 3);
    assert!(page.contains(&found.to_string()), "no {found}");
}

#[test]
fn an_interrupted_experiment_goes_on_where_it_stopped() {
    let whole = TempDir::new().unwrap();
    let undisturbed = Experiment::new(whole.path(), base)
        .candidates(candidates())
        .seeds([1, 2])
        .run()
        .unwrap();

    let directory = TempDir::new().unwrap();
    let interrupter = Interrupter::new();
    let (handle, asked) = (interrupter.clone(), interrupter.clone());
    // All but the first trial wait in their first epoch until it is stopped, which may take a busy machine longer than
    // they would take.
    let waiting = |setup: &Setup| {
        let (training, model) = base(setup)?;
        let waits = !setup.directory().ends_with("constant/seed-1");
        let asked = asked.clone();
        let wait = move |_: &EpochRecord| {
            let begin = Instant::now();
            while waits && !asked.should_stop() && begin.elapsed() < Duration::from_secs(120) {
                std::thread::sleep(Duration::from_millis(2));
            }
        };
        Ok((training.on_epoch(wait), model))
    };
    let stopped = Experiment::new(directory.path(), waiting)
        .candidates(candidates())
        .seeds([1, 2])
        .jobs(2)
        .interrupter(interrupter)
        .on_trial(move |_, _| handle.stop(Some("a test")))
        .run();
    let Err(ExperimentError::Interrupted {
        finished,
        trials,
        reason,
    }) = stopped
    else {
        panic!("{stopped:?}");
    };
    assert_eq!((trials, &*reason), (6, "a test"));
    assert!((1..6).contains(&finished), "{finished}");

    let trained = Arc::new(AtomicUsize::new(0));
    let counted = {
        let trained = trained.clone();
        move |setup: &Setup| {
            let (training, model) = base(setup)?;
            let trained = trained.clone();
            Ok((
                training.configure(move |burns| {
                    trained.fetch_add(1, Ordering::Relaxed);
                    burns
                }),
                model,
            ))
        }
    };
    let run = || {
        let experiment = Experiment::new(directory.path(), &counted);
        experiment
            .candidates(candidates())
            .seeds([1, 2])
            .run()
            .unwrap()
    };
    assert_eq!(histories(&run()), histories(&undisturbed));
    // Trials that are complete do not reach the Learner again; one that was stopped may have been.
    let first = trained.load(Ordering::Relaxed);
    assert!((1..=6 - finished).contains(&first), "{first}");
    run();
    assert_eq!(trained.load(Ordering::Relaxed), first);
}

#[test]
fn optimizer_and_settings_are_varied_too() {
    let directory = TempDir::new().unwrap();
    let of = |name: &str| constant(name, 0.01, 2);
    let small = of("small").setting("hidden", 4);
    let run = |small: &Candidate| {
        Experiment::new(directory.path(), base)
            .candidates([
                of("adam"),
                of("adamw").optimizer(AdamWConfig::new()),
                of("sgd").optimizer(SgdConfig::new()),
                small.clone(),
            ])
            .seeds([1])
            .run()
    };
    let results = run(&small).unwrap();
    let all = histories(&results);
    for (one, another) in [(0, 1), (0, 2), (1, 2), (0, 3)] {
        assert_ne!(all[one].2, all[another].2, "{one} {another}");
    }
    let table = results.table();
    let mut header = table.lines().next().unwrap().split_whitespace();
    assert_eq!(
        header.by_ref().take(3).collect::<Vec<_>>(),
        ["candidate", "optimizer", "hidden"]
    );
    let config = |name: &str| {
        let path = directory
            .path()
            .join(format!("trials/{name}/seed-1/burn-lr.json"));
        let json = std::fs::read_to_string(path).unwrap();
        serde_json::from_str::<serde_json::Value>(&json).unwrap()["fixed"]["optimizer"].clone()
    };
    assert!(config("adamw")["AdamW"].is_object() && config("sgd")["Sgd"].is_object());
    // Nothing is trained again, and nothing else under the same name.
    assert_eq!(histories(&run(&small).unwrap()), all);
    assert!(matches!(
        run(&of("small").setting("hidden", 5)),
        Err(ExperimentError::SettingsChanged { candidate, .. }) if candidate == "small"
    ));
}

#[test]
fn what_a_candidate_does_not_set_is_the_bases() {
    let directory = TempDir::new().unwrap();
    let base = |setup: &Setup| {
        let (training, model) = base(setup)?;
        Ok((training.schedule(0.005).epochs(2), model))
    };
    let results = Experiment::new(directory.path(), base)
        .candidates([Candidate::new("as it is")])
        .seeds([1])
        .run()
        .unwrap();
    let history = results.trials()[0].history().unwrap();
    let rates: Vec<f64> = history.epochs.iter().map(|epoch| epoch.lr).collect();
    assert_eq!(rates, [0.005, 0.005]);
    let keys: Vec<String> = results.metrics().iter().map(MetricKey::to_string).collect();
    assert_eq!(
        keys,
        [
            "train_accuracy",
            "valid_accuracy",
            "train_loss",
            "valid_loss"
        ]
    );
}

#[test]
fn learning_rates_of_parameter_groups_are_results() {
    let directory = TempDir::new().unwrap();
    let base = |setup: &Setup| {
        let (training, model) = base(setup)?;
        let head = Group::new("head", Select::prefix("fc2")).lr_scale(0.5);
        Ok((training.group(head), model))
    };
    let results = Experiment::new(directory.path(), base)
        .candidates([constant("a", 0.01, 2)])
        .seeds([1, 2])
        .run()
        .unwrap();
    assert_eq!(results.groups(), ["head"]);
    let summary = &results.summaries()[0];
    assert_eq!(
        (summary.final_lr.mean, summary.group_lr("head").mean),
        (0.01, 0.005)
    );
    assert!(summary.group_lr("tail").mean.is_nan());
    assert!(results.table().lines().next().unwrap().contains(" lr_head"));
    assert!(results.to_csv().unwrap().contains(",final_lr_head,"));
    let json: serde_json::Value = serde_json::from_str(&results.to_json().unwrap()).unwrap();
    assert_eq!(
        json["summaries"][0]["final_group_lrs"]["head"]["mean"],
        0.005
    );
    let page = Report::new(&results).to_html();
    assert!(page.contains("a: head") && page.contains("last LR of head"));
}
