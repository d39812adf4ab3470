//! The candidates that are compared unless a file says otherwise.

use burn_lr::experiment::Candidate;
use burn_lr::scheduler::{
    Constant, CosineAnnealingLr, Length, OneCycleLr, ReduceLrOnPlateau, StepLr, Warmup,
};

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
        ("one-cycle", OneCycleLr::new(LR).per_update()),
        ("warmup-cosine", warmup_cosine.per_update()),
    ]
    .map(|(name, schedule)| Candidate::new(name).schedule(schedule).epochs(epochs))
    .to_vec()
}
