//! Where the numbers of a convolution lie.
//!
//! A channel is copied to a plane with its padding, in which the pixel that an output at `position` sees through an
//! entry of the kernel is at `position` and a distance that is the entry's alone: outputs side by side read
//! numbers side by side. For that outputs lie in rows as long as the plane's, with a gap at the end of each. With a stride there
//! is a plane for each remainder of rows and columns.

use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;

use super::kernels::BLOCK;

/// Positions that are computed at a time.
pub(super) const TILE: usize = 32;

/// Positions, at most, whose gradients of the weights are summed in single precision: of one sample or of as many as have them.
pub(super) const PIECE: usize = 1024;

/// Channels above which Burn's products of whole matrices gain.
const MOST: usize = 128;

/// Above which strides leave little between the kernel's places that would be read twice.
const LONGEST: usize = 4;

/// Numbers of a sample that a thread has before it at a time.
const LARGEST: usize = 1 << 24;

/// Pieces of work at most, each of which has sums of its own for all weights.
const PARTS: usize = 64;

/// Weights, so that these sums are no burden.
const WEIGHTS: usize = 1 << 18;

#[derive(Debug, Clone)]
pub(super) struct Geometry {
    pub(super) samples: usize,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// Height and width, as are all pairs.
    pub(super) size: [usize; 2],
    pub(super) output: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    /// At the top and at the left.
    padding: [usize; 2],
    /// Of a plane.
    pub(super) rows: usize,
    pub(super) pitch: usize,
}

impl Geometry {
    /// `None` for what is Burn's, or for it to refuse.
    pub(super) fn of(
        layer: &Conv2d,
        [samples, channels, height, width]: [usize; 4],
        [outputs, inputs, tall, wide]: [usize; 4],
        bias: Option<[usize; 1]>,
    ) -> Option<Self> {
        let (size, kernel) = ([height, width], [tall, wide]);
        let sizes = [samples, channels, height, width, outputs, tall, wide];
        let fits = channels == inputs
            && layer.groups == 1
            && layer.kernel_size == kernel
            && bias.is_none_or(|bias| bias == [outputs]);
        let steps = [layer.stride, layer.dilation].concat();
        let is_long = layer.stride.iter().any(|stride| *stride > LONGEST);
        if !fits || is_long || sizes.contains(&0) || steps.contains(&0) {
            return None;
        }
        let padding = match layer.padding {
            PaddingConfig2d::Valid => [[0; 2]; 2],
            PaddingConfig2d::Explicit(top, left, bottom, right) => [[top, bottom], [left, right]],
            PaddingConfig2d::Same => [0, 1].map(|axis| {
                // Burn's, which leaves the dilation out.
                let outputs = size[axis].div_ceil(layer.stride[axis]);
                let needed = (outputs - 1) * layer.stride[axis] + kernel[axis];
                let total = needed.saturating_sub(size[axis]);
                [total / 2, total - total / 2]
            }),
        };
        let (mut reach, mut output) = ([0; 2], [0; 2]);
        for axis in [0, 1] {
            let [before, after] = padding[axis];
            let padded = size[axis].checked_add(before)?.checked_add(after)?;
            reach[axis] = (kernel[axis] - 1).checked_mul(layer.dilation[axis])?;
            output[axis] =
                padded.checked_sub(reach[axis])?.checked_sub(1)? / layer.stride[axis] + 1;
        }
        // Measured: with few pixels beside the channels, Burn's products are as quick or quicker.
        let pixels = output[0].saturating_mul(output[1]);
        if inputs.max(outputs) > MOST || inputs * outputs > pixels.saturating_mul(pixels) {
            return None;
        }
        let rows = output[0] + reach[0] / layer.stride[0];
        let pitch = output[1] + reach[1] / layer.stride[1];
        let plane = rows.checked_mul(pitch)?;
        let phases = layer.stride[0] * layer.stride[1];
        let planes = inputs.max(outputs).max(BLOCK).checked_mul(phases)?;
        let weights = (inputs * outputs).checked_mul(tall.checked_mul(wide)?)?;
        if plane.checked_mul(planes)? > LARGEST || weights > WEIGHTS {
            return None;
        }
        Some(Self {
            samples,
            inputs,
            outputs,
            size,
            output,
            kernel,
            stride: layer.stride,
            dilation: layer.dilation,
            padding: padding.map(|[first, _]| first),
            rows,
            pitch,
        })
    }

    pub(super) fn input_dims(&self) -> [usize; 4] {
        [self.samples, self.inputs, self.size[0], self.size[1]]
    }

    pub(super) fn output_dims(&self) -> [usize; 4] {
        [self.samples, self.outputs, self.output[0], self.output[1]]
    }

    pub(super) fn weight_dims(&self) -> [usize; 4] {
        [self.outputs, self.inputs, self.kernel[0], self.kernel[1]]
    }

    pub(super) fn phases(&self) -> usize {
        self.stride[0] * self.stride[1]
    }

    pub(super) fn plane(&self) -> usize {
        self.rows * self.pitch
    }

    /// Outputs of a channel and gaps, in whole tiles.
    pub(super) fn positions(&self) -> usize {
        (self.output[0] * self.pitch).next_multiple_of(TILE)
    }

    /// Numbers of a sample's planes, and of what may be read after them.
    pub(super) fn image(&self) -> usize {
        self.inputs * self.phases() * self.plane() + self.pitch + TILE
    }

    /// Entries of the kernel: the plane's phase, and the distance in it.
    pub(super) fn entries(&self) -> Vec<(usize, usize)> {
        let along = |axis: usize, at: usize| {
            let at = at * self.dilation[axis];
            (at % self.stride[axis], at / self.stride[axis])
        };
        let mut entries = Vec::new();
        for row in 0..self.kernel[0] {
            for column in 0..self.kernel[1] {
                let ((a, down), (b, right)) = (along(0, row), along(1, column));
                entries.push((a * self.stride[1] + b, down * self.pitch + right));
            }
        }
        entries
    }

    /// The longest distance.
    pub(super) fn margin(&self) -> usize {
        let [down, right] =
            [0, 1].map(|axis| (self.kernel[axis] - 1) * self.dilation[axis] / self.stride[axis]);
        down * self.pitch + right
    }

    /// Samples whose gradients of the weights are summed in single precision.
    pub(super) fn block(&self) -> usize {
        (PIECE / self.positions()).max(1)
    }

    /// Samples, in whole blocks, that are one piece of work.
    pub(super) fn part(&self) -> usize {
        let blocks = self.samples.div_ceil(self.block());
        blocks.div_ceil(PARTS) * self.block()
    }

    /// Calls with a row of the input and what of it is seen: in which phase and where in the plane, the first column,
    /// and the columns from one to the next.
    pub(super) fn rows_of_planes(&self, mut call: impl FnMut(usize, usize, usize, usize, usize)) {
        let [height, width] = self.size;
        let [down, right] = self.stride;
        for y in 0..height {
            let (a, row) = ((y + self.padding[0]) % down, (y + self.padding[0]) / down);
            if row >= self.rows {
                continue;
            }
            for b in 0..right {
                // The first column of this remainder.
                let first = (b + right - self.padding[1] % right) % right;
                let column = (first + self.padding[1]) / right;
                if first >= width || column >= self.pitch {
                    continue;
                }
                let count = (width - first).div_ceil(right).min(self.pitch - column);
                let at = row * self.pitch + column;
                call(y, a * right + b, at, first, count);
            }
        }
    }

    pub(super) fn step(&self) -> usize {
        self.stride[1]
    }
}
