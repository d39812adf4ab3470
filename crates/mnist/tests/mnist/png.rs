//! PNG files of every kind, broken ones, and arbitrary bytes.

use std::io::Write;
use std::path::PathBuf;

use burn_lr_mnist::{GreyImage, PngError, read_png, read_png_digit};
use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use proptest::prelude::*;
use tempfile::TempDir;

const GREY: u8 = 0;
const RGB: u8 = 2;
const PALETTE: u8 = 3;
const GREY_ALPHA: u8 = 4;
const RGBA: u8 = 6;

/// A PNG file put together by hand: `rows` are the bytes of each scan line.
struct Png {
    width: u32,
    height: u32,
    depth: u8,
    color: u8,
    interlaced: bool,
    extra: Vec<(&'static [u8; 4], Vec<u8>)>,
    rows: Vec<Vec<u8>>,
}

impl Png {
    fn new(width: u32, depth: u8, color: u8, rows: Vec<Vec<u8>>) -> Self {
        Self {
            width,
            height: rows.len() as u32,
            depth,
            color,
            interlaced: false,
            extra: vec![],
            rows,
        }
    }

    fn with(mut self, name: &'static [u8; 4], data: &[u8]) -> Self {
        self.extra.push((name, data.to_vec()));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut header = [self.width.to_be_bytes(), self.height.to_be_bytes()].concat();
        header.extend([self.depth, self.color, 0, 0, u8::from(self.interlaced)]);
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
        for row in &self.rows {
            packed.write_all(&[0]).unwrap();
            packed.write_all(row).unwrap();
        }
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        let mut chunk = |name: &[u8; 4], data: &[u8]| {
            let mut crc = Crc::new();
            crc.update(name);
            crc.update(data);
            bytes.extend((data.len() as u32).to_be_bytes());
            bytes.extend(name);
            bytes.extend(data);
            bytes.extend(crc.sum().to_be_bytes());
        };
        chunk(b"IHDR", &header);
        for (name, data) in &self.extra {
            chunk(name, data);
        }
        chunk(b"IDAT", &packed.finish().unwrap());
        chunk(b"IEND", &[]);
        bytes
    }

    fn read(&self) -> Result<GreyImage, PngError> {
        read(&self.bytes())
    }

    fn greys(&self) -> Vec<u8> {
        let image = self.read().unwrap();
        assert_eq!(
            (image.width() as u32, image.height() as u32),
            (self.width, self.height)
        );
        image.pixels().to_vec()
    }
}

fn file(directory: &TempDir, bytes: &[u8]) -> PathBuf {
    let path = directory.path().join("picture.png");
    std::fs::write(&path, bytes).unwrap();
    path
}

fn read(bytes: &[u8]) -> Result<GreyImage, PngError> {
    let directory = TempDir::new().unwrap();
    read_png(file(&directory, bytes))
}

#[test]
fn every_kind_of_pixel_becomes_its_grey() {
    let grey = Png::new(3, 8, GREY, vec![vec![0, 100, 255], vec![1, 2, 3]]);
    assert_eq!(grey.greys(), [0, 100, 255, 1, 2, 3]);
    let bits = Png::new(9, 1, GREY, vec![vec![0b1010_0000, 0b1000_0000]]);
    assert_eq!(bits.greys(), [255, 0, 255, 0, 0, 0, 0, 0, 255]);
    let deep = Png::new(2, 16, GREY, vec![vec![0x12, 0xff, 0xff, 0x00]]);
    assert_eq!(deep.greys(), [0x12, 0xff]);

    let colors = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];
    let luma = [76, 150, 29, 255];
    assert_eq!(Png::new(4, 8, RGB, vec![colors.to_vec()]).greys(), luma);
    let deep = colors.iter().flat_map(|&byte| [byte, byte]).collect();
    assert_eq!(Png::new(4, 16, RGB, vec![deep]).greys(), luma);
    let palette = Png::new(4, 8, PALETTE, vec![vec![0, 1, 2, 3]]).with(b"PLTE", &colors);
    assert_eq!(palette.greys(), luma);
    let small = Png::new(4, 2, PALETTE, vec![vec![0b0001_1011]]).with(b"PLTE", &colors);
    assert_eq!(small.greys(), luma);
}

#[test]
fn transparent_parts_are_white_or_else_black() {
    // Black ink at three strengths.
    let black = vec![0, 0, 0, 128, 0, 255];
    assert_eq!(
        Png::new(3, 8, GREY_ALPHA, vec![black]).greys(),
        [255, 127, 0]
    );
    // White ink is seen before black only.
    let white = vec![255, 0, 255, 128, 255, 255];
    assert_eq!(
        Png::new(3, 8, GREY_ALPHA, vec![white]).greys(),
        [0, 128, 255]
    );
    let red = vec![255, 0, 0, 255, 9, 9, 9, 0];
    assert_eq!(Png::new(2, 8, RGBA, vec![red]).greys(), [76, 255]);
    // A transparent colour, and a palette with transparency.
    let key = Png::new(2, 8, GREY, vec![vec![7, 8]]).with(b"tRNS", &[0, 7]);
    assert_eq!(key.greys(), [255, 8]);
    let palette = Png::new(2, 8, PALETTE, vec![vec![0, 1]])
        .with(b"PLTE", &[0, 0, 0, 50, 50, 50])
        .with(b"tRNS", &[0]);
    assert_eq!(palette.greys(), [255, 50]);
}

/// The seven passes: first row, first column, row step, column step.
const ADAM7: [[usize; 4]; 7] = [
    [0, 0, 8, 8],
    [0, 4, 8, 8],
    [4, 0, 8, 4],
    [0, 2, 4, 4],
    [2, 0, 4, 2],
    [0, 1, 2, 2],
    [1, 0, 2, 1],
];

#[test]
fn interlaced_files_are_read() {
    for (width, height) in [(1, 1), (5, 3), (17, 11)] {
        let pixels: Vec<u8> = (0..width * height).map(|i| (i * 7) as u8).collect();
        let mut rows = vec![];
        for [y, x, down, right] in ADAM7 {
            for y in (y..height).step_by(down) {
                let row = (x..width).step_by(right).map(|x| pixels[y * width + x]);
                let row: Vec<u8> = row.flat_map(|grey| [grey, grey, grey]).collect();
                if !row.is_empty() {
                    rows.push(row);
                }
            }
        }
        let mut png = Png::new(width as u32, 8, RGB, rows);
        png.height = height as u32;
        png.interlaced = true;
        assert_eq!(png.greys(), pixels);
    }
}

#[test]
fn each_fault_has_its_own_error_that_names_the_file() {
    let missing = read_png("nowhere.png").unwrap_err();
    assert!(matches!(&missing, PngError::Unreadable { path, .. } if path.ends_with("nowhere.png")));
    assert!(matches!(
        read_png(TempDir::new().unwrap().path()),
        Err(PngError::Unreadable { .. })
    ));

    let format = |bytes: &[u8]| {
        let error = read(bytes).unwrap_err();
        assert!(matches!(&error, PngError::Format { .. }), "{error}");
        assert!(error.to_string().contains("picture.png"), "{error}");
    };
    format(b"");
    format(b"GIF89a");
    let good = Png::new(2, 8, GREY, vec![vec![1, 2], vec![3, 4]]);
    let bytes = good.bytes();
    for end in 0..bytes.len() {
        format(&bytes[..end]);
    }
    for index in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[index] ^= 0x10;
        assert!(read(&flipped).is_err(), "byte {index}");
    }
    format(&Png::new(0, 8, GREY, vec![vec![], vec![]]).bytes());
    format(&Png::new(2, 8, GREY, vec![]).bytes());
    // Fewer rows than the header says.
    let mut short = good;
    short.height = 3;
    format(&short.bytes());
    let palette = || Png::new(1, 8, PALETTE, vec![vec![0]]);
    format(&palette().bytes());
    for length in [0, 1, 2, 4, 22, 3 * 257] {
        format(&palette().with(b"PLTE", &vec![0; length]).bytes());
    }
}

#[test]
fn a_huge_picture_is_refused_before_it_is_unpacked() {
    for (width, height) in [(1 << 14, (1 << 12) + 1), (0x7fff_ffff, 0x7fff_ffff)] {
        for interlaced in [false, true] {
            let mut bomb = Png::new(width, 8, RGBA, vec![]);
            (bomb.height, bomb.interlaced) = (height, interlaced);
            let error = bomb.read().unwrap_err();
            let claimed = (width, height);
            assert!(matches!(error, PngError::TooLarge { width, height, .. }
                if (width, height) == claimed));
        }
    }
    // More pixels in the file than the header says do no harm.
    let mut long = Png::new(1, 8, GREY, vec![vec![0; 1 << 20]]);
    long.height = 1;
    let _ = long.read();
}

#[test]
fn a_plain_picture_is_blank() {
    let directory = TempDir::new().unwrap();
    let plain = Png::new(5, 8, GREY, vec![vec![9; 5]; 5]).bytes();
    let blank = read_png_digit(file(&directory, &plain));
    assert!(matches!(blank, Err(PngError::Blank { path }) if path.ends_with("picture.png")));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read(&bytes).is_err());
    }

    #[test]
    fn damaged_files_never_panic(
        color in prop::sample::select(vec![GREY, RGB, PALETTE, GREY_ALPHA, RGBA]),
        depth in prop::sample::select(vec![1u8, 2, 4, 8, 16]),
        (width, height) in (0u32..40, 0u32..40),
        interlaced: bool,
        rows in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..40),
        palette in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..30),
            prop::collection::vec(any::<u8>(), 760..780),
        ],
        transparent in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let mut png = Png::new(width, depth, color, rows)
            .with(b"PLTE", &palette)
            .with(b"tRNS", &transparent);
        (png.height, png.interlaced) = (height, interlaced);
        if let Ok(image) = png.read() {
            prop_assert_eq!(image.pixels().len() as u32, width * height);
            let _ = image.to_mnist();
        }
    }

    #[test]
    fn any_picture_is_a_digit_or_blank(
        (width, height) in (1usize..50, 1usize..50),
        seed: Vec<u8>,
        quiet: bool,
    ) {
        let grey = |index: usize| match seed.get(index) {
            Some(&grey) => grey,
            None if quiet => 200,
            None => (index * 31 % 256) as u8,
        };
        let image = GreyImage::new(width, height, (0..width * height).map(grey).collect()).unwrap();
        if let Some(digit) = image.to_mnist() {
            prop_assert!(digit.iter().any(|&pixel| pixel > 0));
        }
    }
}
