//! How a rate is raised too, by [`GreedyLr`](crate::GreedyLr).

use super::settings::{Greedy, Settings};
use super::{Plateau, PlateauState, Verdict};

impl Plateau {
    /// As Hugging Face's `GreedyLR`: while a rise or a cut is waited for, no metric is looked at.
    pub(super) fn observe_greedily(&mut self, greedy: &Greedy, base: f64, metric: f64) -> Verdict {
        let Settings {
            patience,
            cooldown,
            factor,
            min_lr,
            max_lr,
            ..
        } = self.settings;
        let improved = self.improves(metric);
        let state = &mut self.state;
        state.observed = state.observed.saturating_add(1);
        let waits = [&mut state.cooldown_left, &mut state.warmup_left];
        if let Some(left) = waits.into_iter().find(|left| **left > 0) {
            *left -= 1;
            let epochs_left = *left;
            (state.bad_epochs, state.good_epochs) = (0, 0);
            return Verdict::CoolingDown { epochs_left };
        }
        if improved {
            state.best = metric;
            state.bad_epochs = 0;
            state.good_epochs = state.good_epochs.saturating_add(1);
            if state.good_epochs <= patience {
                return Verdict::Improved;
            }
            state.good_epochs = 0;
            state.warmup_left = greedy.warmup;
            state.times_at_floor = 0;
            let to = (self.apply(base) / factor).min(max_lr);
            return match self.raise(base, to) {
                Verdict::AtFloor { .. } => Verdict::Improved,
                raised => raised,
            };
        }
        state.good_epochs = 0;
        state.bad_epochs = state.bad_epochs.saturating_add(1);
        if state.bad_epochs <= patience {
            let bad_epochs = state.bad_epochs;
            return Verdict::Bad { bad_epochs };
        }
        state.bad_epochs = 0;
        state.cooldown_left = cooldown;
        let verdict = self.lower(base, (self.apply(base) * factor).max(min_lr));
        if self.apply(base) <= min_lr {
            self.state.times_at_floor += 1;
            if self.state.times_at_floor >= greedy.reset_start {
                return self.begin_anew(base);
            }
        }
        verdict
    }

    /// As if nothing had been observed, but for the cooldown of the cut that it is in place of.
    fn begin_anew(&mut self, base: f64) -> Verdict {
        let from = self.apply(base);
        let PlateauState {
            observed,
            cuts,
            cooldown_left,
            ..
        } = self.state;
        self.state = PlateauState {
            observed,
            cooldown_left,
            cuts: cuts.saturating_add(1),
            ..*Self::new(self.settings.clone()).state()
        };
        Verdict::Raised { from, to: base }
    }
}
