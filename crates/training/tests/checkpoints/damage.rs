//! Damaged checkpoints are noticed, named, and left alone.

use super::*;

/// Damages the checkpoint of epoch 3, and expects epoch 2 and that reason, from a store that was
/// open and from a new one, with nothing changed.
fn assert_falls_back(damage: impl Fn(&Path), is_reason: impl Fn(&Damage, &Path) -> bool) {
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
        assert!(is_reason(&skipped[0].damage, &path), "{}", skipped[0]);
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
                    matches!(error, Damage::Length { path, expected, found }
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
                matches!(error, Damage::Checksum { path, expected, found }
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
                matches!(error, Damage::Missing { path }
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
            matches!(error, Damage::Unreadable { path, .. }
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
                matches!(error, Damage::Content { path, .. }
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
            |error, directory| matches!(error, Damage::Incomplete { path } if path == directory),
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
        && matches!(&skipped.damage, Damage::Incomplete { path }
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
        if matches!(skipped.damage, Damage::Missing { .. })));
    let missing = store.load(3).unwrap_err();
    assert!(matches!(
        missing,
        TrainingError::Damaged(Damage::Missing { .. })
    ));
}

#[test]
fn a_part_that_the_run_needs_and_the_checkpoint_lacks_is_noticed() {
    let directory = TempDir::new().unwrap();
    let store = CheckpointStore::open(directory.path(), &[MODEL]).unwrap();
    store.save_part(1, MODEL, b"model").unwrap();
    let (checkpoint, skipped) = open(directory.path()).newest_complete();
    assert!(checkpoint.is_none());
    assert!(matches!(skipped[0].damage, Damage::Missing { .. }));
}
