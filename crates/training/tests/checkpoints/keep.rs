//! Which checkpoints are kept, and the copy of the best.

use super::*;

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
fn last_and_best_are_kept_and_the_best_is_copied() {
    let run = TempDir::new().unwrap();
    let copy = run.path().join("best.bpk");
    let policy = KeepPolicy::last(2).with_best(Best::min(valid("loss")));
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
    let policy = KeepPolicy::last(1).with_best(Best::min(valid("loss")));
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
    let policy = KeepPolicy::last(1).with_best(Best::max(valid("accuracy")));
    let store = open(directory.path()).with_keep(policy);
    assert_eq!(store.best(), Some((2, 0.9)));
    assert_eq!(store.prune().unwrap(), [1, 3]);
    assert_eq!(store.epochs(), [2, 4]);
}

#[test]
fn a_metric_that_is_not_there_is_named_and_the_others_are_saved() {
    let (_directory, store) = store_of(0);
    let policy = KeepPolicy::default().with_best(Best::max(train("accuracy")));
    let store = store.with_keep(policy);
    let missing = store
        .set_metrics(7, &metrics(0.5), &Metrics::new())
        .unwrap_err();
    assert!(
        matches!(missing, TrainingError::MissingMetric { metric, epoch: 7, known, .. }
        if metric == "train_accuracy" && known == ["train_loss"])
    );
    save(&store, 7).unwrap();
    assert_eq!(store.load(7).unwrap().train, metrics(0.5));
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
        let mut policy = KeepPolicy::last(last);
        policy.best = mode.map(|mode| match mode {
            Mode::Min => Best::min(valid("loss")),
            Mode::Max => Best::max(valid("loss")),
        });
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
