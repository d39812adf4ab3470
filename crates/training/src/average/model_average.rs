//! The average of a model's weights, for any loop.

use burn::module::Module;
use burn::tensor::Device;

use super::ema::Ema;
use super::error::AverageError;
use super::fold::folded;
use super::rule::Rule;
use super::slots::{Slot, check, slots, values};
use super::statistics::Statistics;

/// The average of a model's weights, a model of the same make.
///
/// [`update`](Self::update) takes in the weights as they are, after every update of the optimizer or
/// whenever else; the first ones are taken over. Trained parameters are averaged, running statistics as
/// [`Statistics`] say; integers and booleans are the model's newest, and what is frozen does not change. The
/// arithmetic is that of PyTorch's `lerp` in the type of the weights, on CPUs in one pass over `f32`.
///
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::optim::{GradientsParams, SgdConfig};
/// use burn::tensor::{Device, Tensor};
/// use burn_lr_training::average::ModelAverage;
/// use burn_lr_training::checkpoint::{CheckpointStore, Snapshot};
///
/// # let run = tempfile::tempdir()?;
/// let device = Device::flex().autodiff();
/// let mut model: Linear = LinearConfig::new(2, 1).init(&device);
/// let mut optimizer = SgdConfig::new().init();
/// let mut average = ModelAverage::ema(0.9, &model)?;
/// for _ in 0..10 {
///     let loss = (model.forward(Tensor::<2>::ones([4, 2], &device)) - 1.0).square().mean();
///     let grads = GradientsParams::from_grads(loss.backward(), &model);
///     model = optimizer.step(0.1, model, grads);
///     average.update(&model)?;
/// }
/// let averaged: Linear = average.model();
///
/// // It is saved as a model and a number, and goes on from there.
/// let store = CheckpointStore::open(run.path(), &["average.bpk", "averaged.json"])?;
/// let snapshot = Snapshot::new().module("average.bpk", &averaged)?;
/// store.save(1, snapshot.json("averaged.json", &average.averaged())?)?;
/// let checkpoint = store.load(1)?;
/// let saved = checkpoint.module("average.bpk", average.model())?;
/// average.restore(saved, checkpoint.json("averaged.json")?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Source
/// PyTorch's `AveragedModel`, with `get_ema_multi_avg_fn` or the default. Other than there, running
/// statistics are averaged unless something else is asked for.
#[derive(Debug)]
pub struct ModelAverage<M> {
    rule: Rule,
    statistics: Statistics,
    model: M,
    slots: Vec<Slot>,
    averaged: u64,
}

impl<M: Module> ModelAverage<M> {
    /// The average of models like `model` by `rule`, which until the first [`update`](Self::update) is
    /// `model` itself. Which parameters are trained is looked at now.
    ///
    /// # Errors
    /// [`AverageError::Setting`] if a constant of `rule` is outside its range, [`AverageError::Coarse`] if a
    /// trained parameter has 16 bits.
    pub fn new(
        rule: impl Into<Rule>,
        statistics: Statistics,
        model: &M,
    ) -> Result<Self, AverageError> {
        let rule = rule.into();
        rule.check()?;
        // A copy whose running statistics are its own, where clones would share them.
        let current = model.valid();
        let slots = slots(model, &values(&current), statistics)?;
        Ok(Self {
            rule,
            statistics,
            model: current,
            slots,
            averaged: 0,
        })
    }

    /// The exponential moving average, with running statistics averaged too.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn ema(ema: impl Into<Ema>, model: &M) -> Result<Self, AverageError> {
        Self::new(ema.into(), Statistics::Averaged, model)
    }

    /// The equal average of stochastic weight averaging, with running statistics averaged too.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn equal(model: &M) -> Result<Self, AverageError> {
        Self::new(Rule::Equal, Statistics::Averaged, model)
    }

    /// Takes in the weights of `model`.
    ///
    /// # Errors
    /// [`AverageError::OtherModel`] if it is of another make; the average stays as it is then.
    pub fn update(&mut self, model: &M) -> Result<(), AverageError> {
        self.fold(model, self.rule.share_after(self.averaged))?;
        self.averaged = self.averaged.saturating_add(1);
        Ok(())
    }

    /// Sets the average to `model` as long as nothing was averaged.
    ///
    /// # Errors
    /// As for [`update`](Self::update).
    pub fn follow(&mut self, model: &M) -> Result<(), AverageError> {
        if self.averaged == 0 {
            self.fold(model, 1.0)?;
        }
        Ok(())
    }

    fn fold(&mut self, model: &M, share: f64) -> Result<(), AverageError> {
        // Also brings running statistics up to date, which lag behind by an update.
        let current = model.valid();
        let values = values(&current);
        check(&self.slots, &values)?;
        // By value, so that nobody else holds the average and it can be changed in place.
        let average = std::mem::replace(&mut self.model, current);
        self.model = folded(average, values, &self.slots, share);
        Ok(())
    }

    /// The averaged model, without autodiff.
    pub fn model(&self) -> M {
        self.model.valid()
    }

    /// How many models were taken in.
    pub fn averaged(&self) -> u64 {
        self.averaged
    }

    /// What becomes of running statistics.
    pub fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// Goes on with `model`, as [`model`](Self::model) gave it, as the average of `averaged` models.
    ///
    /// # Errors
    /// As for [`update`](Self::update).
    pub fn restore(&mut self, model: M, averaged: u64) -> Result<(), AverageError> {
        let model = model.valid();
        check(&self.slots, &values(&model))?;
        self.model = model;
        self.averaged = averaged;
        Ok(())
    }

    /// Moves the average to `device`, to which weights are taken before they are averaged.
    pub fn to_device(&mut self, device: &Device) {
        let device = device.clone().inner();
        self.model = self.model.valid().fork(&device);
    }
}
