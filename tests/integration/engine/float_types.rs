//! Models in other float types than the device's.

use std::path::Path;

use burn::data::dataset::DatasetError;
use burn::module::{Module, ModuleMapper, Param};
use burn::optim::SgdConfig;
use burn::tensor::{DType, Device, FloatDType, Tensor};
use burn::train::metric::LossMetric;
use burn_lr::training::loader::{BatchSource, EpochLoader, Sample};
use burn_lr::training::optim::{OptimError, adam};
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use super::net::{Net, noted, outcome};
use crate::common::line::{Points, Slope};

struct Typed(FloatDType);

impl BatchSource<Points> for Typed {
    fn len(&self) -> usize {
        40
    }

    fn batch(&self, samples: &[Sample], device: &Device) -> Result<Points, DatasetError> {
        let Points { x, y } = Slope.batch(samples, device)?;
        Ok(Points {
            x: x.cast(self.0),
            y: y.cast(self.0),
        })
    }
}

impl ModuleMapper for Typed {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|value| value.cast(self.0))
    }
}

fn run(directory: &Path, float: FloatDType) -> Training<Net> {
    let train = EpochLoader::new(Typed(float), 8).shuffled(1);
    Training::new(directory, train, EpochLoader::new(Typed(float), 20))
        .metrics((LossMetric::new(),))
        .schedule(0.01)
        .epochs(2)
        .resume(true)
        .on_notice(|_| {})
}

#[test]
fn state_that_burn_reads_back_in_another_type_is_told_and_not_resumed() {
    for (float, dtype) in [
        (FloatDType::F64, DType::F64),
        (FloatDType::BF16, DType::BF16),
    ] {
        let net = || Net::new(1).map(&mut Typed(float));
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("run");
        let strict = run(&path, float).strict(true).fit(net()).unwrap_err();
        assert!(matches!(strict, TrainingError::Inexact { .. }), "{strict}");
        assert!(!path.exists());

        let (training, said) = noted(run(&path, float).optimizer(adam()).epochs(1));
        training.fit(net()).unwrap();
        let said: Vec<String> = said.iter().collect();
        assert!(said[0].contains("Device::configure"), "{said:?}");
        for refused in [
            run(&path, float).can_resume(&net()),
            run(&path, float).fit(net()).map(drop),
        ] {
            let Err(TrainingError::Optim(OptimError::StateType {
                expected, found, ..
            })) = refused
            else {
                panic!("{refused:?}");
            };
            assert_eq!((expected, found), (DType::F32, dtype));
        }

        // Without any state there is nothing to be lost.
        let plain = |path: &Path| run(path, float).optimizer(SgdConfig::new()).strict(true);
        let (whole, parts) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let expected = outcome(plain(whole.path()).fit(net()).unwrap());
        plain(parts.path()).epochs(1).fit(net()).unwrap();
        assert!(outcome(plain(parts.path()).fit(net()).unwrap()) == expected);
    }
}
