//! Burn's metrics, one or several, over the batches of an evaluation.

use burn::tensor::TensorReadError;
use burn::train::metric::{Adaptor, Metric, MetricMetadata, Numeric, NumericEntry};

use crate::metrics::{MetricKey, is_percentage};

/// One of Burn's numeric metrics that an output of type `O` adapts to, or a tuple of up to eight.
///
/// `Kind` tells the one from the other; the compiler finds it out.
pub trait MetricSet<O, Kind>: sealed::Sealed<Kind> {
    /// The metrics, none of which has seen a batch.
    #[doc(hidden)]
    fn measures(self) -> Vec<Box<dyn Measure<O>>>;
}

/// The kinds of [`MetricSet`].
pub mod kind {
    /// A single metric.
    pub enum One {}

    /// A tuple of metrics.
    pub enum Several {}
}

mod sealed {
    pub trait Sealed<Kind> {}
}

/// A metric over the batches of an evaluation.
pub trait Measure<O> {
    /// Its name in the results: in lower case, with underscores for blanks.
    fn name(&self) -> String;

    /// Takes in the output for a batch of so many samples.
    ///
    /// # Errors
    /// What the device says when it cannot be read.
    fn update(
        &mut self,
        output: &O,
        metadata: &MetricMetadata,
        samples: usize,
    ) -> Result<(), TensorReadError>;

    /// Its value over all batches, a fraction if Burn gives it in percent.
    ///
    /// # Errors
    /// What the device says when it cannot be read.
    fn value(&mut self) -> Result<f64, TensorReadError>;
}

struct Measured<Me> {
    metric: Me,
    /// The batches so far, as long as the metric counts each of them as one.
    means: Option<Means>,
}

/// The means of batches.
#[derive(Default)]
struct Means {
    batches: f64,
    /// The sum of the means.
    sum: f64,
    samples: f64,
    /// The sum over the samples.
    weighted: f64,
}

impl<Me> Measured<Me> {
    fn new(metric: Me) -> Self {
        Self {
            metric,
            means: Some(Means::default()),
        }
    }
}

impl Means {
    /// The mean over all samples, if `value` is the mean over all batches.
    fn over_samples(&self, value: f64) -> Option<f64> {
        let mean = self.sum / self.batches;
        let same = (mean - value).abs() <= 1e-9 * mean.abs().max(1e-9);
        same.then_some(self.weighted / self.samples)
    }
}

impl<O, Me> Measure<O> for Measured<Me>
where
    O: Adaptor<Me::Input>,
    Me: Metric + Numeric,
{
    fn name(&self) -> String {
        MetricKey::name_of(&self.metric.name())
    }

    fn update(
        &mut self,
        output: &O,
        metadata: &MetricMetadata,
        samples: usize,
    ) -> Result<(), TensorReadError> {
        self.metric.update(&output.adapt(), metadata)?;
        if let Some(NumericEntry::Aggregated {
            aggregated_value: mean,
            count: 1,
        }) = self.metric.value()
        {
            if let Some(means) = &mut self.means {
                means.batches += 1.0;
                means.sum += mean;
                means.samples += samples as f64;
                means.weighted += mean * samples as f64;
            }
        } else {
            self.means = None;
        }
        Ok(())
    }

    fn value(&mut self) -> Result<f64, TensorReadError> {
        let computed = self.metric.compute()?;
        let value = self.metric.final_value().current();
        let means = self.means.as_ref();
        let value = means
            .and_then(|means| means.over_samples(value))
            .unwrap_or(value);
        if is_percentage(&self.metric.attributes(), &computed) {
            return Ok(value / 100.0);
        }
        Ok(value)
    }
}

impl<Me: Metric + Numeric> sealed::Sealed<kind::One> for Me {}

impl<O, Me> MetricSet<O, kind::One> for Me
where
    O: Adaptor<Me::Input>,
    Me: Metric + Numeric + 'static,
{
    fn measures(self) -> Vec<Box<dyn Measure<O>>> {
        vec![Box::new(Measured::new(self))]
    }
}

macro_rules! tuple {
    ($($metric:ident),*) => {
        impl<$($metric),*> sealed::Sealed<kind::Several> for ($($metric,)*) {}

        impl<O, $($metric),*> MetricSet<O, kind::Several> for ($($metric,)*)
        where
            $(O: Adaptor<$metric::Input>, $metric: Metric + Numeric + 'static,)*
        {
            #[allow(non_snake_case)]
            fn measures(self) -> Vec<Box<dyn Measure<O>>> {
                let ($($metric,)*) = self;
                vec![$(Box::new(Measured::new($metric))),*]
            }
        }
    };
}

tuple!(A);
tuple!(A, B);
tuple!(A, B, C);
tuple!(A, B, C, D);
tuple!(A, B, C, D, E);
tuple!(A, B, C, D, E, F);
tuple!(A, B, C, D, E, F, G);
tuple!(A, B, C, D, E, F, G, H);
