//! PNG files of any size and kind, as grey pictures.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use png::{ColorType, Decoder, DecodingError, InterlaceInfo, Transformations};

use crate::format::MNIST_PIXELS;
use crate::grey_image::GreyImage;
use crate::ink::MIN_CONTRAST;

/// The largest picture that is read, 2^26 pixels: 8192 by 8192. A small file can claim and unpack
/// to much more.
const MAX_PIXELS: u64 = 1 << 26;

/// What can be wrong with a PNG file.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PngError {
    /// The file is not there or cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why it cannot be read.
        source: Arc<std::io::Error>,
    },
    /// The file is not a PNG file, or a damaged one.
    #[error("{}: expected a PNG file, got {found}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
    /// The picture is larger than what is read.
    #[error("{}: expected at most {max} pixels, got {width} by {height}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest number of pixels.
        max: u64,
        /// Pixels of a row, as the file says.
        width: u32,
        /// Pixels of a column, as the file says.
        height: u32,
    },
    /// The picture shows nothing.
    #[error("{}: expected a digit on a plain background, got a picture without contrast", path.display())]
    Blank {
        /// The file.
        path: PathBuf,
    },
}

/// Reads a PNG file of any kind as a grey picture.
///
/// Colours become their luma, `0.299 red + 0.587 green + 0.114 blue`, of the values as they are
/// stored; of 16 bits the upper 8 are used. What is transparent shows white paper behind it, or, if
/// nothing would be seen before white, black. Gamma, colour profiles and the file's own background
/// are ignored; of an animation, the still picture is read.
///
/// # Errors
/// [`PngError`] naming the file. A file that ends early or fails a checksum is refused, and so is a
/// picture of more than 2^26 pixels, before any memory is reserved for it.
pub fn read_png(path: impl AsRef<Path>) -> Result<GreyImage, PngError> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|error| unreadable(path, error))?;
    decode(path, BufReader::new(file))
}

/// Reads a PNG file as a digit in the form of MNIST, 28 by 28 pixels: [`read_png`], then
/// [`GreyImage::to_mnist`].
///
/// # Errors
/// As [`read_png`]; [`PngError::Blank`] if there is nothing in the picture.
pub fn read_png_digit(path: impl AsRef<Path>) -> Result<[u8; MNIST_PIXELS], PngError> {
    let path = path.as_ref();
    read_png(path)?.to_mnist().ok_or_else(|| PngError::Blank {
        path: path.to_owned(),
    })
}

fn unreadable(path: &Path, error: std::io::Error) -> PngError {
    PngError::Unreadable {
        path: path.to_owned(),
        source: Arc::new(error),
    }
}

fn decode(path: &Path, file: impl BufRead + Seek) -> Result<GreyImage, PngError> {
    let format = |found: String| PngError::Format {
        path: path.to_owned(),
        found,
    };
    let wrong = |error: DecodingError| match error {
        DecodingError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            unreadable(path, error)
        }
        DecodingError::IoError(_) => format("one that ends early".to_owned()),
        error => format(format!("a damaged one: {error}")),
    };

    let mut decoder = Decoder::new(file);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    // Bits and palettes become bytes, and a transparent colour becomes an alpha channel.
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let info = decoder.read_header_info().map_err(wrong)?;
    let (width, height) = (info.width, info.height);
    let size = u64::from(width) * u64::from(height);
    if size > MAX_PIXELS {
        return Err(PngError::TooLarge {
            path: path.to_owned(),
            max: MAX_PIXELS,
            width,
            height,
        });
    }
    let (width, height) = (width as usize, height as usize);

    let mut reader = decoder.read_info().map_err(wrong)?;
    // On other lengths png 0.18.1 panics: https://github.com/image-rs/image-png/issues/694
    let palette = reader
        .info()
        .palette
        .as_ref()
        .map_or(3, |colors| colors.len());
    if palette == 0 || palette > 3 * 256 || palette % 3 != 0 {
        return Err(format(format!(
            "a damaged one: its palette has {palette} bytes"
        )));
    }
    let (color, _) = reader.output_color_type();
    let interlaced = reader.info().interlaced;
    let alpha = matches!(color, ColorType::GrayscaleAlpha | ColorType::Rgba);
    // The picture before white and, if parts may be transparent, before black. They grow with what
    // is really there.
    let mut papers = [vec![], vec![]];
    let papers = &mut papers[..if alpha { 2 } else { 1 }];
    if interlaced {
        for paper in papers.iter_mut() {
            paper.resize(width * height, 0);
        }
    }
    while let Some(row) = reader.next_interlaced_row().map_err(wrong)? {
        for (paper, background) in papers.iter_mut().zip([255, 0]) {
            let pixels = row.data().chunks_exact(color.samples());
            let pixels = pixels.map(|pixel| grey(pixel, background));
            match row.interlace() {
                InterlaceInfo::Null(_) => paper.extend(pixels),
                InterlaceInfo::Adam7(pass) => {
                    let pixels: Vec<u8> = pixels.collect();
                    png::expand_interlaced_row(paper, width, &pixels, pass, 8);
                }
            }
        }
    }
    reader.finish().map_err(wrong)?;

    let seen = |paper: &Vec<u8>| {
        let range = paper.iter().max().zip(paper.iter().min());
        range.is_some_and(|(max, min)| max - min >= MIN_CONTRAST)
    };
    let chosen = papers.iter().position(seen).unwrap_or(0);
    GreyImage::new(width, height, std::mem::take(&mut papers[chosen]))
        .ok_or_else(|| format(format!("one without its {width} by {height} pixels")))
}

/// The grey of a pixel of 1 to 4 samples before `background`.
fn grey(pixel: &[u8], background: u8) -> u8 {
    let luma = |r: u8, g: u8, b: u8| {
        // In thousandths, rounded.
        let sum = 299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b);
        ((sum + 500) / 1000) as u8
    };
    let over = |grey: u8, alpha: u8| {
        let (alpha, rest) = (u32::from(alpha), u32::from(255 - alpha));
        let sum = u32::from(grey) * alpha + u32::from(background) * rest;
        ((sum + 127) / 255) as u8
    };
    match *pixel {
        [grey] => grey,
        [grey, alpha] => over(grey, alpha),
        [r, g, b] => luma(r, g, b),
        [r, g, b, alpha] => over(luma(r, g, b), alpha),
        _ => background,
    }
}
