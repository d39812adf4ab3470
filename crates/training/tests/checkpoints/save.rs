//! Saving checkpoints, also by Burn, and where nothing can be written.

use super::*;

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
        Some(TrainingError::Damaged(Damage::Length { found: 4, .. }))
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
    let policy = KeepPolicy::last(2).with_best(Best::min(valid("loss")));
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
