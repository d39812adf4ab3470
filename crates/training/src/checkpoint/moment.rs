//! When a checkpoint is made, as the number that Burn hands through.

/// Set in the numbers of checkpoints within epochs.
const WITHIN: usize = 1 << (usize::BITS - 1);

/// When a checkpoint is made. Burn's checkpointers and strategies are told a number alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// At the end of that epoch.
    Epoch(usize),
    /// After that update of the run, within an epoch.
    Update(usize),
}

impl Moment {
    /// The moment after an update of the run, of which nobody makes as many as do not fit.
    pub(crate) fn after(update: u64) -> Self {
        Self::Update(usize::try_from(update).unwrap_or(usize::MAX) & !WITHIN)
    }

    pub(crate) fn number(self) -> usize {
        match self {
            Self::Epoch(epoch) => epoch,
            Self::Update(update) => update | WITHIN,
        }
    }

    pub(crate) fn of(number: usize) -> Self {
        if number & WITHIN == 0 {
            Self::Epoch(number)
        } else {
            Self::Update(number & !WITHIN)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_known_by_its_number() {
        for number in [0, 1, 42, usize::MAX >> 1] {
            for moment in [Moment::Epoch(number), Moment::Update(number)] {
                assert_eq!(Moment::of(moment.number()), moment);
            }
        }
    }
}
