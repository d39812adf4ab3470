//! An optimizer that is made anew whenever a schedule has moved.

use std::sync::{Arc, Mutex, PoisonError};

use burn::optim::{
    AdaGrad, AdaGradConfig, Adafactor, AdafactorConfig, Adan, AdanConfig, Lamb, LambConfig,
    LearningRate, Lion, LionConfig, Muon, MuonConfig, Optimizer, RmsProp, RmsPropConfig,
};
use burn::tensor::{Device, Tensor};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::super::hyperparameter::Hyperparameter;
use super::dial::{Dial, Values};

/// An optimizer's config of which some settings can be set otherwise.
pub(in crate::optim) trait Settable:
    Serialize + DeserializeOwned + Clone + Send + Sync + 'static
{
    type Optimizer: Optimizer;

    /// The optimizer, with `values` in place of the config's.
    fn with_values(&self, values: &Values) -> Self::Optimizer;

    /// The config with `values` in place of its own, in single precision as Burn has them.
    fn adjusted(&self, values: &Values) -> Self {
        if *values == Values::default() {
            return self.clone();
        }
        let adjusted = || -> Result<Self, serde_json::Error> {
            // By way of the text, in which an `f32` has the digits it was written with.
            let mut settings: Value = serde_json::from_slice(&serde_json::to_vec(self)?)?;
            for of in Hyperparameter::ALL {
                if let Some(value) = values.get(of)
                    && let Some(place) = of.place(&settings)
                    && let Some(setting) = settings.pointer_mut(place)
                {
                    *setting = Value::from(value);
                }
            }
            serde_json::from_value(settings)
        };
        adjusted().unwrap_or_else(|error| {
            log::error!("an optimizer stays as it is, for its settings cannot be set: {error}");
            self.clone()
        })
    }
}

macro_rules! settable {
    ($($config:ident => $optimizer:ident,)*) => {$(
        impl Settable for $config {
            type Optimizer = $optimizer;

            fn with_values(&self, values: &Values) -> $optimizer {
                self.adjusted(values).build()
            }
        }
    )*};
}

settable! {
    AdanConfig => Adan,
    AdaGradConfig => AdaGrad,
    AdafactorConfig => Adafactor,
    RmsPropConfig => RmsProp,
    LambConfig => Lamb,
    LionConfig => Lion,
    MuonConfig => Muon,
}

/// The optimizer of a config, as its dial says.
#[derive(Clone)]
pub(in crate::optim) struct Scheduled<C: Settable> {
    config: C,
    dial: Dial,
    /// The one of the last update.
    current: Arc<Mutex<(Values, C::Optimizer)>>,
}

impl<C: Settable> Scheduled<C> {
    pub(in crate::optim) fn new(config: &C, dial: &Dial) -> Self {
        let values = dial.values();
        Self {
            config: config.clone(),
            dial: dial.clone(),
            current: Arc::new(Mutex::new((values, config.with_values(&values)))),
        }
    }

    fn current(&self) -> C::Optimizer {
        let values = self.dial.values();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 != values {
            *current = (values, self.config.with_values(&values));
        }
        current.1.clone()
    }
}

impl<C: Settable> Optimizer for Scheduled<C> {
    type State<const D: usize> = <C::Optimizer as Optimizer>::State<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        self.current().step(lr, tensor, grad, state)
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        C::Optimizer::to_device(state, device)
    }
}
