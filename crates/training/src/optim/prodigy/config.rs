//! The settings of Prodigy.

use serde::{Deserialize, Serialize};

use crate::optim::error::OptimError;
use crate::optim::ranged::{ABOVE_0, BELOW_1, NOT_NEGATIVE, ranged};

/// Prodigy: Adam that estimates its step size from the gradients; its learning rate is 1.
///
/// The schedule's rate `lr` multiplies the estimate `d`, which only grows: it is 1 for a constant step size, or
/// falls from 1 along a cosine to the end of the run. The update number `k`, from 0 on, with `lr = d lr c`, `c`
/// being 1 or, with `use_bias_correction`, `sqrt(1 - beta_2^(k+1)) / (1 - beta_1^(k+1))`:
///
/// ```text
/// r  = beta_3 r + d/d0 dlr <g, p0 - p>             s = beta_3 s + d/d0 dlr g
/// m  = beta_1 m + (1 - beta_1) d g                 v = beta_2 v + (1 - beta_2) d^2 g^2
/// d' = max(d, d_coef r / |s|_1), at most growth_rate d
/// p' = p - dlr m / (sqrt(v) + d' epsilon) - dlr weight_decay p
/// ```
///
/// with `r` and `|s|_1` summed over all parameters. With `safeguard_warmup` `s` has `d` in place of `dlr`.
///
/// ```
/// use burn_lr_training::optim::{OptimizerConfig, ProdigyConfig};
///
/// let config = ProdigyConfig::new().with_weight_decay(0.01).with_growth_rate(Some(1.02));
/// OptimizerConfig::from(config).check()?;
/// assert!(OptimizerConfig::from(config.with_d0(0.0)).check().is_err());
/// # Ok::<(), burn_lr_training::optim::OptimError>(())
/// ```
///
/// # In a run
/// The estimate at the end of an epoch is its metric `train_prodigy_d`; one that stays at `d0` asks for a larger `d0`.
///
/// A highest rate that is not between 0.1 and 10 is refused, as `Training`'s default of 0.001 is: 1 is meant, and what
/// shall be larger or smaller is `d_coef`. A schedule that rises, by a warmup or by restarts, is told unless
/// `safeguard_warmup` is set: the authors warn that `d` is overestimated. In groups, all settings but the weight
/// decay must be those of the run's Prodigy, and so must the rate.
///
/// # Source
/// [Prodigy](https://arxiv.org/abs/2306.06101); `Prodigy` of the authors' package `prodigyopt`, without `slice_p`,
/// which saves memory by estimating `d` from a part of the numbers, and without sharded parameters.
///
/// # Differences from it
/// What a parameter has moved from its first value is the sum of its updates, where the package subtracts its
/// value from the first: in single precision most digits of the first updates, of about `d0`, are lost there, and
/// `d` is another one by up to two percent. Here it is that of the package in double precision, to about 1e-7. Weights that
/// are changed by anything but the optimizer have not moved by it.
/// A parameter without a gradient is left out of an update and of its sums, as there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ProdigyConfig {
    /// What the first moment keeps of itself, in [0, 1); 0.9 by default.
    pub beta_1: f64,
    /// What the second moment keeps of itself, in [0, 1); 0.999 by default.
    pub beta_2: f64,
    /// What the sums of the estimate keep of themselves, in [0, 1); the root of `beta_2` by default.
    pub beta_3: Option<f64>,
    /// What is added to the root of the second moment, times `d`, above 0; 1e-8 by default.
    pub epsilon: f64,
    /// 0 by default.
    pub weight_decay: f64,
    /// Whether weight decay is that of AdamW, and not added to the gradient; so by default.
    pub decouple: bool,
    /// Whether the moments' bias is corrected; not so by default.
    pub use_bias_correction: bool,
    /// Whether the rate is left out of the estimate's denominator, for schedules with a warmup or restarts; not
    /// so by default.
    pub safeguard_warmup: bool,
    /// The first estimate, above 0; 1e-6 by default.
    pub d0: f64,
    /// The factor on the estimate, above 0; 1 by default.
    pub d_coef: f64,
    /// The most that the estimate grows by in an update, at least 1; without limit by default.
    pub growth_rate: Option<f64>,
}

impl Default for ProdigyConfig {
    fn default() -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.999,
            beta_3: None,
            epsilon: 1e-8,
            weight_decay: 0.0,
            decouple: true,
            use_bias_correction: false,
            safeguard_warmup: false,
            d0: 1e-6,
            d_coef: 1.0,
            growth_rate: None,
        }
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $setter:ident: $field:ident: $type:ty,)*) => {
        $(
            $(#[$doc])*
            pub fn $setter(mut self, $field: $type) -> Self {
                self.$field = $field;
                self
            }
        )*
    };
}

impl ProdigyConfig {
    /// That of the reference's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Sets what the first moment keeps of itself.
        with_beta_1: beta_1: f64,
        /// Sets what the second moment keeps of itself.
        with_beta_2: beta_2: f64,
        /// Sets what the sums of the estimate keep of themselves.
        with_beta_3: beta_3: Option<f64>,
        /// Sets what is added to the root of the second moment, times `d`.
        with_epsilon: epsilon: f64,
        /// Sets the weight decay.
        with_weight_decay: weight_decay: f64,
        /// Sets whether weight decay is that of AdamW.
        with_decouple: decouple: bool,
        /// Sets whether the moments' bias is corrected.
        with_use_bias_correction: use_bias_correction: bool,
        /// Sets whether the rate is left out of the estimate's denominator.
        with_safeguard_warmup: safeguard_warmup: bool,
        /// Sets the first estimate.
        with_d0: d0: f64,
        /// Sets the factor on the estimate.
        with_d_coef: d_coef: f64,
        /// Sets the most that the estimate grows by in an update.
        with_growth_rate: growth_rate: Option<f64>,
    }

    /// Whether every setting is in its range.
    ///
    /// # Errors
    /// [`OptimError::Hyperparameter`] for the first that is not.
    pub fn check(&self) -> Result<(), OptimError> {
        let name = "Prodigy";
        let betas = [
            ("beta_1", self.beta_1),
            ("beta_2", self.beta_2),
            ("beta_3", self.beta_3.unwrap_or(0.0)),
        ];
        for (setting, value) in betas {
            ranged(name, setting, value, BELOW_1, |v| (0.0..1.0).contains(&v))?;
        }
        let positive = [
            ("epsilon", self.epsilon),
            ("d0", self.d0),
            ("d_coef", self.d_coef),
        ];
        for (setting, value) in positive {
            ranged(name, setting, value, ABOVE_0, |v| v > 0.0)?;
        }
        let decay = self.weight_decay;
        ranged(name, "weight_decay", decay, NOT_NEGATIVE, |v| v >= 0.0)?;
        let growth = self.growth_rate.unwrap_or(1.0);
        ranged(name, "growth_rate", growth, "1 or more and finite", |v| {
            v >= 1.0
        })
    }

    pub(super) fn beta_3(&self) -> f64 {
        self.beta_3.unwrap_or_else(|| self.beta_2.sqrt())
    }

    /// The same of all settings that the estimate depends on, or that make an update what it is.
    pub(in crate::optim) fn without_decay(self) -> Self {
        self.with_weight_decay(0.0)
    }
}
