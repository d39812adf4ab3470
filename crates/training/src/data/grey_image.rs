//! A grey picture of a digit, of any size, made into an image as MNIST has them.
//!
//! A network trained on MNIST knows digits that were scaled and centred in one particular way;
//! merely shrinking a picture to 28 by 28 pixels gives it something it has never seen.

use super::mnist::SIDE;

/// The pixels of an MNIST image, 28 by 28.
pub const MNIST_PIXELS: usize = SIDE * SIDE;

/// The side of the square that a digit of MNIST fills.
const DIGIT_SIDE: usize = 20;

/// The smallest difference between ink and background, of 255, that counts as a digit.
pub(super) const MIN_CONTRAST: u8 = 16;

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
    /// use burn_lr_training::GreyImage;
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
        let ink = Ink::find(self)?;
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
            let pixels = match y == 0 || y == last {
                true => row,
                // In a picture one pixel wide, both ends are the same pixel.
                false => &ends[..self.width.min(2)],
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

/// What counts as ink in a picture, and how much.
struct Ink {
    background: f64,
    /// What a pixel's difference from the background is multiplied by; negative for dark ink.
    gain: f64,
    /// The ink that is noise, 0 to 1.
    noise: f64,
}

impl Ink {
    fn find(picture: &GreyImage) -> Option<Self> {
        let border = picture.border();
        let background = median(&border);
        let mut deviations = [0; 256];
        for (grey, count) in (0..=255u8).zip(border) {
            deviations[usize::from(grey.abs_diff(background))] += count;
        }
        let noise = 6.0 * f64::from(median(&deviations));

        let darkest = picture.pixels.iter().min().copied()?;
        let brightest = picture.pixels.iter().max().copied()?;
        let (dark, bright) = (background - darkest, brightest - background);
        let contrast = dark.max(bright);
        if contrast < MIN_CONTRAST || f64::from(contrast) <= noise {
            return None;
        }
        let sign = if dark > bright { -1.0 } else { 1.0 };
        Some(Self {
            background: f64::from(background),
            gain: sign / f64::from(contrast),
            noise: noise / f64::from(contrast),
        })
    }

    /// The ink in a pixel, 0 to 1.
    fn of(&self, pixel: u8) -> f64 {
        let ink = (f64::from(pixel) - self.background) * self.gain;
        if ink > self.noise { ink } else { 0.0 }
    }
}

/// The grey in the middle of all that were counted.
fn median(counts: &[u64; 256]) -> u8 {
    let half = counts.iter().sum::<u64>().div_ceil(2);
    let mut sum = 0;
    let reached = |&(_, &count): &(u8, &u64)| {
        sum += count;
        sum >= half
    };
    (0..=255)
        .zip(counts)
        .find(reached)
        .map_or(255, |(grey, _)| grey)
}

/// The stretch of old pixels, along one axis, that a new pixel is the mean of.
struct Window {
    from: f64,
    to: f64,
    /// The end of the picture; what lies beyond is background.
    end: usize,
}

/// The windows of the new pixels over `length` old ones from `start` in a picture of `end`.
fn windows(start: usize, length: usize, end: usize, scale: f64) -> Vec<Window> {
    // Rounding errors must not add a new pixel with nothing in it.
    let count = (length as f64 / scale - 1e-9).ceil().max(1.0) as usize;
    let half = scale.max(1.0) / 2.0;
    let window = |index| {
        let centre = start as f64 + (f64::from(index) + 0.5) * scale;
        Window {
            from: centre - half,
            to: centre + half,
            end,
        }
    };
    (0u32..).take(count).map(window).collect()
}

impl Window {
    /// The share that old pixel `index` has in the mean.
    fn weight(&self, index: usize) -> f64 {
        let (left, right) = (index as f64, index as f64 + 1.0);
        let covered = self.to.min(right) - self.from.max(left);
        covered.max(0.0) / (self.to - self.from)
    }

    fn mean(&self, ink: impl Fn(usize) -> f64) -> f64 {
        // Saturating: a window may begin before the picture.
        let pixels = self.from as usize..(self.to.ceil() as usize).min(self.end);
        pixels.map(|index| self.weight(index) * ink(index)).sum()
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mnist;
    use burn::data::dataset::Dataset;

    fn picture(width: usize, height: usize, pixel: impl Fn(usize, usize) -> u8) -> GreyImage {
        let pixels = (0..width * height).map(|i| pixel(i % width, i / width));
        GreyImage::new(width, height, pixels.collect()).unwrap()
    }

    fn difference(a: &[u8], b: &[u8]) -> f64 {
        let sum: u64 = a
            .iter()
            .zip(b)
            .map(|(&a, &b)| u64::from(a.abs_diff(b)))
            .sum();
        sum as f64 / a.len() as f64
    }

    #[test]
    fn images_of_mnist_stay_what_they_are() {
        let test = Mnist::bundled().unwrap().test;
        let (mut same, mut worst) = (0, 0.0f64);
        for index in 0..test.len() {
            let original = test.pixels(index);
            let image = picture(28, 28, |x, y| original[28 * y + x]);
            let difference = difference(&image.to_mnist().unwrap(), original);
            same += usize::from(difference < 1.0);
            worst = worst.max(difference);
        }
        // Two in a thousand fill a square of 19 pixels and are scaled to 20.
        assert!(same >= 9950, "{same} same, worst {worst}");
    }

    #[test]
    fn enlarged_digits_come_back() {
        let test = Mnist::bundled().unwrap().test;
        for index in 0..50 {
            let original = test.pixels(index);
            let back = |scale: usize, left: usize, top: usize, dark: u8, light: u8| {
                let image = picture(28 * scale + left, 28 * scale + top, |x, y| {
                    let inside = x >= left && y >= top;
                    let pixel = match inside {
                        true => original[28 * ((y - top) / scale) + (x - left) / scale],
                        false => 0,
                    };
                    let range = i32::from(light) - i32::from(dark);
                    (i32::from(dark) + range * i32::from(pixel) / 255) as u8
                });
                difference(&image.to_mnist().unwrap(), original)
            };
            assert!(back(10, 0, 0, 0, 255) < 1.0);
            assert!(back(10, 0, 0, 255, 0) < 1.0);
            assert!(back(7, 100, 33, 230, 40) < 2.0);
            assert!(back(1, 200, 3, 90, 190) < 2.0);
        }
    }

    #[test]
    fn noise_is_background() {
        let mut state = 1u32;
        let mut random = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8 % 11
        };
        let bar = |x: usize, y: usize| (60..75).contains(&x) && (20..80).contains(&y);
        let pixels: Vec<u8> = (0..140 * 100)
            .map(|i| {
                if bar(i % 140, i / 140) {
                    50
                } else {
                    235 + random()
                }
            })
            .collect();
        let digit = GreyImage::new(140, 100, pixels)
            .unwrap()
            .to_mnist()
            .unwrap();
        assert_eq!(digit.iter().filter(|&&pixel| pixel > 240).count(), 5 * 20);
        assert_eq!(
            digit.iter().filter(|&&pixel| pixel == 0).count(),
            784 - 5 * 20
        );
    }

    #[test]
    fn proportions_are_kept_and_nothing_is_cut_off() {
        for (width, height) in [(1, 1), (1, 500), (500, 1), (3, 7), (90, 91)] {
            let image = picture(width + 2, height + 2, |x, y| {
                let inside = (1..=width).contains(&x) && (1..=height).contains(&y);
                if inside { 255 } else { 0 }
            });
            let digit = image.to_mnist().unwrap();
            let ink = digit
                .iter()
                .map(|&pixel| f64::from(pixel) / 255.0)
                .sum::<f64>();
            let scale = 20.0 / width.max(height) as f64;
            let expected = width as f64 * height as f64 * scale * scale;
            // A window of at least one old pixel blurs the edges of what is enlarged, and part of
            // the blur falls outside.
            let blur = if scale > 1.0 { 0.45 * expected } else { 1e-1 };
            assert!(
                (ink - expected).abs() <= blur,
                "{width} {height} {ink} {expected}"
            );
        }
        // A mass far off the middle: the foot of an L.
        let image = picture(100, 100, |x, y| {
            let foot = (40..=60).contains(&x) && y == 98;
            if foot || (x == 40 && y > 0 && y < 99) {
                255
            } else {
                0
            }
        });
        assert!(image.to_mnist().is_some());
    }

    #[test]
    fn a_plain_picture_has_no_digit() {
        for (width, height, contrast) in [(1, 1, 0), (28, 28, 0), (28, 28, MIN_CONTRAST - 1)] {
            let image = picture(width, height, |x, y| {
                200 - if x == 14 && y == 14 { contrast } else { 0 }
            });
            assert_eq!(image.to_mnist(), None);
        }
        assert_eq!(GreyImage::new(0, 3, vec![]), None);
        assert_eq!(GreyImage::new(2, 3, vec![0; 5]), None);
    }
}
