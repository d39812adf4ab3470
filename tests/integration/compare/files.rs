//! Files of the user's in the directories of an experiment.

use burn_lr::experiment::{Experiment, ExperimentError};
use tempfile::TempDir;

use super::{base, constant, histories};

#[test]
fn files_of_the_users_are_left_alone() {
    let directory = TempDir::new().unwrap();
    let candidate = directory.path().join("trials/a");
    let files = [
        (candidate.join("settings.json"), "{\"lr\": 0.1}\n"),
        (candidate.join("seed-1/settings.json"), "{}"),
        (candidate.join("seed-1/trial.json"), "{\"number\": 7}"),
    ];
    std::fs::create_dir_all(candidate.join("seed-1")).unwrap();
    for (path, content) in &files {
        std::fs::write(path, content).unwrap();
    }
    let run = || {
        Experiment::new(directory.path(), base)
            .candidates([constant("a", 0.01, 1)])
            .seeds([1])
            .run()
            .unwrap()
    };
    let first = run();
    let again = run();
    assert_eq!(histories(&again), histories(&first));
    let seconds = first.trials()[0].whole_seconds;
    assert_eq!(again.trials()[0].whole_seconds, seconds);
    for (path, content) in &files {
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(&found, content, "{}", path.display());
    }
}

#[test]
fn files_under_their_earlier_names_are_read() {
    let directory = TempDir::new().unwrap();
    let run = |hidden: usize| {
        Experiment::new(directory.path(), base)
            .candidates([constant("a", 0.01, 1).setting("hidden", hidden)])
            .seeds([1])
            .run()
    };
    run(4).unwrap();
    let candidate = directory.path().join("trials/a");
    for (new, old, content) in [
        ("burn-lr-settings.json", "settings.json", "{\"hidden\":4}"),
        (
            "seed-1/burn-lr-trial.json",
            "seed-1/trial.json",
            "{\"microseconds\":7000000000,\"ended\":true}",
        ),
    ] {
        let _ = std::fs::remove_file(candidate.join(new));
        std::fs::write(candidate.join(old), content).unwrap();
    }
    assert!(matches!(
        run(8),
        Err(ExperimentError::SettingsChanged { .. })
    ));
    assert_eq!(run(4).unwrap().trials()[0].whole_seconds, 7000.0);
}
