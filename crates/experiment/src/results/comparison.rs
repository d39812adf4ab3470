//! Whether a difference between two candidates is more than noise.

use burn_lr_training::metrics::{Best, MetricKey};
use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::stat::Stat;
use super::trial::{At, Trial};

/// The confidence of the intervals.
const CONFIDENCE: f64 = 0.95;

/// A candidate beside another one under the same seeds: Student's paired t-test, two-sided.
///
/// Seeds are paired because a seed's initial weights and data order are the same for all
/// candidates. With few seeds the interval is wide, as it should be.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The candidate.
    pub candidate: String,
    /// The one that it is compared with.
    pub baseline: String,
    /// What is compared.
    pub metric: MetricKey,
    /// At which epoch.
    pub at: At,
    /// The candidate minus the baseline, over the seeds that both have completed.
    pub difference: Stat,
    /// The 95 % confidence interval of the mean difference; NaN with fewer than two seeds.
    pub interval: (f64, f64),
    /// How probable a mean difference at least as large is if there is none: NaN with fewer than
    /// two seeds.
    pub p_value: f64,
    /// The p-value after Holm's correction for all the comparisons of the same table.
    pub adjusted_p_value: f64,
}

impl Comparison {
    pub(crate) fn new(
        (candidate, trials): (&str, &[&Trial]),
        (baseline, base_trials): (&str, &[&Trial]),
        metric: &MetricKey,
        at: At,
        best: &Best,
    ) -> Self {
        let value = |trial: &Trial| trial.epoch(at, best)?.get(metric);
        let differences = trials.iter().filter_map(|trial| {
            let partner = base_trials.iter().find(|base| base.seed == trial.seed)?;
            Some(value(trial)? - value(partner)?)
        });
        let difference = Stat::of(differences);
        let (interval, p_value) = paired_t(&difference);
        Self {
            candidate: candidate.to_owned(),
            baseline: baseline.to_owned(),
            metric: metric.clone(),
            at,
            difference,
            interval,
            p_value,
            adjusted_p_value: p_value,
        }
    }

    /// Whether the adjusted p-value is below 0.05.
    pub fn is_significant(&self) -> bool {
        self.adjusted_p_value < 1.0 - CONFIDENCE
    }
}

/// Holm's step-down correction of p-values; NaN are left out of the count.
pub(crate) fn holm(comparisons: &mut [Comparison]) {
    let mut order: Vec<usize> = (0..comparisons.len())
        .filter(|&i| !comparisons[i].p_value.is_nan())
        .collect();
    order.sort_by(|&a, &b| comparisons[a].p_value.total_cmp(&comparisons[b].p_value));
    let mut largest = 0.0f64;
    for (rank, &i) in order.iter().enumerate() {
        let adjusted = comparisons[i].p_value * (order.len() - rank) as f64;
        largest = largest.max(adjusted.min(1.0));
        comparisons[i].adjusted_p_value = largest;
    }
}

/// The confidence interval and the two-sided p-value of a mean of paired differences.
fn paired_t(difference: &Stat) -> ((f64, f64), f64) {
    let Stat { mean, sd, n } = *difference;
    let unknown = ((f64::NAN, f64::NAN), f64::NAN);
    if n < 2 || !(mean.is_finite() && sd.is_finite()) {
        return unknown;
    }
    let Ok(t) = StudentsT::new(0.0, 1.0, (n - 1) as f64) else {
        return unknown;
    };
    let error = sd / (n as f64).sqrt();
    let half = t.inverse_cdf(0.5 + CONFIDENCE / 2.0) * error;
    let p_value = if error > 0.0 {
        2.0 * t.cdf(-(mean / error).abs())
    } else if mean == 0.0 {
        // The same difference under every seed.
        1.0
    } else {
        0.0
    };
    ((mean - half, mean + half), p_value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paired_test_equals_scipys() {
        // scipy.stats.ttest_rel([0.95, 0.96, 0.97], [0.94, 0.955, 0.95]), and its
        // confidence_interval(0.95)
        let ((low, high), p) = paired_t(&Stat::of([0.01, 0.005, 0.02]));
        assert!((p - 0.118_082_896_311_803_15).abs() < 1e-9, "{p}");
        assert!((low + 0.007_306_248_501).abs() < 1e-8, "{low}");
        assert!((high - 0.030_639_581_834).abs() < 1e-8, "{high}");
    }

    #[test]
    fn too_few_seeds_say_nothing() {
        let ((low, high), p) = paired_t(&Stat::of([0.01]));
        assert!(low.is_nan() && high.is_nan() && p.is_nan());
        assert_eq!(paired_t(&Stat::of([0.0, 0.0])).1, 1.0);
    }

    #[test]
    fn holm_multiplies_the_smallest_most() {
        let comparison = |p_value| Comparison {
            candidate: String::new(),
            baseline: String::new(),
            metric: burn_lr_training::metrics::valid("loss"),
            at: At::Last,
            difference: Stat::of([]),
            interval: (0.0, 0.0),
            p_value,
            adjusted_p_value: p_value,
        };
        let mut all = [0.03, 0.01, f64::NAN, 0.04].map(comparison);
        holm(&mut all);
        let adjusted = all.map(|c| c.adjusted_p_value);
        // statsmodels.stats.multitest.multipletests([0.03, 0.01, 0.04], method="holm")
        assert_eq!(adjusted[0], 0.06);
        assert_eq!(adjusted[1], 0.03);
        assert!(adjusted[2].is_nan());
        assert_eq!(adjusted[3], 0.06);
    }
}
