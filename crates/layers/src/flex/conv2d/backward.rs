//! The gradients.

use pulp::{Simd, WithSimd};
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

use super::forward::{distances, fill, packed};
use super::geometry::{Geometry, PIECE, TILE};
use super::kernels::{BLOCK, products, sums};
use crate::flex::lanes::sum;
use crate::flex::width::arch;

/// The gradients of input, weights and bias, empty where not `wanted`.
pub(super) fn backward(
    geometry: &Geometry,
    input: &[f32],
    weight: &[f32],
    of_output: &[f32],
    wanted: [bool; 3],
) -> [Vec<f32>; 3] {
    let channels = geometry.outputs;
    let size = geometry.output[0] * geometry.output[1];
    let of_bias = |channel: usize| {
        let rows = of_output.chunks_exact(size).skip(channel);
        rows.step_by(channels).map(sum).sum::<f64>() as f32
    };
    let of_bias = if wanted[2] {
        (0..channels).map(of_bias).collect()
    } else {
        Vec::new()
    };
    let of_sample = geometry.inputs * geometry.size[0] * geometry.size[1];
    let mut of_input = vec![
        0.0;
        if wanted[0] {
            geometry.samples * of_sample
        } else {
            0
        }
    ];
    let turned = if wanted[0] {
        turned(geometry, weight)
    } else {
        Vec::new()
    };
    let mut distances = distances(geometry);
    let count = distances.len();
    distances.resize(count.next_multiple_of(BLOCK), 0);
    let arch = arch();
    let (of_output_block, of_input_block) = (
        geometry.block() * channels * size,
        geometry.block() * of_sample,
    );
    // The sums of a part are added up block by block.
    let work = |((of_output, input), of_input): ((&[f32], &[f32]), &mut [f32])| {
        let mut sums = Vec::new();
        let mut of_input = of_input.chunks_mut(of_input_block);
        let blocks = of_output.chunks(of_output_block);
        for (of_output, input) in blocks.zip(input.chunks(of_input_block)) {
            let found = arch.dispatch(Backwards {
                geometry,
                distances: &distances,
                turned: &turned,
                input,
                of_output,
                of_input: of_input.next().unwrap_or_default(),
                is_of_weights: wanted[1],
            });
            if sums.is_empty() {
                sums = found;
            } else {
                for (sum, found) in sums.iter_mut().zip(found) {
                    *sum += found;
                }
            }
        }
        sums
    };
    let part = geometry.part();
    let parts = of_output.par_chunks(part * channels * size);
    let parts = parts.zip(input.par_chunks(part * of_sample));
    let parts: Vec<Vec<f64>> = if wanted[0] {
        let parts = parts.zip(of_input.par_chunks_mut(part * of_sample));
        parts.map(work).collect()
    } else {
        parts.map(|pair| work((pair, &mut []))).collect()
    };
    let of_weight = if wanted[1] {
        let mut totals = vec![0.0f64; channels * count];
        for part in parts {
            let rows = part.chunks_exact(distances.len());
            for (totals, part) in totals.chunks_exact_mut(count).zip(rows) {
                for (total, part) in totals.iter_mut().zip(part) {
                    *total += part;
                }
            }
        }
        totals.into_iter().map(|total| total as f32).collect()
    } else {
        Vec::new()
    };
    [of_input, of_weight, of_bias]
}

/// For each phase the distances in the gradients of the outputs, and the weights.
fn turned(geometry: &Geometry, weight: &[f32]) -> Vec<(Vec<usize>, Vec<f32>)> {
    let entries = geometry.entries();
    let of_phase = |wanted: usize| {
        let seen = (0..entries.len()).filter(|at| entries[*at].0 == wanted);
        let seen: Vec<usize> = seen.collect();
        let columns: Vec<(usize, usize)> = (0..geometry.outputs)
            .flat_map(|output| seen.iter().map(move |entry| (output, *entry)))
            .collect();
        let place = |(output, entry): &(usize, usize)| {
            output * gradient_row(geometry) + geometry.margin() - entries[*entry].1
        };
        let distances = columns.iter().map(place).collect();
        let weights = packed(geometry.inputs, columns.len(), |input, column| {
            let (output, entry) = columns[column];
            weight[(output * geometry.inputs + input) * entries.len() + entry]
        });
        (distances, weights)
    };
    (0..geometry.phases()).map(of_phase).collect()
}

/// Numbers of an output's gradient with zeros before it, in gaps and after it.
fn gradient_row(geometry: &Geometry) -> usize {
    geometry.margin() + geometry.plane().max(geometry.positions()) + TILE
}

struct Backwards<'a> {
    geometry: &'a Geometry,
    distances: &'a [usize],
    turned: &'a [(Vec<usize>, Vec<f32>)],
    input: &'a [f32],
    of_output: &'a [f32],
    of_input: &'a mut [f32],
    is_of_weights: bool,
}

impl WithSimd for Backwards<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
        let geometry = self.geometry;
        let [height, width] = geometry.output;
        let (row, margin) = (gradient_row(geometry), geometry.margin());
        let outputs = geometry.outputs.next_multiple_of(BLOCK);
        let samples = self
            .of_output
            .chunks_exact(geometry.outputs * height * width);
        let mut gradients = vec![0.0; samples.len() * outputs * row];
        for (from, to) in samples.zip(gradients.chunks_exact_mut(outputs * row)) {
            let channels = from.chunks_exact(height * width);
            for (from, to) in channels.zip(to.chunks_exact_mut(row)) {
                let lines = to[margin..].chunks_mut(geometry.pitch);
                for (from, to) in from.chunks_exact(width).zip(lines) {
                    to[..width].copy_from_slice(from);
                }
            }
        }
        of_input(
            simd,
            geometry,
            self.turned,
            &gradients,
            outputs * row,
            self.of_input,
        );
        if !self.is_of_weights {
            return Vec::new();
        }
        let of_sample = geometry.inputs * geometry.size[0] * geometry.size[1];
        let samples = self.input.chunks_exact(of_sample);
        let image = geometry.image();
        let mut images = vec![0.0; samples.len() * image];
        for (input, image) in samples.zip(images.chunks_exact_mut(image)) {
            fill(geometry, input, image);
        }
        let positions = geometry.positions();
        let columns = self.distances.len();
        let mut found = vec![0.0; outputs * columns];
        for from in (0..positions).step_by(PIECE) {
            let count = PIECE.min(positions - from);
            for (block, rows) in found.chunks_exact_mut(BLOCK * columns).enumerate() {
                let at = [0, 1, 2, 3].map(|lane| (block * BLOCK + lane) * row + margin + from);
                let blocks = self.distances.as_chunks::<BLOCK>().0;
                for (block, distances) in blocks.iter().enumerate() {
                    let sums = products(
                        simd,
                        [&gradients, &images],
                        [outputs * row, image, count],
                        at,
                        distances.map(|distance| distance + from),
                    );
                    for (row, sums) in rows.chunks_exact_mut(columns).zip(&sums) {
                        for (total, sum) in row[block * BLOCK..].iter_mut().zip(sums) {
                            *total += f64::from(*sum);
                        }
                    }
                }
            }
        }
        found
    }
}

#[inline(always)]
fn of_input<S: Simd>(
    simd: S,
    geometry: &Geometry,
    turned: &[(Vec<usize>, Vec<f32>)],
    gradients: &[f32],
    gradient: usize,
    of_input: &mut [f32],
) {
    let [height, width] = geometry.size;
    let of_sample = geometry.inputs * height * width;
    let starts = vec![[0.0; BLOCK]; geometry.inputs.div_ceil(BLOCK)];
    let length = geometry.plane().next_multiple_of(TILE);
    let mut planes = vec![0.0; starts.len() * BLOCK * length];
    let samples = gradients.chunks_exact(gradient);
    for (gradient, of_input) in samples.zip(of_input.chunks_exact_mut(of_sample)) {
        for (wanted, (distances, weights)) in turned.iter().enumerate() {
            if distances.is_empty() {
                continue;
            }
            sums(
                simd,
                gradient,
                distances,
                weights,
                &starts,
                &mut planes,
                length,
            );
            let channels = of_input.chunks_exact_mut(height * width);
            for (channel, plane) in channels.zip(planes.chunks_exact(length)) {
                geometry.rows_of_planes(|y, phase, at, first, count| {
                    if phase != wanted {
                        return;
                    }
                    let line = &mut channel[y * width + first..(y + 1) * width];
                    let line = line.iter_mut().step_by(geometry.step());
                    for (value, found) in line.zip(&plane[at..][..count]) {
                        *value = *found;
                    }
                });
            }
        }
    }
}
