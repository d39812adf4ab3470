//! The built example `compare_schedules`, which `cargo test` builds before it runs the tests.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let test = std::env::current_exe().unwrap();
    let example = test.parent().unwrap().join("../examples/compare_schedules");
    let hint = "build it with `cargo build --example compare_schedules`";
    assert!(example.exists(), "no {}: {hint}", example.display());
    let mut command = Command::new(example);
    command
        .args(["--train-samples", "200", "--run-dir"])
        .arg(directory)
        .args(arguments);
    command.stdin(Stdio::null());
    command
}

fn run(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command(directory, arguments).output().unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
    (status.code().unwrap(), stdout, stderr)
}

fn results(directory: &Path) -> Value {
    let json = std::fs::read_to_string(directory.join("results.json")).unwrap();
    serde_json::from_str(&json).unwrap()
}

/// The candidates' figures, without the seconds.
fn figures(directory: &Path) -> Vec<Value> {
    let mut summaries = results(directory)["summaries"].as_array().unwrap().clone();
    for summary in &mut summaries {
        summary.as_object_mut().unwrap().remove("seconds");
    }
    summaries
}

#[test]
fn a_file_of_candidates_is_compared() {
    let directory = TempDir::new().unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/candidates.toml");
    let (code, table, error) = run(directory.path(), &["--candidates", file, "--seeds", "1,2"]);
    assert_eq!(code, 0, "{error}");
    for name in ["constant", "exponential", "warmup, then plateau"] {
        assert!(table.lines().any(|line| line.starts_with(name)), "{table}");
    }
    let summaries = figures(directory.path());
    assert_eq!(summaries.len(), 3);
    assert_eq!(summaries[2]["last"]["metrics"]["valid_loss"]["n"], 2);
    // 4 updates an epoch: 200 images in batches of 64.
    let histories = results(directory.path());
    let epochs = &histories["trials"][4]["outcome"]["finished"]["epochs"];
    assert_eq!(
        (&epochs[0]["lr"], &epochs[0]["next_lr"]),
        (&0.0075.into(), &0.01.into())
    );
    let page = std::fs::read_to_string(directory.path().join("report.html")).unwrap();
    assert!(page.contains("warmup, then plateau"));
    assert!(
        page.contains("--candidates"),
        "the command is not in the report"
    );

    let (code, _, error) = run(directory.path(), &[]);
    assert_eq!(code, 2);
    assert!(error.contains("--resume"), "{error}");
}

#[test]
fn averages_are_a_setting_of_candidates() {
    let directory = TempDir::new().unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/averages.toml");
    let (code, table, error) = run(directory.path(), &["--candidates", file, "--seeds", "1"]);
    assert_eq!(code, 0, "{error}");
    let names = [
        "constant, EMA 0.999, warmed up",
        "constant, SWA after 5 epochs",
    ];
    for name in names {
        assert!(table.lines().any(|line| line.starts_with(name)), "{table}");
    }
    let summaries = figures(directory.path());
    let of = |split: &str, number: usize| {
        let metrics = &summaries[number]["last"]["metrics"];
        metrics[format!("{split}_loss")]["mean"].as_f64().unwrap()
    };
    // What is trained is the same, what is validated is the average.
    for number in 1..5 {
        assert_eq!(of("train", number), of("train", 0));
        assert_ne!(of("valid", number), of("valid", 0));
    }
}

#[test]
fn optimizers_that_need_no_schedule_are_compared_under_eight_seeds() {
    let directory = TempDir::new().unwrap();
    let arguments = ["--optimizers", "--epochs", "1", "--hold-out", "50"];
    let (code, table, error) = run(directory.path(), &arguments);
    assert_eq!(code, 0, "{error}");
    for name in ["constant", "schedule-free AdamW, 0.01", "Prodigy, cosine"] {
        assert!(table.lines().any(|line| line.starts_with(name)), "{table}");
    }
    let summaries = figures(directory.path());
    assert_eq!(summaries.len(), 10);
    for summary in summaries {
        assert_eq!(summary["last"]["metrics"]["valid_loss"]["n"], 8);
    }
    let (code, _, error) = run(directory.path(), &["--optimizers", "--find"]);
    assert_eq!(code, 2, "{error}");
}

#[test]
fn what_is_wrong_exits_with_2_and_is_named() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("bad.toml");
    let document = "[[candidate]]\nname = \"a\"\nepochs = 1\nschedule.StepLr = { initial_lr = 0.1, \
                    step_size = 0 }\n";
    std::fs::write(&file, document).unwrap();
    let file = file.to_str().unwrap();
    for (arguments, named) in [
        (vec!["--candidates", file], "step_size"),
        (vec!["--candidates", "no/such.toml"], "no/such.toml"),
        (vec!["--hold-out", "200"], "--hold-out"),
        (vec!["--seeds", "1,1"], "seeds"),
        (vec!["--backend", "tpu"], "tpu"),
        (vec!["--trials", "5"], "--find"),
        (vec!["--min-valid", "900"], "--min-valid"),
        (vec!["--max-train", "-1"], "--max-train"),
    ] {
        let (code, _, error) = run(&directory.path().join("run"), &arguments);
        assert_eq!(code, 2, "{arguments:?}: {error}");
        assert!(error.contains(named), "{arguments:?}: {error}");
    }
}

#[test]
fn a_choice_is_reported_on_the_test_set() {
    let directory = TempDir::new().unwrap();
    let arguments = ["--hold-out", "50", "--epochs", "2", "--seeds", "1"];
    let (code, output, error) = run(directory.path(), &arguments);
    assert_eq!(code, 0, "{error}");
    assert!(
        output.starts_with("Training on 150 images, validating on 50 split off"),
        "{output}"
    );
    assert!(
        output.contains("On the test set, the best models of "),
        "{output}"
    );
    assert!(!output.contains("NaN"), "{output}");
    assert_eq!(results(directory.path())["tested"]["per_seed"][0][0], 1);
}

#[test]
fn a_search_prints_what_it_found_as_a_candidate() {
    let directory = TempDir::new().unwrap();
    let arguments = "--find --trials 6 --epochs 3 --min-valid 50 --hold-out 40";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let (code, output, error) = run(directory.path(), &arguments);
    assert_eq!(code, 0, "{error}");
    assert!(
        output.contains("On the test set, the final models of "),
        "{output}"
    );
    let found = output
        .lines()
        .find_map(|line| line.strip_prefix("Found: "))
        .unwrap();
    let document = format!("{{\"candidate\": [{found}]}}");
    let candidates = burn_lr::experiment::Candidate::from_json(&document).unwrap();
    assert!((1..=3).contains(&candidates[0].epochs.unwrap()));
    assert_eq!(
        results(directory.path())["summaries"][0]["last"]["metrics"]["valid_loss"]["n"],
        5
    );
}

/// Sends it Ctrl-C when the first epoch of the first trial is over; gives the exit code, and what it says.
fn stopped(directory: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let stopped = command(directory, arguments)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let first = directory.join("trials/constant/seed-1/history.csv");
    while !first.exists() {
        assert!(
            started.elapsed() < Duration::from_secs(300),
            "no epoch in five minutes"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    let kill = format!("kill -INT {}", stopped.id());
    let kill = Command::new("sh").args(["-c", &kill]).status();
    assert!(kill.unwrap().success());
    let stopped = stopped.wait_with_output().unwrap();
    let error = String::from_utf8(stopped.stderr).unwrap();
    (stopped.status.code(), error)
}

#[test]
fn ctrl_c_exits_with_130_and_resume_goes_on() {
    let arguments = ["--epochs", "6", "--seeds", "1", "--jobs", "1"];
    let whole = TempDir::new().unwrap();
    assert_eq!(run(whole.path(), &arguments).0, 0);

    // On a busy machine it may have come to its end before it is stopped.
    let mut attempts = (0..10).map(|_| {
        let directory = TempDir::new().unwrap();
        let stopped = stopped(directory.path(), &arguments);
        (directory, stopped)
    });
    let in_time = attempts.find(|(_, (code, _))| *code != Some(0));
    let (directory, (code, error)) = in_time.expect("one that was stopped");
    assert_eq!(code, Some(130), "{error}");
    assert!(error.contains("of 6 trials: Ctrl-C"), "{error}");
    assert!(!directory.path().join("results.json").exists());

    let mut resumed = arguments.to_vec();
    resumed.push("--resume");
    let (code, _, error) = run(directory.path(), &resumed);
    assert_eq!(code, 0, "{error}");
    assert_eq!(figures(directory.path()), figures(whole.path()));
}
