//! Bad documents: each error names the place, and nothing crashes.

use crate::subjects::{nested, run};
use burn_lr_scheduler::{Constant, ExponentialDecay, ScheduleConfig, ScheduleError, StepLr};

/// The path and the reason of a document that cannot be read.
fn unreadable(json: &str) -> (String, String) {
    match ScheduleConfig::from_json(json) {
        Err(ScheduleError::Document { path, reason }) => (path, reason),
        other => panic!("{json}: {other:?}"),
    }
}

/// The path of a document that can be read, but not built.
fn unbuildable(json: &str) -> String {
    match ScheduleConfig::from_json(json).unwrap().curve(&run()) {
        Err(ScheduleError::Invalid { path, .. }) => path,
        other => panic!("{json}: {other:?}"),
    }
}

#[test]
fn unreadable_json_names_the_path_and_the_reason() {
    let in_sequence = |second: &str| {
        format!(
            r#"{{"Sequence": {{"schedules": [{{"Constant": {{"lr": 0.1}}}}, {second}], "milestones": [5]}}}}"#
        )
    };
    for (json, path, reason) in [
        ("", "", "EOF"),
        ("null", "", "invalid type"),
        ("\"StepLr\"", "", "one entry, a schedule's name"),
        ("{}", "", "one entry, a schedule's name"),
        ("[1]", "", "one entry, a schedule's name"),
        (r#"{"Constant": {"lr": 0.1}} x"#, "", "trailing"),
        (
            r#"{"Constant": {"lr": 0.1}, "StepLr": {}}"#,
            "",
            "`StepLr` beside `Constant`",
        ),
        (
            r#"{"Constant": {"lr": 0.1}, "Constant": {"lr": 0.1}}"#,
            "",
            "beside",
        ),
        (
            r#"{"Constnat": {"lr": 0.1}}"#,
            "",
            "did you mean `Constant`?",
        ),
        (r#"{"Constant": {}}"#, "Constant", "missing field `lr`"),
        (
            r#"{"Constant": {"lr": 1, "lr": 2}}"#,
            "Constant",
            "duplicate field",
        ),
        (
            r#"{"Constant": {"lr": "fast"}}"#,
            "Constant.lr",
            "invalid type",
        ),
        (
            r#"{"Constant": {"lr": 1e999}}"#,
            "Constant.lr",
            "out of range",
        ),
        (
            r#"{"Constant": {"lr": NaN}}"#,
            "Constant.lr",
            "expected value",
        ),
        (
            r#"{"Constant": {"rate": 0.1}}"#,
            "Constant.rate",
            "unknown field",
        ),
        (
            &in_sequence(r#"{"StepLR": {}}"#),
            "Sequence.schedules[1]",
            "did you mean `StepLr`? known are Constant,",
        ),
        (
            &in_sequence(r#"{"StepLr": {"initial_lr": 0.1, "step_size": -5}}"#),
            "Sequence.schedules[1].StepLr.step_size",
            "a number of steps",
        ),
        (
            &in_sequence(r#"{"StepLr": {"initial_lr": 0.1, "step_size": "5 parsecs"}}"#),
            "Sequence.schedules[1].StepLr.step_size",
            "a number of steps",
        ),
        (
            &in_sequence(
                r#"{"Warmup": {"base": {"Constant": {"lr": 1}}, "length": 3, "kind": "slow"}}"#,
            ),
            "Sequence.schedules[1].Warmup.kind",
            "unknown variant `slow`, expected one of `linear`",
        ),
        (
            r#"{"ReduceLrOnPlateau": {"base": {"Constant": {"lr": 1}}, "patience": -1}}"#,
            "ReduceLrOnPlateau.patience",
            "invalid value",
        ),
    ] {
        let found = unreadable(json);
        assert_eq!(found.0, path, "{json}: {}", found.1);
        assert!(found.1.contains(reason), "{json}: {}", found.1);
    }
}

#[test]
fn what_cannot_be_built_names_the_path_as_well() {
    for (json, path) in [
        (r#"{"Constant": {"lr": -0.1}}"#, "Constant.lr"),
        (
            r#"{"StepLr": {"initial_lr": 1, "step_size": "101 %"}}"#,
            "StepLr.step_size",
        ),
        (
            r#"{"StepLr": {"initial_lr": 1, "step_size": "NaN epochs"}}"#,
            "StepLr.step_size",
        ),
        (
            r#"{"StepLr": {"initial_lr": 1, "step_size": "-1 epochs"}}"#,
            "StepLr.step_size",
        ),
        (
            r#"{"StepLr": {"initial_lr": 1, "step_size": "0.01 epochs"}}"#,
            "StepLr.step_size",
        ),
        (
            r#"{"Product": {"schedules": [{"Scaled": {"base": {"Constant": {"lr": 1}}, "factor": -1}}]}}"#,
            "Product.schedules[0].Scaled.factor",
        ),
        (
            r#"{"Sequence": {"schedules": [{"Constant": {"lr": 1}}], "milestones": [5]}}"#,
            "Sequence.milestones",
        ),
        (
            r#"{"Clamped": {"base": {"Warmup": {"base": {"Constant": {"lr": -1}}, "length": 3}}}}"#,
            "Clamped.base.Warmup.base.Constant.lr",
        ),
    ] {
        assert_eq!(unbuildable(json), path);
    }
}

#[test]
fn a_length_between_steps_is_read_where_it_means_something() {
    let read = |json: &str| ScheduleConfig::from_json(json).unwrap();
    let schedule = read(r#"{"StepLr": {"initial_lr": 0.1, "step_size": 2.4}}"#);
    assert_eq!(schedule, StepLr::new(0.1, 2.4).into());
    assert_eq!(read(&schedule.to_json().unwrap()), schedule);
    #[cfg(feature = "toml")]
    assert_eq!(
        ScheduleConfig::from_toml(&schedule.to_toml().unwrap()).unwrap(),
        schedule
    );
    assert_eq!(
        unbuildable(r#"{"ConstantLr": {"initial_lr": 0.1, "total_iters": 2.4}}"#),
        "ConstantLr.total_iters"
    );
    assert_eq!(
        unbuildable(r#"{"StepLr": {"initial_lr": 0.1, "step_size": -2.4}}"#),
        "StepLr.step_size"
    );
}

#[test]
fn deep_nesting_is_an_error() {
    for depth in [100, 100_000] {
        let open = r#"{"Scaled": {"factor": 1, "base": "#.repeat(depth);
        let json = format!(
            "{open}{{\"Constant\": {{\"lr\": 1}}}}{}",
            "}}".repeat(depth)
        );
        assert!(unreadable(&json).1.contains("recursion limit"));
        assert!(unreadable(&"[".repeat(depth)).1.contains("invalid type"));
    }
    let config = nested(60);
    config.curve(&run()).unwrap();
    assert!(matches!(
        config.to_json(),
        Err(ScheduleError::Document { .. })
    ));
}

#[test]
fn what_is_written_can_be_read() {
    let extremes = ExponentialDecay::new(f64::MIN_POSITIVE / 3.0, u64::MAX, 0.1 + 0.2);
    let extremes = ScheduleConfig::from(extremes);
    let json = extremes.to_json().unwrap();
    assert_eq!(ScheduleConfig::from_json(&json).unwrap(), extremes);
    for lr in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let constant = ScheduleConfig::from(Constant::new(lr));
        assert!(matches!(
            constant.to_json(),
            Err(ScheduleError::Document { .. })
        ));
        // The infinity of an optional value would be read as no value.
        let decay = ScheduleConfig::from(ExponentialDecay::new(0.1, 5, 2.0).with_end_lr(lr));
        assert!(matches!(
            decay.to_json(),
            Err(ScheduleError::Document { .. })
        ));
    }
}

#[cfg(feature = "toml")]
mod toml {
    use super::*;

    fn unreadable(toml: &str) -> (String, String) {
        match ScheduleConfig::from_toml(toml) {
            Err(ScheduleError::Document { path, reason }) => (path, reason),
            other => panic!("{toml}: {other:?}"),
        }
    }

    #[test]
    fn unreadable_toml_names_the_path_the_reason_and_the_line() {
        for (toml, path, reason) in [
            ("", "", "one entry, a schedule's name"),
            ("[Constant]\nlr = ", "", "at line 2 column"),
            ("[Constant]\nlr = 0.1\nlr = 0.2", "", "duplicate key"),
            ("[Constnat]\nlr = 0.1", "", "did you mean `Constant`?"),
            (
                "[Constant]\nlr = \"fast\"",
                "Constant.lr",
                "at line 2 column 6",
            ),
            (
                "[Constant]\nlr = 0.1\nrate = 1",
                "Constant.rate",
                "unknown field",
            ),
            (
                "[Scaled]\nfactor = 1\n[Scaled.base.StepLr]\ninitial_lr = 1\nstep_size = -5",
                "Scaled.base.StepLr.step_size",
                "a number of steps",
            ),
        ] {
            let found = unreadable(toml);
            assert_eq!(found.0, path, "{toml}: {}", found.1);
            assert!(found.1.contains(reason), "{toml}: {}", found.1);
        }
    }

    #[test]
    fn numbers_outside_the_range_of_json_are_refused_when_built() {
        for number in ["nan", "inf", "-inf", "-0.1"] {
            let schedule = ScheduleConfig::from_toml(&format!("[Constant]\nlr = {number}"));
            assert!(matches!(
                schedule.unwrap().curve(&run()),
                Err(ScheduleError::Invalid { path, .. }) if path == "Constant.lr"
            ));
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_large_counts_are_not() {
        let base = ".base.Scaled".repeat(50_000);
        unreadable(&format!("[Scaled{base}]\nfactor = 1"));
        unreadable(&format!("Scaled = {}", "[".repeat(50_000)));
        unreadable(&format!("Scaled = {}", "{base = ".repeat(50_000)));
        let large = ScheduleConfig::from(StepLr::new(0.1, u64::MAX));
        let toml = large.to_toml().unwrap();
        assert_eq!(ScheduleConfig::from_toml(&toml).unwrap(), large);
        assert!(matches!(
            nested(60).to_toml(),
            Err(ScheduleError::Document { .. })
        ));
    }
}
