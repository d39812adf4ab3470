//! The command on run directories.

use std::path::Path;

use burn_lr_training::metrics::{EpochRecord, History};
use burn_lr_training::run::{Lock, RunDirectory};
use clap::{CommandFactory, Parser};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

/// The SHA-256 of "x".
const SUM: &str = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";

/// A run of three epochs, whose losses fall from `loss` to the half of it and rise again.
fn run(directory: &Path, loss: f64, lr: f64) {
    let run = RunDirectory::new(directory);
    std::fs::create_dir_all(directory).unwrap();
    let config = json!({
        "fixed": {
            "schedule": {"clock": "per_epoch", "schedule": {"Constant": {"lr": lr}}},
            "updates_per_epoch": 10,
            "parameters": {"fc1.weight": "trained"},
            "model": "Net {\n  fc1\n}",
        },
        "free": {"epochs": 3, "keep": {"best": {"metric": "valid_loss", "mode": "min"}}},
    });
    std::fs::write(run.config(), config.to_string()).unwrap();
    let mut history = History::default();
    for (number, loss) in [loss, loss / 2.0, loss].into_iter().enumerate() {
        let mut epoch = EpochRecord::new(number + 1);
        epoch.updates = 10 * (number as u64 + 1);
        epoch.lr = lr;
        epoch.valid.insert("loss".to_owned(), loss);
        history.epochs.push(epoch);
    }
    run.write_history(&history).unwrap();
    std::fs::write(run.final_model(), "x").unwrap();
    let sum = directory.join("final.bpk.sha256");
    std::fs::write(sum, format!("{SUM}  final.bpk\n")).unwrap();
}

fn done(args: &[&str]) -> Result<String, Failure> {
    let command = Command::parse_from([&["burn-lr"], args].concat());
    let mut out = Vec::new();
    act(&command.action, false, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

/// Two runs below a directory, with the directory and their paths.
fn two() -> (TempDir, [String; 3]) {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    run(&path("a/run-001"), 0.5, 0.1);
    run(&path("b"), 0.25, 0.2);
    let paths = ["", "a/run-001", "b"].map(|name| path(name).display().to_string());
    (directory, paths)
}

#[test]
fn the_options_are_consistent() {
    Command::command().debug_assert();
}

#[test]
fn every_shell_has_its_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = done(&["completions", shell]).unwrap();
        assert!(
            script.contains("burn-lr") && script.contains("compare"),
            "{shell}"
        );
    }
}

#[test]
fn all_runs_are_listed_by_path_or_by_what_they_have_come_to() {
    let (_directory, [root, ..]) = two();
    let names = |text: String| -> Vec<String> {
        let rows = text.lines().skip(1);
        rows.map(|row| row.split_whitespace().next().unwrap().to_owned())
            .collect()
    };
    let listed = done(&["runs", &root]).unwrap();
    assert!(
        listed.contains("complete") && listed.contains("0.12500"),
        "{listed}"
    );
    assert_eq!(names(listed), ["a/run-001", "b"]);
    let sorted = done(&["runs", &root, "--sort", "valid_loss"]).unwrap();
    assert_eq!(names(sorted), ["b", "a/run-001"]);
    assert!(matches!(
        done(&["runs", &root, "--sort", "valid_mae"]),
        Err(Failure::Input(message)) if message.contains("valid_loss, got valid_mae")
    ));
    let empty = TempDir::new().unwrap();
    let empty = empty.path().display().to_string();
    assert!(matches!(
        done(&["runs", &empty]),
        Err(Failure::Input(message)) if message.contains(&empty)
    ));
}

/// Of root, whom nothing is hidden from, this says little.
#[cfg(unix)]
#[test]
fn a_directory_that_cannot_be_looked_into_hides_no_other_run() {
    let (directory, [root, ..]) = two();
    let secret = directory.path().join("a/secret");
    std::fs::create_dir(&secret).unwrap();
    let permit = |mode| {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&secret, permissions).unwrap();
    };
    permit(0o000);
    let listed = done(&["runs", &root]);
    // Otherwise it could not be deleted.
    permit(0o700);
    assert_eq!(listed.unwrap().lines().count(), 3);
}

#[test]
fn a_run_at_work_is_called_so() {
    let (_directory, [root, _, b]) = two();
    let _lock = Lock::take(&RunDirectory::new(&b)).unwrap();
    let listed = done(&["runs", &root]).unwrap();
    let row = |name| listed.lines().find(|row| row.trim().starts_with(name));
    assert!(row("b").unwrap().contains("at work"), "{listed}");
    assert!(row("a/run-001").unwrap().contains("complete"), "{listed}");
    let seen = done(&["verify", &b]).unwrap();
    assert!(seen.contains("The run is at work"), "{seen}");
    let partial = RunDirectory::new(&b).checkpoints().join("epoch-0004.tmp");
    std::fs::create_dir_all(partial).unwrap();
    let seen = done(&["verify", &b]).unwrap();
    assert!(
        seen.contains("partial  checkpoint/epoch-0004.tmp is being written"),
        "{seen}"
    );
}

#[test]
fn runs_of_other_models_fit_beside_each_other() {
    let (directory, [_, a, b]) = two();
    let other = RunDirectory::new(&b).config();
    let config = std::fs::read_to_string(&other).unwrap();
    let model = format!("Net {{ {} }}", "layer: Linear,".repeat(100));
    std::fs::write(&other, config.replace("Net {\\n  fc1\\n}", &model)).unwrap();
    let text = done(&["compare", &a, &b]).unwrap();
    assert!(text.contains("fixed.model") && text.contains('…'), "{text}");
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest < Some(120), "{text}");
    let page = directory.path().join("page.html").display().to_string();
    done(&["compare", &a, &b, "--html", &page]).unwrap();
    assert!(std::fs::read_to_string(&page).unwrap().contains(&model));
}

#[test]
fn of_many_runs_the_best_are_told_apart() {
    let directory = TempDir::new().unwrap();
    let paths: Vec<String> = (0..12)
        .map(|number| {
            let path = directory.path().join(format!("run-{number:02}"));
            run(&path, 1.0 - 0.05 * f64::from(number), 0.1);
            path.display().to_string()
        })
        .collect();
    let mut args = vec!["compare"];
    args.extend(paths.iter().map(String::as_str));
    let text = done(&args).unwrap();
    assert!(
        text.contains("The best 8 of 12 runs by valid_loss."),
        "{text}"
    );
    let (chart, table) = text.split_once("The best 8").unwrap();
    assert!(!chart.contains("run-03") && chart.contains("run-04") && table.contains("run-03"));
    let page = directory.path().join("page.html").display().to_string();
    args.extend(["--html", &page]);
    done(&args).unwrap();
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("In colour the best 8 runs by valid_loss"));
}

#[test]
fn runs_are_compared_by_curves_figures_and_settings() {
    let (directory, [_, a, b]) = two();
    let text = done(&["compare", &a, &b]).unwrap();
    for part in ["** run-001", "oo b", "2 (best valid_loss)", "Constant.lr"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("fc1"), "the models are the same: {text}");
    assert!(
        done(&["compare", &a, &a])
            .unwrap()
            .contains("All settings are the same.")
    );
    assert!(matches!(
        done(&["compare", &a, &b, "--metric", "train_loss"]),
        Err(Failure::Input(message)) if message.contains("valid_loss, got train_loss")
    ));
    let page = directory.path().join("page.html").display().to_string();
    assert_eq!(
        done(&["compare", &a, &b, "--html", &page]).unwrap(),
        format!("{page}\n")
    );
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(
        html.contains("2 runs") && html.matches("<svg").count() == 2,
        "{html}"
    );
}

#[test]
fn a_history_is_exported_as_it_is() {
    let (directory, [_, a, _]) = two();
    let history = RunDirectory::new(&a).history().unwrap();
    assert_eq!(done(&["export", &a]).unwrap(), history.to_csv());
    let file = directory.path().join("history.json").display().to_string();
    done(&["export", &a, "--format", "json", "--output", &file]).unwrap();
    let json: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(json, serde_json::to_value(&history).unwrap());
    let board = done(&["export", &a, "--format", "tensorboard"]).unwrap();
    for split in ["train", "valid"] {
        let files = std::fs::read_dir(Path::new(board.trim_end()).join(split)).unwrap();
        assert_eq!(files.count(), 1);
    }
    assert!(matches!(
        done(&["export", &a, "--output", "/nowhere/at/all"]),
        Err(Failure::Output(error)) if error.to_string().contains("/nowhere/at/all")
    ));
}

#[test]
fn a_run_is_reported_where_it_is_or_elsewhere() {
    let (directory, [_, a, _]) = two();
    let page = done(&["report", &a]).unwrap();
    let html = std::fs::read_to_string(page.trim_end()).unwrap();
    assert!(html.contains("complete; epoch 3 is over"));
    let other = directory.path().join("other.html").display().to_string();
    assert_eq!(
        done(&["report", &a, "-o", &other]).unwrap().trim_end(),
        other
    );
}

#[test]
fn damage_is_named_and_has_an_exit_code_of_its_own() {
    let (_directory, [root, a, b]) = two();
    let sound = done(&["verify", &a, &b]).unwrap();
    assert_eq!(sound.matches("sound    final.bpk").count(), 2, "{sound}");
    assert!(sound.contains("begun anew"));
    std::fs::write(RunDirectory::new(&b).final_model(), "y").unwrap();
    assert!(matches!(done(&["verify", &a, &b]), Err(Failure::Damaged)));
    assert!(done(&["verify", &a]).is_ok());
    assert!(matches!(
        done(&["verify", &root]),
        Err(Failure::Input(message)) if message.contains("burn-lr.json")
    ));
}
