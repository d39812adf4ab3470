//! The candidates that are compared unless a file says otherwise.

use burn_lr::experiment::Candidate;
use burn_lr::scheduler::{
    Constant, CosineAnnealingLr, Length, OneCycleLr, ReduceLrOnPlateau, StepLr, Warmup,
};
use burn_lr::training::optim::{ProdigyConfig, ScheduleFreeAdamWConfig};

/// The highest rate of all of them.
pub const LR: f64 = 0.01;

pub fn builtin(epochs: usize) -> Vec<Candidate> {
    let plateau = ReduceLrOnPlateau::new(LR).with_patience(2).with_factor(0.5);
    let cosine = CosineAnnealingLr::new(LR, Length::Percent(100.0));
    let annealed = CosineAnnealingLr::new(LR, Length::Percent(90.0));
    let warmup_cosine = Warmup::new(annealed, Length::Percent(10.0));
    [
        ("constant", Constant::new(LR).per_epoch()),
        ("StepLR", StepLr::new(LR, 3).with_gamma(0.5).per_epoch()),
        ("plateau", plateau.per_epoch()),
        ("cosine", cosine.per_update()),
        // Adam is to be as it is.
        (
            "one-cycle",
            OneCycleLr::new(LR).with_cycle_momentum(false).per_update(),
        ),
        ("warmup-cosine", warmup_cosine.per_update()),
    ]
    .map(|(name, schedule)| Candidate::new(name).schedule(schedule).epochs(epochs))
    .to_vec()
}

/// The rate that the authors of schedule-free AdamW give it when nothing is said.
const SCHEDULE_FREE_LR: f64 = 0.0025;

/// The updates over which schedule-free AdamW warms up, half an epoch of all images: its authors recommend a warmup.
const WARMUP_UPDATES: u64 = 469;

/// The same beside optimizers that need no schedule: schedule-free AdamW at Adam's rate and at its authors' own,
/// and Prodigy at a constant rate and along a cosine, as its authors have it.
pub fn with_optimizers(epochs: usize) -> Vec<Candidate> {
    let free = ScheduleFreeAdamWConfig::new().with_warmup_steps(WARMUP_UPDATES);
    let cosine = CosineAnnealingLr::new(1.0, Length::Percent(100.0));
    let own = [
        Candidate::new("schedule-free AdamW, 0.01")
            .optimizer(free)
            .schedule(LR),
        Candidate::new("schedule-free AdamW, 0.0025")
            .optimizer(free)
            .schedule(SCHEDULE_FREE_LR),
        Candidate::new("Prodigy")
            .optimizer(ProdigyConfig::new())
            .schedule(1.0),
        Candidate::new("Prodigy, cosine")
            .optimizer(ProdigyConfig::new())
            .schedule(cosine.per_update()),
    ];
    let own = own.map(|candidate| candidate.epochs(epochs));
    builtin(epochs).into_iter().chain(own).collect()
}
