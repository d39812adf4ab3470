//! Digits side by side in a PNG file.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use burn::tensor::Tensor;

const SIDE: usize = 28;
/// Digits in a row, and rows.
pub const GRID: usize = 8;

/// Writes `GRID * GRID` digits `[batch, 784]` of pixels from 0 to 1.
pub fn write(path: &Path, digits: Tensor<2>) -> Result<(), Box<dyn Error>> {
    let digits = digits.try_into_vec_as::<f32>()?;
    let side = GRID * SIDE;
    let grey = |at: usize| {
        let (x, y) = (at % side, at / side);
        let digit = y / SIDE * GRID + x / SIDE;
        let pixel = digits.get(digit * SIDE * SIDE + y % SIDE * SIDE + x % SIDE);
        (255.0 * pixel.unwrap_or(&0.0)).round() as u8
    };
    let pixels: Vec<u8> = (0..side * side).map(grey).collect();
    let named = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    let file = BufWriter::new(File::create(path).map_err(named)?);
    let mut encoder = png::Encoder::new(file, side as u32, side as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    Ok(writer.finish()?)
}
