//! What is not a run's own in its directory, and what only asking must not change.

use burn_lr::training::{Damage, TrainingError};
use tempfile::TempDir;

use super::net::{EPOCHS, Net, noted, outcome, run, stopped};
use super::tree::tree;

#[test]
fn a_config_json_of_the_users_own_is_left_alone() {
    let expected = {
        let directory = TempDir::new().unwrap();
        outcome(run(directory.path()).fit(Net::new(1)).unwrap())
    };
    let contents = [
        "",
        "{}",
        "not json",
        r#"{"fixed": {"model": "mine"}, "free": {}}"#,
    ];
    for resume in [false, true] {
        for content in contents {
            let directory = TempDir::new().unwrap();
            let file = directory.path().join("config.json");
            std::fs::write(&file, content).unwrap();
            let (training, said) = noted(run(directory.path()).resume(resume));
            assert!(outcome(training.fit(Net::new(1)).unwrap()) == expected);
            assert!(said.iter().next().is_none());
            assert_eq!(std::fs::read_to_string(&file).unwrap(), content);
            run(directory.path()).fit(Net::new(2)).unwrap();
            assert_eq!(std::fs::read_to_string(&file).unwrap(), content);
        }
        let directory = TempDir::new().unwrap();
        std::fs::create_dir(directory.path().join("config.json")).unwrap();
        run(directory.path())
            .resume(resume)
            .fit(Net::new(1))
            .unwrap();
    }
}

#[test]
fn a_configuration_that_is_none_of_ours_is_not_overwritten() {
    for content in ["", "{}", "not json", "[]", r#"{"fixed": 1}"#] {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("burn-lr.json");
        std::fs::write(&file, content).unwrap();
        let asked = run(directory.path()).can_resume(&Net::new(1));
        for refused in [asked, run(directory.path()).fit(Net::new(1)).map(drop)] {
            assert!(
                matches!(&refused, Err(TrainingError::Damaged(Damage::Content { path, .. }))
                    if path == &file),
                "{refused:?}"
            );
        }
        let unasked = run(directory.path()).resume(false).fit(Net::new(1));
        assert!(
            matches!(unasked, Err(TrainingError::RunExists { .. })),
            "{unasked:?}"
        );
        assert_eq!(std::fs::read_to_string(&file).unwrap(), content);
    }
}

/// That neither `check` nor `can_resume` changes anything, and what `can_resume` says.
fn asked(directory: &TempDir, path: &str, epochs: usize) -> Result<(), TrainingError> {
    let before = tree(directory.path());
    let training = || run(&directory.path().join(path)).epochs(epochs);
    let checked = training().check(&Net::new(1));
    let anew = training().resume(false).check(&Net::new(1));
    let holds = directory.path().join(path).join("burn-lr.json").exists();
    match &anew {
        Err(TrainingError::RunExists { .. }) => assert!(holds),
        other => assert!(!holds && other.is_ok(), "{other:?}"),
    }
    let (training, said) = noted(training());
    let result = training.can_resume(&Net::new(1));
    assert_eq!(format!("{checked:?}"), format!("{result:?}"));
    drop(training);
    assert!(said.iter().next().is_none());
    assert!(tree(directory.path()) == before, "{result:?}");
    result
}

#[test]
fn asking_changes_nothing_on_the_disk() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    asked(&directory, "not/there", EPOCHS).unwrap();
    asked(&directory, "", EPOCHS).unwrap();
    std::fs::write(path.join("notes.txt"), "mine").unwrap();
    asked(&directory, "", EPOCHS).unwrap();

    stopped(run(path), 2, Net::new(1));
    asked(&directory, "", EPOCHS).unwrap();
    let fewer = asked(&directory, "", 1);
    assert!(
        matches!(fewer, Err(TrainingError::TooShort { unit: "epochs", .. })),
        "{fewer:?}"
    );
    run(path).fit(Net::new(1)).unwrap();
    asked(&directory, "", EPOCHS).unwrap();

    // With a damaged checkpoint, the one before; without any, from the start.
    for epoch in [EPOCHS, EPOCHS - 1] {
        let manifest = path.join(format!("checkpoint/epoch-{epoch:04}/manifest.json"));
        std::fs::write(manifest, "damaged").unwrap();
        asked(&directory, "", EPOCHS).unwrap();
    }
    std::fs::write(path.join("burn-lr.json"), "damaged").unwrap();
    let lost = asked(&directory, "", EPOCHS);
    assert!(matches!(lost, Err(TrainingError::Damaged(_))), "{lost:?}");
    std::fs::remove_dir_all(path.join("checkpoint")).unwrap();
    let lost = asked(&directory, "", EPOCHS);
    assert!(matches!(lost, Err(TrainingError::Damaged(_))), "{lost:?}");
}
