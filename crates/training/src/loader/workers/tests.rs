use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::*;

/// Waits for a state that other threads bring about, for as long as a busy machine may take.
fn eventually(reached: impl Fn() -> bool) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(120) {
        if reached() {
            return true;
        }
        sleep(Duration::from_millis(2));
    }
    false
}

#[test]
fn items_come_in_order_whoever_makes_them() {
    for (threads, ahead) in [(0, 1), (1, 1), (1, 7), (3, 1), (3, 5), (8, 100)] {
        let pool = Pool::start(threads);
        for count in [0, 1, 50] {
            // The even ones take longer.
            let items = Ordered::new(count, ahead, |index| {
                sleep(Duration::from_micros(if index % 2 == 0 { 300 } else { 0 }));
                index
            });
            pool.work_for(&items);
            assert_eq!(items.collect::<Vec<_>>(), (0..count).collect::<Vec<_>>());
        }
    }
}

#[test]
fn no_more_are_begun_than_asked_for() {
    let begun = Arc::new(AtomicUsize::new(0));
    let count = begun.clone();
    let pool = Pool::start(4);
    let mut items = Ordered::new(100, 3, move |_| count.fetch_add(1, Ordering::SeqCst));
    pool.work_for(&items);
    for handed in 0..5 {
        assert!(eventually(|| begun.load(Ordering::SeqCst) == handed + 3));
        sleep(Duration::from_millis(10));
        assert_eq!(begun.load(Ordering::SeqCst), handed + 3);
        items.next();
    }
    drop(items);
    drop(pool);
    assert!(begun.load(Ordering::SeqCst) <= 9);
}

#[test]
fn a_panic_takes_its_items_place() {
    for threads in [0, 2] {
        let pool = Pool::start(threads);
        let mut items = Ordered::new(4, 4, |index| {
            assert_ne!(index, 1, "spoilt");
            index
        });
        pool.work_for(&items);
        assert_eq!(items.next(), Some(0));
        let panic = catch_unwind(AssertUnwindSafe(|| items.next())).unwrap_err();
        assert!(panic.downcast_ref::<String>().unwrap().contains("spoilt"));
        assert_eq!(
            (items.next(), items.next(), items.next()),
            (Some(2), Some(3), None)
        );
        // The threads have survived it.
        let items = Ordered::new(2, 2, |index| index);
        pool.work_for(&items);
        assert_eq!(items.count(), 2);
    }
}

#[test]
fn two_that_share_threads_do_not_wait_for_each_other() {
    let pool = Pool::start(1);
    let numbers = || Ordered::new(20, 2, |index| index);
    let (one, other) = (numbers(), numbers());
    pool.work_for(&one);
    pool.work_for(&other);
    assert!(other.zip(one).all(|(other, one)| other == one));
}

#[test]
fn one_that_is_given_up_frees_its_threads_which_end_with_the_pool() {
    let function = Arc::new(());
    let kept = function.clone();
    let pool = Pool::start(2);
    let mut items = Ordered::new(usize::MAX, 2, move |index| (index, kept.clone()).0);
    pool.work_for(&items);
    assert_eq!(items.next(), Some(0));
    drop(items);
    assert!(eventually(|| Arc::strong_count(&function) == 1));
    drop(pool);
}

#[test]
fn one_that_is_complete_but_kept_frees_its_threads() {
    let pool = Pool::start(3);
    let mut items = Ordered::new(2, 1, |_| true);
    pool.work_for(&items);
    assert!(eventually(|| items.0.lock().begun == 1));
    // Time for all to wait until there is room for the second.
    sleep(Duration::from_millis(50));
    assert_eq!(items.by_ref().count(), 2);
    // Each waits for two others, and this thread makes none.
    let inside = AtomicUsize::new(0);
    let mut next = Ordered::new(3, 3, move |_| {
        inside.fetch_add(1, Ordering::SeqCst);
        eventually(|| inside.load(Ordering::SeqCst) == 3)
    });
    pool.work_for(&next);
    assert!(eventually(|| next.0.lock().begun == 3));
    assert!(next.all(|together| together));
}
