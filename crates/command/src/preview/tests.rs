//! The whole command, without the process around it.

use clap::Parser;
use tempfile::TempDir;

use super::*;

const STEP: &str = r#"{"StepLr": {"initial_lr": 0.1, "step_size": 2, "gamma": 0.5}}"#;
const PERCENT: &str = r#"{"StepLr": {"initial_lr": 0.1, "step_size": "50 %", "gamma": 0.5}}"#;
const PLATEAU: &str = r#"{"ReduceLrOnPlateau": {
    "base": {"Constant": {"lr": 0.1}}, "factor": 0.5, "patience": 0, "nan": "error"
}}"#;

/// A folder of its own for a test, removed with it.
struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        for (file, content) in files {
            fs::write(folder.path().join(file), content).unwrap();
        }
        Self(folder)
    }

    /// Runs `preview`, with `@name` standing for the path of a file in the folder.
    fn preview(&self, args: &str) -> Result<String, Failure> {
        let args = args
            .split_whitespace()
            .map(|arg| match arg.strip_prefix('@') {
                Some(file) => self.path(file),
                None => arg.to_owned(),
            });
        let args = Args::parse_from(std::iter::once("preview".to_owned()).chain(args));
        let mut out = Vec::new();
        show(&args, false, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn path(&self, file: &str) -> String {
        self.0.path().join(file).display().to_string()
    }

    fn error(&self, args: &str) -> String {
        match self.preview(args) {
            Err(Failure::Input(message)) => message.replace(&self.path(""), ""),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_options_are_consistent() {
    use clap::CommandFactory;
    Args::command().debug_assert();
}

#[test]
fn csv_has_a_row_per_update_and_a_column_per_file() {
    let folder = Folder::new(&[("a.json", STEP), ("b,c.json", PERCENT)]);
    let one = folder.preview("@a.json --csv --steps 3").unwrap();
    assert_eq!(one, "step,lr\n0,0.1\n1,0.1\n2,0.05\n");
    let two = folder
        .preview("@a.json @b,c.json --csv --epochs 4")
        .unwrap();
    let rows = "0,0.1,0.1\n1,0.1,0.1\n2,0.05,0.05\n3,0.05,0.05\n";
    assert_eq!(two, format!("step,a,\"b,c\"\n{rows}"));
}

#[test]
fn toml_is_read_too() {
    let document = "[StepLr]\ninitial_lr = 0.1\nstep_size = 2\ngamma = 0.5\n";
    let folder = Folder::new(&[("a.toml", document), ("bad.toml", "[StepLr]\n")]);
    let csv = folder.preview("@a.toml --csv --steps 3").unwrap();
    assert_eq!(csv, "step,lr\n0,0.1\n1,0.1\n2,0.05\n");
    let message = folder.error("@bad.toml");
    assert!(message.starts_with("bad.toml: StepLr"), "{message}");
}

#[test]
fn a_schedule_advances_per_epoch_or_per_update() {
    let folder = Folder::new(&[("a.json", STEP)]);
    let last = |args| {
        let csv = folder.preview(args).unwrap();
        csv.lines().last().unwrap().to_owned()
    };
    assert_eq!(
        last("@a.json --csv --steps-per-epoch 3 --steps 7"),
        "6,0.05"
    );
    assert_eq!(
        last("@a.json --csv --steps-per-epoch 3 --epochs 2"),
        "5,0.1"
    );
    let per_update = "@a.json --csv --steps-per-epoch 3 --epochs 2 --advance update";
    assert_eq!(last(per_update), "5,0.025");
}

#[test]
fn a_plateau_hears_one_metric_per_epoch() {
    let folder = Folder::new(&[("p.json", PLATEAU), ("loss", "1\n2\r\n0.5\n\n")]);
    let csv = folder.preview("@p.json --metrics @loss --csv --steps 4");
    assert_eq!(csv.unwrap(), "step,lr\n0,0.1\n1,0.1\n2,0.05\n3,0.05\n");
    let csv = folder.preview("@p.json --metrics @loss --csv --steps-per-epoch 2");
    let rows = "0,0.1\n1,0.1\n2,0.1\n3,0.1\n4,0.05\n5,0.05\n";
    assert_eq!(csv.unwrap(), format!("step,lr\n{rows}"));
}

#[test]
fn a_chart_and_a_picture_are_drawn() {
    let folder = Folder::new(&[("a.json", STEP), ("b.json", PLATEAU)]);
    let chart = folder.preview("@a.json @b.json --steps 10").unwrap();
    assert!(chart.contains("** a") && chart.contains("oo b"), "{chart}");
    assert_eq!(folder.preview("@a.json --svg @out.svg").unwrap(), "");
    let picture = fs::read_to_string(folder.path("out.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"));
}

#[test]
fn bad_input_is_named_with_its_place() {
    let folder = Folder::new(&[
        ("good.json", STEP),
        ("percent.json", PERCENT),
        ("plateau.json", PLATEAU),
        ("cut.json", r#"{"StepLr": {"#),
        (
            "field.json",
            r#"{"Sequence": {"schedules": [{"StepLr": {"lr": 1}}]}}"#,
        ),
        (
            "value.json",
            r#"{"StepLr": {"initial_lr": 0.1, "step_size": 2, "gamma": -1}}"#,
        ),
        ("text.md", STEP),
        ("words", "0.5\nhalf\n"),
        ("gap", "0.5\n\n0.4\n"),
        ("empty", "\n"),
        ("nan", "0.5\nNaN\n"),
    ]);
    for (args, expected) in [
        ("@absent.json", "absent.json: "),
        ("@cut.json", "cut.json: "),
        ("@field.json", "field.json: Sequence.schedules[0].StepLr"),
        ("@value.json", "value.json: StepLr.gamma: expected"),
        ("@text.md", "text.md: expected a .json or .toml file"),
        ("@good.json @value.json", "value.json: StepLr.gamma"),
        (
            "@percent.json",
            "percent.json: StepLr.step_size: a length of 50 %",
        ),
        (
            "@percent.json --epochs 2 --advance update",
            "--advance update",
        ),
        (
            "@good.json --metrics @words",
            "words: line 2: expected a number",
        ),
        (
            "@good.json --metrics @gap",
            "gap: line 2: expected a number",
        ),
        ("@good.json --metrics @empty", "empty: expected a number"),
        (
            "@plateau.json --metrics @nan",
            "nan: line 2: plateau.json: ",
        ),
        (
            "@good.json --epochs 9999999999",
            "a run of 9999999999 steps",
        ),
    ] {
        let message = folder.error(args);
        assert!(message.starts_with(expected), "{args}: {message}");
    }
}
