//! Pictures of all kinds.

use std::fs;
use std::path::{Path, PathBuf};

use burn_lr::mnist::Mnist;
use png::{BitDepth, ColorType, Encoder};
use tempfile::TempDir;

use super::{classes, json_lines, predict_with_run, test_images};

/// Images of the test set that pictures are made of.
const PICTURES: usize = 100;

/// How a test image is drawn: its size, and the bytes of a pixel by the digit's ink.
struct Drawing {
    name: &'static str,
    width: usize,
    height: usize,
    /// Where the digit begins, and how many pixels one of its pixels takes.
    corner: (usize, usize),
    scale: usize,
    color: ColorType,
    depth: BitDepth,
    pixel: fn(u8) -> Vec<u8>,
}

impl Drawing {
    fn write(&self, path: &Path, digit: &[u8]) {
        let file = fs::File::create(path).unwrap();
        let mut encoder = Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(self.color);
        encoder.set_depth(self.depth);
        let ink = |index: usize| {
            let x = (index % self.width).checked_sub(self.corner.0);
            let y = (index / self.width).checked_sub(self.corner.1);
            let (x, y) = (
                x.unwrap_or(usize::MAX) / self.scale,
                y.unwrap_or(usize::MAX) / self.scale,
            );
            if x < 28 && y < 28 {
                digit[28 * y + x]
            } else {
                0
            }
        };
        let pixels = (0..self.width * self.height).flat_map(|index| (self.pixel)(ink(index)));
        let pixels: Vec<u8> = pixels.collect();
        encoder
            .write_header()
            .unwrap()
            .write_image_data(&pixels)
            .unwrap();
    }
}

const DRAWINGS: [Drawing; 8] = [
    Drawing {
        name: "as it is",
        width: 28,
        height: 28,
        corner: (0, 0),
        scale: 1,
        color: ColorType::Grayscale,
        depth: BitDepth::Eight,
        pixel: |ink| vec![ink],
    },
    Drawing {
        name: "enlarged and inverted",
        width: 280,
        height: 280,
        corner: (0, 0),
        scale: 10,
        color: ColorType::Grayscale,
        depth: BitDepth::Eight,
        pixel: |ink| vec![255 - ink],
    },
    Drawing {
        name: "red on white",
        width: 140,
        height: 140,
        corner: (0, 0),
        scale: 5,
        color: ColorType::Rgb,
        depth: BitDepth::Eight,
        pixel: |ink| vec![255, 255 - ink, 255 - ink],
    },
    Drawing {
        name: "black ink on nothing",
        width: 84,
        height: 84,
        corner: (0, 0),
        scale: 3,
        color: ColorType::Rgba,
        depth: BitDepth::Eight,
        pixel: |ink| vec![0, 0, 0, ink],
    },
    Drawing {
        name: "white ink on nothing",
        width: 84,
        height: 84,
        corner: (0, 0),
        scale: 3,
        color: ColorType::GrayscaleAlpha,
        depth: BitDepth::Eight,
        pixel: |ink| vec![255, ink],
    },
    Drawing {
        name: "wide, the digit in a corner",
        width: 500,
        height: 120,
        corner: (380, 1),
        scale: 4,
        color: ColorType::Grayscale,
        depth: BitDepth::Eight,
        pixel: |ink| vec![255 - ink],
    },
    Drawing {
        name: "tall and faint",
        width: 60,
        height: 300,
        corner: (1, 200),
        scale: 2,
        color: ColorType::Rgb,
        depth: BitDepth::Eight,
        pixel: |ink| vec![90 + ink / 3, 80 + ink / 3, 100 + ink / 3],
    },
    Drawing {
        name: "sixteen bits",
        width: 200,
        height: 200,
        corner: (2, 2),
        scale: 7,
        color: ColorType::Grayscale,
        depth: BitDepth::Sixteen,
        pixel: |ink| vec![255 - ink, 77],
    },
];

#[test]
fn pictures_are_classified_like_the_images_that_they_show() {
    let test = Mnist::bundled().unwrap().test;
    let count = PICTURES.to_string();
    let (_, out, _) = predict_with_run(&["--json", "--count", &count, &test_images()]);
    let originals = classes(&json_lines(&out));

    for drawing in DRAWINGS {
        let directory = TempDir::new().unwrap();
        let paths: Vec<PathBuf> = (0..PICTURES)
            .map(|index| {
                let path = directory.path().join(format!("{index}.PNG"));
                drawing.write(&path, test.pixels(index));
                path
            })
            .collect();
        let mut arguments = vec!["--json"];
        arguments.extend(paths.iter().map(|path| path.to_str().unwrap()));
        let (code, out, err) = predict_with_run(&arguments);
        assert_eq!(code, 0, "{}: {err}", drawing.name);
        let lines = json_lines(&out);
        assert_eq!(lines[0]["file"], paths[0].to_str().unwrap());
        let pairs = classes(&lines).into_iter().zip(&originals);
        let same = pairs.filter(|(drawn, original)| drawn == *original).count();
        assert!(
            same >= PICTURES - 1,
            "{}: {same} of {PICTURES}",
            drawing.name
        );
    }
}
