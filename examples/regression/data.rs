//! Penguins as rows of numbers.

use std::path::Path;

use burn::data::dataset::DatasetError;
use burn::tensor::{Device, Tensor, TensorData};
use burn_lr::training::loader::{BatchSource, Sample};
use flate2::Crc;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use serde::Deserialize;

/// Bill length and depth, flipper length, sex, and a column for each species.
pub const FEATURES: usize = 7;

/// A row of the table; what is not known is `NA`.
#[derive(Deserialize, Debug)]
struct Penguin {
    species: String,
    bill_length_mm: String,
    bill_depth_mm: String,
    flipper_length_mm: String,
    body_mass_g: String,
    sex: String,
}

impl Penguin {
    /// The features and the mass in kilogrammes, if all of them are known.
    fn row(&self) -> Option<([f32; FEATURES], f32)> {
        let number = |text: &str| text.parse::<f32>().ok();
        let is = |condition: bool| if condition { 1.0 } else { 0.0 };
        if self.sex == "NA" {
            return None;
        }
        let features = [
            number(&self.bill_length_mm)?,
            number(&self.bill_depth_mm)?,
            number(&self.flipper_length_mm)?,
            is(self.sex == "male"),
            is(self.species == "Adelie"),
            is(self.species == "Chinstrap"),
            is(self.species == "Gentoo"),
        ];
        Some((features, number(&self.body_mass_g)? / 1000.0))
    }
}

/// Rows of features, and what is to be predicted of each.
#[derive(Debug, Clone, Default)]
pub struct Table {
    pub features: Vec<[f32; FEATURES]>,
    pub targets: Vec<f32>,
}

impl Table {
    /// The complete rows of a CSV file, in an order drawn by `seed`.
    pub fn read(path: impl AsRef<Path>, seed: u64) -> Result<Self, csv::Error> {
        let mut rows = Vec::new();
        for penguin in csv::Reader::from_path(path)?.deserialize() {
            let penguin: Penguin = penguin?;
            rows.extend(penguin.row());
        }
        rows.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let (features, targets) = rows.into_iter().unzip();
        Ok(Self { features, targets })
    }

    /// The rows in front, and those from the end: one in five, to validate on.
    pub fn split(mut self) -> (Self, Self) {
        let at = self.targets.len() - self.targets.len() / 5;
        let valid = Self {
            features: self.features.split_off(at),
            targets: self.targets.split_off(at),
        };
        (self, valid)
    }

    /// The first `rows` rows, or all if there are fewer.
    pub fn first(mut self, rows: usize) -> Self {
        self.features.truncate(rows);
        self.targets.truncate(rows);
        self
    }

    /// The rows with every feature moved and scaled.
    pub fn standardized(mut self, scale: &Standardizer) -> Self {
        for row in &mut self.features {
            for (value, (mean, deviation)) in row.iter_mut().zip(&scale.0) {
                *value = (*value - mean) / deviation;
            }
        }
        self
    }
}

/// Mean and standard deviation of each feature: of the rows trained on, as the others are not to be
/// known before.
#[derive(Debug, Clone, PartialEq)]
pub struct Standardizer([(f32, f32); FEATURES]);

impl Standardizer {
    /// The statistics of `table`; a feature that is the same in all rows is moved, but not scaled.
    pub fn of(table: &Table) -> Self {
        let rows = table.features.len().max(1) as f32;
        let mean = |value: &dyn Fn(&[f32; FEATURES]) -> f32| {
            table.features.iter().map(value).sum::<f32>() / rows
        };
        Self(std::array::from_fn(|column| {
            let centre = mean(&|row| row[column]);
            let variance = mean(&|row| (row[column] - centre).powi(2));
            let deviation = variance.sqrt();
            (centre, if deviation > 0.0 { deviation } else { 1.0 })
        }))
    }
}

/// Rows to learn from.
#[derive(Debug, Clone)]
pub struct Rows {
    /// `[batch, FEATURES]`.
    pub features: Tensor<2>,
    /// Kilogrammes, `[batch, 1]`.
    pub targets: Tensor<2>,
}

impl BatchSource<Rows> for Table {
    fn len(&self) -> usize {
        self.targets.len()
    }

    fn batch(&self, samples: &[Sample], device: &Device) -> Result<Rows, DatasetError> {
        let features = samples
            .iter()
            .flat_map(|sample| self.features[sample.index]);
        let targets = samples.iter().map(|sample| self.targets[sample.index]);
        let features = TensorData::new(features.collect(), [samples.len(), FEATURES]);
        let targets = TensorData::new(targets.collect(), [samples.len(), 1]);
        Ok(Rows {
            features: Tensor::from_data(features, device),
            targets: Tensor::from_data(targets, device),
        })
    }

    fn fingerprint(&self) -> Option<String> {
        let mut crc = Crc::new();
        for number in self.features.as_flattened().iter().chain(&self.targets) {
            crc.update(&number.to_le_bytes());
        }
        Some(format!("crc32:{:08x}", crc.sum()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn penguins() -> Table {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/penguins/penguins.csv");
        Table::read(path, 1).unwrap()
    }

    #[test]
    fn the_complete_rows_are_read_and_split() {
        let (train, valid) = penguins().split();
        assert_eq!((train.targets.len(), valid.targets.len()), (267, 66));
        let [mut all, mut again] = [penguins(), penguins()].map(|table| table.targets);
        assert_eq!(all, again);
        all.sort_by(f32::total_cmp);
        assert_eq!((all[0], all[332]), (2.7, 6.3));
        let other = Table::read(
            concat!(env!("CARGO_MANIFEST_DIR"), "/data/penguins/penguins.csv"),
            2,
        );
        again.sort_by(f32::total_cmp);
        let mut other = other.unwrap().targets;
        other.sort_by(f32::total_cmp);
        assert_eq!(again, other);
    }

    #[test]
    fn standardized_columns_have_mean_0_and_deviation_1() {
        let table = penguins();
        let table = table.clone().standardized(&Standardizer::of(&table));
        let Standardizer(columns) = Standardizer::of(&table);
        for (mean, deviation) in columns {
            assert!(mean.abs() < 1e-4 && (deviation - 1.0).abs() < 1e-4);
        }
        let constant = Table {
            features: vec![[3.0; FEATURES]; 2],
            targets: vec![0.0; 2],
        };
        let scale = Standardizer::of(&constant);
        assert_eq!(constant.standardized(&scale).features[0], [0.0; FEATURES]);
    }
}
