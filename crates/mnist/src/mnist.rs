//! MNIST, from the bundled files, a directory, or the network.

use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::DataError;
use crate::format::{CLASSES, MNIST_PIXELS, SIDE};
use crate::idx::{open, read_images, read_labels};
use crate::image_dataset::ImageDataset;

/// The original files and the SHA-256 of each, decompressed.
const FILES: [(&str, &str); 4] = [
    (
        "train-images-idx3-ubyte",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    (
        "train-labels-idx1-ubyte",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    (
        "t10k-images-idx3-ubyte",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    (
        "t10k-labels-idx1-ubyte",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
];

/// The MNIST data set of handwritten digits, or one in its format: 28 by 28 pixels, 10 classes.
#[derive(Debug, Clone)]
pub struct Mnist {
    /// 60 000 images in the original.
    pub train: ImageDataset,
    /// 10 000 images in the original, used for validation.
    pub test: ImageDataset,
}

/// Where the bundled files lie in a checkout of the repository.
pub fn bundled_mnist_dir() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let root = crates.and_then(Path::parent).unwrap_or(Path::new("."));
    root.join("data/mnist")
}

impl Mnist {
    /// The bundled original, its files checked against their checksums.
    ///
    /// In a checkout of the repository the files are there. In a crate from the registry they are
    /// not: with the `download` feature, burn-dataset fetches them from the network then.
    ///
    /// # Errors
    /// [`DataError::Missing`] if the files are not there and the `download` feature is off;
    /// otherwise as [`load`](Self::load), or [`DataError::Checksum`].
    pub fn bundled() -> Result<Self, DataError> {
        let directory = bundled_mnist_dir();
        if !directory.join("README.md").is_file() {
            #[cfg(feature = "download")]
            return crate::download::splits().map(|(train, test)| Self { train, test });
            #[cfg(not(feature = "download"))]
            return Err(DataError::Missing {
                path: directory.join(FILES[0].0),
                hint: "load it from a directory of yours, or build with `--features download`",
            });
        }
        for (name, expected) in FILES {
            verify(&directory.join(name), expected)?;
        }
        Self::load(directory)
    }

    /// The four IDX files in `directory`, plain or gzipped, under their original names.
    ///
    /// # Errors
    /// [`DataError`] naming the file, what was expected and what was found.
    pub fn load(directory: impl AsRef<Path>) -> Result<Self, DataError> {
        let split = |images: usize| {
            let path = |file: usize| directory.as_ref().join(FILES[file].0);
            read_split(&path(images), &path(images + 1))
        };
        Ok(Self {
            train: split(0)?,
            test: split(2)?,
        })
    }
}

fn read_split(images_path: &Path, labels_path: &Path) -> Result<ImageDataset, DataError> {
    let images = read_images(images_path)?;
    if (images.rows, images.columns) != (SIDE, SIDE) {
        return Err(DataError::Header {
            path: images_path.to_owned(),
            expected: format!("images of {SIDE} by {SIDE} pixels"),
            found: format!("{} by {}", images.rows, images.columns),
        });
    }
    let labels = read_labels(labels_path, CLASSES)?;
    let found = labels.len();
    ImageDataset::new(images.pixels, labels, MNIST_PIXELS).ok_or_else(|| DataError::Count {
        path: labels_path.to_owned(),
        expected: images.count,
        found,
    })
}

fn verify(path: &Path, expected: &'static str) -> Result<(), DataError> {
    let (path, mut reader) = open(path)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => hash.update(&chunk[..length]),
            Err(error) => return Err(DataError::unreadable(&path, error)),
        }
    }
    let found: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if found == expected {
        return Ok(());
    }
    Err(DataError::Checksum {
        path,
        expected,
        found,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_the_original_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("labels");
        // FIPS 180-2, appendix B.1.
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        std::fs::write(&file, "abc").unwrap();
        verify(&file, digest).unwrap();
        std::fs::write(&file, "abd").unwrap();
        let changed = verify(&file, digest);
        assert!(matches!(changed, Err(DataError::Checksum { path, .. }) if path == file));
    }
}
