//! An iterator that runs ahead on a thread of its own.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

/// The items of an iterator, some of which are made before they are asked for.
pub(super) struct Prefetched<T> {
    items: Receiver<T>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> Prefetched<T> {
    /// Makes up to `ahead` items ahead, at least one.
    pub(super) fn new(iterator: impl Iterator<Item = T> + Send + 'static, ahead: usize) -> Self {
        // One more is being made while the channel is full.
        let (sender, items) = sync_channel(ahead.saturating_sub(1));
        let make = move || {
            for item in iterator {
                // Nobody wants the rest.
                if sender.send(item).is_err() {
                    break;
                }
            }
        };
        Self {
            items,
            thread: Some(std::thread::spawn(make)),
        }
    }
}

impl<T> Iterator for Prefetched<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match self.items.recv() {
            Ok(item) => Some(item),
            Err(_) => {
                if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
                    resume_unwind(panic);
                }
                None
            }
        }
    }
}
