//! A grey picture of a digit, of any size, made into an image as MNIST has them.
//!
//! A network trained on MNIST knows digits that were scaled and centred in one particular way;
//! merely shrinking a picture to 28 by 28 pixels gives it something it has never seen.

use crate::format::{MNIST_PIXELS, SIDE};
use crate::ink::Ink;
use crate::window::windows;

/// The side of the square that a digit of MNIST fills.
const DIGIT_SIDE: usize = 20;

/// A grey picture, one byte a pixel, row by row from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GreyImage {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl GreyImage {
    /// A picture of `width * height` pixels, 0 for black and 255 for white.
    ///
    /// Returns nothing if a side is 0 or if the number of pixels is another.
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Option<Self> {
        let fits = !pixels.is_empty() && width.checked_mul(height) == Some(pixels.len());
        fits.then_some(Self {
            width,
            height,
            pixels,
        })
    }

    /// Pixels of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels of a column.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All pixels, row by row from the top.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The digit in the picture as MNIST would show it: white on black, 28 by 28 pixels.
    ///
    /// 1. The background is the median of the picture's outermost pixels. Ink is what is darker
    ///    than it, or what is brighter, whichever reaches further; so a light background is
    ///    inverted and becomes black.
    /// 2. What differs from the background by no more than six times the median deviation of the
    ///    outermost pixels is noise, and background too. The strongest ink becomes 255.
    /// 3. The smallest rectangle around the ink is scaled so that its longer side is 20 pixels,
    ///    keeping its proportions. Every new pixel is the mean over the area that it covers, or
    ///    over the area of one old pixel where that is larger.
    /// 4. The result is moved by whole pixels so that the centre of its mass is at the centre of
    ///    the 28 by 28, as far as nothing is cut off.
    ///
    /// Steps 3 and 4 are how [MNIST was made](http://yann.lecun.com/exdb/mnist/); an image of MNIST
    /// comes out as it went in. The picture has to show one digit upright on a plain background:
    /// no step finds a digit in a photograph, or takes shadows away.
    ///
    /// Returns nothing if there is no ink, that is nothing that differs from the background by at
    /// least 16 of 255.
    ///
    /// ```
    /// use burn_lr_mnist::GreyImage;
    ///
    /// // A black bar of 10 by 40 pixels on white becomes a white one of 5 by 20 on black.
    /// let bar = |x: usize, y: usize| (20..30).contains(&x) && (50..90).contains(&y);
    /// let pixels = (0..100 * 100).map(|i| if bar(i % 100, i / 100) { 0 } else { 255 });
    /// let picture = GreyImage::new(100, 100, pixels.collect()).unwrap();
    /// let digit = picture.to_mnist().unwrap();
    /// assert_eq!(digit.iter().filter(|&&pixel| pixel == 255).count(), 5 * 20);
    /// assert_eq!(digit.iter().filter(|&&pixel| pixel == 0).count(), 28 * 28 - 5 * 20);
    /// ```
    pub fn to_mnist(&self) -> Option<[u8; MNIST_PIXELS]> {
        let ink = Ink::find(&self.pixels, &self.border())?;
        let area = self.bounding_box(&ink)?;
        Some(centred(&self.scaled(&ink, &area)))
    }

    fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.pixels.chunks_exact(self.width)
    }

    /// How often each grey occurs among the outermost pixels.
    fn border(&self) -> [u64; 256] {
        let mut counts = [0; 256];
        let last = self.height - 1;
        for (y, row) in self.rows().enumerate() {
            let ends = [row[0], row[self.width - 1]];
            let pixels = if y == 0 || y == last {
                row
            } else {
                // In a picture one pixel wide, both ends are the same pixel.
                &ends[..self.width.min(2)]
            };
            for &pixel in pixels {
                counts[usize::from(pixel)] += 1;
            }
        }
        counts
    }

    fn bounding_box(&self, ink: &Ink) -> Option<Area> {
        let mut area: Option<Area> = None;
        for (y, row) in self.rows().enumerate() {
            let first = row.iter().position(|&pixel| ink.of(pixel) > 0.0);
            let last = row.iter().rposition(|&pixel| ink.of(pixel) > 0.0);
            let (Some(first), Some(last)) = (first, last) else {
                continue;
            };
            let area = area.get_or_insert(Area {
                x: first,
                y,
                width: 0,
                height: 0,
            });
            let right = (area.x + area.width).max(last + 1);
            area.x = area.x.min(first);
            area.width = right - area.x;
            area.height = y + 1 - area.y;
        }
        area
    }

    /// The ink in `area`, its longer side scaled to [`DIGIT_SIDE`] pixels.
    fn scaled(&self, ink: &Ink, area: &Area) -> Scaled {
        let scale = area.width.max(area.height) as f64 / DIGIT_SIDE as f64;
        let columns = windows(area.x, area.width, self.width, scale);
        let rows = windows(area.y, area.height, self.height, scale);

        let mut pixels = vec![0.0; columns.len() * rows.len()];
        let mut line = vec![0.0; columns.len()];
        for (y, row) in self.rows().enumerate() {
            // The rows of the result that this row is part of: two at most when shrinking.
            if !rows.iter().any(|window| window.weight(y) > 0.0) {
                continue;
            }
            for (sum, window) in line.iter_mut().zip(&columns) {
                *sum = window.mean(|x| ink.of(row[x]));
            }
            for (window, sums) in rows.iter().zip(pixels.chunks_exact_mut(columns.len())) {
                let weight = window.weight(y);
                if weight > 0.0 {
                    let pairs = sums.iter_mut().zip(&line);
                    pairs.for_each(|(sum, value)| *sum += weight * value);
                }
            }
        }
        Scaled {
            width: columns.len(),
            pixels,
        }
    }
}

/// A rectangle in a picture, in pixels.
struct Area {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

/// A digit in its final size.
struct Scaled {
    width: usize,
    pixels: Vec<f64>,
}

/// `digit` on 28 by 28 pixels with the centre of its mass in the middle.
fn centred(digit: &Scaled) -> [u8; MNIST_PIXELS] {
    let (mut mass, mut moment_x, mut moment_y) = (0.0, 0.0, 0.0);
    for (y, row) in digit.pixels.chunks_exact(digit.width).enumerate() {
        for (x, ink) in row.iter().enumerate() {
            mass += ink;
            moment_x += ink * x as f64;
            moment_y += ink * y as f64;
        }
    }
    let left = offset(moment_x / mass, digit.width);
    let top = offset(moment_y / mass, digit.pixels.len() / digit.width);

    let mut image = [0; MNIST_PIXELS];
    for (row, y) in digit.pixels.chunks_exact(digit.width).zip(top..) {
        let line = image[y * SIDE + left..].iter_mut();
        // Within 0..=255 but for rounding, and `as` saturates.
        line.zip(row)
            .for_each(|(pixel, ink)| *pixel = (255.0 * ink).round() as u8);
    }
    image
}

/// Where a digit of `length` pixels starts, so that its centre of mass comes to lie in
/// `13.5..14.5`, counted from the middle of the first pixel. So it is in all of MNIST.
fn offset(centre: f64, length: usize) -> usize {
    let start = ((SIDE - 1) as f64 / 2.0 - centre).ceil();
    (start.max(0.0) as usize).min(SIDE - length)
}
