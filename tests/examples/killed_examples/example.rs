//! An example as a process.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

pub struct Example {
    pub name: &'static str,
    /// What makes its run short, separated by blanks.
    pub arguments: &'static str,
    /// The files in the run directory whose parameters are compared.
    pub models: &'static [&'static str],
}

/// What came of a process.
#[derive(Debug)]
pub struct Output {
    pub code: i32,
    /// The epochs of which it has printed a line.
    pub epochs: Vec<usize>,
    pub error: String,
}

impl Example {
    /// The example, which `cargo test` builds before it runs the tests, is beside the directory that
    /// this test is in.
    fn command(&self, directory: &Path) -> Command {
        let test = std::env::current_exe().unwrap();
        let example = test.parent().unwrap().join("../examples").join(self.name);
        let hint = format!("build it with `cargo build --example {}`", self.name);
        assert!(example.exists(), "no {}: {hint}", example.display());
        let mut command = Command::new(example);
        command
            .args(self.arguments.split(' '))
            .arg("--run-dir")
            .arg(directory)
            .stdin(Stdio::null());
        command
    }

    pub fn complete(&self, directory: &Path, arguments: &[&str]) -> Output {
        let output = self.command(directory).args(arguments).output().unwrap();
        let [stdout, error] =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        Output {
            code: output.status.code().unwrap(),
            epochs: stdout.lines().filter_map(epoch).collect(),
            error,
        }
    }

    /// Starts or resumes the run, and kills it `later` than the line of `epoch`; false if it has come to its end before.
    pub fn kill_after(&self, directory: &Path, at: usize, later: Duration) -> bool {
        let mut child = self
            .command(directory)
            .arg("--resume")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut epochs = lines.filter_map(|line| epoch(&line.unwrap()));
        let found = epochs.find(|&epoch| epoch >= at);
        std::thread::sleep(later);
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert!(found.is_some(), "no epoch {at}: {status}");
        let killed = status.signal() == Some(9);
        assert!(killed || status.success(), "{status}");
        killed
    }
}

/// The epoch in `Epoch 3: ...`.
fn epoch(line: &str) -> Option<usize> {
    let (number, _) = line.strip_prefix("Epoch ")?.split_once(':')?;
    number.parse().ok()
}
