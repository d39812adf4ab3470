//! Ctrl-C on the built example `mnist_step`, which `cargo test` builds before it runs the tests.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Lines};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::common::parameters;
use burn::tensor::Device;
use burn_lr::model::MlpConfig;
use burn_lr::training::metrics::History;
use burn_lr::training::storage::load_model;
use serde_json::Value;
use tempfile::TempDir;

/// The example, which is beside the directory that this test is in.
fn mnist_step() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let example = test.parent().unwrap().join("../examples/mnist_step");
    let hint = "build it with `cargo build --example mnist_step`";
    assert!(example.exists(), "no {}: {hint}", example.display());
    example
}

fn command(directory: &Path, epochs: usize) -> Command {
    let mut command = Command::new(mnist_step());
    command
        .args(["--train-samples", "300", "--resume"])
        .args(["--epochs", &epochs.to_string()])
        .arg("--run-dir")
        .arg(directory)
        .stdin(Stdio::null());
    command
}

/// What a busy machine may take for what is done at once.
const PATIENCE: Duration = Duration::from_secs(300);

struct Run {
    child: Child,
}

impl Run {
    /// Starts a run that is too long to end by itself, and waits for the end of its first epoch.
    fn start(directory: &Path) -> Self {
        let mut child = command(directory, 2000)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let epoch = lines.find(|line| line.as_ref().unwrap().starts_with("Epoch "));
        epoch.expect("an epoch").unwrap();
        Self { child }
    }

    /// What Ctrl-C in a terminal sends.
    fn interrupt(&self) {
        let kill = format!("kill -INT {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success());
    }

    /// The exit code, if the run ends soon.
    fn exit_code(&mut self) -> Option<i32> {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }

    fn stderr(&mut self) -> Lines<BufReader<ChildStderr>> {
        BufReader::new(self.child.stderr.take().unwrap()).lines()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn complete(directory: &Path, epochs: usize) {
    let output = command(directory, epochs).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

fn history(directory: &Path) -> History {
    let json = fs::read(directory.join("history.json")).unwrap();
    let mut history: History = serde_json::from_slice(&json).unwrap();
    for epoch in &mut history.epochs {
        epoch.seconds = 0.0;
    }
    history
}

/// Continues an interrupted run by two epochs, and expects what an undisturbed one leads to.
fn assert_resumable(directory: &Path) {
    let epochs = if fs::exists(directory.join("history.json")).unwrap() {
        history(directory).epochs.len() + 2
    } else {
        2
    };
    assert!(epochs < 2000);
    complete(directory, epochs);
    let whole = TempDir::new().unwrap();
    complete(whole.path(), epochs);
    assert_eq!(history(directory), history(whole.path()));
    for file in ["best.bpk", "final.bpk"] {
        let [resumed, whole] = [directory, whole.path()].map(|run| weights(&run.join(file)));
        assert!(resumed == whole, "{file}");
    }
    let config = |run: &Path| -> Value {
        serde_json::from_slice(&fs::read(run.join("burn-lr.json")).unwrap()).unwrap()
    };
    assert_eq!(config(directory), config(whole.path()));
}

fn weights(path: &Path) -> Vec<f32> {
    let model = MlpConfig::new().init(&Device::flex());
    parameters(&load_model(path, model).unwrap())
}

#[test]
fn ctrl_c_stops_the_run_so_that_it_can_be_resumed() {
    let directory = TempDir::new().unwrap();
    // Twice: also a run that was resumed can be stopped.
    for _ in 0..2 {
        let mut run = Run::start(directory.path());
        run.interrupt();
        assert_eq!(run.exit_code(), Some(130));
        let said: Vec<String> = run.stderr().map(Result::unwrap).collect();
        let last = said.last().expect("an error");
        assert!(last.starts_with("error: stopped after epoch"), "{said:?}");
    }
    assert_resumable(directory.path());
}

#[test]
fn a_second_run_in_the_directory_is_refused() {
    let directory = TempDir::new().unwrap();
    let _run = Run::start(directory.path());
    let second = command(directory.path(), 2000).output().unwrap();
    assert_eq!(second.status.code(), Some(2));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("is in use by another run"), "{said}");
}

#[test]
fn an_average_that_makes_no_sense_is_a_wrong_option() {
    let directory = TempDir::new().unwrap();
    let run = directory.path().join("run");
    let refused = command(&run, 1).args(["--ema", "1"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("average: decay: expected"), "{said}");
    assert!(!run.exists());
}

#[test]
fn a_second_ctrl_c_stops_at_once() {
    let directory = TempDir::new().unwrap();
    let mut run = Run::start(directory.path());
    // A pipe that nothing is written to: the run, which reads the file at the end of an epoch, waits there forever.
    let [pipe, link, history] =
        ["pipe", "link", "history.csv"].map(|name| directory.path().join(name));
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let (opened, reached) = channel();
    let written = pipe.clone();
    // To open it waits for whoever reads it.
    std::thread::spawn(move || opened.send(OpenOptions::new().write(true).open(written)));
    let is_pipe = || fs::metadata(&history).is_ok_and(|file| file.file_type().is_fifo());
    let begin = Instant::now();
    let writer = loop {
        // The run may have been about to replace the file, and does so once more.
        if !is_pipe() {
            fs::hard_link(&pipe, &link).unwrap();
            fs::rename(&link, &history).unwrap();
        }
        match reached.recv_timeout(Duration::from_millis(50)) {
            Ok(writer) => break writer.unwrap(),
            Err(_) => assert!(begin.elapsed() < PATIENCE, "the run reads no history"),
        }
    };

    run.interrupt();
    let mut stderr = run.stderr();
    let hint = stderr.find(|line| line.as_ref().unwrap().contains("again to stop at once"));
    hint.expect("a hint").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert!(run.child.try_wait().unwrap().is_none(), "stopped by one");
    run.interrupt();
    assert_eq!(run.exit_code(), Some(130));

    drop(writer);
    for file in [&pipe, &history] {
        fs::remove_file(file).unwrap();
    }
    assert_resumable(directory.path());
}

#[test]
fn a_missing_run_hides_no_newer_one() {
    let directory = TempDir::new().unwrap();
    let runs = directory.path().join("artifacts/mnist_step");
    for run in ["run-001", "run-003"] {
        fs::create_dir_all(runs.join(run)).unwrap();
    }
    let start = |more: &[&str]| {
        let status = Command::new(mnist_step())
            .current_dir(directory.path())
            .args(["--train-samples", "300", "--epochs", "1"])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(status.unwrap().success());
    };
    start(&[]);
    assert!(runs.join("run-004/final.bpk").exists() && !runs.join("run-002").exists());
    // The newest, which is complete.
    let model = runs.join("run-004/final.bpk");
    fs::remove_file(&model).unwrap();
    start(&["--resume"]);
    assert!(model.exists() && !runs.join("run-002").exists());
}
