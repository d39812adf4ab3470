//! Data sets that are broken in every way, and arbitrary bytes.

use std::io::Write;
use std::path::{Path, PathBuf};

use burn::data::dataset::Dataset;
use burn::data::dataset::transform::{PartialDataset, SelectionDataset};
use burn_lr_mnist::{DataError, Mnist, bundled_mnist_dir, read_images, read_labels};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tempfile::TempDir;

fn idx(magic: u32, dimensions: &[u32], payload: &[u8]) -> Vec<u8> {
    let header = std::iter::once(magic).chain(dimensions.iter().copied());
    let mut bytes: Vec<u8> = header.flat_map(u32::to_be_bytes).collect();
    bytes.extend_from_slice(payload);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn file(directory: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn images_and_labels_are_read_plain_and_gzipped() {
    let directory = TempDir::new().unwrap();
    let bytes = idx(0x803, &[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
    file(&directory, "plain", &bytes);
    file(&directory, "packed.gz", &gzip(&bytes));
    let plain = read_images(directory.path().join("plain")).unwrap();
    assert_eq!((plain.count, plain.rows, plain.columns), (2, 1, 3));
    assert_eq!(plain.pixels, [1, 2, 3, 4, 5, 6]);
    assert_eq!(read_images(directory.path().join("packed")).unwrap(), plain);

    let labels = file(&directory, "labels", &idx(0x801, &[3], &[0, 9, 4]));
    assert_eq!(read_labels(labels, 10).unwrap(), [0, 9, 4]);
}

#[test]
fn each_fault_has_its_own_error_that_names_the_file() {
    let directory = TempDir::new().unwrap();
    let images = |bytes: &[u8]| read_images(file(&directory, "images", bytes)).unwrap_err();
    let header = |error: &DataError| matches!(error, DataError::Header { path, .. } if path.ends_with("images"));

    let missing = read_images(directory.path().join("nowhere"));
    assert!(matches!(missing, Err(DataError::Missing { path, .. }) if path.ends_with("nowhere")));
    assert!(header(&images(b"")));
    assert!(header(&images(&idx(0x803, &[1, 2], &[]))));
    assert!(header(&images(&idx(0x801, &[1, 2, 2], &[0; 4]))));
    assert!(header(&images(&idx(0x803, &[1, 0, 2], &[]))));
    for payload in [3, 5] {
        let error = images(&idx(0x803, &[1, 2, 2], &vec![0; payload]));
        assert!(
            matches!(error, DataError::Payload { expected: 4, .. }),
            "{error}"
        );
    }

    let labels = file(&directory, "labels", &idx(0x801, &[3], &[0, 9, 10]));
    assert!(matches!(
        read_labels(labels, 10),
        Err(DataError::Label {
            max: 9,
            found: 10,
            index: 2,
            ..
        })
    ));
}

#[test]
fn a_header_does_not_size_an_allocation() {
    let directory = TempDir::new().unwrap();
    for dimensions in [[u32::MAX; 3], [1 << 11, 1 << 10, 1 << 10]] {
        let error = read_images(file(&directory, "huge", &idx(0x803, &dimensions, &[0; 9])));
        assert!(matches!(
            error,
            Err(DataError::Header { .. } | DataError::Payload { .. })
        ));
    }
}

#[test]
fn a_corrupt_gzip_stream_is_an_error() {
    let directory = TempDir::new().unwrap();
    let mut packed = gzip(&idx(0x803, &[1, 8, 8], &[7; 64]));
    let end = packed.len();
    file(&directory, "torn.gz", &packed[..end - 6]);
    packed[end - 6] ^= 0xff;
    file(&directory, "flipped.gz", &packed);
    for name in ["torn", "flipped"] {
        let error = read_images(directory.path().join(name));
        assert!(matches!(error, Err(DataError::Gzip { .. })), "{name}");
    }
}

/// A copy of the bundled data set with one file replaced.
fn mnist_with(name: &str, bytes: &[u8]) -> DataError {
    let directory = TempDir::new().unwrap();
    for entry in std::fs::read_dir(bundled_mnist_dir()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "gz") {
            std::fs::copy(&path, directory.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    // A plain file comes before a gzipped one of the same name.
    file(&directory, name, bytes);
    Mnist::load(directory.path()).unwrap_err()
}

#[test]
fn images_and_labels_must_fit_each_other() {
    let error = mnist_with("t10k-labels-idx1-ubyte", &idx(0x801, &[2], &[1, 2]));
    assert!(matches!(
        error,
        DataError::Count {
            expected: 10_000,
            found: 2,
            ..
        }
    ));
    let error = mnist_with("t10k-images-idx3-ubyte", &idx(0x803, &[1, 2, 2], &[0; 4]));
    assert!(matches!(error, DataError::Header { found, .. } if found == "2 by 2"));
}

#[test]
fn a_directory_without_the_files_names_the_first() {
    let error = Mnist::load(Path::new("/nonexistent")).unwrap_err();
    assert!(matches!(error, DataError::Missing { path, .. }
        if path.ends_with("train-images-idx3-ubyte")));
}

#[test]
fn burns_transforms_work_on_the_images() {
    let mnist = Mnist::load(bundled_mnist_dir()).unwrap();
    let labels = mnist.test.labels().to_vec();
    let part = PartialDataset::new(mnist.test.clone(), 10, 20);
    assert_eq!((part.len(), part.get(0).unwrap().label), (10, labels[10]));
    let shuffled = SelectionDataset::new_shuffled(mnist.test.clone(), 1u64);
    let mut seen: Vec<u8> = shuffled.iter().map(|item| item.unwrap().label).collect();
    let mut all = labels;
    seen.sort_unstable();
    all.sort_unstable();
    assert_eq!(seen, all);
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_an_error_or_what_the_header_says(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes)?;
    }

    #[test]
    fn arbitrary_headers_are_an_error_or_right(
        rank in 0u32..5,
        dimensions in prop::collection::vec(prop_oneof![0u32..6, any::<u32>()], 0..4),
        payload in prop::collection::vec(any::<u8>(), 0..130),
    ) {
        check(&idx(0x800 | rank, &dimensions, &payload))?;
    }
}

fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    let directory = TempDir::new().unwrap();
    let plain = file(&directory, "plain", bytes);
    file(&directory, "packed.gz", &gzip(bytes));
    let packed = directory.path().join("packed");
    let images = read_images(&plain).ok();
    if let Some(images) = &images {
        let payload = &bytes[16..];
        prop_assert_eq!(&images.pixels[..], payload);
        prop_assert_eq!(images.count * images.rows * images.columns, payload.len());
    }
    prop_assert_eq!(images, read_images(&packed).ok());
    prop_assert_eq!(read_labels(&plain, 10).ok(), read_labels(&packed, 10).ok());
    // The bytes as a gzip stream of their own.
    file(&directory, "raw.gz", bytes);
    prop_assert!(read_images(directory.path().join("raw")).is_err());
    Ok(())
}
