//! Where a search draws its candidates from.

use std::ops::RangeInclusive;

use burn_lr_scheduler::{
    AnnealStrategy, Constant, CosineAnnealingLr, ExponentialLr, Length, OneCycleLr, PolynomialLr,
    ReduceLrOnPlateau, ScheduleConfig, StepLr, Warmup,
};

use super::draw::Draw;
use crate::candidate::Candidate;

/// Draws a schedule with this highest rate over that many epochs.
type Family = fn(&mut Draw, f64, usize) -> ScheduleConfig;

/// A space over the catalogue's families: constant, step, exponential, cosine, one-cycle,
/// polynomial, warmup then cosine, and plateau, with `lr` as the highest rate.
///
/// Settings are rounded to three digits, so that what is found can be written down.
pub fn catalogue(lr: f64, epochs: RangeInclusive<usize>) -> impl Fn(&mut Draw) -> Candidate {
    // With the least number of epochs over which they differ from a constant rate.
    let families: [(usize, Family); 8] = [
        (1, |_, lr, _| Constant::new(lr).into()),
        (2, |draw, lr, epochs| {
            let step = draw.integer(1..=epochs - 1) as u32;
            let gamma = digits(draw.log_uniform(0.05, 0.9));
            StepLr::new(lr, step).with_gamma(gamma).into()
        }),
        (2, |draw, lr, _| {
            ExponentialLr::new(lr, digits(draw.log_uniform(0.2, 0.98))).into()
        }),
        (1, |draw, lr, _| {
            let floor = digits(lr * draw.log_uniform(1e-4, 0.3));
            CosineAnnealingLr::new(lr, Length::Percent(100.0))
                .with_eta_min(floor)
                .into()
        }),
        (1, |draw, lr, _| {
            let strategy = [AnnealStrategy::Cos, AnnealStrategy::Linear];
            let strategy = draw
                .one_of(&strategy)
                .copied()
                .unwrap_or(AnnealStrategy::Cos);
            OneCycleLr::new(lr)
                .with_pct_start(digits(draw.uniform(0.05, 0.5)))
                .with_anneal_strategy(strategy)
                // Schedules are what is searched, and whatever optimizer there is shall be as it is.
                .with_cycle_momentum(false)
                .into()
        }),
        (1, |draw, lr, _| {
            let power = digits(draw.uniform(0.5, 4.0));
            PolynomialLr::new(lr)
                .with_total_iters(Length::Percent(100.0))
                .with_power(power)
                .into()
        }),
        (1, |draw, lr, _| {
            let warmup = digits(draw.uniform(2.0, 30.0));
            let cosine = CosineAnnealingLr::new(lr, Length::Percent(digits(100.0 - warmup)));
            Warmup::new(cosine, Length::Percent(warmup)).into()
        }),
        (4, |draw, lr, epochs| {
            ReduceLrOnPlateau::new(lr)
                .with_patience(draw.integer(0..=(epochs - 3).min(3)) as u64)
                .with_factor(digits(draw.log_uniform(0.05, 0.8)))
                .into()
        }),
    ];
    move |draw| {
        let epochs = draw.integer(epochs.clone()).max(1);
        let long_enough = families.iter().filter(|(least, _)| epochs >= *least);
        let long_enough: Vec<Family> = long_enough.map(|&(_, family)| family).collect();
        let schedule = match draw.one_of(&long_enough) {
            Some(family) => family(draw, lr, epochs),
            None => Constant::new(lr).into(),
        };
        let name = schedule.name();
        let schedule = match name {
            "StepLr" | "ReduceLrOnPlateau" | "ExponentialLr" | "Constant" => schedule.per_epoch(),
            // Over one or two epochs there would be nothing left of their shape.
            _ => schedule.per_update(),
        };
        Candidate::new(name).schedule(schedule).epochs(epochs)
    }
}

/// `value` with three significant digits.
fn digits(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use burn_lr_scheduler::Run;

    use super::*;

    #[test]
    fn every_draw_can_be_trained_and_is_the_same_for_a_seed() {
        let space = catalogue(0.01, 1..=20);
        let draws = |seed| {
            let mut draw = Draw::new(seed);
            (0..300).map(|_| space(&mut draw)).collect::<Vec<_>>()
        };
        assert_eq!(draws(1), draws(1));
        assert_ne!(draws(1), draws(2));
        let mut names = std::collections::BTreeSet::new();
        for candidate in draws(1) {
            let clocked = candidate.schedule.unwrap();
            let run = match clocked.clock {
                burn_lr_scheduler::Clock::PerEpoch => Run::per_epoch(47),
                _ => Run::per_update().with_updates_per_epoch(47),
            };
            let run = run.with_epochs(candidate.epochs.unwrap() as u64);
            let curve = clocked.schedule.curve(&run).unwrap();
            for step in 0..run.total_steps().unwrap() {
                assert!(curve.lr(step) <= 0.01 * (1.0 + 1e-12));
            }
            names.insert(candidate.name);
        }
        assert_eq!(names.len(), 8);
    }
}
