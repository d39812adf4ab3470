//! Checkpoints damaged in every way, killed while being written, and on full disks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::lr_scheduler::LrSchedulerRecord;
use burn::store::ModuleRecord;
use burn::tensor::Device;
use burn::train::checkpoint::{AsyncCheckpointer, Checkpointer, CheckpointerError};
use burn_lr_scheduler::Mode;
use burn_lr_training::{
    Best, Checkpoint, CheckpointError, CheckpointStore, HISTORY, KeepPolicy, MODEL, Metrics, OPTIM,
    PartCheckpointer, SCHEDULER, TrainingError,
};
use proptest::prelude::*;
use tempfile::TempDir;

const PARTS: [&str; 4] = [MODEL, OPTIM, SCHEDULER, HISTORY];

/// Content that tells the epoch and the part it is of.
fn content(epoch: usize, part: &str) -> Vec<u8> {
    format!("{part} of epoch {epoch}\n").repeat(100).into()
}

fn metrics(loss: f64) -> Metrics {
    [("loss".to_owned(), loss)].into()
}

fn open(directory: &Path) -> CheckpointStore {
    CheckpointStore::open(directory, &PARTS).unwrap()
}

fn save(store: &CheckpointStore, epoch: usize) -> Result<(), TrainingError> {
    PARTS
        .iter()
        .try_for_each(|part| store.save_part(epoch, part, &content(epoch, part)))
}

/// A store with the checkpoints of epochs 1 to `epochs`.
fn store_of(epochs: usize) -> (TempDir, CheckpointStore) {
    let directory = TempDir::new().unwrap();
    let store = open(directory.path()).with_keep(KeepPolicy::all());
    for epoch in 1..=epochs {
        save(&store, epoch).unwrap();
    }
    (directory, store)
}

fn assert_consistent(checkpoint: &Checkpoint) {
    assert_eq!(checkpoint.parts.len(), PARTS.len());
    for (part, bytes) in &checkpoint.parts {
        assert!(*bytes == content(checkpoint.epoch, part), "{part}");
    }
}

/// Everything in a directory and its content.
fn tree(directory: &Path) -> BTreeSet<(PathBuf, Option<Vec<u8>>)> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => {
                found.append(&mut tree(&path));
                found.insert((path, None));
            }
            false => {
                let bytes = fs::read(&path).unwrap();
                found.insert((path, Some(bytes)));
            }
        }
    }
    found
}

/// Damages the checkpoint of epoch 3, and expects epoch 2 and that reason, from a store that was
/// open and from a new one, with nothing changed.
fn assert_falls_back(damage: impl Fn(&Path), is_reason: impl Fn(&CheckpointError, &Path) -> bool) {
    let (directory, store) = store_of(3);
    let path = directory.path().join("epoch-0003");
    damage(&path);
    let before = tree(directory.path());
    for store in [store, open(directory.path())] {
        let (checkpoint, skipped) = store.newest_complete();
        let checkpoint = checkpoint.unwrap();
        assert_eq!(checkpoint.epoch, 2);
        assert_consistent(&checkpoint);
        assert_eq!(skipped.len(), 1);
        assert_eq!(skipped[0].epoch, 3);
        assert!(is_reason(&skipped[0].error, &path), "{}", skipped[0]);
        assert!(store.load(3).is_err());
        assert_eq!(store.epochs(), [1, 2]);
    }
    assert_eq!(tree(directory.path()), before);
}

#[test]
fn a_truncated_file_is_skipped() {
    for part in PARTS {
        for length in [0, 1, 500] {
            assert_falls_back(
                |path| {
                    let file = fs::File::options()
                        .write(true)
                        .open(path.join(part))
                        .unwrap();
                    file.set_len(length).unwrap();
                },
                |error, directory| {
                    let full = content(3, part).len() as u64;
                    matches!(error, CheckpointError::Length { path, expected, found }
                        if *path == directory.join(part) && *expected == full && *found == length)
                },
            );
        }
    }
}

#[test]
fn a_changed_byte_is_noticed() {
    for part in PARTS {
        assert_falls_back(
            |path| {
                let mut bytes = fs::read(path.join(part)).unwrap();
                bytes[321] ^= 0x10;
                fs::write(path.join(part), bytes).unwrap();
            },
            |error, directory| {
                matches!(error, CheckpointError::Checksum { path, expected, found }
                    if *path == directory.join(part) && expected != found)
            },
        );
    }
}

#[test]
fn a_missing_file_is_noticed() {
    for part in PARTS {
        assert_falls_back(
            |path| fs::remove_file(path.join(part)).unwrap(),
            |error, directory| {
                matches!(error, CheckpointError::MissingPart { path }
                    if *path == directory.join(part))
            },
        );
    }
}

#[test]
fn a_directory_in_place_of_a_file_is_noticed() {
    assert_falls_back(
        |path| {
            fs::remove_file(path.join(MODEL)).unwrap();
            fs::create_dir(path.join(MODEL)).unwrap();
        },
        |error, directory| {
            matches!(error, CheckpointError::Unreadable { path, .. }
                if *path == directory.join(MODEL))
        },
    );
}

#[test]
fn a_torn_or_foreign_manifest_is_noticed() {
    let manifest = {
        let (directory, _) = store_of(2);
        fs::read(directory.path().join("epoch-0002/manifest.json")).unwrap()
    };
    let torn = &manifest[..manifest.len() / 2];
    let garbage = [0xff; 300];
    let all: [&[u8]; 5] = [&[], torn, &garbage, b"{}", &manifest];
    for bad in all {
        assert_falls_back(
            |path| fs::write(path.join("manifest.json"), bad).unwrap(),
            |error, directory| {
                matches!(error, CheckpointError::Manifest { path, .. }
                    if *path == directory.join("manifest.json"))
            },
        );
    }
}

#[test]
fn an_empty_directory_and_one_without_manifest_are_incomplete() {
    for keep_parts in [true, false] {
        assert_falls_back(
            |path| {
                fs::remove_file(path.join("manifest.json")).unwrap();
                for part in PARTS.iter().filter(|_| !keep_parts) {
                    fs::remove_file(path.join(part)).unwrap();
                }
            },
            |error, directory| matches!(error, CheckpointError::Incomplete { path } if path == directory),
        );
    }
}

#[test]
fn what_a_killed_run_was_writing_is_skipped_and_replaced() {
    let (directory, store) = store_of(2);
    for part in &PARTS[..3] {
        store.save_part(3, part, b"old").unwrap();
    }
    // To the store that writes it, it is no leftover.
    assert!(store.newest_complete().1.is_empty());
    drop(store);

    let store = open(directory.path());
    let (checkpoint, skipped) = store.newest_complete();
    assert_eq!(checkpoint.unwrap().epoch, 2);
    assert!(matches!(&skipped[..], [skipped] if skipped.epoch == 3
        && matches!(&skipped.error, CheckpointError::Incomplete { path }
            if path.ends_with("epoch-0003.tmp"))));

    // The parts of the killed run do not count for the new one.
    for part in PARTS.iter().rev() {
        assert_eq!(store.newest_complete().0.unwrap().epoch, 2);
        store.save_part(3, part, &content(3, part)).unwrap();
    }
    let checkpoint = store.newest_complete().0.unwrap();
    assert_eq!(checkpoint.epoch, 3);
    assert_consistent(&checkpoint);
    assert!(!directory.path().join("epoch-0003.tmp").exists());
}

#[test]
fn all_damaged_is_said_and_none_is_found() {
    let (directory, store) = store_of(3);
    for epoch in 1..=3 {
        fs::remove_file(directory.path().join(format!("epoch-000{epoch}/{OPTIM}"))).unwrap();
    }
    let (checkpoint, skipped) = store.newest_complete();
    assert!(checkpoint.is_none());
    let epochs: Vec<usize> = skipped.iter().map(|skipped| skipped.epoch).collect();
    assert_eq!(epochs, [3, 2, 1]);
    drop(directory);
    let (checkpoint, skipped) = store.newest_complete();
    assert!(checkpoint.is_none());
    assert!(matches!(&skipped[..], [skipped]
        if matches!(skipped.error, CheckpointError::Unreadable { .. })));
    let missing = store.load(3).unwrap_err();
    assert!(matches!(
        missing,
        TrainingError::Checkpoint(CheckpointError::NotFound { .. })
    ));
}

#[test]
fn a_part_that_the_run_needs_and_the_checkpoint_lacks_is_noticed() {
    let directory = TempDir::new().unwrap();
    let store = CheckpointStore::open(directory.path(), &[MODEL]).unwrap();
    store.save_part(1, MODEL, b"model").unwrap();
    let (checkpoint, skipped) = open(directory.path()).newest_complete();
    assert!(checkpoint.is_none());
    assert!(matches!(
        skipped[0].error,
        CheckpointError::MissingPart { .. }
    ));
}

#[test]
fn names_that_leave_the_directory_or_are_unknown_are_refused() {
    let directory = TempDir::new().unwrap();
    for part in ["", "..", "a/b", "/a", "manifest.json"] {
        let refused = CheckpointStore::open(directory.path(), &[part]);
        assert!(
            matches!(refused, Err(TrainingError::Invalid { .. })),
            "{part:?}"
        );
    }
    let refused = open(directory.path()).save_part(1, "other", b"");
    assert!(matches!(refused, Err(TrainingError::Invalid { .. })));
}

#[test]
fn a_checkpoint_that_is_in_the_way_is_set_aside() {
    let (directory, store) = store_of(3);
    for round in 1..=2 {
        save(&store, 3).unwrap();
        let aside = directory.path().join(format!("epoch-0003.aside-{round}"));
        assert_eq!(fs::read(aside.join(MODEL)).unwrap(), content(3, MODEL));
    }
    store.set_aside_after(1).unwrap();
    assert_eq!(store.newest_complete().0.unwrap().epoch, 1);
    assert_eq!(store.epochs(), [1]);
    assert!(
        directory
            .path()
            .join("epoch-0002.aside-1")
            .join(MODEL)
            .exists()
    );
    assert!(
        directory
            .path()
            .join("epoch-0003.aside-3")
            .join(MODEL)
            .exists()
    );
}

#[test]
fn checkpoints_of_an_abandoned_run_neither_count_nor_vanish() {
    let (_directory, store) = store_of(9);
    let store = store.with_keep(KeepPolicy::last(2));
    save(&store, 4).unwrap();
    assert_eq!(store.epochs(), [3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn a_damaged_checkpoint_is_none_of_the_last() {
    let (directory, store) = store_of(3);
    let damaged = directory.path().join("epoch-0003");
    fs::write(damaged.join(MODEL), b"").unwrap();
    let store = store.with_keep(KeepPolicy::last(2));
    store.newest_complete();
    save(&store, 4).unwrap();
    assert_eq!(store.epochs(), [2, 4]);
    assert!(damaged.exists());
}

#[test]
fn parts_are_saved_from_several_threads() {
    let directory = TempDir::new().unwrap();
    let store = open(directory.path());
    std::thread::scope(|scope| {
        for part in PARTS {
            let store = store.clone();
            scope.spawn(move || {
                for epoch in 1..=50 {
                    store.save_part(epoch, part, &content(epoch, part)).unwrap();
                }
            });
        }
    });
    assert_eq!(store.epochs(), [49, 50]);
    for epoch in [49, 50] {
        assert_consistent(&store.load(epoch).unwrap());
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn last_and_best_are_kept_and_the_best_is_copied() {
    let run = TempDir::new().unwrap();
    let copy = run.path().join("best.bpk");
    let policy = KeepPolicy::last(2).with_best(Best::valid("loss", Mode::Min));
    let reopen = || {
        open(&run.path().join("checkpoint"))
            .with_keep(policy.clone())
            .with_best_copy(MODEL, &copy)
            .unwrap()
    };
    let losses = [
        f64::NAN,
        0.5,
        0.2,
        0.3,
        0.2,
        f64::NEG_INFINITY,
        0.4,
        0.1,
        0.2,
    ];
    let best = [0, 2, 3, 3, 3, 3, 3, 8, 8];
    let mut store = reopen();
    for (epoch, (loss, best)) in (1..).zip(losses.into_iter().zip(best)) {
        store
            .set_metrics(epoch, &metrics(0.0), &metrics(loss))
            .unwrap();
        save(&store, epoch).unwrap();
        let mut kept: BTreeSet<usize> = [epoch - 1, epoch, best].into();
        kept.remove(&0);
        assert_eq!(store.epochs(), Vec::from_iter(kept));
        match best {
            0 => assert!(!copy.exists() && store.best().is_none()),
            best => {
                assert_eq!(fs::read(&copy).unwrap(), content(best, MODEL));
                assert_eq!(store.best(), Some((best, losses[best - 1])));
            }
        }
        // Whatever became of the copy, a resumed run sets it right.
        match epoch % 3 {
            0 => fs::write(&copy, b"torn").unwrap(),
            1 => drop(fs::remove_file(&copy)),
            _ => {}
        }
        store = reopen();
        if best > 0 {
            assert_eq!(fs::read(&copy).unwrap(), content(best, MODEL));
        }
    }
}

#[test]
fn the_best_survives_damage_to_its_checkpoint() {
    let run = TempDir::new().unwrap();
    let copy = run.path().join("best.bpk");
    let directory = run.path().join("checkpoint");
    let policy = KeepPolicy::last(1).with_best(Best::valid("loss", Mode::Min));
    for (epoch, loss) in [(1, 0.5), (2, 0.1), (3, 0.3), (4, 0.2)] {
        let store = open(&directory)
            .with_keep(policy.clone())
            .with_best_copy(MODEL, &copy)
            .unwrap();
        store
            .set_metrics(epoch, &metrics(0.0), &metrics(loss))
            .unwrap();
        save(&store, epoch).unwrap();
        if epoch == 3 {
            fs::write(directory.join("epoch-0002/manifest.json"), b"").unwrap();
        }
    }
    assert_eq!(fs::read(&copy).unwrap(), content(2, MODEL));
    assert!(directory.join("epoch-0002").exists());
}

#[test]
fn another_idea_of_the_best_is_applied_to_what_is_there() {
    let (directory, store) = store_of(0);
    for (epoch, accuracy) in [(1, 0.7), (2, 0.9), (3, 0.8), (4, 0.6)] {
        let valid: Metrics = [("loss".to_owned(), 1.0), ("accuracy".to_owned(), accuracy)].into();
        store.set_metrics(epoch, &Metrics::new(), &valid).unwrap();
        save(&store, epoch).unwrap();
    }
    let policy = KeepPolicy::last(1).with_best(Best::valid("accuracy", Mode::Max));
    let store = open(directory.path()).with_keep(policy);
    assert_eq!(store.best(), Some((2, 0.9)));
    assert_eq!(store.prune().unwrap(), [1, 3]);
    assert_eq!(store.epochs(), [2, 4]);
}

#[test]
fn a_metric_that_is_not_there_is_named() {
    let (_directory, store) = store_of(0);
    let policy = KeepPolicy::default().with_best(Best::train("accuracy", Mode::Max));
    let store = store.with_keep(policy);
    let missing = store
        .set_metrics(7, &metrics(0.5), &Metrics::new())
        .unwrap_err();
    assert!(
        matches!(missing, TrainingError::MissingMetric { metric, split, epoch: 7, known }
        if metric == "accuracy" && split == "train" && known == ["loss"])
    );
}

/// A directory in memory if possible: there is much to be synced.
fn quick_directory() -> TempDir {
    TempDir::new_in("/dev/shm").unwrap_or_else(|_| TempDir::new().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    /// Epochs with any metrics, deletions and reopenings in any order.
    #[test]
    fn pruning_keeps_the_last_and_the_best(
        last in 0_usize..5,
        mode in prop_oneof![Just(None), Just(Some(Mode::Min)), Just(Some(Mode::Max))],
        epochs in prop::collection::vec((-3_i8..3, any::<bool>(), prop::option::of(1_usize..20)), 1..20),
    ) {
        let directory = quick_directory();
        let policy = KeepPolicy {
            last,
            best: mode.map(|mode| Best::valid("loss", mode)),
        };
        let open = || {
            let parts = CheckpointStore::open(directory.path(), &[MODEL]).unwrap();
            parts.with_keep(policy.clone())
        };
        let mut store = open();
        let mut best: Option<(usize, f64)> = None;
        let mut kept = Vec::new();
        let mut condemned = BTreeSet::new();
        for (epoch, (value, reopen, delete)) in (1..).zip(epochs) {
            let value = f64::from(value);
            store.set_metrics(epoch, &Metrics::new(), &metrics(value)).unwrap();
            store.save_part(epoch, MODEL, &content(epoch, MODEL)).unwrap();
            let better = match (best, mode) {
                (_, None) => false,
                (None, _) => true,
                (Some((_, best)), Some(Mode::Min)) => value < best,
                (Some((_, best)), Some(Mode::Max)) => value > best,
            };
            if better {
                best = Some((epoch, value));
            }
            prop_assert_eq!(store.best(), best);
            let is_best = |other: usize| best.is_some_and(|(best, _)| best == other);
            kept.push(epoch);
            let last = kept[kept.len().saturating_sub(last.max(1))];
            kept.retain(|kept| (*kept >= last && !condemned.contains(kept)) || is_best(*kept));
            prop_assert_eq!(&store.epochs(), &kept);
            // The best is deleted when it no longer is, if it is not forgotten until then.
            if let Some(delete) = delete.filter(|delete| *delete < epoch) {
                store.delete(delete).unwrap();
                condemned.insert(delete);
                kept.retain(|kept| *kept != delete || is_best(*kept));
            }
            prop_assert_eq!(&store.epochs(), &kept);
            if reopen {
                store = open();
                condemned.clear();
                prop_assert_eq!(&store.epochs(), &kept);
            }
            prop_assert_eq!(store.newest_complete().0.unwrap().epoch, epoch);
        }
    }
}

#[test]
fn deleting_waits_until_a_newer_checkpoint_is_complete() {
    let (directory, store) = store_of(1);
    let part = PartCheckpointer::new(store.clone(), MODEL);
    let delete = |epoch| Checkpointer::<ModuleRecord>::delete(&part, epoch).unwrap();
    delete(1);
    for part in PARTS {
        assert_eq!(store.epochs(), [1]);
        store.save_part(2, part, &content(2, part)).unwrap();
    }
    assert_eq!(store.epochs(), [2]);
    delete(7);
    assert!(!directory.path().join("epoch-0001").exists());
}

#[test]
fn a_deletion_that_was_killed_is_ignored_and_finished() {
    let (directory, store) = store_of(2);
    fs::rename(
        directory.path().join("epoch-0001"),
        directory.path().join("epoch-0001.deleted"),
    )
    .unwrap();
    fs::remove_file(directory.path().join("epoch-0001.deleted").join(MODEL)).unwrap();
    drop(store);
    let store = open(directory.path());
    assert!(store.newest_complete().1.is_empty());
    assert_eq!(store.epochs(), [2]);
    store.prune().unwrap();
    assert!(!directory.path().join("epoch-0001.deleted").exists());
}

#[test]
fn records_of_burn_come_back_through_its_checkpointers() {
    let directory = TempDir::new().unwrap();
    let store = CheckpointStore::open(directory.path(), &[MODEL, SCHEDULER]).unwrap();
    let device = Device::default();
    let layer: Linear = LinearConfig::new(3, 2).init(&device);
    let model = AsyncCheckpointer::new(PartCheckpointer::new(store.clone(), MODEL));
    let scheduler = AsyncCheckpointer::new(PartCheckpointer::new(store.clone(), SCHEDULER));
    for epoch in 1..=3 {
        model.save(epoch, layer.clone().into_record()).unwrap();
        let record = LrSchedulerRecord::new()
            .with_scalar("step", 10 * epoch as u64)
            .with_scalar("best", 0.1 * epoch as f64);
        scheduler.save(epoch, record).unwrap();
    }
    // Waits for their threads.
    drop((model, scheduler));

    let model = PartCheckpointer::new(store.clone(), MODEL);
    let scheduler = PartCheckpointer::new(store.clone(), SCHEDULER);
    let record: ModuleRecord = model.restore(3).unwrap();
    let other: Linear = LinearConfig::new(3, 2).init(&device);
    let restored = other.load_record(record);
    assert_eq!(
        restored.weight.val().into_data(),
        layer.weight.val().into_data()
    );

    assert_eq!(store.epochs(), [2, 3]);
    let record: LrSchedulerRecord = scheduler.restore(3).unwrap();
    assert_eq!(record.scalar::<u64>("step"), Some(30));
    assert_eq!(record.scalar::<f64>("best"), Some(0.1 * 3.0));

    fs::write(directory.path().join("epoch-0003").join(MODEL), b"torn").unwrap();
    let torn: Result<ModuleRecord, _> = model.restore(3);
    assert!(matches!(torn, Err(CheckpointerError::Unknown(_))));
    let failure = store.failure();
    assert!(matches!(
        failure,
        Some(TrainingError::Checkpoint(CheckpointError::Length {
            found: 4,
            ..
        }))
    ));
}

#[test]
fn a_file_in_place_of_the_directory_is_an_error_that_names_it() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("checkpoint");
    fs::write(&path, b"precious").unwrap();
    for path in [path.clone(), path.join("deeper")] {
        let refused = CheckpointStore::open(&path, &PARTS).unwrap_err();
        assert!(
            matches!(refused, TrainingError::File { action: "create", path: named, .. }
            if named == path)
        );
    }
    assert_eq!(fs::read(&path).unwrap(), b"precious");
}

#[test]
fn a_path_that_cannot_be_written_leaves_the_previous_checkpoint() {
    let (directory, store) = store_of(1);
    let staging = directory.path().join("epoch-0002.tmp");
    fs::write(&staging, b"precious").unwrap();
    let refused = save(&store, 2).unwrap_err();
    assert!(matches!(refused, TrainingError::File { path, .. } if path == staging));
    assert_eq!(store.newest_complete().0.unwrap().epoch, 1);

    // The same if it is Burn that saves: an I/O error with the path in its text.
    let part = PartCheckpointer::new(store.clone(), SCHEDULER);
    let refused = part.save(2, LrSchedulerRecord::new()).unwrap_err();
    assert!(matches!(refused, CheckpointerError::IOError(error)
        if error.to_string().contains("epoch-0002.tmp")));
    assert!(matches!(store.failure(), Some(TrainingError::File { .. })));

    // When what was in the way is gone, the run can go on.
    fs::remove_file(&staging).unwrap();
    save(&store, 2).unwrap();
    assert_eq!(store.newest_complete().0.unwrap().epoch, 2);
}

#[test]
fn a_copy_of_the_best_that_cannot_be_written_costs_no_checkpoint() {
    let run = TempDir::new().unwrap();
    let copy = run.path().join("best.bpk");
    let policy = KeepPolicy::last(2).with_best(Best::valid("loss", Mode::Min));
    let store = open(&run.path().join("checkpoint"))
        .with_keep(policy)
        .with_best_copy(MODEL, &copy)
        .unwrap();
    fs::create_dir(&copy).unwrap();
    store
        .set_metrics(1, &Metrics::new(), &metrics(0.5))
        .unwrap();
    let refused = save(&store, 1).unwrap_err();
    assert!(matches!(refused, TrainingError::File { path, .. } if path == copy));
    assert_eq!(store.newest_complete().0.unwrap().epoch, 1);
}

#[cfg(unix)]
mod processes {
    //! What needs a process of its own, to be killed or limited: this test binary, run again.

    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};
    use std::time::Duration;

    use rand::rngs::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    /// Names the directory to a child, in its environment.
    const DIRECTORY: &str = "BURN_LR_TEST_CHECKPOINTS";

    fn policy() -> KeepPolicy {
        KeepPolicy::last(2).with_best(Best::valid("loss", Mode::Min))
    }

    /// A loss that jumps, so that the best changes now and then.
    fn loss(epoch: usize) -> f64 {
        (epoch as f64 * 12.9898).sin() - epoch as f64 * 1e-3
    }

    fn open_run(run: &Path) -> CheckpointStore {
        open(&run.join("checkpoint"))
            .with_keep(policy())
            .with_best_copy(MODEL, run.join("best.bpk"))
            .unwrap()
    }

    /// Parts of about the size of a small network's.
    fn large(epoch: usize, part: &str) -> Vec<u8> {
        let times = match part {
            MODEL => 200,
            OPTIM => 400,
            _ => 1,
        };
        content(epoch, part).repeat(times)
    }

    fn save_large(store: &CheckpointStore, epoch: usize) -> Result<(), TrainingError> {
        store.set_metrics(epoch, &Metrics::new(), &metrics(loss(epoch)))?;
        std::thread::scope(|scope| {
            let threads = PARTS
                .map(|part| scope.spawn(move || store.save_part(epoch, part, &large(epoch, part))));
            threads
                .into_iter()
                .try_for_each(|thread| thread.join().unwrap())
        })
    }

    /// Not a test by itself: what the children do.
    #[test]
    fn child_that_saves_until_it_is_killed() {
        let Some(run) = std::env::var_os(DIRECTORY) else {
            return;
        };
        let store = open_run(run.as_ref());
        let start = store.newest_complete().0.map_or(0, |c| c.epoch);
        for epoch in start + 1..start + 10_000 {
            if let Err(error) = save_large(&store, epoch) {
                println!("\nfailed: {error}");
                return;
            }
            println!("\nsaved {epoch}");
        }
    }

    fn child(run: &Path, mut command: Command) -> Child {
        command
            .env(DIRECTORY, run)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// The command that runs the child, after `prelude` of a shell.
    fn command(prelude: &str) -> Command {
        let mut command = Command::new("sh");
        let script = format!("{prelude} exec \"$0\" --exact \"$1\" --nocapture --test-threads=1");
        command
            .args(["-c", &script])
            .arg(std::env::current_exe().unwrap())
            .arg("processes::child_that_saves_until_it_is_killed");
        command
    }

    /// What the child has printed since it started.
    fn lines(child: &mut Child) -> Vec<String> {
        let output = BufReader::new(child.stdout.take().unwrap());
        output.lines().map(Result::unwrap).collect()
    }

    fn last_saved(lines: &[String]) -> Option<usize> {
        let saved = lines.iter().filter_map(|line| line.strip_prefix("saved "));
        saved.last()?.parse().ok()
    }

    #[test]
    fn a_kill_at_any_moment_costs_no_complete_checkpoint() {
        let run = TempDir::new().unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(42);
        let mut newest = 0;
        let mut skips = 0;
        for kill in 0..50 {
            let mut child = child(run.path(), command(""));
            std::thread::sleep(Duration::from_micros(random.random_range(5_000..150_000)));
            child.kill().unwrap();
            child.wait().unwrap();
            let said = last_saved(&lines(&mut child)).unwrap_or(newest);

            // The copy of the best is never torn, and may only be behind by the last epoch.
            let copy = fs::read(run.path().join("best.bpk")).ok();
            let store = open(&run.path().join("checkpoint")).with_keep(policy());
            let (checkpoint, skipped) = store.newest_complete();
            skips += skipped.len();
            assert!(said >= newest);
            let Some(checkpoint) = checkpoint else {
                assert_eq!(said, 0, "kill {kill}: nothing complete");
                continue;
            };
            newest = checkpoint.epoch;
            assert!(
                newest == said || newest == said + 1,
                "{newest} after {said}"
            );
            for part in PARTS {
                assert!(checkpoint.parts[part] == large(newest, part), "{part}");
            }
            // None is damaged: those that are skipped were not complete.
            for skipped in skipped {
                assert!(matches!(skipped.error, CheckpointError::Incomplete { .. }));
                assert_eq!(skipped.epoch, newest + 1);
            }
            let best_until = |last: usize| {
                (1..=last)
                    .min_by(|a, b| loss(*a).total_cmp(&loss(*b)))
                    .unwrap()
            };
            let best = best_until(newest);
            assert_eq!(store.best(), Some((best, loss(best))));
            let best_before = (newest > 1).then(|| large(best_until(newest - 1), MODEL));
            assert!(copy.as_ref() == Some(&large(best, MODEL)) || copy == best_before);
            open_run(run.path());
            let copy = fs::read(run.path().join("best.bpk")).unwrap();
            assert!(
                copy == large(best, MODEL),
                "kill {kill}: the best is not epoch {best}"
            );
        }
        println!("{newest} epochs, {skips} kills while one was written");
        assert!(newest > 0);
    }

    #[test]
    fn a_file_size_limit_leaves_the_previous_checkpoint() {
        let run = TempDir::new().unwrap();
        save_large(&open_run(run.path()), 1).unwrap();
        let before = tree(&run.path().join("checkpoint/epoch-0001"));
        // The model fits, the optimizer does not. Not to be killed, but to get an error.
        let model = large(2, MODEL).len();
        assert!(large(2, OPTIM).len() > model * 3 / 2);
        let blocks = model / 512 * 5 / 4;
        // A block is 1024 bytes to some shells. To those with 512 the model does not fit either.
        let prelude = format!("trap '' XFSZ; ulimit -f {};", blocks / 2);
        let mut child = child(run.path(), command(&prelude));
        let lines = lines(&mut child);
        assert!(child.wait().unwrap().success());
        let failed = lines.iter().find(|line| line.starts_with("failed: "));
        let failed = failed.unwrap_or_else(|| panic!("it did not fail: {lines:?}"));
        assert!(failed.contains("epoch-0002.tmp"), "{failed}");

        assert_eq!(tree(&run.path().join("checkpoint/epoch-0001")), before);
        let store = open_run(run.path());
        assert_eq!(store.newest_complete().0.unwrap().epoch, 1);
        save_large(&store, 2).unwrap();
        assert_eq!(store.newest_complete().0.unwrap().epoch, 2);
    }

    #[test]
    fn a_full_disk_leaves_the_previous_checkpoint() {
        let mount = TempDir::new().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m", "none"])
            .arg(mount.path())
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            println!("skipped: no file system of a small size can be mounted here");
            return;
        }
        let full = std::panic::catch_unwind(|| {
            let run = mount.path();
            save_large(&open_run(run), 1).unwrap();
            let mut filled = 0;
            // Each time a little more room: every write fails once.
            for room in (0..40).map(|i| i * 100_000) {
                fill(&run.join("filler"), run, room);
                let store = open_run(run);
                let newest = store.newest_complete().0.unwrap().epoch;
                match save_large(&store, newest + 1) {
                    Ok(()) => assert_eq!(store.newest_complete().0.unwrap().epoch, newest + 1),
                    Err(TrainingError::File { source, path, .. }) => {
                        filled += 1;
                        assert_eq!(source.kind(), ErrorKind::StorageFull);
                        assert!(path.starts_with(run));
                        let checkpoint = store.newest_complete().0.unwrap();
                        assert!(checkpoint.epoch >= newest);
                        assert!(checkpoint.parts[MODEL] == large(checkpoint.epoch, MODEL));
                    }
                    Err(other) => panic!("{other}"),
                }
            }
            fs::remove_file(run.join("filler")).unwrap();
            let store = open_run(run);
            let newest = store.newest_complete().0.unwrap().epoch;
            save_large(&store, newest + 1).unwrap();
            assert_eq!(store.newest_complete().0.unwrap().epoch, newest + 1);
            filled
        });
        let unmounted = Command::new("umount").arg(mount.path()).status().unwrap();
        assert!(unmounted.success());
        let filled = full.unwrap();
        assert!(filled > 3, "the disk was full {filled} times only");
    }

    /// Fills the file system at `run` up to `room` bytes.
    fn fill(filler: &Path, run: &Path, room: usize) {
        use std::io::Write;

        let _ = fs::remove_file(filler);
        // What a failed attempt has left would be replaced by the next.
        for entry in fs::read_dir(run.join("checkpoint")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "tmp") {
                fs::remove_dir_all(path).unwrap();
            }
        }
        let mut file = fs::File::create(filler).unwrap();
        let mut length = 0_u64;
        while file.write_all(&[1; 4096]).is_ok() {
            length += 4096;
        }
        file.set_len(length.saturating_sub(room as u64)).unwrap();
    }
}
