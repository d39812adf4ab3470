//! What `can_resume` says is what `fit` does.

use std::path::Path;

use burn_lr::scheduler::{CosineAnnealingLr, Length};
use burn_lr::training::optim::{Group, Select};
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use super::net::{Net, run};
use super::tree::tree;

/// Over the whole run, which cannot be made longer.
fn cosine() -> CosineAnnealingLr {
    CosineAnnealingLr::new(0.01, Length::Percent(100.0))
}

#[test]
fn a_schedule_of_another_length_is_refused_by_both() {
    let configured: [fn(&Path) -> Training<Net>; 2] = [
        |path| run(path).schedule(cosine().per_update()),
        |path| {
            let head = Group::new("head", Select::prefix("second"));
            let head = head.schedule(cosine().per_update());
            run(path).schedule(0.01).group(head)
        },
    ];
    for configured in configured {
        let directory = TempDir::new().unwrap();
        let path = directory.path();
        configured(path).epochs(2).fit(Net::new(1)).unwrap();
        configured(path).epochs(2).can_resume(&Net::new(2)).unwrap();
        let before = tree(path);
        let asked = configured(path).epochs(4).can_resume(&Net::new(2));
        let refused = configured(path).epochs(4).fit(Net::new(2)).map(drop);
        for result in [&asked, &refused] {
            assert!(
                matches!(result, Err(TrainingError::Extended { .. })),
                "{result:?}"
            );
        }
        assert_eq!(
            asked.unwrap_err().to_string(),
            refused.unwrap_err().to_string()
        );
        assert!(tree(path) == before);
    }
}

#[test]
fn fewer_epochs_than_there_are_is_refused_by_both() {
    let directory = TempDir::new().unwrap();
    run(directory.path()).epochs(2).fit(Net::new(1)).unwrap();
    let shorter = || run(directory.path()).epochs(1);
    for refused in [
        shorter().can_resume(&Net::new(2)),
        shorter().fit(Net::new(2)).map(drop),
    ] {
        assert!(
            matches!(
                &refused,
                Err(TrainingError::TooShort { unit: "epochs", .. })
            ),
            "{refused:?}"
        );
    }
}
