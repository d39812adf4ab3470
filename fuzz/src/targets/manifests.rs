//! Manifests of checkpoints.

use std::path::PathBuf;

use burn_lr::training::checkpoint::{CheckpointStore, KeepPolicy, Snapshot};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::{Target, scratch};

const PARTS: [&str; 2] = ["model.bpk", "notes"];

pub struct Manifests {
    directory: TempDir,
    path: PathBuf,
    written: Vec<u8>,
}

impl Manifests {
    pub fn new() -> Self {
        let directory = scratch();
        let store = CheckpointStore::open(directory.path(), &PARTS).unwrap();
        let store = store.with_keep(KeepPolicy::default());
        let metrics = [("loss".to_owned(), 0.25), ("accuracy".to_owned(), 0.9)].into();
        store.set_metrics(1, &metrics, &metrics).unwrap();
        let snapshot = Snapshot::new().bytes(PARTS[0], vec![1, 2, 3]);
        let snapshot =
            snapshot.and_then(|snapshot| snapshot.bytes(PARTS[1], b"what led to them".to_vec()));
        store.save(1, snapshot.unwrap()).unwrap();
        let path = directory.path().join("epoch-0001/manifest.json");
        let written = std::fs::read(&path).unwrap();
        Self {
            directory,
            path,
            written,
        }
    }
}

impl Target for Manifests {
    fn corpus(&self) -> Vec<Vec<u8>> {
        vec![self.written.clone()]
    }

    /// Sets right the checksum in it.
    fn mend(&self, input: &mut Vec<u8>) {
        let text = String::from_utf8_lossy(input);
        let (head, middle) = ("\"sha256\": \"", "\",\n\"checkpoint\": ");
        if let Some((_, body)) = text.split_once(middle)
            && let Some(body) = body.strip_suffix("\n}\n")
        {
            let sum: String = Sha256::digest(body)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            *input = format!("{{\n{head}{sum}{middle}{body}\n}}\n").into_bytes();
        }
    }

    fn run(&mut self, input: &[u8]) -> bool {
        std::fs::write(&self.path, input).unwrap();
        let store = CheckpointStore::open(self.directory.path(), &PARTS).unwrap();
        _ = store.best();
        let (found, skipped) = store.newest_complete();
        assert_eq!(found.is_some(), skipped.is_empty());
        let found = found.is_some_and(|found| {
            assert_eq!(found.epoch, 1);
            assert_eq!(found.parts[PARTS[0]], [1, 2, 3]);
            true
        });
        assert_eq!(store.load(1).is_ok(), found);
        found
    }
}
