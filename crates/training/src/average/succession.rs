//! How an average goes on when it is set otherwise.

use super::plan::{Average, Kind, Start};
use super::rule::Rule;

/// How far a run has come when its average is set otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunSoFar {
    pub epochs: u64,
    pub updates: u64,
    /// Whether the average has weights by then.
    pub has_begun: bool,
}

impl Average {
    /// Whether it goes on with what an average that was set as `before` has taken in. It must be of the same
    /// kind, whatever its constants, and not begin later: otherwise it begins anew.
    pub(crate) fn goes_on_from(&self, before: &Self, reached: RunSoFar) -> bool {
        let is_alike = match (self.kind, before.kind) {
            (Kind::Running(Rule::Ema(_)), Kind::Running(Rule::Ema(_)))
            | (Kind::Running(Rule::Equal), Kind::Running(Rule::Equal))
            | (Kind::Checkpoints { .. }, Kind::Checkpoints { .. }) => true,
            (Kind::Running(_) | Kind::Checkpoints { .. }, _) => false,
        };
        let would_have_begun = match self.start {
            Start::AfterUpdates(left_out) => left_out <= reached.updates,
            Start::AfterEpochs(left_out) => left_out <= reached.epochs,
        };
        is_alike && (self.start == before.start || (reached.has_begun && would_have_begun))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Decay, Ema, Statistics, Validate};
    use super::*;

    const REACHED: RunSoFar = RunSoFar {
        epochs: 2,
        updates: 10,
        has_begun: true,
    };

    #[test]
    fn an_average_of_the_same_kind_goes_on() {
        let ema = Average::ema(0.9);
        let warm = Average::ema(Ema::new(0.99).with_warmup(1.0, 0.75))
            .every_updates(3)
            .statistics(Statistics::Recomputed)
            .validate(Validate::Both);
        let (swa, wsm) = (Average::swa(), Average::checkpoints(3, Decay::Cosine));
        let fewer = Average::checkpoints(2, Decay::Linear);
        for (now, before) in [(&warm, &ema), (&swa, &swa), (&fewer, &wsm)] {
            assert!(now.goes_on_from(before, REACHED), "{now:?}");
        }
        for (now, before) in [(&swa, &ema), (&ema, &swa), (&wsm, &swa), (&ema, &wsm)] {
            assert!(!now.goes_on_from(before, REACHED), "{now:?}");
        }
    }

    #[test]
    fn one_that_begins_later_begins_anew() {
        let before = Average::swa().after_epochs(1);
        for (now, goes_on) in [
            (Average::swa().after_epochs(2), true),
            (Average::swa().after_updates(10), true),
            (Average::swa().after_epochs(3), false),
            (Average::swa().after_updates(11), false),
        ] {
            assert_eq!(now.goes_on_from(&before, REACHED), goes_on, "{now:?}");
        }
        let not_begun = RunSoFar {
            has_begun: false,
            ..REACHED
        };
        assert!(!Average::swa().goes_on_from(&before, not_begun));
        assert!(before.goes_on_from(&before, not_begun));
    }
}
