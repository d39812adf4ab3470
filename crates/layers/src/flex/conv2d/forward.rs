//! The outputs.

use pulp::{Simd, WithSimd};
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

use super::geometry::Geometry;
use super::kernels::{BLOCK, sums};
use crate::flex::width::arch;

/// Blocks of rows of `at(row, column)`, those of a column side by side, and 0 in rows that there are not.
pub(super) fn packed(rows: usize, columns: usize, at: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let mut packed = Vec::with_capacity(rows.next_multiple_of(BLOCK) * columns);
    for block in (0..rows).step_by(BLOCK) {
        for column in 0..columns {
            for row in block..block + BLOCK {
                packed.push(if row < rows { at(row, column) } else { 0.0 });
            }
        }
    }
    packed
}

pub(super) fn forward(
    geometry: &Geometry,
    input: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let distances = distances(geometry);
    let columns = distances.len();
    let weights = packed(geometry.outputs, columns, |row, column| {
        weight[row * columns + column]
    });
    let starts = packed(geometry.outputs, 1, |row, _| {
        bias.map_or(0.0, |bias| bias[row])
    });
    let (starts, _) = starts.as_chunks::<BLOCK>();
    let of_input = geometry.inputs * geometry.size[0] * geometry.size[1];
    let of_output = geometry.outputs * geometry.output[0] * geometry.output[1];
    let mut output = vec![0.0; geometry.samples * of_output];
    let block = geometry.block();
    let arch = arch();
    let blocks = output.par_chunks_mut(block * of_output);
    let blocks = blocks.zip(input.par_chunks(block * of_input));
    blocks.for_each(|(output, input)| {
        arch.dispatch(Forward {
            geometry,
            distances: &distances,
            weights: &weights,
            starts,
            input,
            output,
        });
    });
    output
}

/// Where the planes' numbers are that an output sees, for each weight.
pub(super) fn distances(geometry: &Geometry) -> Vec<usize> {
    let entries = geometry.entries();
    let of_channel = |channel: usize| {
        let first = channel * geometry.phases();
        let place =
            move |(phase, distance): &(usize, usize)| (first + phase) * geometry.plane() + distance;
        entries.iter().map(place)
    };
    (0..geometry.inputs).flat_map(of_channel).collect()
}

struct Forward<'a> {
    geometry: &'a Geometry,
    distances: &'a [usize],
    weights: &'a [f32],
    starts: &'a [[f32; BLOCK]],
    input: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let geometry = self.geometry;
        let [height, width] = geometry.output;
        let of_input = geometry.inputs * geometry.size[0] * geometry.size[1];
        let length = geometry.positions();
        let mut image = vec![0.0; geometry.image()];
        let mut rows = vec![0.0; self.starts.len() * BLOCK * length];
        let samples = self
            .output
            .chunks_exact_mut(geometry.outputs * height * width);
        for (output, input) in samples.zip(self.input.chunks_exact(of_input)) {
            fill(geometry, input, &mut image);
            let (distances, weights) = (self.distances, self.weights);
            sums(
                simd,
                &image,
                distances,
                weights,
                self.starts,
                &mut rows,
                length,
            );
            let channels = output.chunks_exact_mut(height * width);
            for (channel, row) in channels.zip(rows.chunks_exact(length)) {
                let lines = row.chunks(geometry.pitch);
                for (line, found) in channel.chunks_exact_mut(width).zip(lines) {
                    line.copy_from_slice(&found[..width]);
                }
            }
        }
    }
}

/// Copies a sample to its planes, whose padding is 0.
#[inline(always)]
pub(super) fn fill(geometry: &Geometry, input: &[f32], image: &mut [f32]) {
    let [height, width] = geometry.size;
    let (phases, plane, step) = (geometry.phases(), geometry.plane(), geometry.step());
    let channels = input.chunks_exact(height * width);
    for (channel, planes) in channels.zip(image.chunks_exact_mut(phases * plane)) {
        geometry.rows_of_planes(|y, phase, at, first, count| {
            let line = &channel[y * width..][..width];
            let seen = &mut planes[phase * plane + at..][..count];
            if step == 1 {
                seen.copy_from_slice(&line[first..][..count]);
            } else {
                for (seen, value) in seen.iter_mut().zip(line[first..].iter().step_by(step)) {
                    *seen = *value;
                }
            }
        });
    }
}
