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
mod tests;
