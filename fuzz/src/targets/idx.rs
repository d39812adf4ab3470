//! IDX files of images and labels, plain and gzipped.

use std::io::Write;
use std::path::PathBuf;

use burn_lr::mnist::{read_images, read_labels};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::{Target, scratch};

pub struct Idx {
    _directory: TempDir,
    plain: PathBuf,
    gzipped: PathBuf,
}

impl Idx {
    pub fn new() -> Self {
        let directory = scratch();
        Self {
            plain: directory.path().join("plain"),
            gzipped: directory.path().join("gzipped"),
            _directory: directory,
        }
    }
}

impl Target for Idx {
    fn corpus(&self) -> Vec<Vec<u8>> {
        let images = [&b"\0\0\x08\x03\0\0\0\x02\0\0\0\x03\0\0\0\x02"[..], &[7; 12]].concat();
        let labels = b"\0\0\x08\x01\0\0\0\x05\x01\x02\x03\x04\x09".to_vec();
        let zipped = [&images, &labels].map(|content| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        });
        [&[images, labels][..], &zipped].concat()
    }

    fn run(&mut self, input: &[u8]) -> bool {
        let path = if input.starts_with(&[0x1f, 0x8b]) {
            std::fs::write(self.gzipped.with_extension("gz"), input).unwrap();
            &self.gzipped
        } else {
            std::fs::write(&self.plain, input).unwrap();
            &self.plain
        };
        let images = read_images(path);
        if let Ok(images) = &images {
            assert_eq!(
                images.pixels.len(),
                images.count * images.rows * images.columns
            );
        }
        let labels = read_labels(path, 10);
        if let Ok(labels) = &labels {
            assert!(labels.iter().all(|&label| label < 10));
        }
        images.is_ok() || labels.is_ok()
    }
}
