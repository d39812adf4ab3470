//! What cannot be read or printed, and options that make no sense.

use std::fs;
use std::io::{self, Write};

use clap::Parser;
use tempfile::TempDir;

use super::{predict, predict_with_run, run_dir, test_images};

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
