//! What a checkpoint consists of, in a file that notices any change to itself.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Damage;
use crate::metrics::{Best, Metrics};
use crate::storage::{sha256, sha256_of};

pub(super) const MANIFEST: &str = "manifest.json";
const FORMAT: u32 = 2;

/// What manifests of all formats have.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// The content of `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    pub epoch: usize,
    pub files: BTreeMap<String, FileRecord>,
    /// Finite values only: JSON has no others.
    pub train: Metrics,
    pub valid: Metrics,
    /// The best of all epochs up to this one, so that it is known for as long as one checkpoint is.
    pub best: Option<BestSoFar>,
}

/// A file as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileRecord {
    pub length: u64,
    pub sha256: String,
}

/// The best epoch of those until now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct BestSoFar {
    /// What it is the best by.
    pub by: Best,
    pub epoch: usize,
    pub value: f64,
    /// The files of that epoch, by which a copy of one can be recognized.
    pub files: BTreeMap<String, FileRecord>,
}

impl FileRecord {
    pub(super) fn of(content: &[u8]) -> Self {
        Self {
            length: content.len() as u64,
            sha256: sha256(content),
        }
    }

    /// Whether `content` is that of the file, which is at `path`.
    pub(super) fn verify(&self, path: &Path, content: &[u8]) -> Result<(), Damage> {
        self.check_length(path, content.len() as u64)?;
        self.check_sum(path, sha256(content))
    }

    /// Whether the file at `path` is what it was, which takes no more memory for a larger one.
    pub(super) fn verify_file(&self, path: &Path) -> Result<(), Damage> {
        let unreadable = |error| Damage::unreadable(path, error);
        let file = File::open(path).map_err(unreadable)?;
        self.check_length(path, file.metadata().map_err(unreadable)?.len())?;
        self.check_sum(path, sha256_of(file).map_err(unreadable)?)
    }

    fn check_length(&self, path: &Path, found: u64) -> Result<(), Damage> {
        if found == self.length {
            return Ok(());
        }
        Err(Damage::Length {
            path: path.to_owned(),
            expected: self.length,
            found,
        })
    }

    fn check_sum(&self, path: &Path, found: String) -> Result<(), Damage> {
        if found == self.sha256 {
            return Ok(());
        }
        Err(Damage::Checksum {
            path: path.to_owned(),
            expected: self.sha256.clone(),
            found,
        })
    }
}

impl BestSoFar {
    pub(super) fn new(best: &Best, manifest: &Manifest, value: f64) -> Self {
        Self {
            by: best.clone(),
            epoch: manifest.epoch,
            value,
            files: manifest.files.clone(),
        }
    }
}

const HEAD: &str = "{\n\"sha256\": \"";
const MIDDLE: &str = "\",\n\"checkpoint\": ";
const TAIL: &str = "\n}\n";

impl Manifest {
    /// The manifest of a checkpoint without files and metrics.
    pub(super) fn new(epoch: usize) -> Self {
        Self {
            format: FORMAT,
            epoch,
            files: BTreeMap::new(),
            train: Metrics::new(),
            valid: Metrics::new(),
            best: None,
        }
    }

    pub(super) fn set_metrics(&mut self, train: &Metrics, valid: &Metrics) {
        let finite = |metrics: &Metrics| {
            let finite = metrics.iter().filter(|(_, value)| value.is_finite());
            finite.map(|(name, &value)| (name.clone(), value)).collect()
        };
        self.train = finite(train);
        self.valid = finite(valid);
    }

    /// The manifest as JSON: an object of the checkpoint and the SHA-256 of its very bytes.
    pub(super) fn encode(&self) -> Result<String, serde_json::Error> {
        let body = serde_json::to_string_pretty(self)?;
        let sum = sha256(body.as_bytes());
        Ok(format!("{HEAD}{sum}{MIDDLE}{body}{TAIL}"))
    }

    /// The manifest in the file at `path`, of the checkpoint of `epoch`.
    pub(super) fn read(path: &Path, epoch: usize) -> Result<Self, Damage> {
        let content = match std::fs::read(path) {
            Ok(content) => content,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Damage::Incomplete {
                    path: path.parent().unwrap_or(path).to_owned(),
                });
            }
            Err(error) => return Err(Damage::unreadable(path, error)),
        };
        let invalid = |reason: String| Damage::content(path, reason);
        let manifest = Self::decode(&content).map_err(invalid)?;
        if manifest.epoch != epoch {
            let found = manifest.epoch;
            return Err(invalid(format!(
                "expected epoch {epoch}, found epoch {found}"
            )));
        }
        Ok(manifest)
    }

    fn decode(content: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(content).map_err(|error| error.to_string())?;
        let (expected, body) = text
            .strip_prefix(HEAD)
            .and_then(|rest| rest.strip_suffix(TAIL))
            .and_then(|rest| rest.split_once(MIDDLE))
            .ok_or_else(|| format!("torn or no manifest, {} bytes", content.len()))?;
        let found = sha256(body.as_bytes());
        if found != expected {
            return Err(format!("expected SHA-256 {expected}, found {found}"));
        }
        let Version { format } = serde_json::from_str(body).map_err(|error| error.to_string())?;
        if format != FORMAT {
            return Err(format!("expected format {FORMAT}, found {format}"));
        }
        serde_json::from_str(body).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let valid = [("loss", 0.1), ("accuracy", f64::NAN)];
        let valid = valid.map(|(name, value)| (name.to_owned(), value));
        let mut manifest = Manifest::new(3);
        manifest.files = [("model.bpk".to_owned(), FileRecord::of(b"model"))].into();
        manifest.set_metrics(&Metrics::new(), &valid.into());
        manifest
    }

    #[test]
    fn a_manifest_is_json_and_reads_back() {
        let manifest = manifest();
        let text = manifest.encode().unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["checkpoint"]["epoch"], 3);
        assert_eq!(
            json["checkpoint"]["valid"]["accuracy"],
            serde_json::Value::Null
        );
        assert_eq!(Manifest::decode(text.as_bytes()).unwrap(), manifest);
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_noticed() {
        let bytes = manifest().encode().unwrap().into_bytes();
        for at in 0..bytes.len() {
            assert!(Manifest::decode(&bytes[..at]).is_err(), "cut at {at}");
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Manifest::decode(&changed).is_err(), "changed at {at}");
        }
    }

    #[test]
    fn metrics_keep_every_bit() {
        let mut manifest = manifest();
        for bits in (0..1000_u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15)) {
            let value = f64::from_bits(bits);
            if value.is_finite() {
                manifest.train.insert(bits.to_string(), value);
            }
        }
        let read = Manifest::decode(manifest.encode().unwrap().as_bytes()).unwrap();
        assert_eq!(read, manifest);
    }
}
