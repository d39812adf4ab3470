//! The weather of Seattle as a series of numbers.

use std::f32::consts::TAU;
use std::path::Path;
use std::sync::Arc;

use burn::data::dataset::DatasetError;
use burn::tensor::{Device, Tensor, TensorData};
use burn_lr::training::loader::{BatchSource, Sample};
use serde::Deserialize;

/// Highest and lowest temperature, precipitation, wind, and where in the year the day is.
pub const FEATURES: usize = 6;
/// Days that the network sees.
pub const WINDOW: usize = 21;
/// Days of the last year, on which nothing is trained.
const LAST_YEAR: usize = 365;

/// A day of the table, in the units of its columns.
#[derive(Deserialize, Debug)]
struct Day {
    date: String,
    precipitation: f32,
    temp_max: f32,
    temp_min: f32,
    wind: f32,
}

impl Day {
    /// All numbers near 1, and none of another size than the others.
    fn features(&self) -> [f32; FEATURES] {
        let mut date = self.date.split('/').skip(1);
        let mut number = || date.next().and_then(|part| part.parse::<f32>().ok());
        let month = number().unwrap_or(1.0);
        let day = number().unwrap_or(1.0);
        let angle = TAU * ((month - 1.0) / 12.0 + (day - 1.0) / 365.0);
        [
            scaled(self.temp_max),
            scaled(self.temp_min),
            self.precipitation.ln_1p() / 2.0,
            self.wind / 5.0,
            angle.sin(),
            angle.cos(),
        ]
    }
}

/// A temperature as the network knows it.
fn scaled(celsius: f32) -> f32 {
    (celsius - 12.0) / 8.0
}

/// Days in their order, of which every window of three weeks is a sample.
#[derive(Debug, Clone)]
pub struct Days {
    features: Arc<Vec<[f32; FEATURES]>>,
}

impl Days {
    /// All years but the last, and the last with the three weeks before it.
    pub fn read(path: impl AsRef<Path>) -> Result<(Self, Self), csv::Error> {
        let mut features = Vec::new();
        for day in csv::Reader::from_path(path)?.deserialize() {
            let day: Day = day?;
            features.push(day.features());
        }
        let at = features.len().saturating_sub(LAST_YEAR);
        let last = features[at.saturating_sub(WINDOW)..].to_vec();
        features.truncate(at);
        let days = |features| Self {
            features: Arc::new(features),
        };
        Ok((days(features), days(last)))
    }

    /// The first `days` days, or all if there are fewer.
    pub fn first(&self, days: usize) -> Self {
        let days = days.min(self.features.len());
        Self {
            features: Arc::new(self.features[..days].to_vec()),
        }
    }

    /// How wrong it is on average to say that tomorrow will be as warm as today, in degrees.
    pub fn persistence(&self) -> f32 {
        let seen = self.features.iter().skip(WINDOW - 1);
        let errors = seen.clone().zip(seen.skip(1));
        let errors = errors.map(|(today, tomorrow)| (today[0] - tomorrow[0]).abs());
        8.0 * errors.sum::<f32>() / self.len().max(1) as f32
    }
}

/// Windows, and the highest temperature of the day after each.
#[derive(Debug, Clone)]
pub struct Windows {
    /// `[batch, WINDOW, FEATURES]`.
    pub days: Tensor<3>,
    /// `[batch, 1]`, scaled.
    pub next: Tensor<2>,
}

/// What an error is in degrees.
pub fn degrees(error: f64) -> f64 {
    8.0 * error
}

impl BatchSource<Windows> for Days {
    fn len(&self) -> usize {
        self.features.len().saturating_sub(WINDOW)
    }

    fn batch(&self, samples: &[Sample], device: &Device) -> Result<Windows, DatasetError> {
        let window = |sample: &Sample| self.features[sample.index..][..WINDOW].as_flattened();
        let days = samples.iter().flat_map(window).copied().collect();
        let next = samples
            .iter()
            .map(|sample| self.features[sample.index + WINDOW][0]);
        let days = TensorData::new::<f32, _>(days, [samples.len(), WINDOW, FEATURES]);
        let next = TensorData::new(next.collect(), [samples.len(), 1]);
        Ok(Windows {
            days: Tensor::from_data(days, device),
            next: Tensor::from_data(next, device),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_year_is_set_apart_with_what_leads_to_it() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/data/weather/seattle-weather.csv"
        );
        let (train, valid) = Days::read(path).unwrap();
        assert_eq!((train.len(), valid.len()), (3 * 365 + 1 - WINDOW, 365));
        let all = [
            Days::first(&train, usize::MAX),
            train.first(0),
            train.first(WINDOW),
        ];
        assert_eq!(all.map(|days| days.len()), [train.len(), 0, 0]);
        assert!(
            train
                .features
                .iter()
                .flatten()
                .all(|value| value.abs() < 4.0)
        );

        // 1 January 2015 was at most 5.6 degrees warm, the last day of the year as well.
        let batch = valid
            .batch(&[0, 364].map(Sample::new), &Device::flex())
            .unwrap();
        let next: Vec<f32> = batch.next.into_data().iter().collect();
        assert_eq!(next, [scaled(5.6); 2]);
        assert_eq!(batch.days.dims(), [2, WINDOW, FEATURES]);
        assert!((1.5..3.0).contains(&valid.persistence()));
    }
}
