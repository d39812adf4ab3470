//! Weights where they lie.

#[cfg(feature = "flex")]
use burn::backend::{Flex, flex::FlexTensor};
use burn::tensor::{Tensor, TensorData};

/// Weights to be read.
pub(crate) enum Weights {
    #[cfg(feature = "flex")]
    Flex(FlexTensor),
    Data(TensorData),
}

impl Weights {
    pub(crate) fn of<const D: usize>(tensor: Tensor<D>) -> Self {
        // Where it lies: the Learner holds the weights as well, and `into_data` would copy them.
        #[cfg(feature = "flex")]
        if let Ok(tensor) = tensor.clone().try_into_primitive::<Flex>()
            && tensor.as_slice::<f32>().is_some()
        {
            return Self::Flex(tensor);
        }
        Self::Data(tensor.into_data())
    }

    pub(crate) fn as_slice(&self) -> Option<&[f32]> {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex(tensor) => tensor.as_slice(),
            Self::Data(data) => data.as_slice().ok(),
        }
    }

    pub(crate) fn into_data(self) -> TensorData {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex(tensor) => tensor.into_data(),
            Self::Data(data) => data,
        }
    }
}
