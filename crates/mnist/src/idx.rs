//! The IDX format of MNIST and its relatives: a big-endian header, then unsigned bytes.
//!
//! The header is `0x0000_08 <rank>` followed by one `u32` per dimension. Files may be gzipped. What
//! the header claims is checked against the bytes that are there, and never sizes an allocation.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::error::DataError;

/// The largest payload that is read: 2 GiB. A small gzip file can claim and unpack to much more.
const MAX_PAYLOAD: u64 = 1 << 31;

/// Grey images as they lie in an IDX file: `count * rows * columns` bytes, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdxImages {
    /// How many images there are.
    pub count: usize,
    /// Pixel rows of an image.
    pub rows: usize,
    /// Pixel columns of an image.
    pub columns: usize,
    /// The pixels, 0 to 255.
    pub pixels: Vec<u8>,
}

/// Reads an IDX file of images, plain or, if only `path` with `.gz` is there, gzipped.
///
/// # Errors
/// [`DataError`] naming the file, what was expected and what was found.
pub fn read_images(path: impl AsRef<Path>) -> Result<IdxImages, DataError> {
    let (path, mut reader) = open(path.as_ref())?;
    let [count, rows, columns] = header(&path, &mut reader)?;
    if rows == 0 || columns == 0 {
        return Err(DataError::Header {
            path,
            expected: "images of at least 1 by 1 pixel".to_owned(),
            found: format!("{rows} by {columns}"),
        });
    }
    let pixels = payload(&path, &mut reader, &[count, rows, columns])?;
    Ok(IdxImages {
        count: count as usize,
        rows: rows as usize,
        columns: columns as usize,
        pixels,
    })
}

/// Reads an IDX file of labels, plain or, if only `path` with `.gz` is there, gzipped.
///
/// # Errors
/// [`DataError`] naming the file, what was expected and what was found.
pub fn read_labels(path: impl AsRef<Path>, classes: u8) -> Result<Vec<u8>, DataError> {
    let (path, mut reader) = open(path.as_ref())?;
    let [count] = header(&path, &mut reader)?;
    let labels = payload(&path, &mut reader, &[count])?;
    match labels.iter().position(|&label| label >= classes) {
        Some(index) => Err(DataError::Label {
            path,
            max: classes.saturating_sub(1),
            found: labels[index],
            index,
        }),
        None => Ok(labels),
    }
}

/// The file that is there, `path` or `path.gz`, and a reader of its decompressed bytes.
pub(crate) fn open(path: &Path) -> Result<(PathBuf, Box<dyn Read>), DataError> {
    let mut gzipped = path.as_os_str().to_owned();
    gzipped.push(".gz");
    let found = [path.to_owned(), gzipped.into()]
        .into_iter()
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| DataError::Missing {
            path: path.to_owned(),
            hint: "name the directory that holds the data set",
        })?;
    let file = File::open(&found).map_err(|error| DataError::unreadable(&found, error))?;
    let file = BufReader::new(file);
    let zipped = found.extension().is_some_and(|ending| ending == "gz");
    let reader: Box<dyn Read> = if zipped {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    Ok((found, reader))
}

/// The dimensions in a header of rank `RANK`.
fn header<const RANK: usize>(path: &Path, reader: &mut dyn Read) -> Result<[u32; RANK], DataError> {
    let wrong = |expected: String, found: String| DataError::Header {
        path: path.to_owned(),
        expected,
        found,
    };
    let length = 4 + 4 * RANK;
    let mut bytes = Vec::with_capacity(length);
    reader
        .take(length as u64)
        .read_to_end(&mut bytes)
        .map_err(|error| DataError::unreadable(path, error))?;
    let mut words = bytes.chunks_exact(4);
    let mut word = || match words.next() {
        Some(&[a, b, c, d]) => Ok(u32::from_be_bytes([a, b, c, d])),
        _ => Err(wrong(
            format!("a header of {length} bytes"),
            format!("{} bytes", bytes.len()),
        )),
    };
    let magic = word()?;
    let expected = 0x0800 | RANK as u32;
    if magic != expected {
        return Err(wrong(
            format!("magic number {expected:#010x}, unsigned bytes in {RANK} dimensions"),
            format!("{magic:#010x}"),
        ));
    }
    let mut dimensions = [0; RANK];
    for dimension in &mut dimensions {
        *dimension = word()?;
    }
    Ok(dimensions)
}

/// The bytes after the header, exactly as many as the dimensions say.
fn payload(path: &Path, reader: &mut dyn Read, dimensions: &[u32]) -> Result<Vec<u8>, DataError> {
    let expected = dimensions
        .iter()
        .try_fold(1u64, |product, &dimension| {
            product.checked_mul(u64::from(dimension))
        })
        .filter(|&bytes| bytes <= MAX_PAYLOAD)
        .ok_or_else(|| DataError::Header {
            path: path.to_owned(),
            expected: format!("dimensions of at most {MAX_PAYLOAD} bytes together"),
            found: format!("{dimensions:?}"),
        })?;
    // Grows with what is really there; one byte more than expected shows that the file is too long.
    let mut bytes = Vec::new();
    reader
        .take(expected + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| DataError::unreadable(path, error))?;
    if bytes.len() as u64 == expected {
        bytes.shrink_to_fit();
        return Ok(bytes);
    }
    let found = if bytes.len() as u64 > expected {
        format!("at least {}", bytes.len())
    } else {
        bytes.len().to_string()
    };
    Err(DataError::Payload {
        path: path.to_owned(),
        expected,
        found,
    })
}
