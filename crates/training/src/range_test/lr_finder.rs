//! The settings of a range test.

use burn::optim::ModuleOptimizer;

use super::error::LrFinderError;

/// The fewest updates of a sweep; with fewer there would be nothing left to suggest from.
const MIN_UPDATES: usize = 10;

/// The learning-rate range test of [Smith, 2017](https://arxiv.org/abs/1506.01186): trains a copy
/// of a model for a few updates while the learning rate grows from update to update, and records
/// the loss.
///
/// Where the loss falls fastest is a good learning rate to train with, or to begin a schedule at;
/// [`LrSweep`](super::LrSweep) suggests some. The settings are those of fastai's `lr_find` by default: 100 updates
/// from 1e-7 to 10, each learning rate being the same multiple of the one before, the loss smoothed
/// with a beta of 0.98, stopped once that is more than 4 times its least value.
///
/// ```
/// use std::sync::Arc;
///
/// use burn_lr_training::loader::EpochLoader;
/// use burn_lr_training::range_test::LrFinder;
/// # use burn::data::dataset::DatasetError;
/// # use burn::module::Module;
/// # use burn::nn::{Linear, LinearConfig};
/// # use burn::tensor::{Device, Tensor};
/// # use burn::train::{RegressionOutput, TrainOutput, TrainStep};
/// # use burn_lr_training::loader::{BatchSource, Sample};
/// # #[derive(Module, Debug)]
/// # struct Line { linear: Linear }
/// # struct Points;
/// # impl BatchSource<Tensor<2>> for Points {
/// #     fn len(&self) -> usize { 40 }
/// #     fn batch(&self, samples: &[Sample], device: &Device) -> Result<Tensor<2>, DatasetError> {
/// #         let x: Vec<f32> = samples.iter().map(|sample| sample.index as f32 / 20.0).collect();
/// #         Ok(Tensor::<1>::from_floats(&x[..], device).unsqueeze_dim(1))
/// #     }
/// # }
/// # impl TrainStep for Line {
/// #     type Input = Tensor<2>;
/// #     type Output = RegressionOutput;
/// #     fn step(&self, x: Tensor<2>) -> TrainOutput<RegressionOutput> {
/// #         let (y, target) = (self.linear.forward(x.clone()), x * 3.0);
/// #         let loss = (y.clone() - target.clone()).square().mean();
/// #         TrainOutput::new(self, loss.backward(), RegressionOutput::new(loss, y, target))
/// #     }
/// # }
/// # let linear = LinearConfig::new(1, 1).init(&Device::default());
/// # let model = Line { linear };
/// let loader = Arc::new(EpochLoader::new(Points, 8).shuffled(42));
/// let sweep = LrFinder::new().with_num_updates(40).sweep(&model, loader)?;
/// assert_eq!(sweep.points[0].lr, 1e-7);
/// println!("{:?} {:?}", sweep.steepest(), sweep.valley());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What a sweep leaves as it was
///
/// Also if it fails, and to the bit:
///
/// - the model, running statistics as those of a batch normalisation included. Burn draws a
///   weight when it is first looked at: weights that were not drawn yet are drawn before the first
///   update, by [`draw_weights`](crate::draw_weights), as [`Training::fit`](crate::Training::fit)
///   draws them. What a model shares between its copies in a way that Burn does not know of, the sweep
///   changes.
/// - the optimizer, whose copy is used.
/// - the order of an [`EpochLoader`](crate::loader::EpochLoader). Burn's own shuffled loader moves on with
///   every use, and there is no way to set it back: build a second one for the sweep, in the same
///   way, which then has the same order.
/// - the device's random number generator, if the model and the batches draw nothing from it. Burn
///   has no way to read its state, so that what dropout draws cannot be taken back; see
///   [`with_seed`](Self::with_seed).
#[derive(Clone)]
pub struct LrFinder {
    pub(super) start_lr: f64,
    pub(super) end_lr: f64,
    pub(super) num_updates: usize,
    pub(super) linear: bool,
    pub(super) beta: f64,
    pub(super) divergence_factor: f64,
    pub(super) optimizer: Option<ModuleOptimizer>,
    pub(super) seed: Option<u64>,
}

impl Default for LrFinder {
    fn default() -> Self {
        Self::new()
    }
}

impl LrFinder {
    /// A sweep with fastai's settings, and [Adam](crate::optim::adam()) as the optimizer.
    pub fn new() -> Self {
        Self {
            start_lr: 1e-7,
            end_lr: 10.0,
            num_updates: 100,
            linear: false,
            beta: 0.98,
            divergence_factor: 4.0,
            optimizer: None,
            seed: None,
        }
    }

    /// Sets the learning rate of the first update.
    pub fn with_start_lr(mut self, lr: f64) -> Self {
        self.start_lr = lr;
        self
    }

    /// Sets the learning rate of the last update.
    pub fn with_end_lr(mut self, lr: f64) -> Self {
        self.end_lr = lr;
        self
    }

    /// Sets the number of updates, at least 10; the data is repeated if it has fewer batches.
    pub fn with_num_updates(mut self, updates: usize) -> Self {
        self.num_updates = updates;
        self
    }

    /// Adds the same amount to the learning rate after every update, instead of multiplying it.
    pub fn linear(mut self) -> Self {
        self.linear = true;
        self
    }

    /// Sets how much of the mean of the losses so far is kept when a loss joins it, from 0 for no
    /// smoothing to less than 1.
    ///
    /// With `mean = beta * mean + (1 - beta) * loss`, starting at 0, the smoothed loss of update
    /// `t`, from 1, is `mean / (1 - beta^t)`.
    pub fn with_beta(mut self, beta: f64) -> Self {
        self.beta = beta;
        self
    }

    /// Stops the sweep when the smoothed loss is more than `factor` times its least value so far;
    /// never if `factor` is infinite.
    ///
    /// A least value of `best` that is negative leaves as much room as a positive one: up to
    /// `best + (factor - 1) * |best|`. fastai stops there at once.
    pub fn with_divergence_factor(mut self, factor: f64) -> Self {
        self.divergence_factor = factor;
        self
    }

    /// Sets the optimizer, which may have been in use; its state is that of a model trained so far.
    pub fn with_optimizer(mut self, optimizer: ModuleOptimizer) -> Self {
        self.optimizer = Some(optimizer);
        self
    }

    /// Seeds the device's random numbers before the first update, and again after the sweep, also
    /// if it fails.
    ///
    /// For models that draw random numbers while they train, as dropout does: the sweep is
    /// reproducible then, and what follows it is what would follow [`Device::seed`](burn::tensor::Device::seed) in its place.
    /// [`Training::seed`](crate::Training::seed) has the same effect on a run, whatever came before.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The learning rate of `update`, from 0; both ends are exact.
    pub(super) fn lr(&self, update: usize) -> f64 {
        let share = update as f64 / (self.num_updates - 1) as f64;
        if self.linear {
            self.start_lr * (1.0 - share) + self.end_lr * share
        } else {
            self.start_lr.powf(1.0 - share) * self.end_lr.powf(share)
        }
    }

    pub(super) fn validate(&self) -> Result<(), LrFinderError> {
        let check = |valid: bool, name, expected, found: String| {
            let invalid = LrFinderError::Invalid {
                name,
                expected,
                found,
            };
            valid.then_some(()).ok_or(invalid)
        };
        let (start, end) = (self.start_lr, self.end_lr);
        check(
            start > 0.0 && start.is_finite(),
            "start_lr",
            "a finite number above 0",
            start.to_string(),
        )?;
        check(
            end > start && end.is_finite(),
            "end_lr",
            "a finite number above start_lr",
            format!("{end} and a start_lr of {start}"),
        )?;
        check(
            self.num_updates >= MIN_UPDATES,
            "num_updates",
            "at least 10",
            self.num_updates.to_string(),
        )?;
        check(
            (0.0..1.0).contains(&self.beta),
            "beta",
            "at least 0 and less than 1",
            self.beta.to_string(),
        )?;
        check(
            self.divergence_factor > 1.0,
            "divergence_factor",
            "more than 1",
            self.divergence_factor.to_string(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learning_rates_reach_both_ends_in_equal_steps() {
        let finder = LrFinder::new().with_num_updates(11);
        let ends = (finder.lr(0), finder.lr(10));
        assert_eq!(ends, (1e-7, 10.0));
        for update in 1..=10 {
            let ratio = finder.lr(update) / finder.lr(update - 1);
            assert!((ratio / 10f64.powf(0.8) - 1.0).abs() < 1e-12, "{ratio}");
        }
        let finder = finder.with_start_lr(1.0).with_end_lr(2.0).linear();
        assert_eq!([0, 5, 10].map(|update| finder.lr(update)), [1.0, 1.5, 2.0]);
        let extreme = LrFinder::new().with_start_lr(1e-300).with_end_lr(1e300);
        assert!((0..100).all(|update| extreme.lr(update).is_finite()));
    }

    #[test]
    fn wrong_settings_are_named() {
        let new = LrFinder::new;
        for (finder, wrong) in [
            (new().with_start_lr(0.0), "start_lr"),
            (new().with_start_lr(f64::NAN), "start_lr"),
            (new().with_start_lr(10.0), "end_lr"),
            (new().with_end_lr(f64::INFINITY), "end_lr"),
            (new().with_end_lr(f64::NAN), "end_lr"),
            (new().with_num_updates(9), "num_updates"),
            (new().with_beta(1.0), "beta"),
            (new().with_beta(-0.1), "beta"),
            (new().with_divergence_factor(1.0), "divergence_factor"),
            (new().with_divergence_factor(f64::NAN), "divergence_factor"),
        ] {
            let error = finder.validate().unwrap_err();
            assert!(matches!(error, LrFinderError::Invalid { name, .. } if name == wrong));
        }
        assert!(new().validate().is_ok());
    }
}
