//! Stretches of steps, one after another.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What holds for stretches of steps, in order, and the index of the one that was asked for last.
///
/// Steps mostly follow each other, so that one is tried before any search. It is a hint: what is found does not
/// depend on it, so clones and threads may share it.
pub(crate) struct Stretches<T> {
    stretches: Vec<T>,
    latest: AtomicUsize,
}

impl<T> Stretches<T> {
    pub(crate) fn new(stretches: Vec<T>) -> Self {
        Self {
            stretches,
            latest: AtomicUsize::new(0),
        }
    }

    /// The last one that has begun; the first one always must have.
    pub(crate) fn at(&self, begun: impl Fn(&T) -> bool) -> &T {
        let has_begun = |index: usize| self.stretches.get(index).is_some_and(&begun);
        let mut index = self.latest.load(Ordering::Relaxed);
        if !has_begun(index) || has_begun(index + 1) {
            index = self.stretches.partition_point(&begun) - 1;
            self.latest.store(index, Ordering::Relaxed);
        }
        &self.stretches[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_before_changes_nothing() {
        let starts = [0, 1, 5, 6, u64::MAX];
        let steps = [0, 1, 2, 4, 5, 6, 7, u64::MAX - 1, u64::MAX];
        let expected = [0, 1, 1, 1, 5, 6, 6, 6, u64::MAX];
        let stretches = Stretches::new(starts.to_vec());
        let found = |step| *stretches.at(|&start| start <= step);
        for (before, _) in steps.iter().zip(expected) {
            for (step, start) in steps.iter().zip(expected) {
                found(*before);
                assert_eq!(found(*step), start, "{step} after {before}");
            }
        }
    }

    #[test]
    fn threads_share_them() {
        let stretches = Stretches::new((0..1000_u64).collect());
        std::thread::scope(|scope| {
            for stride in [1, 7, 999] {
                let stretches = &stretches;
                scope.spawn(move || {
                    for step in (0..3000).map(|i| i * stride % 1000) {
                        assert_eq!(*stretches.at(|&start| start <= step), step);
                    }
                });
            }
        });
    }
}
