//! Two metrics of regression, which Burn has not.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorReadError};
use burn::train::RegressionOutput;
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::{
    Adaptor, Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes,
    NumericEntry, SerializedEntry,
};

/// What is predicted, and what is true: `[batch, 1]` each.
pub struct Predictions {
    output: Tensor<2>,
    targets: Tensor<2>,
}

impl Adaptor<Predictions> for RegressionOutput {
    fn adapt(&self) -> Predictions {
        Predictions {
            output: self.output.clone(),
            targets: self.targets.clone(),
        }
    }
}

/// The mean absolute error, in the unit of the targets.
#[derive(Clone, Default)]
pub struct MaeMetric {
    state: NumericMetricState,
}

impl Metric for MaeMetric {
    type Input = Predictions;

    fn update(
        &mut self,
        input: &Predictions,
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let errors = (input.output.clone() - input.targets.clone()).abs();
        let rows = errors.dims()[0];
        let mean = errors.mean().try_into_scalar::<f64>()?;
        self.state.update(mean, rows);
        let format = FormatOptions::new(self.name()).precision(3);
        Ok(self.state.compute_update(format))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        let format = FormatOptions::new(self.name()).precision(3);
        Ok(self.state.compute_final(format))
    }

    fn clear(&mut self) {
        self.state.reset();
    }

    fn name(&self) -> MetricName {
        Arc::new("MAE".to_owned())
    }

    fn attributes(&self) -> MetricAttributes {
        let attributes = NumericAttributes {
            unit: None,
            higher_is_better: false,
        };
        attributes.into()
    }
}

impl Numeric for MaeMetric {
    fn value(&self) -> Option<NumericEntry> {
        Some(self.state.current_value())
    }

    fn running_value(&self) -> Option<NumericEntry> {
        Some(self.state.running_value())
    }

    fn final_value(&self) -> NumericEntry {
        self.state.final_value()
    }
}
