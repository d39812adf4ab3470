//! Runs whose disk is full or whose directory cannot be written.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::{halving, model, parameters, training};
use burn::tensor::Device;
use burn_lr::model::Mlp;
use burn_lr::training::checkpoint::{CheckpointStore, HISTORY, MODEL, OPTIM, SCHEDULER};
use burn_lr::training::{Trained, Training, TrainingError};
use tempfile::TempDir;

const EPOCHS: usize = 4;

fn run(directory: &Path, epochs: usize) -> Training<Mlp> {
    training(directory, halving().per_epoch())
        .epochs(epochs)
        .resume(true)
        .on_notice(|_| {})
}

fn fit(directory: &Path, epochs: usize) -> Result<Trained<Mlp>, TrainingError> {
    run(directory, epochs).fit(model(&Device::flex()))
}

fn undisturbed() -> Vec<f32> {
    let directory = TempDir::new().unwrap();
    parameters(&fit(directory.path(), EPOCHS).unwrap().model)
}

fn newest(directory: &Path) -> usize {
    let parts = [MODEL, OPTIM, SCHEDULER, HISTORY];
    let store = CheckpointStore::open(directory.join("checkpoint"), &parts).unwrap();
    store.newest_complete().0.unwrap().epoch
}

/// A run of two epochs, to be continued on a disk that is full.
fn begun() -> TempDir {
    let directory = TempDir::new().unwrap();
    fit(directory.path(), 2).unwrap();
    directory
}

#[test]
fn a_file_that_cannot_be_replaced_is_an_error_that_can_be_resumed_from() {
    let weights = undisturbed();
    for (file, saved) in [
        ("history.csv", 2),
        ("history.json", 2),
        ("best.bpk", 2),
        ("final.bpk", 4),
    ] {
        let directory = begun();
        let place = directory.path().join(file);
        fs::remove_file(&place).unwrap();
        fs::create_dir(&place).unwrap();
        let Err(TrainingError::File { path, .. }) = fit(directory.path(), EPOCHS) else {
            panic!("{file} could be written");
        };
        assert_eq!(path, place);
        // Checkpoints are written while the next epoch is trained.
        assert!(newest(directory.path()) >= saved, "{file}");

        fs::remove_dir(&place).unwrap();
        let resumed = fit(directory.path(), EPOCHS).unwrap();
        assert!(parameters(&resumed.model) == weights, "{file}");
    }
}

const CHILD_DIRECTORY: &str = "BURN_LR_TEST_DISK";

/// Not a test: what the next one starts as a process of its own, which may write small files only.
#[test]
#[ignore = "run by a_checkpoint_that_does_not_fit_leaves_the_one_before"]
fn child() {
    let directory = PathBuf::from(std::env::var_os(CHILD_DIRECTORY).unwrap());
    match fit(&directory, EPOCHS) {
        Ok(_) => println!("\ncompleted"),
        Err(error) => println!("\nfailed: {error}"),
    }
}

/// What a process says that may write files of so many blocks of 512 or 1024 bytes, depending on the
/// shell.
fn said_with_blocks(directory: &Path, blocks: u64) -> String {
    // Without the trap the system would end the process, instead of giving it an error.
    let script = format!(
        "trap '' XFSZ; ulimit -f {blocks}; \
         exec \"$0\" --exact disk::child --ignored --nocapture --test-threads=1"
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .env(CHILD_DIRECTORY, directory)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let failed = text.lines().find(|line| line.starts_with("failed: "));
    let failed = failed.unwrap_or_else(|| panic!("it did not fail: {text}"));
    failed.to_owned()
}

#[test]
fn a_configuration_that_does_not_fit_leaves_the_run_as_it_is() {
    let directory = TempDir::new().unwrap();
    let failed = said_with_blocks(directory.path(), 1);
    assert!(failed.contains("cannot write"), "{failed}");
    assert!(failed.contains("burn-lr.json"), "{failed}");
    let names: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        names
            .iter()
            .all(|name| name == "checkpoint" || name == "lock"),
        "{names:?}"
    );
    assert!(parameters(&fit(directory.path(), EPOCHS).unwrap().model) == undisturbed());
}

#[test]
fn a_checkpoint_that_does_not_fit_leaves_the_one_before() {
    let directory = begun();
    let optim = directory.path().join("checkpoint/epoch-0002").join(OPTIM);
    // Too small for the optimizer.
    let blocks = fs::metadata(optim).unwrap().len() / 1024 * 3 / 4;
    let failed = said_with_blocks(directory.path(), blocks);
    assert!(failed.contains("cannot write"), "{failed}");
    assert!(failed.contains("epoch-0003.tmp"), "{failed}");

    assert_eq!(newest(directory.path()), 2);
    let resumed = fit(directory.path(), EPOCHS).unwrap();
    assert!(parameters(&resumed.model) == undisturbed());
}

#[test]
fn a_directory_that_cannot_be_written_is_an_error() {
    let parent = TempDir::new().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    let mut blocked = vec![file.join("run")];
    if cfg!(target_os = "linux") {
        // Nobody can create a directory there, not even root.
        blocked.push(PathBuf::from("/proc/burn-lr-run"));
    }
    for directory in blocked {
        assert!(matches!(
            fit(&directory, 1),
            Err(TrainingError::File { path, .. }) if path.starts_with(&directory)
        ));
    }
}

#[test]
fn a_complete_run_is_resumed_without_writing_anything() {
    let directory = begun();
    let checkpoints = directory.path().join("checkpoint");
    let files = || {
        let list = |path: &Path| fs::read_dir(path).unwrap().map(Result::unwrap);
        let files = list(directory.path()).chain(list(&checkpoints));
        let state = |file: fs::DirEntry| {
            let metadata = file.metadata().unwrap();
            let time = (metadata.mtime(), metadata.mtime_nsec());
            (file.path(), metadata.ino(), time)
        };
        let mut files: Vec<_> = files.map(state).collect();
        files.sort();
        files
    };
    let before = files();
    let permit = |mode| {
        for path in [directory.path(), &checkpoints] {
            fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        }
    };
    permit(0o555);
    let resumed = fit(directory.path(), 2);
    permit(0o755);
    resumed.unwrap();
    assert_eq!(files(), before);
}

#[test]
fn a_directory_that_becomes_unwritable_leaves_the_checkpoint_before() {
    let weights = undisturbed();
    let directory = begun();
    let checkpoints = directory.path().join("checkpoint");
    // For any user: what is in the way of the next checkpoint cannot be deleted as a directory.
    let obstacle = checkpoints.join("epoch-0003.tmp");
    fs::write(&obstacle, "").unwrap();
    assert!(matches!(
        fit(directory.path(), EPOCHS),
        Err(TrainingError::File { path, .. }) if path == obstacle
    ));
    assert_eq!(newest(directory.path()), 2);
    fs::remove_file(&obstacle).unwrap();

    // For all but root: no permission.
    let permit = |mode| fs::set_permissions(&checkpoints, PermissionsExt::from_mode(mode)).unwrap();
    permit(0o555);
    let obeyed = fs::create_dir(checkpoints.join("probe")).is_err();
    let refused = obeyed.then(|| fit(directory.path(), EPOCHS));
    permit(0o755);
    if let Some(refused) = refused {
        assert!(matches!(
            refused,
            Err(TrainingError::File { source, .. }) if source.kind() == ErrorKind::PermissionDenied
        ));
        assert_eq!(newest(directory.path()), 2);
    }
    let resumed = fit(directory.path(), EPOCHS).unwrap();
    assert!(parameters(&resumed.model) == weights);
}
