//! The `predict` example on a model that was trained here, with pictures of all kinds.

mod evaluation;
mod images;
mod pictures;
#[path = "../../../examples/predict/main.rs"]
#[allow(dead_code, clippy::module_inception)]
mod predict;
mod refusals;
mod runs;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::common::drawn;
use burn_lr::mnist::{Mnist, bundled_mnist_dir};
use burn_lr::model::MlpConfig;
use burn_lr::scheduler::StepLr;
use burn_lr::training::Training;
use burn_lr::training::average::Average;
use burn_lr::training::device::Backend;
use burn_lr::training::loader::EpochLoader;
use clap::Parser;
use serde_json::{Value, json};

const SAMPLES: usize = 3000;

/// A run that was trained once for all tests.
fn run_dir() -> &'static Path {
    static RUN: OnceLock<(PathBuf, File)> = OnceLock::new();
    let (directory, _) = RUN.get_or_init(|| {
        // What is static is never dropped, so no temporary directory, but one that is this process's until it ends.
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("predict");
        let lock = File::create(directory.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        let _ = std::fs::remove_dir_all(&directory);
        let device = Backend::Flex.device().unwrap();
        let network = MlpConfig::new();
        let mnist = Mnist::bundled().unwrap();
        let train = EpochLoader::new(mnist.train.first(SAMPLES), 64).shuffled(42);
        let fingerprint = format!("crc32 {:08x}", mnist.test.fingerprint());
        let valid = EpochLoader::new(mnist.test.first(100), 100);
        Training::new(&directory, train, valid)
            .schedule(StepLr::new(0.01, 2).with_gamma(0.5).per_epoch())
            .epochs(4)
            .average(Average::swa())
            .settings(json!({ "model": network, "data": ["", fingerprint] }))
            .fit(drawn(&network, 42, &device))
            .unwrap();
        (directory, lock)
    });
    directory
}

/// The exit code, standard output and standard error of `predict` with `arguments`.
fn predict(arguments: &[&str]) -> (u8, String, String) {
    let options = predict::Options::try_parse_from([&["predict"], arguments].concat());
    let (mut out, mut err) = (vec![], vec![]);
    let code = predict::run(&options.unwrap(), &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (code, text(out), text(err))
}

fn predict_with_run(arguments: &[&str]) -> (u8, String, String) {
    predict(&[&["--run-dir", run_dir().to_str().unwrap()], arguments].concat())
}

fn json_lines(text: &str) -> Vec<Value> {
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

fn classes(lines: &[Value]) -> Vec<u64> {
    lines
        .iter()
        .map(|line| line["class"].as_u64().unwrap())
        .collect()
}

fn test_images() -> String {
    let path = bundled_mnist_dir().join("t10k-images-idx3-ubyte.gz");
    path.to_str().unwrap().to_owned()
}
