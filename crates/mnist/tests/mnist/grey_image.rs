//! Pictures of every shape, made into digits.

use burn::data::dataset::Dataset;
use burn_lr_mnist::{GreyImage, Mnist};

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
                let pixel = if inside {
                    original[28 * ((y - top) / scale) + (x - left) / scale]
                } else {
                    0
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
    for (width, height, contrast) in [(1, 1, 0), (28, 28, 0), (28, 28, 15)] {
        let image = picture(width, height, |x, y| {
            200 - if x == 14 && y == 14 { contrast } else { 0 }
        });
        assert_eq!(image.to_mnist(), None);
    }
    assert_eq!(GreyImage::new(0, 3, vec![]), None);
    assert_eq!(GreyImage::new(2, 3, vec![0; 5]), None);
}
