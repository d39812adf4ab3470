//! Threads that make items ahead of who wants them, handed over in order.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle, Result as Caught};

/// Threads that live as long as this does.
///
/// They are not started anew for every epoch: CubeCL's backends keep a stream with its own memory
/// for each thread that ever used them.
pub(super) struct Pool<T> {
    jobs: Vec<Sender<Arc<Job<T>>>>,
    threads: Vec<JoinHandle<()>>,
}

impl<T: Send + 'static> Pool<T> {
    /// Up to `threads` threads: fewer if the system has no more, and then the others do their work.
    pub(super) fn start(threads: usize) -> Self {
        let mut pool = Self {
            jobs: Vec::new(),
            threads: Vec::new(),
        };
        for index in 0..threads {
            let (sender, jobs) = channel::<Arc<Job<T>>>();
            let work = move || jobs.into_iter().for_each(|job| job.work());
            match Builder::new().name(format!("loader-{index}")).spawn(work) {
                Ok(thread) => {
                    pool.jobs.push(sender);
                    pool.threads.push(thread);
                }
                Err(error) => {
                    log::warn!("{index} of {threads} loader threads could be started: {error}");
                    break;
                }
            }
        }
        pool
    }

    /// Has all threads work for `items` as soon as they are done with those before.
    pub(super) fn work_for(&self, items: &Ordered<T>) {
        for jobs in &self.jobs {
            // It fails for a thread that has ended, and then the others do its work.
            let _ = jobs.send(items.0.clone());
        }
    }
}

impl<T> Drop for Pool<T> {
    fn drop(&mut self) {
        self.jobs.clear();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// The items of a function of `0..count`, in order.
///
/// What no thread of a [`Pool`] has begun when it is wanted, is made by the thread that wants it. So
/// it does without any, and two of them that share threads do not wait for each other.
///
/// A panic of the function comes out where its item would have.
pub(super) struct Ordered<T>(Arc<Job<T>>);

impl<T> Ordered<T> {
    /// `make(0)`, `make(1)` and so on, `ahead` of which may be begun before they are wanted.
    pub(super) fn new(
        count: usize,
        ahead: usize,
        make: impl Fn(usize) -> T + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Job {
            make: Box::new(make),
            count,
            ahead,
            state: Mutex::new(State {
                begun: 0,
                handed: 0,
                items: VecDeque::new(),
                closed: false,
            }),
            item: Condvar::new(),
            room: Condvar::new(),
        }))
    }
}

impl<T> Iterator for Ordered<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let job = &self.0;
        let mut state = job.lock();
        if state.handed == job.count {
            return None;
        }
        if state.handed == state.begun {
            state = job.make_next(state);
        }
        let item = loop {
            if let Some(item) = state.take() {
                break item;
            }
            state = wait(&job.item, state);
        };
        drop(state);
        job.room.notify_one();
        Some(item.unwrap_or_else(|panic| resume_unwind(panic)))
    }
}

impl<T> Drop for Ordered<T> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.room.notify_all();
    }
}

struct Job<T> {
    make: Box<dyn Fn(usize) -> T + Send + Sync>,
    count: usize,
    ahead: usize,
    state: Mutex<State<T>>,
    /// An item was made.
    item: Condvar,
    /// An item may be begun, or none will be any more.
    room: Condvar,
}

struct State<T> {
    /// How many items were begun.
    begun: usize,
    /// How many items were handed over.
    handed: usize,
    /// Those in between; none where one is being made.
    items: VecDeque<Option<Caught<T>>>,
    closed: bool,
}

impl<T> State<T> {
    /// The next item, if it was made.
    fn take(&mut self) -> Option<Caught<T>> {
        self.items.front()?.as_ref()?;
        self.handed += 1;
        self.items.pop_front().flatten()
    }
}

impl<T> Job<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes items until there are no more to be made.
    fn work(&self) {
        let mut state = self.lock();
        while !state.closed && state.begun < self.count {
            if state.begun - state.handed < self.ahead {
                state = self.make_next(state);
                self.item.notify_one();
            } else {
                state = wait(&self.room, state);
            }
        }
    }

    /// Makes the next item that was not begun.
    fn make_next<'a>(&'a self, mut state: MutexGuard<'a, State<T>>) -> MutexGuard<'a, State<T>> {
        let index = state.begun;
        state.begun += 1;
        state.items.push_back(None);
        if state.begun == self.count {
            self.room.notify_all();
        }
        drop(state);
        let item = catch_unwind(AssertUnwindSafe(|| (self.make)(index)));
        let mut state = self.lock();
        let place = index - state.handed;
        state.items[place] = Some(item);
        state
    }
}

fn wait<'a, T>(condition: &Condvar, state: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condition
        .wait(state)
        .unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;

    /// Waits for a state that other threads bring about.
    fn eventually(reached: impl Fn() -> bool) -> bool {
        (0..1000).any(|_| {
            sleep(Duration::from_millis(2));
            reached()
        })
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
        let function = Arc::new(());
        let kept = function.clone();
        let pool = Pool::start(3);
        let mut items = Ordered::new(5, 1, move |index| (index, kept.clone()).0);
        pool.work_for(&items);
        assert_eq!(items.by_ref().count(), 5);
        let next = Ordered::new(5, 5, |index| index);
        pool.work_for(&next);
        // Made by the pool: nobody has asked for them.
        assert!(eventually(|| next.0.lock().items.len() == 5));
        assert_eq!(Arc::strong_count(&function), 2);
    }
}
