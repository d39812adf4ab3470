//! PNG pictures of all kinds.

use std::io::Write;
use std::path::PathBuf;

use burn_lr_mnist::read_png;
use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use tempfile::TempDir;

use super::{Target, scratch};

const SIDE: u32 = 5;
/// Kinds of colours with their samples and depths.
const KINDS: [(u8, u32, &[u32]); 5] = [
    (0, 1, &[1, 2, 4, 8, 16]),
    (2, 3, &[8, 16]),
    (3, 1, &[1, 2, 4, 8]),
    (4, 2, &[8, 16]),
    (6, 4, &[8, 16]),
];

pub struct Png {
    _directory: TempDir,
    path: PathBuf,
}

impl Png {
    pub fn new() -> Self {
        let directory = scratch();
        Self {
            path: directory.path().join("digit.png"),
            _directory: directory,
        }
    }
}

fn chunk(file: &mut Vec<u8>, name: &[u8], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(name);
    file.extend(data);
    file.extend(crc(&[name, data].concat()).to_be_bytes());
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// The widths of all rows of a picture in their order, in pixels.
fn rows(interlaced: bool) -> Vec<u32> {
    if !interlaced {
        return vec![SIDE; SIDE as usize];
    }
    // Of each pass the first column and row, and the steps.
    let passes = [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ];
    let passes = passes
        .iter()
        .flat_map(|&(x, y, dx, dy): &(u32, u32, u32, u32)| {
            let width = (SIDE - x).div_ceil(dx);
            vec![width; (SIDE - y).div_ceil(dy) as usize]
        });
    passes.collect()
}

fn picture(color: u8, samples: u32, depth: u32, interlaced: bool) -> Vec<u8> {
    let mut data = ZlibEncoder::new(Vec::new(), Compression::none());
    for (y, width) in rows(interlaced).into_iter().enumerate() {
        let bytes = (width * samples * depth).div_ceil(8);
        let row: Vec<u8> = (0..bytes)
            .map(|x| {
                if (x as usize + y).is_multiple_of(3) {
                    0x5a
                } else {
                    0
                }
            })
            .collect();
        // Each kind of filter.
        data.write_all(&[(y % 5) as u8]).unwrap();
        data.write_all(&row).unwrap();
    }
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = [SIDE.to_be_bytes(), SIDE.to_be_bytes()].concat();
    header.extend([depth as u8, color, 0, 0, u8::from(interlaced)]);
    chunk(&mut file, b"IHDR", &header);
    match color {
        3 => {
            let colors = 1 << depth;
            let palette: Vec<u8> = (0..3 * colors).map(|i: u32| (i * 40) as u8).collect();
            chunk(&mut file, b"PLTE", &palette);
            chunk(&mut file, b"tRNS", &[0, 128]);
        }
        0 => chunk(&mut file, b"tRNS", &[0, 0]),
        2 => chunk(&mut file, b"tRNS", &[0, 0, 0, 90, 0, 0]),
        _ => {}
    }
    chunk(&mut file, b"IDAT", &data.finish().unwrap());
    chunk(&mut file, b"IEND", &[]);
    file
}

impl Target for Png {
    fn corpus(&self) -> Vec<Vec<u8>> {
        let kinds = KINDS.iter().flat_map(|&(color, samples, depths)| {
            let depths = depths.iter();
            depths.flat_map(move |&depth| {
                [false, true].map(|interlaced| picture(color, samples, depth, interlaced))
            })
        });
        kinds.collect()
    }

    /// Sets right the chunks' checksums.
    fn mend(&self, input: &mut Vec<u8>) {
        let mut at = 8;
        while let Some(&[a, b, c, d]) = input.get(at..at + 4) {
            let end = at + 8 + u32::from_be_bytes([a, b, c, d]) as usize;
            let Some(content) = input.get(at + 4..end) else {
                return;
            };
            let sum = crc(content).to_be_bytes();
            let Some(place) = input.get_mut(end..end + 4) else {
                return;
            };
            place.copy_from_slice(&sum);
            at = end + 4;
        }
    }

    fn run(&mut self, input: &[u8]) -> bool {
        std::fs::write(&self.path, input).unwrap();
        let Ok(image) = read_png(&self.path) else {
            return false;
        };
        assert_eq!(image.pixels().len(), image.width() * image.height());
        if let Some(digit) = image.to_mnist() {
            assert!(digit.iter().any(|&pixel| pixel > 0));
        }
        true
    }

    /// Two pictures of 2^26 pixels, if it is interlaced, and what the decoder has for a row.
    fn memory(&self, _input: &[u8]) -> u64 {
        1 << 28
    }
}
