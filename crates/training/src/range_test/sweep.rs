//! What a range test found, and the learning rates it suggests.

use std::fmt::Write as _;

/// One update of a range test.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct LrPoint {
    /// The learning rate of the update.
    pub lr: f64,
    /// The loss of the update's batch, before the update.
    pub loss: f64,
    /// The mean of the losses so far, late ones counting most.
    pub smoothed: f64,
}

impl LrPoint {
    /// An update with its learning rate, its loss, and the mean of the losses so far.
    pub fn new(lr: f64, loss: f64, smoothed: f64) -> Self {
        Self { lr, loss, smoothed }
    }
}

/// Why a range test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SweepEnd {
    /// All updates were made.
    Completed,
    /// The loss became too large, infinite or NaN.
    Diverged,
}

/// The losses of a range test by learning rate.
///
/// Suggestions are made from the smoothed losses, without what fastai leaves out too: the first
/// tenth of the updates asked for, which the start-up of the smoothing marks, and the last five,
/// where the loss may be on its way out already. A smoothed loss lags behind; so do suggestions.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LrSweep {
    /// The updates in their order. If the test diverged, the last one did.
    pub points: Vec<LrPoint>,
    /// Why the test ended.
    pub end: SweepEnd,
    /// How many updates were asked for.
    pub num_updates: usize,
    /// Whether the same amount was added to the learning rate after every update, instead of
    /// multiplying it.
    pub linear: bool,
}

impl LrSweep {
    /// The learning rate where the smoothed loss falls fastest over the logarithm of the learning
    /// rate, the first one if there are several: fastai's `steep`.
    ///
    /// None if it never falls.
    pub fn steepest(&self) -> Option<f64> {
        let points = self.considered();
        let slope = |pair: &[LrPoint]| {
            (pair[1].smoothed - pair[0].smoothed) / (pair[1].lr.ln() - pair[0].lr.ln())
        };
        let slopes = points.windows(2).map(|pair| (pair[0].lr, slope(pair)));
        slopes
            .filter(|&(_, slope)| slope < 0.0)
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(lr, _)| lr)
    }

    /// The learning rate in the middle of the longest fall: fastai's `valley`, and what its
    /// `lr_find` suggests.
    ///
    /// The longest fall is the longest sequence of points, not necessarily neighbours, each lower
    /// than the one before; the first one if there are several. With `n` points, it is taken to
    /// begin `n` points before its last one, and the suggestion is `floor(n / 3) + floor(n / 6)`
    /// points after that.
    ///
    /// None if the loss never falls. Where fastai counts past the first point, and so takes the last
    /// one, this takes the first.
    pub fn valley(&self) -> Option<f64> {
        let points = self.considered();
        // The greatest loss at which a fall of 1, 2, ... points can end so far: a falling sequence.
        let mut ends: Vec<f64> = Vec::new();
        let (mut longest, mut last) = (1, 0);
        for (i, point) in points.iter().enumerate() {
            let before = ends.partition_point(|&end| end > point.smoothed);
            match ends.get_mut(before) {
                Some(end) => *end = point.smoothed,
                None => ends.push(point.smoothed),
            }
            if before + 1 > longest {
                (longest, last) = (before + 1, i);
            }
        }
        if longest < 2 {
            return None;
        }
        let index = (last + longest / 3 + longest / 6).saturating_sub(longest);
        points.get(index).map(|point| point.lr)
    }

    /// A tenth of the learning rate with the least smoothed loss, the first one if there are
    /// several: fastai's `minimum`, a rule of thumb.
    ///
    /// None if no loss is left to consider.
    pub fn minimum_over_ten(&self) -> Option<f64> {
        let points = self.considered();
        let least = points
            .iter()
            .min_by(|a, b| a.smoothed.total_cmp(&b.smoothed));
        least.map(|point| point.lr / 10.0)
    }

    /// The points as CSV: `update,lr,loss,smoothed_loss`, one row an update, from 1.
    pub fn to_csv(&self) -> String {
        let mut csv = String::from("update,lr,loss,smoothed_loss\n");
        for (point, update) in self.points.iter().zip(1..) {
            let LrPoint { lr, loss, smoothed } = point;
            let _ = writeln!(csv, "{update},{lr},{loss},{smoothed}");
        }
        csv
    }

    /// The points that suggestions are made from.
    fn considered(&self) -> Vec<LrPoint> {
        let from = self.num_updates / 10;
        let to = self.points.len().saturating_sub(5);
        let points = self.points.get(from..to).unwrap_or_default();
        let finite = points.iter().filter(|point| point.smoothed.is_finite());
        finite.copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A sweep at the rates 1, 2, ..., followed by the five points that are not considered.
    fn sweep(losses: &[f64]) -> LrSweep {
        let losses = losses.iter().chain(&[-9.0; 5]);
        let points = losses.zip(1..).map(|(&smoothed, lr)| LrPoint {
            lr: f64::from(lr),
            loss: smoothed,
            smoothed,
        });
        LrSweep {
            points: points.collect(),
            end: SweepEnd::Completed,
            num_updates: 0,
            linear: true,
        }
    }

    /// By fastai's definitions of `steep`, `valley` and `minimum`, in Python:
    ///
    /// ```python
    /// from math import exp, log, sin
    /// lrs = [1e-7 ** (1 - i / 99) * 10.0 ** (i / 99) for i in range(100)]
    /// losses = [2.3 / (1 + exp((i - 50) / 5)) + 0.02 * sin(1.7 * i) + 0.05 * exp((i - 80) / 5)
    ///           for i in range(100)]
    /// lrs, losses = lrs[10:-5], losses[10:-5]
    /// slopes = [(b - a) / (log(y) - log(x))
    ///           for a, b, x, y in zip(losses, losses[1:], lrs, lrs[1:])]
    /// print(lrs[slopes.index(min(slopes))], lrs[losses.index(min(losses))] / 10)
    /// lengths = []
    /// for i, loss in enumerate(losses):
    ///     lengths.append(1 + max((lengths[j] for j in range(i) if losses[j] > loss), default=0))
    /// n = max(lengths)
    /// print(lrs[lengths.index(n) - n + n // 3 + n // 6])
    /// ```
    #[test]
    fn a_valley_with_ripples_gives_fastais_suggestions() {
        let points = (0..100).map(|i| {
            let (i, share) = (f64::from(i), f64::from(i) / 99.0);
            let fall = 2.3 / (1.0 + ((i - 50.0) / 5.0).exp());
            let rise = 0.05 * ((i - 80.0) / 5.0).exp();
            let smoothed = fall + 0.02 * (1.7 * i).sin() + rise;
            LrPoint {
                lr: 1e-7f64.powf(1.0 - share) * 10f64.powf(share),
                loss: smoothed,
                smoothed,
            }
        });
        let sweep = LrSweep {
            points: points.collect(),
            end: SweepEnd::Completed,
            num_updates: 100,
            linear: false,
        };
        let suggestions = [
            (sweep.steepest(), 0.000_911_162_756_115_490_4),
            (sweep.valley(), 0.001_917_910_261_672_488_7),
            (sweep.minimum_over_ten(), 0.007_924_828_983_539_169),
        ];
        for (found, expected) in suggestions {
            let found = found.unwrap();
            assert!((found / expected - 1.0).abs() < 1e-12, "{found} {expected}");
        }
    }

    #[test]
    fn known_curves_have_known_suggestions() {
        // The longest fall has 6 points up to rate 6; 3 points on from 6 points before is rate 3.
        let valley = sweep(&[8.0, 7.0, 5.0, 4.0, 1.0, 0.5, 3.0, 9.0]);
        assert_eq!(valley.valley(), Some(3.0));
        assert_eq!(valley.minimum_over_ten(), Some(0.6));
        // From 4 to 5 it falls by 1 only, but in a smaller part of a decade than from 1 to 2.
        assert_eq!(sweep(&[9.0, 6.0, 6.0, 6.0, 5.0]).steepest(), Some(4.0));
    }

    #[test]
    fn nothing_is_suggested_from_a_curve_that_never_falls() {
        for losses in [&[][..], &[1.0], &[1.0, 1.0, 2.0, 3.0]] {
            let sweep = sweep(losses);
            assert_eq!((sweep.steepest(), sweep.valley()), (None, None));
            assert_eq!(sweep.minimum_over_ten().is_none(), losses.is_empty());
        }
    }

    #[test]
    fn points_that_are_no_numbers_are_passed_over() {
        let sweep = sweep(&[f64::NAN, 3.0, f64::INFINITY, 2.0, f64::NAN]);
        assert_eq!(sweep.steepest(), Some(2.0));
        assert_eq!(sweep.minimum_over_ten(), Some(0.4));
    }

    #[test]
    fn csv_has_a_row_an_update() {
        let mut sweep = sweep(&[0.5]);
        sweep.points.truncate(1);
        sweep.points[0].smoothed = f64::NAN;
        assert_eq!(
            sweep.to_csv(),
            "update,lr,loss,smoothed_loss\n1,1,0.5,NaN\n"
        );
    }

    proptest! {
        /// Against the definition: the longest falls that end at each point, by all points before.
        #[test]
        fn the_longest_fall_is_found(losses in prop::collection::vec(0i8..20, 0..60)) {
            let losses: Vec<f64> = losses.into_iter().map(f64::from).collect();
            let mut lengths: Vec<usize> = Vec::new();
            for (i, loss) in losses.iter().enumerate() {
                let higher = (0..i).filter(|&j| losses[j] > *loss).map(|j| lengths[j]);
                lengths.push(1 + higher.max().unwrap_or(0));
            }
            let n = lengths.iter().copied().max().unwrap_or(0);
            let expected = (n >= 2).then(|| {
                let last = lengths.iter().position(|&length| length == n).unwrap();
                1 + (last + n / 3 + n / 6).saturating_sub(n)
            });
            prop_assert_eq!(sweep(&losses).valley(), expected.map(|lr| lr as f64));
        }
    }
}
