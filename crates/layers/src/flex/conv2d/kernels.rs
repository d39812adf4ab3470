//! The sums.

use pulp::Simd;

use crate::flex::lanes::{LANES, halves};

/// Rows of a product that are computed at a time.
pub(super) const BLOCK: usize = 4;

/// Vectors of positions that are computed at a time: a tile has as many of the widest.
const SIDE: usize = 2;

/// Sums of `image` at a distance times a weight, for all rows of `output`, which are `length` long.
///
/// Weights are in blocks of rows, and in each block those for a distance side by side.
#[inline(always)]
pub(super) fn sums<S: Simd>(
    simd: S,
    image: &[f32],
    distances: &[usize],
    weights: &[f32],
    starts: &[[f32; BLOCK]],
    output: &mut [f32],
    length: usize,
) {
    let width = SIDE * S::F32_LANES;
    for at in (0..length).step_by(width) {
        let image = &image[at..];
        let blocks = weights.chunks_exact(distances.len() * BLOCK);
        let rows = output.chunks_exact_mut(BLOCK * length);
        for ((weights, rows), start) in blocks.zip(rows).zip(starts) {
            let mut sums = start.map(|start| [simd.splat_f32s(start); SIDE]);
            for (distance, weights) in distances.iter().zip(weights.as_chunks::<BLOCK>().0) {
                let (pixels, _) = S::as_simd_f32s(&image[*distance..][..width]);
                let Some(pixels) = pixels.first_chunk::<SIDE>() else {
                    continue;
                };
                for (sums, weight) in sums.iter_mut().zip(weights) {
                    let weight = simd.splat_f32s(*weight);
                    for (sum, pixel) in sums.iter_mut().zip(pixels) {
                        *sum = simd.add_f32s(*sum, simd.mul_f32s(weight, *pixel));
                    }
                }
            }
            for (row, sums) in rows.chunks_exact_mut(length).zip(&sums) {
                let (row, _) = S::as_mut_simd_f32s(&mut row[at..][..width]);
                row.copy_from_slice(sums);
            }
        }
    }
}

/// The sums over all samples and positions of products: of the gradients from each of `outputs` on, and of the images from
/// each of `inputs` on.
#[inline(always)]
pub(super) fn products<S: Simd>(
    simd: S,
    [gradients, images]: [&[f32]; 2],
    [gradient, image, positions]: [usize; 3],
    outputs: [usize; BLOCK],
    inputs: [usize; BLOCK],
) -> [[f32; BLOCK]; BLOCK] {
    let mut lanes = [[[0.0f32; LANES]; BLOCK]; BLOCK];
    let width = S::F32_LANES;
    for part in (0..LANES).step_by(width) {
        let mut sums = [[simd.splat_f32s(0.0); BLOCK]; BLOCK];
        let samples = gradients.chunks_exact(gradient);
        for (gradient, image) in samples.zip(images.chunks_exact(image)) {
            let count = positions - part;
            let [a, b, c, d] = outputs.map(|at| vectors::<S>(&gradient[at + part..][..count]));
            let [e, f, g, h] = inputs.map(|at| vectors::<S>(&image[at + part..][..count]));
            let gradients = a.zip(b).zip(c.zip(d)).step_by(LANES / width);
            let images = e.zip(f).zip(g.zip(h)).step_by(LANES / width);
            for (((a, b), (c, d)), ((e, f), (g, h))) in gradients.zip(images) {
                for (sums, gradient) in sums.iter_mut().zip([*a, *b, *c, *d]) {
                    for (sum, image) in sums.iter_mut().zip([*e, *f, *g, *h]) {
                        *sum = simd.add_f32s(*sum, simd.mul_f32s(gradient, image));
                    }
                }
            }
        }
        for (lanes, sums) in lanes.iter_mut().zip(&sums) {
            for (lanes, sum) in lanes.iter_mut().zip(sums) {
                let (found, _) = S::as_mut_simd_f32s(&mut lanes[part..][..width]);
                found[0] = *sum;
            }
        }
    }
    lanes.map(|lanes| lanes.map(|lanes| halves(lanes, |a, b| a + b)))
}

#[inline(always)]
fn vectors<S: Simd>(numbers: &[f32]) -> std::slice::Iter<'_, S::f32s> {
    S::as_simd_f32s(numbers).0.iter()
}
