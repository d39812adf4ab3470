//! Text as numbers, one a character.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use burn::data::dataset::DatasetError;
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn_lr::training::loader::{BatchSource, Sample};
use flate2::Crc;
use flate2::read::GzDecoder;

/// The characters of a text in their order; each is known by its place here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alphabet(Vec<char>);

impl Alphabet {
    pub fn of(text: &str) -> Self {
        let characters: BTreeSet<char> = text.chars().collect();
        Self(characters.into_iter().collect())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The numbers of a text's characters, those left out that do not occur here.
    pub fn encode(&self, text: &str) -> Vec<i64> {
        let number = |character| self.0.binary_search(&character).ok();
        text.chars()
            .filter_map(number)
            .map(|at| at as i64)
            .collect()
    }

    /// The text of numbers, those left out that stand for nothing.
    pub fn decode(&self, numbers: &[i64]) -> String {
        let character = |&number: &i64| self.0.get(usize::try_from(number).ok()?);
        numbers.iter().filter_map(character).collect()
    }
}

/// The gzipped text at `path`.
pub fn read(path: impl AsRef<Path>) -> std::io::Result<String> {
    let mut text = String::new();
    GzDecoder::new(File::open(path)?).read_to_string(&mut text)?;
    Ok(text)
}

/// A text cut into stretches of `length` characters, each to be predicted from those before it.
#[derive(Debug, Clone)]
pub struct Stretches {
    text: Arc<Vec<i64>>,
    length: usize,
}

impl Stretches {
    pub fn new(text: Vec<i64>, length: usize) -> Self {
        Self {
            text: Arc::new(text),
            length,
        }
    }
}

/// Characters, and the one that follows each of them: `[batch, length]` both.
#[derive(Debug, Clone)]
pub struct Lines {
    pub inputs: Tensor<2, Int>,
    pub targets: Tensor<2, Int>,
}

impl BatchSource<Lines> for Stretches {
    fn len(&self) -> usize {
        // The last character is only predicted.
        self.text.len().saturating_sub(1) / self.length
    }

    fn batch(&self, samples: &[Sample], device: &Device) -> Result<Lines, DatasetError> {
        let shifted_by = |offset: usize| {
            let stretch = |sample: &Sample| {
                let start = sample.index * self.length + offset;
                &self.text[start..start + self.length]
            };
            let characters = samples.iter().flat_map(stretch).copied().collect();
            let characters = TensorData::new::<i64, _>(characters, [samples.len(), self.length]);
            Tensor::from_data(characters, device)
        };
        Ok(Lines {
            inputs: shifted_by(0),
            targets: shifted_by(1),
        })
    }

    fn fingerprint(&self) -> Option<String> {
        let mut crc = Crc::new();
        for character in self.text.iter() {
            crc.update(&character.to_le_bytes());
        }
        Some(format!("crc32:{:08x}, by {}", crc.sum(), self.length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_from_its_numbers() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/shakespeare/plays.txt.gz");
        let text = read(path).unwrap();
        let alphabet = Alphabet::of(&text);
        assert_eq!((text.len(), alphabet.len()), (432_820, 75));
        assert_eq!(alphabet.decode(&alphabet.encode(&text)), text);
        assert_eq!(alphabet.decode(&alphabet.encode("\u{e9}To be!")), "To be!");
        assert_eq!(alphabet.decode(&[-1, 75, i64::MAX]), "");
    }

    #[test]
    fn targets_are_what_comes_next() {
        let stretches = Stretches::new((0..10).collect(), 3);
        assert_eq!(stretches.len(), 3);
        let lines = stretches
            .batch(&[2, 0].map(Sample::new), &Device::flex())
            .unwrap();
        let numbers = |lines: Tensor<2, Int>| lines.try_into_vec_as::<i64>().unwrap();
        assert_eq!(numbers(lines.inputs), [6, 7, 8, 0, 1, 2]);
        assert_eq!(numbers(lines.targets), [7, 8, 9, 1, 2, 3]);
        for short in 0..4 {
            assert_eq!(Stretches::new((0..short).collect(), 3).len(), 0);
        }
    }
}
