//! The `predict` example on a model that was trained here, with pictures of all kinds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use burn_lr::model::MlpConfig;
use burn_lr::scheduler::{StepLr};
use burn_lr::mnist::{Mnist, bundled_mnist_dir};
use burn_lr::training::Training;
use burn_lr::training::device::Backend;
use burn_lr::training::evaluate::ConfusionMatrix;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::storage::save_model;
use clap::Parser;
use png::{BitDepth, ColorType, Encoder};
use serde_json::{Value, json};
use tempfile::TempDir;

#[path = "../examples/predict.rs"]
#[allow(dead_code)]
mod predict;

const SAMPLES: usize = 3000;
/// Images of the test set that pictures are made of.
const PICTURES: usize = 100;

/// A run that was trained once for all tests.
fn run_dir() -> &'static Path {
    static RUN: OnceLock<TempDir> = OnceLock::new();
    RUN.get_or_init(|| {
        let directory = TempDir::new().unwrap();
        let device = Backend::Flex.device().unwrap();
        device.seed(42);
        let network = MlpConfig::new();
        let mnist = Mnist::bundled().unwrap();
        let train = EpochLoader::new(mnist.train.first(SAMPLES), 64).shuffled(42);
        let fingerprint = format!("crc32 {:08x}", mnist.test.fingerprint());
        let valid = EpochLoader::new(mnist.test.first(100), 100);
        Training::new(directory.path(), train, valid)
            .schedule(StepLr::new(0.01, 2).with_gamma(0.5).per_epoch())
            .epochs(4)
            .settings(json!({ "model": network, "data": ["", fingerprint] }))
            .fit(network.init(&device))
            .unwrap();
        directory
    })
    .path()
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

#[test]
fn the_test_set_is_evaluated() {
    let (code, out, err) = predict_with_run(&[]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains(".bpk on flex"), "{err}");
    assert!(!err.contains("other images"), "{err}");
    assert!(err.contains("note: the run has no best.bpk"), "{err}");
    let (_, _, err) = predict_with_run(&["--model", "final"]);
    assert!(!err.contains("note"), "{err}");
    assert!(out.contains("10000 test images"), "{out}");
    assert!(out.contains("target \\ predicted"), "{out}");

    let (code, out, _) = predict_with_run(&["--json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["samples"]), (0, &json!(10_000)));
    let accuracy = report["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.88, "{accuracy}");
    let matrix: ConfusionMatrix =
        serde_json::from_value(report["confusion_matrix"].clone()).unwrap();
    assert_eq!(matrix.accuracy(), Some(accuracy));
    // The numbers of each digit in MNIST's test set.
    let known = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];
    for (class, samples) in known.into_iter().enumerate() {
        let listed = &report["classes"][class];
        assert_eq!(listed["samples"], samples);
        assert_eq!(listed["accuracy"].as_f64(), matrix.recall(class));
    }
}

#[test]
fn images_that_the_run_was_not_validated_on_are_noted() {
    let directory = TempDir::new().unwrap();
    let bundled = bundled_mnist_dir();
    for (as_name, name) in [
        ("train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz"),
        ("train-labels-idx1-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
    ] {
        for (from, to) in [(as_name, name), (name, as_name)] {
            fs::copy(bundled.join(from), directory.path().join(to)).unwrap();
        }
    }
    let data = directory.path().to_str().unwrap();
    let (code, out, err) = predict_with_run(&["--data-dir", data]);
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains("note: the run was validated on other images"),
        "{err}"
    );
    assert!(
        out.starts_with("Accuracy on the 60000 test images"),
        "{out}"
    );
}

#[test]
fn images_of_an_idx_file_are_chosen_by_index_and_count() {
    let images = test_images();
    let (code, out, err) = predict_with_run(&["--json", &images]);
    assert_eq!(code, 0, "{err}");
    let all = json_lines(&out);
    assert_eq!(all.len(), 10_000);
    let labels = Mnist::bundled().unwrap().test.labels().to_vec();
    let right = classes(&all)
        .iter()
        .zip(&labels)
        .filter(|(a, b)| **a == u64::from(**b))
        .count();
    let (_, report, _) = predict_with_run(&["--json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["accuracy"], json!(right as f64 / 10_000.0));

    let part = predict_with_run(&["--json", "--index", "1998", "--count", "3", &images]);
    // In another batch, a product may be summed in another order.
    let part = json_lines(&part.1);
    assert_eq!(classes(&part), classes(&all[1998..2001]));
    assert_eq!(part[0]["index"], 1998);
    let sum: f64 = part[0]["probabilities"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(Value::as_f64)
        .sum();
    assert!((sum - 1.0).abs() < 1e-12);

    let (_, text, _) = predict_with_run(&["--index", "9999", &images]);
    let expected = format!("{images}[9999]: {}, ", all[9999]["class"]);
    assert!(text.starts_with(&expected), "{text}");
    assert_eq!(text.lines().count(), 1);
}

/// How a test image is drawn: its size, and the bytes of a pixel by the digit's ink.
struct Drawing {
    name: &'static str,
    width: usize,
    height: usize,
    /// Where the digit begins, and how many pixels one of its pixels takes.
    corner: (usize, usize),
    scale: usize,
    color: ColorType,
    depth: BitDepth,
    pixel: fn(u8) -> Vec<u8>,
}

impl Drawing {
    fn write(&self, path: &Path, digit: &[u8]) {
        let file = fs::File::create(path).unwrap();
        let mut encoder = Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(self.color);
        encoder.set_depth(self.depth);
        let ink = |index: usize| {
            let x = (index % self.width).checked_sub(self.corner.0);
            let y = (index / self.width).checked_sub(self.corner.1);
            let (x, y) = (
                x.unwrap_or(usize::MAX) / self.scale,
                y.unwrap_or(usize::MAX) / self.scale,
            );
            if x < 28 && y < 28 {
                digit[28 * y + x]
            } else {
                0
            }
        };
        let pixels = (0..self.width * self.height).flat_map(|index| (self.pixel)(ink(index)));
        let pixels: Vec<u8> = pixels.collect();
        encoder
            .write_header()
            .unwrap()
            .write_image_data(&pixels)
            .unwrap();
    }
}

const DRAWINGS: [Drawing; 8] = [
    Drawing {
        name: "as it is",
        width: 28,
        height: 28,
        corner: (0, 0),
        scale: 1,
        color: ColorType::Grayscale,
        depth: BitDepth::Eight,
        pixel: |ink| vec![ink],
    },
    Drawing {
        name: "enlarged and inverted",
        width: 280,
        height: 280,
        corner: (0, 0),
        scale: 10,
        color: ColorType::Grayscale,
        depth: BitDepth::Eight,
        pixel: |ink| vec![255 - ink],
    },
    Drawing {
        name: "red on white",
        width: 140,
        height: 140,
        corner: (0, 0),
        scale: 5,
        color: ColorType::Rgb,
        depth: BitDepth::Eight,
        pixel: |ink| vec![255, 255 - ink, 255 - ink],
    },
    Drawing {
        name: "black ink on nothing",
        width: 84,
        height: 84,
        corner: (0, 0),
        scale: 3,
        color: ColorType::Rgba,
        depth: BitDepth::Eight,
        pixel: |ink| vec![0, 0, 0, ink],
    },
    Drawing {
        name: "white ink on nothing",
        width: 84,
        height: 84,
        corner: (0, 0),
        scale: 3,
        color: ColorType::GrayscaleAlpha,
        depth: BitDepth::Eight,
        pixel: |ink| vec![255, ink],
    },
    Drawing {
        name: "wide, the digit in a corner",
        width: 500,
        height: 120,
        corner: (380, 1),
        scale: 4,
        color: ColorType::Grayscale,
        depth: BitDepth::Eight,
        pixel: |ink| vec![255 - ink],
    },
    Drawing {
        name: "tall and faint",
        width: 60,
        height: 300,
        corner: (1, 200),
        scale: 2,
        color: ColorType::Rgb,
        depth: BitDepth::Eight,
        pixel: |ink| vec![90 + ink / 3, 80 + ink / 3, 100 + ink / 3],
    },
    Drawing {
        name: "sixteen bits",
        width: 200,
        height: 200,
        corner: (2, 2),
        scale: 7,
        color: ColorType::Grayscale,
        depth: BitDepth::Sixteen,
        pixel: |ink| vec![255 - ink, 77],
    },
];

#[test]
fn pictures_are_classified_like_the_images_that_they_show() {
    let test = Mnist::bundled().unwrap().test;
    let count = PICTURES.to_string();
    let (_, out, _) = predict_with_run(&["--json", "--count", &count, &test_images()]);
    let originals = classes(&json_lines(&out));

    for drawing in DRAWINGS {
        let directory = TempDir::new().unwrap();
        let paths: Vec<PathBuf> = (0..PICTURES)
            .map(|index| {
                let path = directory.path().join(format!("{index}.PNG"));
                drawing.write(&path, test.pixels(index));
                path
            })
            .collect();
        let mut arguments = vec!["--json"];
        arguments.extend(paths.iter().map(|path| path.to_str().unwrap()));
        let (code, out, err) = predict_with_run(&arguments);
        assert_eq!(code, 0, "{}: {err}", drawing.name);
        let lines = json_lines(&out);
        assert_eq!(lines[0]["file"], paths[0].to_str().unwrap());
        let pairs = classes(&lines).into_iter().zip(&originals);
        let same = pairs.filter(|(drawn, original)| drawn == *original).count();
        assert!(
            same >= PICTURES - 1,
            "{}: {same} of {PICTURES}",
            drawing.name
        );
    }
}

#[test]
fn what_is_wrong_exits_with_2_and_names_the_file() {
    let directory = TempDir::new().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let torn = file("torn.png", b"\x89PNG\r\n\x1a\n");
    let other = file(
        "other",
        &[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 7, 7],
    );
    let images = test_images();
    for (arguments, named) in [
        (&["nowhere.png"][..], "nowhere.png"),
        (&["nowhere"], "nowhere: no such file"),
        (&[&torn], "torn.png: expected a PNG file, got"),
        (&[&other], "expected images of 28 by 28 pixels, got 1 by 2"),
        (
            &["--index", "10000", &images],
            "expected --index below 10000, got 10000",
        ),
        (
            &["--data-dir", "/nonexistent"],
            "/nonexistent/train-images-idx3-ubyte",
        ),
        (&["--model", "/nonexistent/x.bpk"], "x.bpk"),
    ] {
        let (code, out, err) = predict_with_run(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(named), "{arguments:?}: {err}");
    }

    // The others are classified nevertheless.
    let (code, out, err) = predict_with_run(&[&torn, "--count", "1", &images]);
    assert_eq!((code, out.lines().count()), (2, 1), "{err}");
}

#[test]
fn a_run_that_cannot_be_used_says_why() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    let fails = |expected: &str| {
        let (code, _, err) = predict(&["--run-dir", path.to_str().unwrap()]);
        assert_eq!(code, 2);
        assert!(err.contains(expected), "{err}");
    };
    fails("expected a best.bpk or final.bpk, got none");
    fs::write(path.join("final.bpk"), "no model").unwrap();
    fails("burn-lr.json");
    fs::write(path.join("burn-lr.json"), "{}").unwrap();
    fails("config.json: expected the network's sizes in settings.model");
    let config = |network: MlpConfig| {
        let config = json!({ "settings": { "model": network } }).to_string();
        fs::write(path.join("burn-lr.json"), config).unwrap();
    };
    config(MlpConfig::new().with_inputs(783));
    fails("expected a network of 784 inputs, got 783");
    config(MlpConfig::new());
    fails("final.bpk");
    fs::copy(run_dir().join("final.bpk"), path.join("final.bpk")).unwrap();
    config(MlpConfig::new().with_hidden(64));
    fails("final.bpk");
}

#[test]
fn a_flipped_bit_in_the_model_is_noticed() {
    let directory = TempDir::new().unwrap();
    for file in ["burn-lr.json", "final.bpk", "final.bpk.sha256"] {
        fs::copy(run_dir().join(file), directory.path().join(file)).unwrap();
    }
    let images = test_images();
    let run = || {
        let run = directory.path().to_str().unwrap();
        predict(&["--run-dir", run, "--count", "1", &images])
    };
    assert_eq!(run().0, 0);
    let model = directory.path().join("final.bpk");
    let mut bytes = fs::read(&model).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&model, bytes).unwrap();
    let (code, out, err) = run();
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("final.bpk is damaged"), "{err}");
    // A model without a checksum is one from elsewhere.
    fs::remove_file(directory.path().join("final.bpk.sha256")).unwrap();
    assert_eq!(run().0, 0);
}

#[test]
fn best_comes_before_final_and_the_newest_run_before_others() {
    let artifacts = TempDir::new().unwrap();
    let options = |arguments: &[&str]| {
        predict::Options::try_parse_from([&["predict"], arguments].concat()).unwrap()
    };
    let find = |arguments: &[&str]| predict::Run::find(&options(arguments), artifacts.path());
    assert!(find(&[]).is_err());

    let device = Backend::Flex.device().unwrap();
    let model = MlpConfig::new().with_hidden(1).init(&device);
    let write = |run: &str, name: &str| {
        let directory = artifacts.path().join(run);
        fs::create_dir_all(&directory).unwrap();
        fs::copy(run_dir().join("burn-lr.json"), directory.join("burn-lr.json")).unwrap();
        save_model(&directory.join(name), &model).unwrap();
        // Times of files may be as coarse as this.
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    let found = |arguments: &[&str]| {
        let model = find(arguments).unwrap().model;
        model
            .strip_prefix(artifacts.path())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    write("mnist_step/run-002", "final.bpk");
    assert_eq!(found(&[]), "mnist_step/run-002/final.bpk");
    write("mnist_plateau/run-001", "best.bpk");
    write("mnist_plateau/run-001", "final.bpk");
    // A run that has no model yet is passed over.
    write("mnist_step/run-003", "checkpoint.bpk");
    assert_eq!(found(&[]), "mnist_plateau/run-001/best.bpk");
    assert_eq!(
        found(&["--model", "final"]),
        "mnist_plateau/run-001/final.bpk"
    );
    let older = artifacts.path().join("mnist_step/run-002");
    let older = ["--run-dir", older.to_str().unwrap()];
    assert_eq!(found(&older), "mnist_step/run-002/final.bpk");
    assert!(find(&[&older[..], &["--model", "best"]].concat()).is_err());
    let path = artifacts.path().join("mnist_step/run-003/checkpoint.bpk");
    assert_eq!(
        found(&["--model", path.to_str().unwrap()]),
        "mnist_step/run-003/checkpoint.bpk"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_failure_and_a_full_disk_is() {
    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let run = run_dir().to_str().unwrap();
    let options = predict::Options::try_parse_from(["predict", "--run-dir", run, &test_images()]);
    let options = options.unwrap();
    for (kind, expected) in [
        (io::ErrorKind::BrokenPipe, 0),
        (io::ErrorKind::StorageFull, 1),
    ] {
        assert_eq!(
            predict::run(&options, &mut Broken(kind), &mut vec![]),
            expected
        );
    }
}

#[test]
fn options_that_make_no_sense_are_refused() {
    for arguments in [
        &["--index", "1"][..],
        &["--count", "1"],
        &["--data-dir", ".", "digit.png"],
        &["--backend", "tpu"],
    ] {
        let parsed = predict::Options::try_parse_from([&["predict"], arguments].concat());
        assert_eq!(parsed.unwrap_err().exit_code(), 2, "{arguments:?}");
    }
}
