//! Optimizers for loops of one's own.

use burn::module::Module;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Bytes;

use super::error::OptimError;
use super::passes::Passes;
use super::state::restored;

/// Any optimizer, for a loop of one's own: also one whose update takes several passes over the model, or of
/// which other weights are evaluated than trained.
///
/// Made by [`OptimizerConfig::build_loop`](super::OptimizerConfig::build_loop). What is trained is the model that
/// [`step`](Self::step) gives; what is validated, saved for use and kept as the best is the one that
/// [`evaluated`](Self::evaluated) gives, which cannot be trained by mistake: it is without autodiff. For the
/// optimizers that make no difference between them, both are the same.
///
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::optim::GradientsParams;
/// use burn::tensor::{Device, Tensor};
/// use burn_lr_training::optim::{OptimizerConfig, ResolvedGroups, ScheduleFreeSgdConfig};
///
/// let device = Device::flex().autodiff();
/// let mut model: Linear = LinearConfig::new(2, 1).init(&device);
/// let config = OptimizerConfig::from(ScheduleFreeSgdConfig::new());
/// let groups = ResolvedGroups::resolve(&config, &[], &model)?;
/// let mut optimizer = config.build_loop(&groups, &model)?;
/// for _ in 0..20 {
///     let loss = (model.forward(Tensor::<2>::ones([4, 2], &device)) - 1.0).square().mean();
///     let grads = GradientsParams::from_grads(loss.backward(), &model);
///     model = optimizer.step(0.5, model, grads);
/// }
/// let evaluated = optimizer.evaluated(&model);
/// let loss = evaluated.forward(Tensor::<2>::ones([4, 2], &device.inner())) - 1.0;
/// # assert!(loss.square().mean().into_scalar::<f32>() < 0.1);
///
/// // A checkpoint has the model that is trained, and what the optimizer remembers.
/// let saved = optimizer.into_bytes()?;
/// let resumed = config.build_loop(&groups, &model)?.from_bytes(saved)?;
/// # let same = resumed.evaluated(&model).weight.val().equal(evaluated.weight.val());
/// # assert!(same.all().try_into_scalar::<bool>()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The running statistics of batch norms in [`evaluated`](Self::evaluated) are those that training has left,
/// which are of the other weights: compute them anew by
/// [`recomputed_statistics`](crate::average::recomputed_statistics), as runs do.
#[derive(Clone)]
pub struct LoopOptimizer {
    optimizer: ModuleOptimizer,
    passes: Passes,
}

impl LoopOptimizer {
    pub(super) fn new(optimizer: ModuleOptimizer, passes: Passes) -> Self {
        Self { optimizer, passes }
    }

    /// The model after an update with `grads` at the rate `lr`, or the rates of parameter groups.
    pub fn step<M: Module>(
        &mut self,
        lr: impl Into<ModuleLearningRate>,
        model: M,
        grads: GradientsParams,
    ) -> M {
        let lr = lr.into();
        if !self.passes.are_several() {
            return self.optimizer.step(lr, model, grads);
        }
        let mut current = model.clone();
        let optimizer = &mut self.optimizer;
        self.passes.update(&model, grads, |grads| {
            current = optimizer.step(lr.clone(), current.clone(), grads);
        });
        current
    }

    /// The weights to be evaluated in place of those of `model`, which is what the last [`step`](Self::step) gave,
    /// without autodiff.
    pub fn evaluated<M: Module>(&self, model: &M) -> M {
        if !self.passes.has_average() {
            return model.valid();
        }
        let mut copy = self.optimizer.clone();
        let step = |asked| copy.step(0.0, model.clone(), asked);
        self.passes.evaluated(model, step).valid()
    }

    /// Prodigy's estimate of the step size, if it is Prodigy.
    pub fn d(&self) -> Option<f64> {
        self.passes.d()
    }

    /// All that it remembers of earlier updates.
    ///
    /// # Errors
    /// [`OptimError::Unreadable`] if Burn cannot write it.
    pub fn into_bytes(&self) -> Result<Bytes, OptimError> {
        self.optimizer
            .into_bytes()
            .map_err(|error| OptimError::Unreadable {
                reason: error.to_string(),
            })
    }

    /// The optimizer, built for the model of then, with what [`into_bytes`](Self::into_bytes) gave.
    ///
    /// # Errors
    /// [`OptimError::Unreadable`], [`OptimError::StateLost`] or [`OptimError::StateType`] if it cannot be read, or
    /// not all of it was taken.
    pub fn from_bytes(self, bytes: Bytes) -> Result<Self, OptimError> {
        self.passes.forget();
        Ok(Self {
            optimizer: restored(self.optimizer, bytes)?,
            passes: self.passes,
        })
    }
}
