//! Has training wait until a checkpoint's records have left the device.
//!
//! Burn reads them on threads of its own while training goes on. On wgpu, 0.22.1 then updates the
//! optimizer's moments in place before they were read: the checkpoint holds moments of a later update.
//! Writing the files still goes on beside the training.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Counts the records that are still to be read from the device; clones are one and the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Handover(Arc<(Mutex<usize>, Condvar)>);

/// A record that is being read, until it is dropped.
pub(crate) struct Reading<'a>(&'a Handover);

impl Handover {
    /// Announces that so many records will be read.
    pub(crate) fn expect(&self, records: usize) {
        *self.unread() += records;
    }

    /// Waits until all of them were.
    pub(crate) fn wait(&self) {
        let unread = self.0.1.wait_while(self.unread(), |unread| *unread > 0);
        drop(unread);
    }

    /// Called for each record when its reading begins.
    pub(crate) fn reading(&self) -> Reading<'_> {
        Reading(self)
    }

    fn unread(&self) -> MutexGuard<'_, usize> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Also when reading fails, by an error or a panic: nobody shall wait forever.
impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut unread = self.0.unread();
        *unread = unread.saturating_sub(1);
        self.0.0.1.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_waits_for_every_record_and_for_none_forever() {
        let (handover, read) = (Handover::default(), AtomicUsize::new(0));
        handover.wait();
        handover.expect(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..2 {
                    let reading = handover.reading();
                    std::thread::sleep(Duration::from_millis(20));
                    read.fetch_add(1, Ordering::SeqCst);
                    drop(reading);
                }
            });
            handover.wait();
            assert_eq!(read.load(Ordering::SeqCst), 2);
        });
        handover.expect(1);
        let panicked = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let _reading = handover.reading();
                panic!("while reading");
            });
            reader.join().is_err()
        });
        assert!(panicked);
        handover.wait();
    }
}
